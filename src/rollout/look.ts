import { atMost, type Clock } from '../base/clock.ts';
import { mapConcurrently } from '../base/concurrency.ts';
import { numberAt } from '../base/json.ts';
import type { KubernetesClient, ListOptions } from '../kubernetes/client.ts';
import { isStatus } from '../kubernetes/errors.ts';
import { serverNow } from '../kubernetes/server-time.ts';
import type { KubernetesObject } from '../kubernetes/object.ts';
import { isWorkload, keepsItsPods } from '../manifests/kinds.ts';
import { decide, type Patience } from './decide.ts';
import { readEvent } from './failures/events.ts';
import { familyOf, podsOfAnyVersion } from './family.ts';
import { isReadyPod, podSigns } from './failures/pod.ts';
import { kueueHold } from './failures/queue.ts';
import { unstable } from './instability.ts';
import { podsOfNewRevision } from './ownership.ts';
import { findWorkloads } from './queue/kinds.ts';
import { withQueue } from './queue/sign.ts';
import { userRuleFor, type UserRule } from './readiness/user/user-rule.ts';
import { StartLogs } from './stages/start-logs.ts';
import type { LogsSeen } from './stages/stage.ts';
import { idOf } from './store.ts';
import { childrenOf, eventSelectors, inNamespace, runsPods, selectorsOf } from './surroundings.ts';
import type { Cause, Verdict } from './verdict.ts';
import { defaultGraces } from './failures/graces.ts';
import type { Snapshot } from './snapshot.ts';

/** What one look at the cluster says of an object. */
export interface Seen {
  object: KubernetesObject;
  verdict: Verdict;
  /** Why it is not ready, as far as its pods tell: also while it may still heal. */
  cause?: Cause;
  /** While nothing but time seems to be missing. */
  patience?: Patience;
}

export interface Look {
  seen: Seen[];
  snapshot: Snapshot;
  /** Kinds that may not be listed: causes may stay unknown. */
  blind: string[];
}

/** Logs of slow starts may take this long in all, ms: who asks waits. */
const logsMs = 5000;

/** What tells why pods wait, and nothing of what an object owns. */
const besides: readonly string[] = ['events', 'workloads'];

/** Requests under way at once. */
const concurrency = 8;

/**
 * Judges objects as they are at this moment, by the rules and the diagnosis of a wait: their pods, ReplicaSets and events are
 * listed once. Nothing is written.
 * @param userRules when they are ready or have failed where the user says so
 */
export async function lookAt(
  client: KubernetesClient,
  objects: readonly KubernetesObject[],
  clock: Clock,
  userRules: readonly UserRule[] = [],
): Promise<Look> {
  const { snapshot: taken, blind } = await takeSnapshot(client, objects);
  const snapshot = { ...taken, logs: await readLogs(client, objects, taken, clock) };
  const now = serverNow(client, clock);
  const seen = objects.map((object): Seen => {
    const generation = numberAt(object, 'metadata', 'generation') ?? 0;
    // As after a write of long ago: whatever conditions and events there are count, and pods have to have settled.
    const userRule = userRuleFor(userRules, object);
    const own = userRule === undefined ? {} : { userRule };
    const facts = { generation, changed: true, writtenAt: 0, now, asWritten: object, quietMs: Infinity, ...own };
    const { verdict: judged, suspicion, work, patience } = decide(object, facts, snapshot, new Map(), defaultGraces);
    const verdict: Verdict =
      judged.state === 'progressing' && work !== undefined
        ? { ...judged, message: `${judged.message}; ${work}` }
        : judged;
    if (verdict.state === 'failed') return { object, verdict, cause: verdict.cause };
    const pods = isWorkload(object) ? podsOfNewRevision(object, snapshot.pods, snapshot.replicaSets) : [];
    const lasting = isWorkload(object) ? pods : lastingPodsOf(object, snapshot);
    const restless = verdict.state === 'ready' || verdict.state === 'unchecked' ? unstable(lasting, now) : undefined;
    if (restless !== undefined)
      return { object, verdict: { state: 'progressing', message: restless.message }, cause: restless };
    const cause = suspicion ?? (verdict.state === 'unchecked' ? causeAmong(pods, snapshot, now) : undefined);
    return {
      object,
      verdict,
      ...(cause === undefined ? {} : { cause }),
      ...(patience === undefined ? {} : { patience }),
    };
  });
  return { seen, snapshot, blind };
}

/** The pods of a custom resource that do not end by themselves. */
function lastingPodsOf(object: KubernetesObject, snapshot: Snapshot): KubernetesObject[] {
  const family = keepsItsPods(object) ? familyOf(object, snapshot) : undefined;
  return family === undefined || family === 'unknown' ? [] : podsOfAnyVersion(object, family, snapshot);
}

