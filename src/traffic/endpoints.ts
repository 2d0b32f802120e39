import type { Clock } from '../base/clock.ts';
import { Failure } from '../base/errors.ts';
import type { Reporter } from '../base/reporter.ts';
import { booleanAt, objectsAt, stringAt } from '../base/json.ts';
import type { KubernetesClient } from '../kubernetes/client.ts';
import { timeOf } from '../kubernetes/conditions.ts';
import { isStatus } from '../kubernetes/errors.ts';
import { describeRef, refOf, type KubernetesObject } from '../kubernetes/object.ts';
import { serverNow } from '../kubernetes/server-time.ts';
import { podsBehind, podsWithLabelsOf } from './pods.ts';
import { selectorOf, settleMsOf } from './services.ts';

export interface RoutingOptions {
  clock: Clock;
  signal: AbortSignal;
  reporter: Reporter;
  /** Milliseconds since the epoch. */
  deadline: number;
  /**
   * Where something has to be done all the same, such as the rest of an undo: what does not come about is said, and only a
   * quarter of the time is waited for it.
   */
  courtesy?: boolean;
  /** The Services have sent requests to nobody until now: none are under way, and only the nodes have to follow. */
  isNew?: boolean;
  /** Told how long it is going to wait until what is routed is known everywhere: that is planned. */
  onSettle?(ms: number): void;
}

const pollMs = 250;

/** Nodes follow EndpointSlices once a second (kubernetes pkg/proxy, minSyncPeriod), and need a moment for it. */
const nodesFollowMs = 2_000;

/** By how much the time of a change may be off: it is told in whole seconds, and so is the server's clock. */
const inexactMs = 2_000;

/** When the pod or Service changed that a slice was last written for (kubernetes pkg/controller/util/endpoint). */
const changeTime = 'endpoints.kubernetes.io/last-change-trigger-time';

/** EndpointSlices follow pods within seconds. What takes longer than this will not come about, however long it is waited for. */
const routingLimitMs = 30_000;

/**
 * Waits until each Service sends requests to the ready pods that it selects, and to no other, and as long as it may take
 * until that is known everywhere. Without the right to see EndpointSlices only the latter is waited for. Ready pods that get
 * no requests are said, as long as others do.
 * @throws Failure when it does not come about in time
 */
export async function untilRouted(
  client: KubernetesClient,
  services: readonly KubernetesObject[],
  options: RoutingOptions,
): Promise<void> {
  const routing = services.filter((service) => Object.keys(selectorOf(service)).length > 0);
  if (routing.length === 0) return;
  const { clock, signal, deadline, courtesy = false, isNew = false } = options;
  const share = () => (courtesy ? Math.max(0, deadline - clock.now()) / 4 : Infinity);
  const limit = Math.min(deadline, clock.now() + Math.min(routingLimitMs, share()));
  const states = await Promise.all(
    routing.map((service) => untilSlicesFollow(client, service, { ...options, deadline: limit })),
  );
  const now = serverNow(client, clock);
  const settleMs = Math.max(...(isNew ? states.map((state) => nodesLeftMs(state, now)) : routing.map(settleMsOf)));
  const waitMs = Math.min(share(), settleMs);
  options.onSettle?.(waitMs);
  await clock.sleep(waitMs, signal);
}

/** How long nodes may still need until they know where a new Service sends requests. @param now by the server's clock */
function nodesLeftMs(state: Routing | undefined, now: number): number {
  if (state === undefined) return nodesFollowMs;
  if (state.routed === 0) return 0;
  const { changedAt = now } = state;
  return Math.min(nodesFollowMs, Math.max(0, changedAt + inexactMs + nodesFollowMs - now));
}

/** Answers what there was at last; undefined where that cannot be seen. */
async function untilSlicesFollow(
  client: KubernetesClient,
  service: KubernetesObject,
  { clock, signal, deadline, reporter, courtesy = false }: RoutingOptions,
): Promise<Routing | undefined> {
  for (;;) {
    const state = await routingOf(client, service).catch((error: unknown) => {
      if (isStatus(error, 403)) return undefined;
      throw error;
    });
    if (state === undefined || state.missing.length + state.surplus.length === 0) return state;
    if (clock.now() >= deadline) {
      const { missing, surplus, right } = state;
      const text = `${describeRef(refOf(service), true)} does not route to the right pods: ${[
        ...(missing.length === 0 ? [] : [`missing ${missing.join(', ')}`]),
        ...(surplus.length === 0 ? [] : [`still includes ${surplus.join(', ')}`]),
      ].join('; ')}`;
      const hint = 'Check that the endpoint slice controller is running: kubectl get endpointslices.';
      if (!courtesy && (surplus.length > 0 || right === 0)) throw new Failure(text, { hint });
      reporter.warning(`${text}; continuing without waiting for that. ${hint}`);
      return state;
    }
    await clock.sleep(pollMs, signal);
  }
}

