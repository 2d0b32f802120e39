import { booleanAt, numberAt, objectAt, objectsAt, stringAt, type JsonObject } from '../../base/json.ts';
import { condition, timeOf } from '../../kubernetes/conditions.ts';
import type { KubernetesObject } from '../../kubernetes/object.ts';
import type { ObjectEvent } from '../failures/events.ts';
import { isReadyPod } from '../failures/pod.ts';
import { isQueued } from '../failures/queue.ts';
import type { LogProgress } from './log-progress.ts';

/** What a pod goes through from its creation until it is ready, in this order; each may be over at once. */
export const stageNames = [
  'queue',
  'node',
  'volumes',
  'image',
  'init',
  'weights',
  'compile',
  'serving',
  'answering',
] as const;

export type StageName = (typeof stageNames)[number];

/** Where the start of one pod is. */
export interface Stage {
  name: StageName;
  /** Since when it is there, as far as it shows, milliseconds since the epoch by the server's clock. */
  since?: number;
  /** What the log of the container has told; undefined where it is not known. */
  progress?: LogProgress;
  /** The container that is at work, where it is one. */
  container?: Running;
  /** The image that is pulled. */
  image?: string;
}

interface Running {
  name: string;
  kind: 'init' | 'sidecar' | 'main';
  startedAt?: number;
  /** How long its startup probe lets it start, ms; undefined once that has passed, or where there is none. */
  allowedMs?: number;
}

/** What the log of a container has told, and since when it tells of that stage, by the server's clock. */
export interface SeenOfLog {
  progress: LogProgress;
  since: number;
}

/** By `logKey`. */
export type LogsSeen = ReadonlyMap<string, SeenOfLog>;

/** A container that was started again has told nothing yet. */
export function logKey(pod: KubernetesObject, container: string, startedAt: number | undefined): string {
  return `${pod.metadata.uid ?? pod.metadata.name} ${container} ${startedAt ?? 0}`;
}

/**
 * At which stage of its start a pod is; undefined for one that is ready, ends or has ended, and for one whose container has to be
 * started again.
 * @param events those of the pod
 */
export function stageOf(
  pod: KubernetesObject,
  events: readonly ObjectEvent[],
  logs: LogsSeen = new Map(),
): Stage | undefined {
  const phase = stringAt(pod, 'status', 'phase') ?? '';
  if (pod.metadata.deletionTimestamp !== undefined || isReadyPod(pod) || ['Succeeded', 'Failed'].includes(phase))
    return undefined;
  return placeOf(pod) ?? pullOf(pod, events) ?? runOf(pod, logs) ?? mountOf(pod);
}

function placeOf(pod: KubernetesObject): Stage | undefined {
  const scheduled = condition(pod, 'PodScheduled');
  if (scheduled?.status !== 'False') return undefined;
  const since = scheduled.updatedAt ?? timeOf(pod.metadata.creationTimestamp);
  return { name: isQueued(pod) ? 'queue' : 'node', ...(since === undefined ? {} : { since }) };
}

function pullOf(pod: KubernetesObject, events: readonly ObjectEvent[]): Stage | undefined {
  const pulling = events.findLast((event) => event.reason === 'Pulling');
  if (pulling === undefined || !isCreating(pod) || isHeldUp(pod)) return undefined;
  const image = imageIn(pulling.message);
  const isOver = events.some(
    ({ reason, message, lastAt }) => reason === 'Pulled' && imageIn(message) === image && lastAt >= pulling.lastAt,
  );
  return isOver ? undefined : { name: 'image', image, since: pulling.lastAt };
}

/** Of the main containers of a pod with init containers the kubelet says `PodInitializing` until they run, pulls included. */
function isCreating(pod: KubernetesObject): boolean {
  return ['containerStatuses', 'initContainerStatuses'].some((list) => waitsIn(pod, list).some(isOfCreation));
}

function isOfCreation(reason: string): boolean {
  return reason === 'ContainerCreating' || reason === 'PodInitializing';
}

/** Whether it has come to an init container, or to a sidecar that has not started yet, which runs or is in trouble. */
function isHeldUp(pod: KubernetesObject): boolean {
  const { kind, allowedMs } = containerAtWork(pod) ?? {};
  const isAtWork = kind === 'init' || (kind === 'sidecar' && allowedMs !== undefined);
  return isAtWork || waitsIn(pod, 'initContainerStatuses').some((reason) => !isOfCreation(reason));
}

/** Why containers of a list wait. */
function waitsIn(pod: KubernetesObject, list: string): string[] {
  return objectsAt(pod, 'status', list).flatMap((status) => stringAt(status, 'state', 'waiting', 'reason') ?? []);
}

/** The image that an event about a pull names. */
export function imageIn(message: string): string {
  return /"(?<image>[^"]+)"/.exec(message)?.groups?.['image'] ?? '';
}

