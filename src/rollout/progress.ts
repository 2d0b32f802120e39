import { formatDuration } from '../base/clock.ts';
import { booleanAt, numberAt, objectAt, objectsAt, stringAt } from '../base/json.ts';
import type { KubernetesObject } from '../kubernetes/object.ts';
import { timeOf } from '../kubernetes/conditions.ts';
import type { ObjectEvent } from './failures/events.ts';
import { isReadyPod } from './failures/pod.ts';

/** What the pods of the new version are busy with, so that a slow start is told from a hang; empty when nothing is known. */
export function describeWork(pods: readonly KubernetesObject[], events: readonly ObjectEvent[], now: number): string {
  const waiting = pods.find((pod) => pod.metadata.deletionTimestamp === undefined && !isReadyPod(pod));
  if (waiting === undefined) return '';
  const what = describePod(
    waiting,
    events.filter((event) => event.uid === waiting.metadata.uid),
    now,
  );
  return what === '' ? '' : `pod ${waiting.metadata.name}: ${what}`;
}

function describePod(pod: KubernetesObject, events: readonly ObjectEvent[], now: number): string {
  const pulling = events.findLast((event) => event.reason === 'Pulling');
  const statuses = objectsAt(pod, 'status', 'containerStatuses');
  const isCreating = statuses.some((status) => stringAt(status, 'state', 'waiting', 'reason') === 'ContainerCreating');
  if (pulling !== undefined && isCreating) {
    const image = /"(?<image>[^"]+)"/.exec(pulling.message)?.groups?.['image'] ?? '';
    return `pulling image "${image}" since ${formatDuration(now - pulling.lastAt)}`;
  }
  const init = objectsAt(pod, 'status', 'initContainerStatuses').find(
    (status) => Object.keys(objectAt(status, 'state', 'running')).length > 0 && booleanAt(status, 'ready') !== true,
  );
  if (init !== undefined)
    return `init container "${stringAt(init, 'name') ?? ''}" is running since ${runningFor(init, now)}`;
  const starting = statuses.find(
    (status) => Object.keys(objectAt(status, 'state', 'running')).length > 0 && booleanAt(status, 'ready') !== true,
  );
  if (starting === undefined) return '';
  const name = stringAt(starting, 'name') ?? '';
  if (booleanAt(starting, 'started') === false) {
    const probe = objectAt(
      objectsAt(pod, 'spec', 'containers').find((container) => container['name'] === name),
      'startupProbe',
    );
    const allowed = (numberAt(probe, 'failureThreshold') ?? 3) * (numberAt(probe, 'periodSeconds') ?? 10) * 1000;
    return `container "${name}" is starting since ${runningFor(starting, now)}; its startup probe allows ${formatDuration(allowed)}`;
  }
  return `container "${name}" is running since ${runningFor(starting, now)}, but not ready yet`;
}

function runningFor(status: Parameters<typeof stringAt>[0], now: number): string {
  return formatDuration(Math.max(0, now - (timeOf(stringAt(status, 'state', 'running', 'startedAt')) ?? now)));
}
