import { timeOf } from '../kubernetes/conditions.ts';
import type { KubernetesObject } from '../kubernetes/object.ts';
import { isWorkload } from '../manifests/kinds.ts';
import { byOwner, descendantsOf, newReplicaSet, podsOf, podsOfNewRevision } from './ownership.ts';
import { followedBy } from './readiness/index.ts';
import { isSince, type Facts } from './readiness/rule.ts';
import type { Snapshot } from './snapshot.ts';

/** What a custom resource owns, at any depth: its status alone may say less than theirs. */
export interface Family {
  members: readonly KubernetesObject[];
  /** Whether some of it may not be seen, so that nothing can be concluded from what is not there. */
  isBlind: boolean;
}

/** Undefined for kinds that tell all themselves; `unknown` as long as it has not been looked at. */
export function familyOf(object: KubernetesObject, snapshot: Snapshot): Family | 'unknown' | undefined {
  if (followedBy(object) === undefined) return undefined;
  if (snapshot.owned === undefined) return 'unknown';
  return { members: descendantsOf(object, indexOf(snapshot)), isBlind: snapshot.owned.isBlind };
}

const indexes = new WeakMap<Snapshot, ReturnType<typeof byOwner>>();

/** One look asks for the family of each custom resource, and a namespace may have thousands of pods: they are put in order once. */
function indexOf(snapshot: Snapshot): ReturnType<typeof byOwner> {
  const known = indexes.get(snapshot);
  if (known !== undefined) return known;
  const index = byOwner([...(snapshot.owned?.objects ?? []), ...snapshot.replicaSets, ...snapshot.pods]);
  indexes.set(snapshot, index);
  return index;
}

/** The pods of a family that came with our write: older ones say nothing about it. */
function newPodsOf({ members }: Family, facts: Facts): KubernetesObject[] {
  return members.filter(
    ({ kind, metadata }) => kind === 'Pod' && (!facts.changed || isSince(timeOf(metadata.creationTimestamp), facts)),
  );
}

/** What makes the pods of a workload, or of a family: of a Deployment, the ReplicaSet of the version that it wants. */
export function makersOf(
  object: KubernetesObject,
  family: Family | undefined,
  { replicaSets }: Snapshot,
): KubernetesObject[] {
  const workloads = isWorkload(object) ? [object] : (family?.members.filter(isWorkload) ?? []);
  return workloads.flatMap((workload) => {
    if (workload.kind === 'Pod') return [];
    return workload.kind === 'Deployment' ? (newReplicaSet(workload, replicaSets) ?? []) : [workload];
  });
}

/** The pods of the version that was written, of a workload or of a custom resource that runs pods. */
export function podsOfVersion(
  object: KubernetesObject,
  family: Family | undefined,
  facts: Facts,
  { pods, replicaSets }: Snapshot,
): KubernetesObject[] {
  if (isWorkload(object)) return podsOfNewRevision(object, pods, replicaSets);
  return family === undefined ? [] : newPodsOf(family, facts);
}

/** All pods of a workload, or of a custom resource that runs pods, those of versions before included. */
export function podsOfAnyVersion(
  object: KubernetesObject,
  family: Family | undefined,
  { pods, replicaSets }: Snapshot,
): KubernetesObject[] {
  if (isWorkload(object)) return podsOf(object, pods, replicaSets);
  return family?.members.filter(({ kind }) => kind === 'Pod') ?? [];
}