/** The container that the others wait for, or the one that is not ready. */
export function containerAtWork(pod: KubernetesObject): Running | undefined {
  for (const status of runningIn(pod, 'initContainerStatuses')) {
    const container = containerOf(pod, 'initContainers', status);
    if (stringAt(container, 'restartPolicy') !== 'Always') return runningOf(status, container, 'init');
    if (booleanAt(status, 'ready') !== true) return runningOf(status, container, 'sidecar');
  }
  const status = runningIn(pod, 'containerStatuses').find((each) => booleanAt(each, 'ready') !== true);
  return status === undefined ? undefined : runningOf(status, containerOf(pod, 'containers', status), 'main');
}

function runOf(pod: KubernetesObject, logs: LogsSeen): Stage | undefined {
  const container = containerAtWork(pod);
  if (container === undefined) return undefined;
  const { name, startedAt } = container;
  const seen = logs.get(logKey(pod, name, startedAt));
  const begun = startedAt === undefined ? {} : { since: startedAt };
  if (container.kind === 'init') {
    const isLoader = loaders.test(name) || seen?.progress.stage === 'weights';
    return {
      name: isLoader ? 'weights' : 'init',
      ...begun,
      container,
      ...(seen?.progress.stage === 'weights' ? { progress: seen.progress } : {}),
    };
  }
  if (seen !== undefined && seen.progress.stage !== 'serving')
    return { name: seen.progress.stage, since: seen.since, progress: seen.progress, container };
  return { name: container.allowedMs === undefined ? 'answering' : 'serving', ...begun, container };
}

/** Init containers that bring a model: KServe's, and what others call theirs. */
const loaders = /storage-initializer|weights|download|fetch|(?:^|-)models?(?:-|$)/i;

/** Disks and buckets take their time; what the kubelet makes itself is there at once. */
function mountOf(pod: KubernetesObject): Stage | undefined {
  const mounts = objectsAt(pod, 'spec', 'volumes').some(
    (volume) => 'persistentVolumeClaim' in volume || 'ephemeral' in volume || 'csi' in volume || 'nfs' in volume,
  );
  if (!isCreating(pod) || !mounts || initDone(pod) > 0) return undefined;
  const since = condition(pod, 'PodScheduled')?.updatedAt;
  return { name: 'volumes', ...(since === undefined ? {} : { since }) };
}

/** How many of its init containers are through. */
function initDone(pod: KubernetesObject): number {
  return objectsAt(pod, 'status', 'initContainerStatuses').filter(
    (status) =>
      numberAt(status, 'state', 'terminated', 'exitCode') === 0 ||
      (booleanAt(status, 'started') === true && booleanAt(status, 'ready') === true),
  ).length;
}

/**
 * How far a pod has come, to be compared number by number: of two the larger one is further. A container that has told nothing
 * counts as one that begins to load, so that what it tells later counts as a step.
 */
export function positionOf(pod: KubernetesObject, stage: Stage | undefined): number[] {
  if (isReadyPod(pod)) return [Infinity];
  if (stage === undefined) return [];
  const { name, progress, container } = stage;
  const done = initDone(pod);
  const rank = (of: StageName) => stageNames.indexOf(of);
  if (progress !== undefined) return [done, rank(name), progress.step, progress.percent ?? 0];
  if (container?.kind !== 'main') return [done, rank(name), 0, 0];
  const status = objectsAt(pod, 'status', 'containerStatuses').find((each) => each['name'] === container.name);
  const hasPassed = booleanAt(status, 'started') === true && hasStartupProbe(pod, container.name);
  return [done, rank(hasPassed ? 'answering' : 'weights'), 0, 0];
}

/** Whether a position is further than another one. */
export function isFurther(left: readonly number[], right: readonly number[]): boolean {
  for (const [index, value] of left.entries()) {
    const other = right[index] ?? -1;
    if (value !== other) return value > other;
  }
  return false;
}

function hasStartupProbe(pod: KubernetesObject, name: string): boolean {
  const container = objectsAt(pod, 'spec', 'containers').find((each) => each['name'] === name);
  return Object.keys(objectAt(container, 'startupProbe')).length > 0;
}

function containerOf(pod: KubernetesObject, list: string, status: JsonObject): JsonObject | undefined {
  return objectsAt(pod, 'spec', list).find((each) => each['name'] === stringAt(status, 'name'));
}

function runningOf(status: JsonObject, container: JsonObject | undefined, kind: Running['kind']): Running {
  const startedAt = timeOf(stringAt(status, 'state', 'running', 'startedAt'));
  const probe = objectAt(container, 'startupProbe');
  const allowedMs = (numberAt(probe, 'failureThreshold') ?? 3) * (numberAt(probe, 'periodSeconds') ?? 10) * 1000;
  return {
    name: stringAt(status, 'name') ?? '',
    kind,
    ...(startedAt === undefined ? {} : { startedAt }),
    ...(booleanAt(status, 'started') === false ? { allowedMs } : {}),
  };
}

function runningIn(pod: KubernetesObject, list: string): JsonObject[] {
  return objectsAt(pod, 'status', list).filter(
    (status) => Object.keys(objectAt(status, 'state', 'running')).length > 0,
  );
}
