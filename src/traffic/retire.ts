import { objectAt, stringsAt } from '../base/json.ts';
import type { KubernetesClient } from '../kubernetes/client.ts';
import { isStatus } from '../kubernetes/errors.ts';
import { refOf, type KubernetesObject } from '../kubernetes/object.ts';
import { labelSelectorOf } from '../kubernetes/label-selector.ts';
import { untilRouted, type RoutingOptions } from './endpoints.ts';
import { templateLabels } from './pods.ts';
import { selectorOf, selects, servicesIn } from './services.ts';

const trafficManager = 'gke-rollout-traffic';

/**
 * Takes the pods of a Deployment out of their Services and waits until no request comes to them any more, so that it can be
 * deleted without losing any, however its pods end. It takes away labels that the Services look for and the Deployment
 * itself does not; where there are none, its pods have to end as gracefully as in any rolling update.
 */
export async function retire(
  client: KubernetesClient,
  deployment: KubernetesObject,
  options: Omit<RoutingOptions, 'courtesy'>,
): Promise<void> {
  const { namespace = '' } = deployment.metadata;
  const own = stringsAt(deployment, 'spec', 'selector', 'matchLabels');
  const labels = templateLabels(deployment);
  const services = (await servicesIn(client, namespace)).filter((service) => selects(selectorOf(service), labels));
  const loose = services.flatMap((service) => Object.keys(selectorOf(service)).filter((key) => !(key in own)));
  const resource = await client.resource('v1', 'Pod');
  if (loose.length === 0 || resource === undefined || Object.keys(own).length === 0) return;
  const { items } = await client.list(resource, { namespace, labelSelector: labelSelectorOf(own) });
  const patch = { metadata: { labels: Object.fromEntries(loose.map((key) => [key, null])) } };
  try {
    await Promise.all(
      items
        .filter((pod) => loose.some((key) => key in objectAt(pod, 'metadata', 'labels')))
        .map(async (pod) => {
          await client.patch(refOf(pod), { type: 'merge', patch }, { fieldManager: trafficManager }).catch(ignoreGone);
        }),
    );
  } catch (error) {
    if (!isStatus(error, 403)) throw error;
    options.reporter.info('without permission to patch pods, the canary is removed as in a rolling update');
    return;
  }
  await untilRouted(client, services, { ...options, courtesy: true });
}

function ignoreGone(error: unknown): void {
  if (!isStatus(error, 404)) throw error;
}
