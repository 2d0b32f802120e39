import { stringsAt } from '../../base/json.ts';
import type { KubernetesClient, Resource } from '../../kubernetes/client.ts';
import type { KubernetesObject } from '../../kubernetes/object.ts';

/** In which of Kueue's queues an object waits; on a workload or on its pods. */
const queueName = 'kueue.x-k8s.io/queue-name';

/** Under which Kueue serves its Workloads, the newest first: what is read of them is the same in both. */
const versions = ['kueue.x-k8s.io/v1beta2', 'kueue.x-k8s.io/v1beta1'];

/** Whether an object, or each of its pods, waits in a queue of Kueue that its manifest names. */
export function namesQueue(object: KubernetesObject): boolean {
  const template = stringsAt(object, 'spec', 'template', 'metadata', 'labels');
  return [object.metadata.labels?.[queueName], template[queueName]].some((name) => name !== undefined);
}

/** Where Kueue keeps what it knows of what waits; undefined where it is not installed. */
export async function findWorkloads(client: Pick<KubernetesClient, 'resource'>): Promise<Resource | undefined> {
  for (const version of versions) {
    const found = await client.resource(version, 'Workload');
    if (found !== undefined) return found;
  }
  return undefined;
}
