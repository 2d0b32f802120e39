import { mapConcurrently } from '../../src/base/concurrency.ts';
import type { KubernetesClient } from '../../src/kubernetes/client.ts';
import type { KubernetesObject } from '../../src/kubernetes/object.ts';
import { deployment } from '../../test/support/objects.ts';

const writers = 16;

/** Fills a namespace with pods of somebody else: they name a scheduler that does not exist, and stay without a node. */
export async function crowd(client: KubernetesClient, namespace: string, count: number): Promise<void> {
  const { spec } = deployment('foreign').spec.template;
  await mapConcurrently(Array.from({ length: count }).fill(undefined), writers, async (_, index) => {
    const pod: KubernetesObject = {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: `foreign-${index}`, namespace, labels: { app: 'foreign' } },
      spec: { ...(JSON.parse(JSON.stringify(spec)) as object), schedulerName: 'nobody' },
    };
    await client.create(pod, { fieldManager: 'bench' });
  });
}
