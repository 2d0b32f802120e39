import { inCluster } from '../apply/owned-change.ts';
import type { Prepared } from '../apply/prepared.ts';
import { setAt } from '../base/json.ts';
import type { KubernetesObject } from '../kubernetes/object.ts';
import type { Context } from '../release/context.ts';
import { lookForRoom } from '../strategies/surge-room.ts';

/** The annotation of a pod template by which `kubectl rollout restart` makes pods anew. */
const restartedAt = 'kubectl.kubernetes.io/restartedAt';

/** @param time RFC 3339 */
export function restartPatch(time: string) {
  return {
    type: 'merge',
    patch: { spec: { template: { metadata: { annotations: { [restartedAt]: time } } } } },
  } as const;
}

/**
 * New pods that would certainly wait for ever for a device that an old one holds are not asked for.
 * @throws LowCapacity, or Failures of them
 */
export async function refuseRestartWithoutRoom(
  { client, reporter }: Context,
  namespace: string,
  workloads: readonly KubernetesObject[],
): Promise<void> {
  const prepared = workloads.map(restarted);
  await lookForRoom({ client, namespace, onLowCapacity: 'fail', reporter }, prepared, 'cluster');
}

function restarted(live: KubernetesObject): Prepared {
  const predicted = structuredClone(live);
  setAt(predicted, ['spec', 'template', 'metadata', 'annotations', restartedAt], 'now');
  return { manifest: inCluster(predicted), live, predicted, change: 'configured', takeover: false, warnings: [] };
}
