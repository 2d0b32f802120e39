import type { Clock } from '../base/clock.ts';
import { Failure } from '../base/errors.ts';
import type { KubernetesClient } from '../kubernetes/client.ts';
import type { KubernetesObject } from '../kubernetes/object.ts';
import { definitionsOf } from './custom-resource.ts';

const pollMs = 200;

/**
 * Waits until the server's discovery tells of the kinds that CustomResourceDefinitions bring: it does so a moment after they
 * are established, because the aggregator asks its APIs in turn.
 * @throws Failure when it does not until the deadline (ms since the epoch); the reason of the signal
 */
export async function untilServed(
  client: KubernetesClient,
  definitions: readonly KubernetesObject[],
  { clock, signal, deadline }: { clock: Clock; signal: AbortSignal; deadline: number },
): Promise<void> {
  const wanted = definitionsOf(definitions).filter(({ served }) => served);
  for (;;) {
    client.forgetDiscovery();
    const found = await Promise.all(
      wanted.map(({ group, version, kind }) => client.resource(`${group}/${version}`, kind)),
    );
    const missing = wanted.find((_, index) => found[index] === undefined);
    if (missing === undefined) return;
    if (clock.now() >= deadline) {
      throw new Failure(
        `the cluster does not serve the new kind "${missing.kind}" although its CustomResourceDefinition is established`,
        {
          hint: 'Check the health of the API server, then run it again.',
        },
      );
    }
    await clock.sleep(pollMs, signal);
  }
}
