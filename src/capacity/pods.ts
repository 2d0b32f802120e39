import { numberAt, objectAt, objectsAt, stringAt, type Json, type JsonObject } from '../base/json.ts';
import type { KubernetesObject, ObjectRef } from '../kubernetes/object.ts';
import { isReadyPod } from '../rollout/failures/pod.ts';

/** Selects pods by their fields: whatever has ended takes nothing of a node. */
export const notEnded = 'status.phase!=Succeeded,status.phase!=Failed';

/** What counts of a pod; the rest of thousands of them is let go as each page comes. */
export function essentialsOfPod(pod: KubernetesObject): KubernetesObject {
  const { apiVersion, kind, metadata, spec, status } = pod;
  const { name, namespace, labels, ownerReferences, creationTimestamp, deletionTimestamp } = metadata;
  // Of what has a node already, it does not matter any more where it may run.
  const isPlaced = stringAt(spec, 'nodeName') !== undefined;
  const container = (each: JsonObject) => chosen(each, ['resources', 'restartPolicy', 'ports']);
  return {
    apiVersion,
    kind,
    metadata: chosen({ name, namespace, labels, ownerReferences, creationTimestamp, deletionTimestamp }) as never,
    spec: {
      ...chosen(objectAt(spec), [
        'nodeName',
        'priority',
        'priorityClassName',
        'preemptionPolicy',
        'overhead',
        'resources',
        'hostNetwork',
        'activeDeadlineSeconds',
        ...(isPlaced ? [] : placing),
      ]),
      affinity: chosen(objectAt(spec, 'affinity'), ['podAntiAffinity', ...(isPlaced ? [] : ['nodeAffinity'])]),
      initContainers: objectsAt(spec, 'initContainers').map(container),
      containers: objectsAt(spec, 'containers').map(container),
    },
    status: {
      ...chosen(objectAt(status), ['phase', 'nominatedNodeName']),
      conditions: objectsAt(status, 'conditions').filter(
        (each) => each['type'] === 'Ready' || (each['type'] === 'PodScheduled' && !isPlaced),
      ),
    },
  };
}

const placing = ['schedulerName', 'nodeSelector', 'tolerations', 'topologySpreadConstraints', 'schedulingGates'];

/** Likewise of a node; the list of its images alone is long. */
export function essentialsOfNode(node: KubernetesObject): KubernetesObject {
  const { apiVersion, kind, metadata, spec, status } = node;
  const { name, labels, annotations } = metadata;
  return {
    apiVersion,
    kind,
    metadata: chosen({ name, labels, annotations }) as never,
    spec: chosen(objectAt(spec), ['taints', 'unschedulable']),
    status: chosen(objectAt(status), ['allocatable', 'conditions']),
  };
}

/**
 * Whether the pod is one of the workload: the name of a Deployment's ReplicaSet ends with the hash of its template, and a pod of a
 * LeaderWorkerSet has its name in a label.
 */
export function isPodOf(pod: KubernetesObject, { kind, name, namespace }: ObjectRef): boolean {
  if (namespace !== undefined && pod.metadata.namespace !== namespace) return false;
  const hash = pod.metadata.labels?.['pod-template-hash'];
  if (kind === 'LeaderWorkerSet') return pod.metadata.labels?.['leaderworkerset.sigs.k8s.io/name'] === name;
  return (
    pod.metadata.ownerReferences?.some(
      (owner) =>
        (owner.kind === kind && owner.name === name) ||
        (kind === 'Deployment' && owner.kind === 'ReplicaSet' && owner.name === `${name}-${hash ?? ''}`),
    ) === true
  );
}

/** The pods that a controller would take first: those on no node, then those not ready, then the youngest. */
export function firstToGo(pods: readonly KubernetesObject[], count: number): KubernetesObject[] {
  const rank = (pod: KubernetesObject) =>
    stringAt(pod, 'spec', 'nodeName') === undefined ? 0 : isReadyPod(pod) ? 2 : 1;
  const age = (pod: KubernetesObject) => Date.parse(pod.metadata.creationTimestamp ?? '') || 0;
  return pods
    .filter((pod) => !isEnding(pod))
    .toSorted((left, right) => rank(left) - rank(right) || age(right) - age(left))
    .slice(0, count);
}

/** It has been deleted, and its node will have its share back within its grace period. */
export function isEnding(pod: KubernetesObject): boolean {
  return pod.metadata.deletionTimestamp !== undefined;
}

/** The pods that would have to make place for pods of this template (kubernetes: preemption by priority). */
export function preemptible(pods: readonly KubernetesObject[], template: JsonObject): Set<KubernetesObject> {
  const { priority, preempts } = priorityOf(template, pods);
  return new Set(preempts ? pods.filter((pod) => (numberAt(pod, 'spec', 'priority') ?? 0) < priority) : []);
}

/**
 * PriorityClasses are the cluster's; what a class is worth is told by any pod that has it. As long as none has one that is named, it
 * may be worth more than all others: nobody is refused for a guess.
 */
function priorityOf(template: JsonObject, pods: readonly KubernetesObject[]): { priority: number; preempts: boolean } {
  const name = stringAt(template, 'spec', 'priorityClassName');
  const same = pods.find((pod) => stringAt(pod, 'spec', 'priorityClassName') === name);
  const policy = stringAt(same, 'spec', 'preemptionPolicy') ?? stringAt(template, 'spec', 'preemptionPolicy');
  const unknown = name === undefined || same !== undefined ? 0 : Number.POSITIVE_INFINITY;
  return { priority: numberAt(same, 'spec', 'priority') ?? unknown, preempts: policy !== 'Never' };
}

/** Devices that are claimed by ResourceClaims lie in no node's allocatable. */
export function usesClaims(template: JsonObject): boolean {
  return objectsAt(template, 'spec', 'resourceClaims').length > 0;
}

function chosen(
  map: Readonly<Record<string, Json | undefined>>,
  names: readonly string[] = Object.keys(map),
): JsonObject {
  return Object.fromEntries(names.flatMap((name) => (map[name] === undefined ? [] : [[name, map[name]]])));
}