/** How far pods are that start slowly, as their logs tell. */
async function readLogs(
  client: KubernetesClient,
  objects: readonly KubernetesObject[],
  { pods, replicaSets }: Snapshot,
  clock: Clock,
): Promise<LogsSeen> {
  const logs = new StartLogs({ client, clock, reporter: { debug: () => undefined } });
  const workloads = objects.filter(isWorkload);
  const starting = workloads.flatMap((workload) => podsOfNewRevision(workload, pods, replicaSets));
  await atMost(clock, logsMs, logs.read(starting));
  return logs.seen;
}

/** Of a workload that is not awaited, such as one that is paused: what the pods of its version show. */
function causeAmong(
  pods: readonly KubernetesObject[],
  { events, queued: workloads = [] }: Snapshot,
  now: number,
): Cause | undefined {
  const waiting = pods.filter((pod) => !isReadyPod(pod));
  return waiting.flatMap((pod) => {
    const own = events.filter(({ uid }) => uid === pod.metadata.uid);
    const look = { workloads, now, graceMs: defaultGraces.unschedulableMs, barredSince: new Map<string, number>() };
    return withQueue(pod, podSigns(pod, own, false, now), look);
  })[0]?.cause;
}

async function takeSnapshot(
  client: KubernetesClient,
  objects: readonly KubernetesObject[],
): Promise<{ snapshot: Snapshot; blind: string[] }> {
  const blind = new Set<string>();
  const workloads = objects.filter(runsPods);
  /** @param isChild without which a parent is judged by its own status */
  const list = async (apiVersion: string, kind: string, scopes: readonly ListOptions[], isChild = false) => {
    const resource = scopes.length === 0 ? undefined : await client.resource(apiVersion, kind);
    if (resource === undefined) return [];
    const lists = await mapConcurrently(scopes, concurrency, async (scope) => {
      try {
        const { items } = await client.list(resource, scope);
        return items.map((item): KubernetesObject => ({ ...item, apiVersion, kind }));
      } catch (error) {
        if (!isStatus(error, 403) && !isChild) throw error;
        blind.add(resource.plural);
        return [];
      }
    });
    return [...new Map(lists.flat().map((item) => [idOf(item), item])).values()];
  };
  const byNamespace = (isMeant: (workload: KubernetesObject) => boolean) => [
    ...Map.groupBy(workloads.filter(isMeant), ({ metadata }) => metadata.namespace ?? client.defaultNamespace),
  ];
  const scopesOf = (isMeant: (workload: KubernetesObject) => boolean) =>
    byNamespace(isMeant).flatMap(([namespace, inside]) =>
      selectorsOf(inside).map((selector): ListOptions => ({ namespace, ...selector })),
    );
  const eventScopes = byNamespace(() => true).flatMap(([namespace, inside]) =>
    eventSelectors(inside).map((fieldSelector): ListOptions => ({ namespace, fieldSelector })),
  );
  const children = childrenOf(objects);
  const [pods, replicaSets, events, nodes, ...owned] = await Promise.all([
    list(
      'v1',
      'Pod',
      scopesOf(({ kind }) => kind !== 'CronJob'),
    ),
    list(
      'apps/v1',
      'ReplicaSet',
      scopesOf((object) => object.kind === 'Deployment' || !isWorkload(object)),
    ),
    list('v1', 'Event', eventScopes),
    list('v1', 'Node', workloads.some(({ kind }) => kind === 'DaemonSet') ? [{}] : []),
    ...children.map(
      async ({ apiVersion, kind, namespace }) => await list(apiVersion, kind, [inNamespace(namespace)], true),
    ),
  ]);
  const queues = [...new Set(pods.filter(kueueHold).flatMap(({ metadata }) => metadata.namespace ?? []))];
  const resource = queues.length === 0 ? undefined : await findWorkloads(client).catch(() => undefined);
  const scopes = queues.map((namespace): ListOptions => ({ namespace }));
  const queued =
    resource === undefined ? [] : await list(`${resource.group}/${resource.version}`, resource.kind, scopes, true);
  // That nodes are down matters to DaemonSets alone, and a Role of one namespace cannot allow to see it.
  blind.delete('nodes');
  const seen = { objects: owned.flat(), isBlind: [...blind].some((plural) => !besides.includes(plural)) };
  const snapshot = { pods, replicaSets, events: events.map(readEvent), nodes, queued, owned: seen };
  return { snapshot, blind: [...blind] };
}
