import type { Clock } from '../base/clock.ts';
import { messageOf } from '../base/errors.ts';
import { objectsAt, stringsAt } from '../base/json.ts';
import type { Reporter } from '../base/reporter.ts';
import type { KubernetesClient, ListOptions, Resource } from '../kubernetes/client.ts';
import { isStatus } from '../kubernetes/errors.ts';
import { labelSelectorOf } from '../kubernetes/label-selector.ts';
import type { KubernetesObject } from '../kubernetes/object.ts';
import { observe } from '../kubernetes/watch.ts';
import { isWorkload } from '../manifests/kinds.ts';
import { podsIn } from '../manifests/pod-template.ts';
import { readEvent, type ObjectEvent } from './failures/events.ts';
import { QueueWatch } from './queue/watch.ts';
import { followedBy } from './readiness/index.ts';
import type { Child } from './readiness/rule.ts';
import { idOf, mapStore, storing, type Store } from './store.ts';
import type { Snapshot } from './snapshot.ts';

/** Workloads of one namespace up to this many are watched by their selectors; more by one watch over the namespace. */
const maxSelectors = 8;

/** For how long what cannot be listed is tried before a verdict does without it, ms. */
const troubleMs = 10_000;

/**
 * What tells why an object is not ready: the pods, ReplicaSets and events of a workload, the nodes under a DaemonSet, what a
 * custom resource owns, and the Workloads of Kueue where a pod waits for it.
 */
export class Surroundings {
  readonly #reporter: Reporter;
  readonly #clock: Clock;
  readonly #pods = new Map<string, KubernetesObject>();
  readonly #replicaSets = new Map<string, KubernetesObject>();
  readonly #nodes = new Map<string, KubernetesObject>();
  readonly #events = new Map<string, ObjectEvent>();
  readonly #owned = new Map<string, KubernetesObject>();
  /** Of what custom resources own: what has not been listed yet; undefined before all of it is named. */
  #unknown: Set<object> | undefined;
  #isBlind = false;
  #queues: QueueWatch | undefined;
  readonly #warnings = new Set<string>();

  constructor({ reporter, clock }: { reporter: Reporter; clock: Clock }) {
    this.#reporter = reporter;
    this.#clock = clock;
  }

