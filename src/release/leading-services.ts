import type { KubernetesClient } from '../kubernetes/client.ts';
import { refOf, type KubernetesObject } from '../kubernetes/object.ts';
import { isNamedLikeASide } from '../manifests/variants.ts';
import { templateLabels } from '../traffic/pods.ts';
import { isService, selectorOf, selects } from '../traffic/services.ts';
import type { Revision } from './revision-shape.ts';

/**
 * The Services of a revision that follow what serves, as they are recorded: with two sides of the user's own, one that is named like
 * a side is for that side alone.
 */
export function followingServices({ objects, idle }: Revision): KubernetesObject[] {
  return objects.filter((object) => isService(object) && (idle === undefined || !isNamedLikeASide(object)));
}

/** Those of them that send requests to the pods of a workload now. @param workload as it is in the cluster */
export async function servicesLeadingTo(
  client: KubernetesClient,
  revision: Revision,
  workload: KubernetesObject,
): Promise<KubernetesObject[]> {
  const services = await Promise.all(followingServices(revision).map((recorded) => client.read(refOf(recorded))));
  return services.filter((service) => service !== undefined).filter((service) => leadsTo(service, workload));
}

/** Whether a Service selects the pods of a workload. */
export function leadsTo(service: KubernetesObject, workload: KubernetesObject): boolean {
  return (
    service.metadata.namespace === workload.metadata.namespace && selects(selectorOf(service), templateLabels(workload))
  );
}
