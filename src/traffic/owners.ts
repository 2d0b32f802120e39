import { stringAt } from '../base/json.ts';
import type { KubernetesClient } from '../kubernetes/client.ts';
import { isStatus } from '../kubernetes/errors.ts';
import { labelSelectorOf } from '../kubernetes/label-selector.ts';
import type { KubernetesObject, ObjectRef } from '../kubernetes/object.ts';
import type { Labels } from './services.ts';

type Owned = Pick<KubernetesObject, 'apiVersion' | 'kind' | 'metadata'>;

/**
 * What the pods belong to that a selector selects in a namespace: their Deployment, another workload, or nothing but
 * themselves. Pods that are about to end, have ended, or belong to a Job do not count. Empty without
 * the right to see pods and ReplicaSets.
 */
export async function ownersOfSelected(
  client: KubernetesClient,
  namespace: string,
  selector: Labels,
): Promise<ObjectRef[]> {
  const [pods, sets] = await Promise.all([
    listed(client, ['v1', 'Pod'], namespace, labelSelectorOf(selector)),
    listed(client, ['apps/v1', 'ReplicaSet'], namespace),
  ]);
  if (pods === undefined || sets === undefined) return [];
  const deployments = new Map(sets.map((set) => [set.metadata.uid, ownerOf(set)]));
  const serving = pods.filter(
    (pod) =>
      pod.metadata.deletionTimestamp === undefined &&
      !['Succeeded', 'Failed'].includes(stringAt(pod, 'status', 'phase') ?? ''),
  );
  const owners = serving.map((pod) => {
    const owner = ownerOf({ ...pod, apiVersion: 'v1', kind: 'Pod' });
    return owner.kind === 'ReplicaSet' ? (deployments.get(owner.uid) ?? owner) : owner;
  });
  const distinct = new Map(owners.filter(({ kind }) => kind !== 'Job').map((owner) => [owner.uid, owner]));
  return [...distinct.values()].map(({ apiVersion, kind, name }) => ({ apiVersion, kind, namespace, name }));
}

interface Owner {
  apiVersion: string;
  kind: string;
  name: string;
  uid: string;
}

/** What controls an object; without that, the object itself. */
function ownerOf({ apiVersion, kind, metadata }: Owned): Owner {
  const own = { apiVersion, kind, name: metadata.name, uid: metadata.uid ?? metadata.name };
  const owner = metadata.ownerReferences?.find(({ controller }) => controller === true);
  return owner === undefined
    ? own
    : { apiVersion: owner.apiVersion, kind: owner.kind, name: owner.name, uid: owner.uid };
}

async function listed(
  client: KubernetesClient,
  [apiVersion, kind]: [string, string],
  namespace: string,
  labelSelector = '',
): Promise<KubernetesObject[] | undefined> {
  const resource = await client.resource(apiVersion, kind);
  if (resource === undefined) return [];
  try {
    const { items } = await client.list(resource, { namespace, ...(labelSelector === '' ? {} : { labelSelector }) });
    return items.map((item) => ({ ...item, apiVersion, kind }));
  } catch (error) {
    if (isStatus(error, 403)) return undefined;
    throw error;
  }
}
