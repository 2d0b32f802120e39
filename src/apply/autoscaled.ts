import { InvalidInput } from '../base/errors.ts';
import type { KubernetesClient } from '../kubernetes/client.ts';
import { describeRef, keyOf, type KubernetesObject, type ObjectRef } from '../kubernetes/object.ts';
import { autoscalersIn, isAutoscaler, scaledTargets } from './hpa.ts';

/**
 * The number of pods of an autoscaled workload is its autoscaler's: another one would be dropped, or changed back.
 * @param workloads under each name that they go by
 * @param manifests with autoscalers that are to come
 * @throws InvalidInput for a workload that an autoscaler looks at
 */
export async function refuseAutoscaled(
  client: KubernetesClient,
  namespace: string,
  workloads: readonly ObjectRef[],
  manifests: readonly KubernetesObject[] = [],
): Promise<void> {
  if (workloads.length === 0) return;
  const targets = scaledTargets([...manifests.filter(isAutoscaler), ...(await autoscalersIn(client, namespace))]);
  const scaled = workloads.find((ref) => targets.has(keyOf(ref)));
  if (scaled === undefined) return;
  throw new InvalidInput(`${describeRef(scaled)} is scaled by a HorizontalPodAutoscaler, which would scale it back`, {
    hint: 'Change minReplicas and maxReplicas of the autoscaler instead, and remove the input "replicas".',
  });
}
