import type { Clock } from '../base/clock.ts';
import { Failure } from '../base/errors.ts';
import { booleanAt, objectsAt, stringAt } from '../base/json.ts';
import type { KubernetesClient } from '../kubernetes/client.ts';
import { isStatus } from '../kubernetes/errors.ts';
import { describeRef, refOf, type KubernetesObject } from '../kubernetes/object.ts';
import { podsBehind } from './pods.ts';
import { selectorOf, settleMsOf } from './services.ts';

export interface RoutingOptions {
  clock: Clock;
  signal: AbortSignal;
  /** Milliseconds since the epoch. */
  deadline: number;
}

const pollMs = 250;

/**
 * Waits until each Service sends requests to the ready pods that it selects, and to no other, and as long as it may take
 * until that is known everywhere. Without the right to see EndpointSlices only the latter is waited for.
 * @throws Failure when it does not come about in time
 */
export async function untilRouted(
  client: KubernetesClient,
  services: readonly KubernetesObject[],
  options: RoutingOptions,
): Promise<void> {
  const routing = services.filter((service) => Object.keys(selectorOf(service)).length > 0);
  if (routing.length === 0) return;
  await Promise.all(routing.map((service) => untilSlicesFollow(client, service, options)));
  await options.clock.sleep(Math.max(...routing.map(settleMsOf)), options.signal);
}

async function untilSlicesFollow(
  client: KubernetesClient,
  service: KubernetesObject,
  { clock, signal, deadline }: RoutingOptions,
): Promise<void> {
  for (;;) {
    const state = await routingOf(client, service).catch((error: unknown) => {
      if (isStatus(error, 403)) return undefined;
      throw error;
    });
    if (state === undefined || state.missing.length + state.surplus.length === 0) return;
    if (clock.now() >= deadline) {
      const { missing, surplus } = state;
      throw new Failure(
        `${describeRef(refOf(service), true)} does not send requests where it should: ${[
          ...(missing.length === 0 ? [] : [`not to ${missing.join(', ')}`]),
          ...(surplus.length === 0 ? [] : [`still to ${surplus.join(', ')}`]),
        ].join('; ')}`,
        { hint: 'See whether the endpoint slice controller is at work: kubectl get endpointslices.' },
      );
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
  const hint = 'See what becomes of its pods: kubectl get pods, kubectl get endpointslices.';
  const pods = new Set((await podsBehind(client, bound)).map(({ metadata }) => metadata.name));
  if (pods.size === 0) throw new Failure(`${name} would send its requests to nobody: no pod there is ready`, { hint });
  const preview = await client.read({ ...refOf(bound), name: twin });
  const until = clock.now() + followMs;
  while (preview !== undefined) {
    const routed = await routedPods(client, preview).catch((error: unknown) => {
      if (isStatus(error, 403)) return undefined;
      throw error;
    });
    if (routed === undefined || routed.some((pod) => pods.has(pod))) return;
    if (clock.now() >= until)
      throw new Failure(`${name} would send its requests to nobody: no endpoint there is ready`, { hint });
    await clock.sleep(pollMs, signal);
  }
}

/** Names of the pods that get requests of a Service; undefined where the server has no EndpointSlices. */
async function routedPods(client: KubernetesClient, service: KubernetesObject): Promise<string[] | undefined> {
  const slices = await client.resource('discovery.k8s.io/v1', 'EndpointSlice');
  if (slices === undefined) return undefined;
  const { namespace = '', name } = service.metadata;
  const { items } = await client.list(slices, { namespace, labelSelector: `kubernetes.io/service-name=${name}` });
  return items
    .flatMap((slice) => objectsAt(slice, 'endpoints'))
    .filter((endpoint) => booleanAt(endpoint, 'conditions', 'ready') !== false)
    .flatMap((endpoint) => stringAt(endpoint, 'targetRef', 'name') ?? []);
}

/** Names of pods that should get requests of a Service and do not, and of those that should not and do. */
async function routingOf(
  client: KubernetesClient,
  service: KubernetesObject,
): Promise<{ missing: string[]; surplus: string[] } | undefined> {
  const current = await client.read(refOf(service));
  const [serving, routed] = await Promise.all([podsBehind(client, current ?? service), routedPods(client, service)]);
  if (routed === undefined) return undefined;
  const wanted = new Set(serving.map(({ metadata }) => metadata.name));
  const actual = new Set(routed);
  return {
    missing: [...wanted].filter((pod) => !actual.has(pod)),
    surplus: [...actual].filter((pod) => !wanted.has(pod)),
  };
}
