import {
  at,
  equal,
  isObject,
  numberAt,
  objectAt,
  objectsAt,
  stringAt,
  type Json,
  type JsonObject,
} from '../base/json.ts';
import type { KubernetesObject } from '../kubernetes/object.ts';
import { isTrue } from '../kubernetes/conditions.ts';
import { historyKeeper } from '../manifests/kinds.ts';
import type { ObjectEvent } from './failures/events.ts';
import { isOwnedBy, newReplicaSet, withoutHash } from './ownership.ts';

/** A version of a workload as its own controller keeps it, in a ReplicaSet or a ControllerRevision. */
export interface WorkloadRevision {
  /** The controller's number; a version that comes back gets a new one. */
  revision: number;
  /** Of the ReplicaSet or ControllerRevision. */
  name: string;
  /** ISO 8601. */
  createdAt: string;
  /** As the user wrote it, with the server's defaults. */
  template: JsonObject;
  images: string[];
  /** How many pods of it there are, and how many of them are ready. */
  pods: number;
  ready: number;
  /** The annotation `kubernetes.io/change-cause`. */
  changeCause?: string;
  /** Whether it has ever run: a controller does not keep that, so it may be unknown. */
  state: 'current' | 'good' | 'unknown' | 'bad';
  /** Why, as it stands in brackets: `3 ready pods`. */
  reason: string;
}

/** How users read the states; of what they are in outputs a workflow may depend. */
const shownStates = { current: 'current', good: 'healthy', unknown: 'unknown', bad: 'not healthy' } as const;

export function shownState(state: WorkloadRevision['state']): string {
  return shownStates[state];
}

/** `healthy (3 ready pods)`, `current` */
export function describeState({ state, reason }: Pick<WorkloadRevision, 'state' | 'reason'>): string {
  return state === 'current' || reason === '' ? shownState(state) : `${shownState(state)} (${reason})`;
}

/** `ReplicaSet #2`: what its controller keeps of a workload. A revision is only what this action has recorded. */
export function versionName(workload: Pick<KubernetesObject, 'kind'>, number: number | string): string {
  return `${historyKeeper(workload) ?? 'version'} #${number}`;
}

/** What lies around a workload in its namespace. */
export interface Remains {
  replicaSets: readonly KubernetesObject[];
  controllerRevisions: readonly KubernetesObject[];
  pods: readonly KubernetesObject[];
  events: readonly ObjectEvent[];
}

export const changeCauseAnnotation = 'kubernetes.io/change-cause';

const revisionAnnotation = 'deployment.kubernetes.io/revision';

/** Warnings about a pod that never got to run, or did not stay. */
const troubles = new Set(['BackOff', 'Failed', 'FailedCreatePodSandBox', 'FailedMount', 'InspectFailed']);

/** The versions that the cluster still has of a workload, newest first. */
export function historyOf(workload: KubernetesObject, remains: Remains): WorkloadRevision[] {
  const found =
    historyKeeper(workload) === 'ReplicaSet' ? ofDeployment(workload, remains) : ofControlled(workload, remains);
  return found.sort((left, right) => right.revision - left.revision);
}

/**
 * The version that a rollback goes to by itself. One of which pods are ready, or that was rolled out completely, is known
 * to be good; kubectl would take the second highest number, which after two failures is a failure. Where nothing is known to be
 * good, the newest of which nothing is known to be bad.
 */
export function lastGood(history: readonly WorkloadRevision[]): WorkloadRevision | undefined {
  return history.find(({ state }) => state === 'good') ?? history.find(({ state }) => state === 'unknown');
}

/** Numbers and names as kubectl has them: pkg/polymorphichelpers/history.go and rollback.go of kubernetes/kubectl. */
function ofDeployment(deployment: KubernetesObject, { replicaSets, events }: Remains): WorkloadRevision[] {
  const own = replicaSets.filter((set) => isOwnedBy(set, deployment));
  const current = newReplicaSet(deployment, own);
  return own.flatMap((set): WorkloadRevision[] => {
    const template = withoutHash(at(set, 'spec', 'template'));
    const revision = Number(set.metadata.annotations?.[revisionAnnotation]);
    if (!isObject(template) || !Number.isInteger(revision)) return [];
    const pods = numberAt(set, 'status', 'replicas') ?? 0;
    const ready = numberAt(set, 'status', 'readyReplicas') ?? 0;
    const trouble = events.find(
      ({ kind, type, reason, name }) =>
        kind === 'Pod' && type === 'Warning' && troubles.has(reason) && name.startsWith(`${set.metadata.name}-`),
    );
    return [
      {
        ...facts(set, revision, template),
        pods,
        ready,
        ...(set === current ? isCurrent : judged(pods, ready, trouble)),
      },
    ];
  });
}

