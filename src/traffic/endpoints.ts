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

/** Names of pods that should get requests of a Service and do not, and of those that should not and do. */
async function routingOf(
  client: KubernetesClient,
  service: KubernetesObject,
): Promise<{ missing: string[]; surplus: string[] } | undefined> {
  const slices = await client.resource('discovery.k8s.io/v1', 'EndpointSlice');
  if (slices === undefined) return undefined;
  const { namespace = '', name } = service.metadata;
  const current = await client.read(refOf(service));
  const [serving, routed] = await Promise.all([
    podsBehind(client, current ?? service),
    client.list(slices, { namespace, labelSelector: `kubernetes.io/service-name=${name}` }),
  ]);
  const wanted = new Set(serving.map(({ metadata }) => metadata.name));
  const actual = new Set(
    routed.items
      .flatMap((slice) => objectsAt(slice, 'endpoints'))
      .filter((endpoint) => booleanAt(endpoint, 'conditions', 'ready') !== false)
      .flatMap((endpoint) => stringAt(endpoint, 'targetRef', 'name') ?? []),
  );
  return {
    missing: [...wanted].filter((pod) => !actual.has(pod)),
    surplus: [...actual].filter((pod) => !wanted.has(pod)),
  };
}
