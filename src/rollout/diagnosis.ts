import type { Clock } from '../base/clock.ts';
import { numberAt, objectAt, objectsAt, stringAt, type JsonObject } from '../base/json.ts';
import type { KubernetesClient } from '../kubernetes/client.ts';
import { refOf, type KubernetesObject } from '../kubernetes/object.ts';
import { isWorkload } from '../manifests/kinds.ts';
import { conditionsOf } from '../kubernetes/conditions.ts';
import type { Evidence, LogTail } from './evidence.ts';
import type { ObjectEvent } from './failures/events.ts';
import { isReadyPod } from './failures/pod.ts';
import { withoutCredentials } from './log-excerpt.ts';
import { isOwnedBy, newReplicaSet, podsOfNewRevision } from './ownership.ts';
import type { RolloutResult } from './tracker.ts';
import type { Snapshot } from './snapshot.ts';

const maxPods = 3;
const maxEvents = 20;
const logLines = 25;
/** Characters; a line may be as long as its program likes. */
const maxLineLength = 2000;
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
    () => '',
    () => '',
  );
  try {
    return await Promise.all(
      failed.map(async ({ object }) => {
        const pods = tellingPods(object, result);
        const logs = await Promise.all(pods.map((pod) => logsOf(client, pod, limit)));
        return {
          object: refOf(object),
          conditions: [object, ...pods].flatMap((owner) => conditionLines(owner)),
          events: eventLines([object, ...related(object, result.snapshot), ...pods], result.snapshot.events),
          logs: logs.flat(),
        };
      }),
    );
  } finally {
    stop.abort();
  }
}

/** Pods of the new version that are not ready: those that a cause names, then those that have crashed most. */
function tellingPods(object: KubernetesObject, { causes, snapshot }: RolloutResult): KubernetesObject[] {
  if (!isWorkload(object)) return [];
  const { pods, replicaSets } = snapshot;
  const isNamed = ({ metadata }: KubernetesObject) => causes.some(({ object: { name } }) => name === metadata.name);
  return podsOfNewRevision(object, pods, replicaSets)
    .filter((pod) => pod.metadata.deletionTimestamp === undefined && !isReadyPod(pod))
    .sort((left, right) => Number(isNamed(right)) - Number(isNamed(left)) || restartsOf(right) - restartsOf(left))
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
  return statusesOf(pod).reduce((sum, status) => sum + (numberAt(status, 'restartCount') ?? 0), 0);
}

function statusesOf(pod: KubernetesObject): JsonObject[] {
  return ['initContainerStatuses', 'containerStatuses'].flatMap((list) => objectsAt(pod, 'status', list));
}

/** All other conditions tell of a problem when they are not True. */
const badWhenTrue = new Set(['ReplicaFailure', 'Failed', 'FailureTarget', 'Stalled', 'DisruptionTarget']);

function conditionLines(owner: KubernetesObject): Evidence['conditions'] {
  return conditionsOf(owner)
    .filter(({ type, status }) => (status === 'True') === badWhenTrue.has(type))
    .map(({ type, status, reason, message }) => ({ object: refOf(owner), type, status, reason, message }));
}

/** Warnings, the latest last; pods that say the same are told of once, as often as all of them have said it. */
function eventLines(owners: readonly KubernetesObject[], events: readonly ObjectEvent[]): Evidence['events'] {
  const byObject = new Map(owners.map((owner) => [owner.metadata.uid, owner]));
  const lines = new Map<string, Evidence['events'][number]>();
  for (const event of events.toSorted((left, right) => left.lastAt - right.lastAt)) {
    const owner = byObject.get(event.uid);
    if (owner === undefined || event.type !== 'Warning') continue;
    const { type, reason, message } = event;
    const key = `${owner.kind} ${reason} ${message.replaceAll(owner.metadata.name, '')}`;
    const count = event.count + (lines.get(key)?.count ?? 0);
    // Taken away first, so that it moves to the end.
    lines.delete(key);
    lines.set(key, { object: refOf(owner), time: new Date(event.lastAt).toISOString(), type, reason, message, count });
  }
  return [...lines.values()].slice(-maxEvents);
}

/** Of the containers that have run and are not ready; what has not come when `limit` resolves is left out. */
async function logsOf(client: KubernetesClient, pod: KubernetesObject, limit: Promise<string>): Promise<LogTail[]> {
  const tails = await Promise.all(
    statusesOf(pod).map(async (status): Promise<LogTail[]> => {
      const container = stringAt(status, 'name') ?? '';
      const has = (...path: string[]) => Object.keys(objectAt(status, ...path)).length > 0;
      const hasCrashed = has('lastState', 'terminated');
      const hasRun = has('state', 'running') || has('state', 'terminated') || hasCrashed;
      if (!hasRun || status['ready'] === true) return [];
      // Of a container that starts again and again, the run that has ended tells why.
      const previous = hasCrashed && !has('state', 'terminated');
      const log = client.logs(refOf(pod), container, { tailLines: logLines, ...(previous ? { previous } : {}) });
      const text = await Promise.race([log.catch(() => ''), limit]);
      const lines = text.split('\n').filter((line) => line !== '');
      if (lines.length === 0) return [];
      return [
        {
          pod: pod.metadata.name,
          container,
          previous,
          lines: lines.map((line) => withoutCredentials(line.slice(0, maxLineLength))),
        },
      ];
    }),
  );
  return tails.flat();
}
