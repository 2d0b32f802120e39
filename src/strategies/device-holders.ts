import { booleanAt, numberAt, stringAt, type JsonObject } from '../base/json.ts';
import { isSelected } from '../capacity/node-fit.ts';
import { essentialsOfNode, essentialsOfPod, isEnding, isPodOf, notEnded } from '../capacity/pods.ts';
import type { KubernetesClient } from '../kubernetes/client.ts';
import { isStatus } from '../kubernetes/errors.ts';
import type { KubernetesObject, ObjectRef } from '../kubernetes/object.ts';

interface NewPods {
  /** Of the pods, as far as they ask for devices. */
  specs: readonly (JsonObject | undefined)[];
  /** Of those that run now. */
  owner: ObjectRef & { namespace: string };
  /** Whether a quota of the namespace has too little, and not only the nodes. */
  inQuota: boolean;
}

/**
 * Why devices that are taken now may come free without this deploy: pods of a Job end by themselves, pods that are being deleted count
 * for a quota until they are gone, and the cluster may give new pods without a class a priority by which they evict others.
 * @param holds whether a pod asks for such devices
 * @returns which pod may release them, as a sentence goes on; undefined where none is known to
 */
export async function lookWhoMayReleaseThem(
  client: KubernetesClient,
  { specs, owner, inQuota }: NewPods,
  holds: (pod: KubernetesObject) => boolean,
): Promise<string | undefined> {
  const all = (await lookForPods(client, owner.namespace)).filter((pod) => !hasEnded(pod) && holds(pod));
  const nodes = await lookForNodes(client);
  const matching = nodes?.filter((node) => specs.some((spec) => isSelected(node, spec)));
  const names = matching && new Set(matching.map(({ metadata }) => metadata.name));
  // Pods of the namespace count for its quotas, wherever they run.
  const isInTheWay = ({ metadata, spec }: KubernetesObject) =>
    (inQuota && metadata.namespace === owner.namespace) || names?.has(stringAt(spec, 'nodeName') ?? '') !== false;
  const holders = all.filter(isInTheWay);
  const leaving = inQuota
    ? holders.find((pod) => isEnding(pod) && pod.metadata.namespace === owner.namespace)
    : undefined;
  if (leaving !== undefined) return `${namedPod(leaving)} is terminating`;
  const ofJob = holders.find(isOfJob);
  if (ofJob !== undefined) return `${namedPod(ofJob)} belongs to a Job`;
  if (specs.every((spec) => stringAt(spec, 'priorityClassName') !== undefined)) return undefined;
  const { priority, evicts } = await lookUpPriority(
    client,
    all.filter((pod) => isPodOf(pod, owner)),
  );
  const lower = evicts ? holders.find((pod) => priorityOf(pod) < priority) : undefined;
  return lower === undefined ? undefined : `${namedPod(lower)} has a lower priority`;
}

/** All pods of the cluster; those of the namespace where no more may be seen, since only its quotas count then. */
export async function lookForPods(client: KubernetesClient, namespace: string): Promise<KubernetesObject[]> {
  const pods = await client.resource('v1', 'Pod');
  if (pods === undefined) return [];
  try {
    return (await client.list(pods, { fieldSelector: notEnded, keep: essentialsOfPod })).items;
  } catch (error) {
    if (!isStatus(error, 403)) throw error;
    return (await client.list(pods, { namespace, fieldSelector: notEnded, keep: essentialsOfPod })).items;
  }
}

/** Undefined where nodes may not be seen. */
export async function lookForNodes(client: KubernetesClient): Promise<KubernetesObject[] | undefined> {
  const nodes = await client.resource('v1', 'Node');
  if (nodes === undefined) return undefined;
  try {
    return (await client.list(nodes, { keep: essentialsOfNode })).items;
  } catch (error) {
    if (!isStatus(error, 403)) throw error;
    return undefined;
  }
}

/**
 * The priority of pods without a class: that of the class with `globalDefault: true`; where classes may not be seen, what own pods
 * have been given.
 */
async function lookUpPriority(
  client: KubernetesClient,
  own: readonly KubernetesObject[],
): Promise<{ priority: number; evicts: boolean }> {
  const ofOwn = {
    priority: Math.max(0, ...own.map(priorityOf)),
    evicts: own.every((pod) => stringAt(pod, 'spec', 'preemptionPolicy') !== 'Never'),
  };
  const classes = await client.resource('scheduling.k8s.io/v1', 'PriorityClass');
  if (classes === undefined) return ofOwn;
  try {
    const { items } = await client.list(classes, {});
    const fallback = items.find((one) => booleanAt(one, 'globalDefault') === true);
    return {
      priority: numberAt(fallback, 'value') ?? 0,
      evicts: stringAt(fallback, 'preemptionPolicy') !== 'Never',
    };
  } catch (error) {
    if (!isStatus(error, 403)) throw error;
    return ofOwn;
  }
}

/** `pod "train-0" in namespace "lab"` */
export function namedPod({ metadata: { name, namespace = 'default' } }: KubernetesObject): string {
  return `pod "${name}" in namespace "${namespace}"`;
}

export function priorityOf(pod: KubernetesObject): number {
  return numberAt(pod, 'spec', 'priority') ?? 0;
}

function isOfJob({ metadata: { ownerReferences = [] } }: KubernetesObject): boolean {
  return ownerReferences.some(({ apiVersion, kind }) => kind === 'Job' && apiVersion.startsWith('batch/'));
}

export function hasEnded(pod: KubernetesObject): boolean {
  return ['Succeeded', 'Failed'].includes(stringAt(pod, 'status', 'phase') ?? '');
}