/** How long EndpointSlices may take to follow pods that have been ready for a while. */
const followMs = 10_000;

/**
 * That a Service would have somebody to send requests to, before it is bound to them: ready pods, which the EndpointSlices
 * of a Service that leads to the same ones know.
 * @param bound the Service as it is to be
 * @param twin the name of that other Service; without it only pods are asked
 * @throws Failure
 */
export async function assertEndpoints(
  { client, clock, signal }: Pick<RoutingOptions, 'clock' | 'signal'> & { client: KubernetesClient },
  bound: KubernetesObject,
  twin: string,
): Promise<void> {
  const name = describeRef(refOf(bound), true);
  const hint = 'Check its pods: kubectl get pods, kubectl get endpointslices.';
  const pods = new Set((await podsBehind(client, bound)).map(({ metadata }) => metadata.name));
  if (pods.size === 0) throw new Failure(`${name} would have no pod to send requests to: none is ready`, { hint });
  const preview = await client.read({ ...refOf(bound), name: twin });
  const until = clock.now() + followMs;
  while (preview !== undefined) {
    const slices = await slicesOf(client, preview).catch((error: unknown) => {
      if (isStatus(error, 403)) return undefined;
      throw error;
    });
    if (slices === undefined || podsIn(slices).some((pod) => pods.has(pod))) return;
    if (clock.now() >= until)
      throw new Failure(`${name} would have no endpoint to send requests to: none is ready`, { hint });
    await clock.sleep(pollMs, signal);
  }
}

const sliceController = 'endpointslice-controller.k8s.io';
const managedBy = 'endpointslice.kubernetes.io/managed-by';

/**
 * The EndpointSlices of a Service; undefined where the server has no such kind. What others than Kubernetes itself add to a
 * Service does not follow its pods, and is left out.
 */
async function slicesOf(client: KubernetesClient, service: KubernetesObject): Promise<KubernetesObject[] | undefined> {
  const slices = await client.resource('discovery.k8s.io/v1', 'EndpointSlice');
  if (slices === undefined) return undefined;
  const { namespace = client.defaultNamespace, name } = service.metadata;
  const { items } = await client.list(slices, { namespace, labelSelector: `kubernetes.io/service-name=${name}` });
  return items.filter(({ metadata }) => (metadata.labels?.[managedBy] ?? sliceController) === sliceController);
}

/** Names of the pods that get requests. */
function podsIn(slices: readonly KubernetesObject[]): string[] {
  return slices
    .flatMap((slice) => objectsAt(slice, 'endpoints'))
    .filter((endpoint) => booleanAt(endpoint, 'conditions', 'ready') !== false)
    .flatMap((endpoint) => stringAt(endpoint, 'targetRef', 'name') ?? []);
}

interface Routing {
  /** Pods that should get requests and do not. */
  missing: string[];
  /** Pods that should get none and do. */
  surplus: string[];
  /** How many get them as they should. */
  right: number;
  /** How many get them at all. */
  routed: number;
  /** When the last change came about that the slices were written for, milliseconds since the epoch; absent where none says so. */
  changedAt?: number;
}

/** Where a Service sends requests, compared with the pods that it selects; undefined where that cannot be seen. */
async function routingOf(client: KubernetesClient, service: KubernetesObject): Promise<Routing | undefined> {
  const current = (await client.read(refOf(service))) ?? service;
  const [serving, selected, slices] = await Promise.all([
    podsBehind(client, current),
    // There pods get requests whether they are ready or not, and until they are gone.
    booleanAt(current, 'spec', 'publishNotReadyAddresses') === true ? podsWithLabelsOf(client, current) : [],
    slicesOf(client, current),
  ]);
  if (slices === undefined) return undefined;
  const wanted = new Set(serving.map(({ metadata }) => metadata.name));
  const allowed = new Set([...wanted, ...selected.map(({ metadata }) => metadata.name)]);
  const actual = new Set(podsIn(slices));
  const changes = slices.flatMap(({ metadata }) => timeOf(metadata.annotations?.[changeTime]) ?? []);
  const missing = [...wanted].filter((pod) => !actual.has(pod));
  return {
    missing,
    surplus: [...actual].filter((pod) => !allowed.has(pod)),
    right: wanted.size - missing.length,
    routed: actual.size,
    ...(changes.length === 0 ? {} : { changedAt: Math.max(...changes) }),
  };
}
