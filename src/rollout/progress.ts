import { formatDuration } from '../base/clock.ts';
import { booleanAt, numberAt, objectAt, objectsAt, stringAt, type JsonObject } from '../base/json.ts';
import { refOf, type KubernetesObject } from '../kubernetes/object.ts';
import { timeOf } from '../kubernetes/conditions.ts';
import type { ObjectEvent } from './failures/events.ts';
import { isReadyPod } from './failures/pod.ts';
import type { Cause } from './verdict.ts';

/** What a pod of the new version is busy with: all is well while it lasts, and it is the cause when time runs out over it. */
type Work = Required<Pick<Cause, 'reason' | 'message' | 'hint' | 'object'>> & Pick<Cause, 'container' | 'since'>;

/** So that a slow start is told from a hang; undefined when nothing is known. */
export function workOf(
  pods: readonly KubernetesObject[],
  events: readonly ObjectEvent[],
  now: number,
): Work | undefined {
  for (const pod of pods) {
    if (pod.metadata.deletionTimestamp !== undefined || isReadyPod(pod)) continue;
    const own = events.filter((event) => event.uid === pod.metadata.uid);
    const work = pullOf(pod, own, now) ?? initOf(pod, now) ?? startOf(pod, now);
    if (work !== undefined) return { ...work, object: refOf(pod) };
  }
  return undefined;
}

type PodWork = Omit<Work, 'object'>;

const raise = 'raise the input "timeout" if it just needs more time';

function pullOf(pod: KubernetesObject, events: readonly ObjectEvent[], now: number): PodWork | undefined {
  const pulling = events.findLast((event) => event.reason === 'Pulling');
  const waits = (list: string, reason: string) =>
    objectsAt(pod, 'status', list).some((status) => stringAt(status, 'state', 'waiting', 'reason') === reason);
  const isCreating =
    waits('containerStatuses', 'ContainerCreating') || waits('initContainerStatuses', 'PodInitializing');
  if (pulling === undefined || !isCreating || runningIn(pod, 'initContainerStatuses').length > 0) return undefined;
  const image = /"(?<image>[^"]+)"/.exec(pulling.message)?.groups?.['image'] ?? '';
  return {
    reason: 'Pulling',
    message: `pulling image "${image}" for ${formatDuration(now - pulling.lastAt)}`,
    hint: `Make the image smaller or pre-pull it on the nodes; ${raise}.`,
    since: pulling.lastAt,
  };
}

/** The container that the others wait for: an init container that has not ended, or a sidecar that has not started. */
function initOf(pod: KubernetesObject, now: number): PodWork | undefined {
  for (const status of runningIn(pod, 'initContainerStatuses')) {
    const name = stringAt(status, 'name') ?? '';
    const container = objectsAt(pod, 'spec', 'initContainers').find((each) => each['name'] === name);
    if (stringAt(container, 'restartPolicy') !== 'Always') {
      return {
        reason: 'ContainersNotInitialized',
        message: `init container "${name}" has been running for ${runningFor(status, now)}, and the other containers wait for it`,
        hint: `Check its log for what it is waiting for; ${raise}.`,
        container: name,
        ...sinceOf(status),
      };
    }
    if (booleanAt(status, 'ready') !== true) return startingWork('sidecar container', name, status, container, now);
  }
  return undefined;
}

function startOf(pod: KubernetesObject, now: number): PodWork | undefined {
  const status = runningIn(pod, 'containerStatuses').find((each) => booleanAt(each, 'ready') !== true);
  if (status === undefined) return undefined;
  const name = stringAt(status, 'name') ?? '';
  const container = objectsAt(pod, 'spec', 'containers').find((each) => each['name'] === name);
  return startingWork('container', name, status, container, now);
}

function startingWork(
  what: string,
  name: string,
  status: JsonObject,
  container: JsonObject | undefined,
  now: number,
): PodWork {
  const base = { reason: 'ContainersNotReady', container: name, ...sinceOf(status) };
  const time = runningFor(status, now);
  if (booleanAt(status, 'started') === false) {
    const probe = objectAt(container, 'startupProbe');
    const allowed = (numberAt(probe, 'failureThreshold') ?? 3) * (numberAt(probe, 'periodSeconds') ?? 10) * 1000;
    return {
      ...base,
      message: `${what} "${name}" has been starting for ${time}; its startup probe allows ${formatDuration(allowed)}`,
      hint: `Check its log; ${raise}.`,
    };
  }
  return {
    ...base,
    message: `${what} "${name}" has been running for ${time}, but is not ready yet`,
    hint: `Check its log and its readiness probe; ${raise}.`,
  };
}

function runningIn(pod: KubernetesObject, list: string): JsonObject[] {
  return objectsAt(pod, 'status', list).filter(
    (status) => Object.keys(objectAt(status, 'state', 'running')).length > 0,
  );
}

function sinceOf(status: JsonObject): { since?: number } {
  const since = timeOf(stringAt(status, 'state', 'running', 'startedAt'));
  return since === undefined ? {} : { since };
}

function runningFor(status: JsonObject, now: number): string {
  return formatDuration(Math.max(0, now - (sinceOf(status).since ?? now)));
}
