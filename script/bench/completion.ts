import { numberAt } from '../../src/base/json.ts';
import type { KubernetesClient } from '../../src/kubernetes/client.ts';
import type { KubernetesObject } from '../../src/kubernetes/object.ts';

/** Whether the status says, of the generation that is wanted, that all pods are new and available. */
export function isComplete(deployment: KubernetesObject): boolean {
  const wanted = numberAt(deployment, 'spec', 'replicas') ?? 1;
  return (
    numberAt(deployment, 'status', 'observedGeneration') === numberAt(deployment, 'metadata', 'generation') &&
    ['replicas', 'updatedReplicas', 'availableReplicas'].every((key) => numberAt(deployment, 'status', key) === wanted)
  );
}

/**
 * When the API first shows a Deployment of the namespace complete, by `performance.now()`.
 * @throws the reason of the signal; an error when the watch ends before
 */
export async function firstComplete(client: KubernetesClient, namespace: string, signal: AbortSignal): Promise<number> {
  const resource = await client.resource('apps/v1', 'Deployment');
  if (resource === undefined) throw new Error('the cluster serves no Deployments');
  const { resourceVersion } = await client.list(resource, { namespace });
  for await (const event of client.watch(resource, { namespace, resourceVersion }, signal)) {
    if ((event.type === 'ADDED' || event.type === 'MODIFIED') && isComplete(event.object)) return performance.now();
  }
  throw new Error(`no Deployment of namespace "${namespace}" became complete while it was watched`);
}
