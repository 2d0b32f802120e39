import type { Clock } from '../base/clock.ts';
import { numberAt, objectAt, objectsAt, stringAt } from '../base/json.ts';
import type { KubernetesClient } from '../kubernetes/client.ts';
import { refOf, type KubernetesObject } from '../kubernetes/object.ts';
import { isWorkload } from '../manifests/pod-template.ts';
import { conditionsOf } from './conditions.ts';
import type { Snapshot } from './decide.ts';
import type { Evidence, LogTail } from './evidence.ts';
import type { ObjectEvent } from './failures/events.ts';
import { isReadyPod } from './failures/pod.ts';
import { isOwnedBy, newReplicaSet, podsOfNewRevision } from './ownership.ts';
import type { RolloutResult } from './tracker.ts';

const maxPods = 3;
const maxEvents = 20;
const logLines = 25;
/** All of it may take this long: an undo waits. */
const limitMs = 5000;

/** Conditions, events and last log lines of what is not ready, while it is still there. */
export async function collectEvidence(
  client: KubernetesClient,
  result: RolloutResult,
  clock: Clock,
): Promise<Evidence[]> {
  const failed = result.targets.filter(({ verdict }) => verdict.state === 'failed' || verdict.state === 'progressing');
  const stop = new AbortController();
  const limit = clock.sleep(limitMs, stop.signal).then(
    () => [] as LogTail[],
    () => [] as LogTail[],
  );
  try {
    return await Promise.all(
      failed.map(async ({ object }) => {
        const pods = tellingPods(object, result.snapshot);
        const logs = await Promise.race([
          Promise.all(pods.map((pod) => logsOf(client, pod))).then((tails) => tails.flat()),
          limit,
        ]);
        return {
          object: refOf(object),
          conditions: [object, ...pods].flatMap((owner) => conditionLines(owner)),
          events: eventLines([object, ...related(object, result.snapshot), ...pods], result.snapshot.events),
          logs,
        };
      }),
    );
  } finally {
    stop.abort();
  }
}

/** Pods of the new version that are not ready, those that have crashed most first. */
function tellingPods(object: KubernetesObject, { pods, replicaSets }: Snapshot): KubernetesObject[] {
  if (!isWorkload(object)) return [];
  return podsOfNewRevision(object, pods, replicaSets)
    .filter((pod) => !isReadyPod(pod))
    .sort((left, right) => restartsOf(right) - restartsOf(left))
    .slice(0, maxPods)
    .map((pod) => ({ ...pod, apiVersion: 'v1', kind: 'Pod' }));
}

function related(object: KubernetesObject, { replicaSets }: Snapshot): KubernetesObject[] {
  const set = newReplicaSet(
    object,
    replicaSets.filter((candidate) => isOwnedBy(candidate, object)),
  );
  return set === undefined ? [] : [set];
}

function restartsOf(pod: KubernetesObject): number {
  return objectsAt(pod, 'status', 'containerStatuses').reduce(
    (sum, status) => sum + (numberAt(status, 'restartCount') ?? 0),
    0,
  );
}

function conditionLines(owner: KubernetesObject): Evidence['conditions'] {
  return conditionsOf(owner)
    .filter(({ type, status }) => status !== 'True' || type === 'ReplicaFailure')
    .map(({ type, status, reason, message }) => ({ object: refOf(owner), type, status, reason, message }));
}

function eventLines(owners: readonly KubernetesObject[], events: readonly ObjectEvent[]): Evidence['events'] {
  return events
    .flatMap((event) => {
      const owner = owners.find((candidate) => candidate.metadata.uid === event.uid);
      return owner === undefined || event.type !== 'Warning' ? [] : [{ event, owner }];
    })
    .sort((left, right) => left.event.lastAt - right.event.lastAt)
    .slice(-maxEvents)
    .map(({ event, owner }) => ({
      object: refOf(owner),
      time: new Date(event.lastAt).toISOString(),
      type: event.type,
      reason: event.reason,
      message: event.message,
      count: event.count,
    }));
}

async function logsOf(client: KubernetesClient, pod: KubernetesObject): Promise<LogTail[]> {
  const statuses = ['initContainerStatuses', 'containerStatuses'].flatMap((list) => objectsAt(pod, 'status', list));
  const tails = await Promise.all(
    statuses.map(async (status): Promise<LogTail[]> => {
      const container = stringAt(status, 'name') ?? '';
      const hasRun = status['started'] === true || Object.keys(objectAt(status, 'state', 'terminated')).length > 0;
      const hasCrashed = Object.keys(objectAt(status, 'lastState', 'terminated')).length > 0;
      if (!hasRun && !hasCrashed) return [];
      // Of a container that starts again and again, the run that has ended tells why.
      const previous = hasCrashed && Object.keys(objectAt(status, 'state', 'terminated')).length === 0;
      const text = await client
        .logs(refOf(pod), container, { tailLines: logLines, ...(previous ? { previous } : {}) })
        .catch(() => '');
      const lines = text.split('\n').filter((line) => line !== '');
      return lines.length === 0 ? [] : [{ pod: pod.metadata.name, container, previous, lines }];
    }),
  );
  return tails.flat();
}