  snapshot(): Snapshot {
    return {
      pods: [...this.#pods.values()],
      replicaSets: [...this.#replicaSets.values()],
      nodes: [...this.#nodes.values()],
      events: [...this.#events.values()],
      queued: this.#queues?.workloads ?? [],
      ...(this.#unknown?.size === 0 ? { owned: { objects: [...this.#owned.values()], isBlind: this.#isBlind } } : {}),
    };
  }

  /**
   * Follows what these objects need until the signal aborts, and calls `onChange` at most once per turn of the event loop. Without
   * the right to see it the wait goes on, and knows less.
   */
  async observe(
    client: KubernetesClient,
    objects: readonly KubernetesObject[],
    signal: AbortSignal,
    onChange: () => void,
  ): Promise<void> {
    const look = oncePerTurn(onChange);
    const workloads = objects.filter(runsPods);
    const namespaces = new Set(workloads.flatMap(({ metadata }) => metadata.namespace ?? []));
    const [pods, replicaSets, events] = await Promise.all([
      client.resource('v1', 'Pod'),
      client.resource('apps/v1', 'ReplicaSet'),
      client.resource('v1', 'Event'),
    ]);
    const unknown = new Set<object>();
    /** @param tells whether custom resources are judged by it */
    const follow = async (resource: Resource | undefined, scope: ListOptions, store: Store, tells = false) => {
      if (resource === undefined) return;
      const handlers = storing(store, look);
      const onSync = (synced: KubernetesObject[]) => {
        unknown.delete(handlers);
        handlers.onSync(synced);
      };
      if (tells) unknown.add(handlers);
      const since = this.#clock.now();
      const forgo = () => {
        if (!unknown.delete(handlers)) return;
        this.#isBlind = true;
        look();
      };
      // A server that cannot list a kind (a conversion webhook that is down) holds up no verdict for ever.
      const onTrouble = () => {
        if (this.#clock.now() - since >= troubleMs) forgo();
      };
      try {
        await observe(client, resource, scope, { ...handlers, onSync, onTrouble }, signal, this.#clock);
      } catch (error) {
        // What is lost without a right was told when the rights were asked for, once.
        if (isStatus(error, 403)) this.#reporter.debug(`not observed: ${messageOf(error)}`);
        else this.#warnOnce(`causes of failures may stay unknown: ${messageOf(error)}`);
        forgo();
      }
    };
    const queues = new QueueWatch(client, this.#reporter, (resource, namespace, store) =>
      follow(resource, { namespace }, store),
    );
    this.#queues = queues;
    const children = await Promise.all(
      childrenOf(objects).map(async ({ apiVersion, kind, namespace }) => ({
        namespace,
        resource: await client.resource(apiVersion, kind).catch((error: unknown) => {
          this.#reporter.debug(`not observed: ${messageOf(error)}`);
          this.#isBlind = true;
          return undefined;
        }),
      })),
    );
    const inNamespaces = [...namespaces].flatMap((namespace) => {
      const inside = workloads.filter(({ metadata }) => metadata.namespace === namespace);
      const selectors = selectorsOf(inside);
      const hasParent = !inside.every(isWorkload);
      const areJudgedByPods = inside.some((object) => followedBy(object) !== undefined);
      const hasReplicaSets = hasParent || inside.some(({ kind }) => kind === 'Deployment');
      const event: Store = {
        put: (object) => this.#events.set(idOf(object), readEvent(object)),
        remove: (id) => this.#events.delete(id),
      };
      return [
        ...selectors.flatMap((selector) => [
          follow(pods, { namespace, ...selector }, queues.watching(mapStore(this.#pods)), areJudgedByPods),
          ...(hasReplicaSets
            ? [follow(replicaSets, { namespace, ...selector }, mapStore(this.#replicaSets), hasParent)]
            : []),
        ]),
        ...eventSelectors(inside).map((fieldSelector) => follow(events, { namespace, fieldSelector }, event)),
      ];
    });
    const owned = children.map(({ resource, namespace }) =>
      follow(resource, inNamespace(namespace), mapStore(this.#owned), true),
    );
    this.#unknown = unknown;
    if (unknown.size === 0) look();
    await Promise.all([...inNamespaces, ...owned, this.#observeNodes(client, workloads, signal, look)]);
  }

  /** Whether nodes are up matters to DaemonSets alone. A Role of one namespace cannot allow it, so that nobody is warned. */
  async #observeNodes(
    client: KubernetesClient,
    workloads: readonly KubernetesObject[],
    signal: AbortSignal,
    look: () => void,
  ): Promise<void> {
    if (!workloads.some(({ kind }) => kind === 'DaemonSet')) return;
    try {
      const resource = await client.resource('v1', 'Node');
      if (resource === undefined) return;
      await observe(client, resource, {}, storing(mapStore(this.#nodes), look), signal, this.#clock);
    } catch (error) {
      this.#reporter.debug(`whether nodes are down stays unknown: ${messageOf(error)}`);
    }
  }

  #warnOnce(message: string): void {
    if (this.#warnings.has(message)) return;
    this.#warnings.add(message);
    this.#reporter.warning(message);
  }
}

/** Pods change in bursts, and a look at hundreds of them costs milliseconds: one look for all that came in one turn. */
function oncePerTurn(look: () => void): () => void {
  let isPlanned = false;
  return () => {
    if (isPlanned) return;
    isPlanned = true;
    setImmediate(() => {
      isPlanned = false;
      look();
    });
  };
}

/** Whether there are pods of it: of a workload, or of a custom resource that runs some. */
export function runsPods(object: KubernetesObject): boolean {
  return isWorkload(object) || followedBy(object)?.runsPods === true;
}

/** The kinds by whose objects custom resources are judged, and where; each once. */
export function childrenOf(objects: readonly KubernetesObject[]): (Child & { namespace: string | undefined })[] {
  const found = objects.flatMap((object) =>
    (followedBy(object)?.children ?? []).map(({ apiVersion, kind }) => ({
      apiVersion,
      kind,
      namespace: object.metadata.namespace,
    })),
  );
  return [
    ...new Map(found.map((child) => [`${child.apiVersion} ${child.kind} ${child.namespace ?? ''}`, child])).values(),
  ];
}

/** Of the events that tell how pods of these workloads get on: warnings, and what is none and is told nowhere else. */
export function eventSelectors(workloads: readonly KubernetesObject[]): string[] {
  const reasons = ['Killing', 'Pulling', 'Pulled', 'TriggeredScaleUp', 'NotTriggerScaleUp'];
  return [
    'type=Warning',
    ...reasons.map((reason) => `type=Normal,reason=${reason}`),
    // That a claim finds no volume, or waits for one to be made, is no warning.
    ...(workloads.some(hasClaims) ? ['type=Normal,involvedObject.kind=PersistentVolumeClaim'] : []),
  ];
}

/** Whether the pods of a workload have claims. */
function hasClaims(workload: KubernetesObject): boolean {
  const volumes = podsIn(workload).flatMap(({ spec }) => objectsAt(spec, 'volumes'));
  return (
    objectsAt(workload, 'spec', 'volumeClaimTemplates').length > 0 ||
    volumes.some((volume) => 'persistentVolumeClaim' in volume || 'ephemeral' in volume)
  );
}

export function inNamespace(namespace: string | undefined): ListOptions {
  return namespace === undefined ? {} : { namespace };
}

/** One selector for each workload; the whole namespace when there are many of them, or one has none. */
export function selectorsOf(
  workloads: readonly KubernetesObject[],
): { labelSelector?: string; fieldSelector?: string }[] {
  if (workloads.length > maxSelectors) return [{}];
  const selectors = workloads.map((workload) => {
    if (workload.kind === 'Pod') return { fieldSelector: `metadata.name=${workload.metadata.name}` };
    if (!isWorkload(workload)) return {};
    const labelSelector = labelSelectorOf(stringsAt(workload, 'spec', 'selector', 'matchLabels'));
    return labelSelector === '' ? {} : { labelSelector };
  });
  return selectors.some((selector) => Object.keys(selector).length === 0) ? [{}] : selectors;
}
