import { booleanAt, objectsAt } from '../base/json.ts';
import type { KubernetesClient } from '../kubernetes/client.ts';
import { isStatus } from '../kubernetes/errors.ts';
import type { KubernetesObject } from '../kubernetes/object.ts';
import { podsBehind } from './pods.ts';
import { selectorOf } from './services.ts';

/**
 * How many addresses a Service leads to that answer now; undefined for one that selects no pods. Where EndpointSlices may
 * not be seen, the ready pods that it selects are counted; where these may not be seen either, nothing is known: undefined.
 */
export async function readyEndpoints(client: KubernetesClient, service: KubernetesObject): Promise<number | undefined> {
  if (Object.keys(selectorOf(service)).length === 0) return undefined;
  const { name, namespace = client.defaultNamespace } = service.metadata;
  const slices = await client.resource('discovery.k8s.io/v1', 'EndpointSlice');
  if (slices === undefined) return await readyPods(client, service);
  try {
    const scope = { namespace, labelSelector: `kubernetes.io/service-name=${name}` };
    const { items } = await client.list(slices, scope);
    return items
      .flatMap((slice) => objectsAt(slice, 'endpoints'))
      .filter((endpoint) => booleanAt(endpoint, 'conditions', 'ready') !== false).length;
  } catch (error) {
    if (!isStatus(error, 403)) throw error;
    return await readyPods(client, service);
  }
}

async function readyPods(client: KubernetesClient, service: KubernetesObject): Promise<number | undefined> {
  try {
    return (await podsBehind(client, service)).length;
  } catch (error) {
    if (isStatus(error, 403)) return undefined;
    throw error;
  }
}
