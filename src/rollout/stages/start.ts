import { numberAt, stringAt } from '../../base/json.ts';
import { condition, timeOf } from '../../kubernetes/conditions.ts';
import type { KubernetesObject } from '../../kubernetes/object.ts';
import { customKindOf } from '../../manifests/custom-kinds.ts';
import { isWorkload } from '../../manifests/kinds.ts';
import { familyOf, podsOfVersion, podsOfAnyVersion } from '../family.ts';
import { eventsOf } from '../failures/events.ts';
import { isReadyPod } from '../failures/pod.ts';
import { isQueued } from '../failures/queue.ts';
import { isScalingUp } from '../failures/scheduling.ts';
import type { Facts } from '../readiness/rule.ts';
import type { Snapshot } from '../snapshot.ts';
import { positionOf, stageOf, type Stage } from './stage.ts';

/** What an old pod may take longer to end than it was given. */
const overdueMs = 30_000;

/** How far one object that is waited for has come. */
export interface Start {
  /** The pods of its version that may still get ready. */
  pods: PodStart[];
  /** Numbers of its status that rise while it gets on. */
  counts: number[];
  /** Whether it waits for its turn, or for something that has a time of its own, so that standing still says nothing. */
  isWaiting: boolean;
  /** Whether a start says how far it is, so that one that stands still can be told from one that says nothing. */
  isMeasured: boolean;
  /** Whether only its own words tell how far it is. */
  tellsByWords: boolean;
}

interface PodStart {
  pod: KubernetesObject;
  stage?: Stage;
  position: number[];
}

/** How far an object is at this moment. */
export function startOf(object: KubernetesObject, facts: Facts, snapshot: Snapshot): Start {
  const known = familyOf(object, snapshot);
  const family = known === 'unknown' ? undefined : known;
  const version = new Set(podsOfVersion(object, family, facts, snapshot));
  const pods = [...version].filter(isAlive).map((pod): PodStart => {
    const stage = stageOf(pod, eventsOf(pod, snapshot.events), snapshot.logs);
    return { pod, ...(stage === undefined ? {} : { stage }), position: positionOf(pod, stage) };
  });
  const old = podsOfAnyVersion(object, family, snapshot).filter((pod) => !version.has(pod));
  return {
    pods,
    counts: countsOf(object),
    isWaiting: isWaiting(object, pods, old, snapshot, facts.now),
    isMeasured: pods.some(({ stage }) => isMeasured(stage)),
    tellsByWords: !isWorkload(object) && pods.length === 0,
  };
}

/** Whether a stage says how far it is, and is not through. */
export function isMeasured(stage: Stage | undefined): boolean {
  const progress = stage?.progress;
  return progress?.percent !== undefined && progress.percent < 100 && progress.isCoarse !== true;
}

function isAlive(pod: KubernetesObject): boolean {
  const hasEnded = ['Succeeded', 'Failed'].includes(stringAt(pod, 'status', 'phase') ?? '');
  return pod.metadata.deletionTimestamp === undefined && !hasEnded;
}

function isWaiting(
  object: KubernetesObject,
  pods: readonly PodStart[],
  old: readonly KubernetesObject[],
  { events }: Snapshot,
  now: number,
): boolean {
  const isForPlace = ({ pod, stage }: PodStart) =>
    isQueued(pod) || (stage?.name === 'node' && isScalingUp(eventsOf(pod, events), now));
  if (pods.some(isForPlace)) return true;
  // A Job takes as long as its work does, and so does what runs Jobs.
  if (isMeantToEnd(object) && pods.some(({ pod }) => isReadyPod(pod))) return true;
  const isStarting = pods.some(({ pod, stage }) => !isReadyPod(pod) && stage?.name !== 'node');
  if (isStarting) return false;
  const isEnding = old.some(({ metadata }) => now < (timeOf(metadata.deletionTimestamp) ?? -Infinity) + overdueMs);
  const minReadyMs = (numberAt(object, 'spec', 'minReadySeconds') ?? 0) * 1000;
  const isSettling = pods.some(
    ({ pod }) => isReadyPod(pod) && now - (condition(pod, 'Ready')?.updatedAt ?? 0) < minReadyMs,
  );
  return isEnding || isSettling;
}

function isMeantToEnd(object: KubernetesObject): boolean {
  return object.kind === 'Job' || customKindOf(object)?.ends === true;
}

/** Of Deployments, StatefulSets and ReplicaSets, of DaemonSets, and of Jobs. */
function countsOf(object: KubernetesObject): number[] {
  return [
    ['updatedReplicas', 'updatedNumberScheduled', 'succeeded'],
    ['readyReplicas', 'numberReady'],
    ['availableReplicas', 'numberAvailable'],
  ].map((fields) => Math.max(0, ...fields.map((field) => numberAt(object, 'status', field) ?? 0)));
}
