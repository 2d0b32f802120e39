import type { KubernetesClient } from '../kubernetes/client.ts';
import { isStatus } from '../kubernetes/errors.ts';
import { keyOf, refOf, type KubernetesObject } from '../kubernetes/object.ts';
import { isNamedLikeASide } from '../manifests/variants.ts';
import { templateLabels } from '../traffic/pods.ts';
import { isPreview, isService, selectorOf, selects, servicesIn } from '../traffic/services.ts';
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
  const [own, unrecorded] = await Promise.all([
    Promise.all(followingServices(revision).map((recorded) => client.read(refOf(recorded)))),
    unrecordedServices(client, revision, [workload]),
  ]);
  return [...own, ...unrecorded]
    .filter((service) => service !== undefined)
    .filter((service) => leadsTo(service, workload));
}

/**
 * The Services that no manifest has, and that a switch moves all the same, since they may lead to these workloads. With two sides of
 * the user's own, one that is bound to one of them may be meant for it, unless the release has no other.
 */
export async function unrecordedServices(
  client: KubernetesClient,
  revision: Revision,
  workloads: readonly KubernetesObject[],
): Promise<KubernetesObject[]> {
  if (revision.strategy !== 'blue-green') return [];
  if (revision.idle !== undefined && followingServices(revision).length > 0) return [];
  const known = new Set(revision.objects.filter(isService).map((object) => keyOf(refOf(object))));
  const namespaces = new Set(workloads.map(({ metadata }) => metadata.namespace ?? client.defaultNamespace));
  const listed = await Promise.all(
    [...namespaces].map(async (namespace) => {
      try {
        return await servicesIn(client, namespace);
      } catch (error) {
        if (isStatus(error, 403)) return [];
        throw error;
      }
    }),
  );
  return listed
    .flat()
    .map((service) => ({ ...service, apiVersion: 'v1', kind: 'Service' }))
    .filter((service) => !known.has(keyOf(refOf(service))) && !isPreview(service))
    .filter((service) => revision.idle === undefined || !isNamedLikeASide(service));
}

/** Whether a Service selects the pods of a workload. */
export function leadsTo(service: KubernetesObject, workload: KubernetesObject): boolean {
  return (
    service.metadata.namespace === workload.metadata.namespace && selects(selectorOf(service), templateLabels(workload))
  );
}