function ofControlled(workload: KubernetesObject, { controllerRevisions, pods }: Remains): WorkloadRevision[] {
  const own = controllerRevisions.filter((entry) => isOwnedBy(entry, workload));
  const ownPods = pods.filter(
    (pod) => isOwnedBy(pod, workload) && stringAt(pod, 'metadata', 'deletionTimestamp') === undefined,
  );
  const current = currentOf(workload, own);
  const complete = stringAt(workload, 'status', 'currentRevision');
  return own.flatMap((entry): WorkloadRevision[] => {
    const revision = numberAt(entry, 'revision');
    const template = templateOf(entry);
    if (revision === undefined || template === undefined) return [];
    // A StatefulSet names its pods' revision by the object, a DaemonSet by the hash alone.
    const hashes = [entry.metadata.name, entry.metadata.labels?.['controller-revision-hash']];
    const its = ownPods.filter((pod) => hashes.includes(pod.metadata.labels?.['controller-revision-hash']));
    const ready = its.filter((pod) => isTrue(pod, 'Ready')).length;
    const state =
      ready === 0 && entry.metadata.name === complete
        ? ({ state: 'good', reason: 'rolled out before the current one' } as const)
        : judged(its.length, ready, undefined);
    return [
      { ...facts(entry, revision, template), pods: its.length, ready, ...(entry === current ? isCurrent : state) },
    ];
  });
}

const isCurrent = { state: 'current', reason: 'what the workload asks for' } as const;

function judged(
  pods: number,
  ready: number,
  trouble: ObjectEvent | undefined,
): Pick<WorkloadRevision, 'state' | 'reason'> {
  if (ready > 0) return { state: 'good', reason: `${ready} ready ${ready === 1 ? 'pod' : 'pods'}` };
  if (pods > 0) return { state: 'bad', reason: `${pods} ${pods === 1 ? 'pod' : 'pods'}, none ready` };
  if (trouble !== undefined) return { state: 'bad', reason: `a pod with ${trouble.reason}: ${trouble.message}` };
  return { state: 'unknown', reason: 'no pods left' };
}

function facts(
  keeper: KubernetesObject,
  revision: number,
  template: JsonObject,
): Pick<WorkloadRevision, 'revision' | 'name' | 'createdAt' | 'template' | 'images' | 'changeCause'> {
  const changeCause = keeper.metadata.annotations?.[changeCauseAnnotation];
  return {
    revision,
    name: keeper.metadata.name,
    createdAt: keeper.metadata.creationTimestamp ?? '',
    template,
    images: objectsAt(template, 'spec', 'containers').flatMap((container) => stringAt(container, 'image') ?? []),
    ...(changeCause === undefined ? {} : { changeCause }),
  };
}

/** The data of a ControllerRevision is a patch that replaces the template as a whole. */
function templateOf(entry: KubernetesObject): JsonObject | undefined {
  const template = at(entry, 'data', 'spec', 'template');
  if (!isObject(template)) return undefined;
  return Object.fromEntries(Object.entries(template).filter(([key]) => key !== '$patch'));
}

function currentOf(workload: KubernetesObject, own: readonly KubernetesObject[]): KubernetesObject | undefined {
  const wanted = withoutNulls(objectAt(workload, 'spec', 'template'));
  const same = own.filter((entry) => equal(withoutNulls(templateOf(entry)), wanted));
  const isObserved = (numberAt(workload, 'status', 'observedGeneration') ?? 0) >= (workload.metadata.generation ?? 0);
  const newest = (entries: readonly KubernetesObject[]) =>
    [...entries].sort((one, other) => (numberAt(other, 'revision') ?? 0) - (numberAt(one, 'revision') ?? 0))[0];
  // A server that has learnt a new default since wrote another text for the same template.
  return newest(same) ?? (isObserved ? newest(own) : undefined);
}

/** `creationTimestamp: null` and its like, which say nothing. */
export function withoutNulls(value: Json | undefined): Json | undefined {
  if (Array.isArray(value)) return value.map((item) => withoutNulls(item) ?? null);
  if (!isObject(value)) return value;
  return Object.fromEntries(
    Object.entries(value).flatMap(([key, inner]) => (inner === null ? [] : [[key, withoutNulls(inner)]])),
  );
}
