import type { KubernetesObject } from '../kubernetes/object.ts';
import { isDeployment } from '../manifests/kinds.ts';
import { remove } from '../apply/prune.ts';
import { retire } from '../traffic/retire.ts';
import type { Context } from './context.ts';

/**
 * Removes what strategies have made beside the user's own: pods once no request comes to them any more. Answers what something
 * else holds up.
 * @param namespace where the run is at work
 * @param deadline milliseconds since the epoch
 */
export async function removeMade(
  { client, clock, reporter, signal }: Pick<Context, 'client' | 'clock' | 'reporter' | 'signal'>,
  namespace: string,
  objects: readonly KubernetesObject[],
  deadline: number,
): Promise<KubernetesObject[]> {
  const deployments = objects.filter(isDeployment);
  await Promise.all(deployments.map((one) => retire(client, one, { clock, signal, deadline, reporter })));
  return await remove(client, objects, { reporter, clock, signal, deadline, namespace });
}
