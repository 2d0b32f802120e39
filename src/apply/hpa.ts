import { numberAt, objectAt, stringAt } from '../base/json.ts';
import type { KubernetesClient } from '../kubernetes/client.ts';
import {
  groupOf,
  keyOf,
  refOf,
  type KubernetesObject,
  type ManagedFieldsEntry,
  type ObjectRef,
} from '../kubernetes/object.ts';
import { entriesOf, isPredecessor, owns } from './managed-fields.ts';
import { fieldManager } from './field-manager.ts';

/** The workloads that autoscalers target, by key. */
export function scaledTargets(autoscalers: readonly KubernetesObject[]): Set<string> {
  return new Set(
    autoscalers.flatMap((hpa) => {
      const target = objectAt(hpa, 'spec', 'scaleTargetRef');
      // What a ScaledObject need not say (keda.sh/docs, ScaledObject specification).
      const defaults = isScaledObject(hpa) ? { apiVersion: 'apps/v1', kind: 'Deployment' } : undefined;
      const apiVersion = stringAt(target, 'apiVersion') ?? defaults?.apiVersion;
      const kind = stringAt(target, 'kind') ?? defaults?.kind;
      const name = stringAt(target, 'name');
      if (apiVersion === undefined || kind === undefined || name === undefined) return [];
      const { namespace } = hpa.metadata;
      return [keyOf({ apiVersion, kind, name, ...(namespace === undefined ? {} : { namespace }) })];
    }),
  );
}

/** The autoscalers of a namespace; none are known without the right to list them. */
export async function autoscalersIn(client: KubernetesClient, namespace: string): Promise<KubernetesObject[]> {
  const resource = await client.resource('autoscaling/v2', 'HorizontalPodAutoscaler');
  if (resource === undefined) return [];
  return (await client.list(resource, { namespace }).catch(() => ({ items: [] }))).items;
}

export function isAutoscaler(object: KubernetesObject): boolean {
  return object.kind === 'HorizontalPodAutoscaler' && groupOf(object.apiVersion) === 'autoscaling';
}

/** Of KEDA: it makes an autoscaler, and keeps its target as it says itself. */
export function isScaledObject({ apiVersion, kind }: Pick<KubernetesObject, 'apiVersion' | 'kind'>): boolean {
  return kind === 'ScaledObject' && groupOf(apiVersion) === 'keda.sh';
}

/** An autoscaler that is made to go down to no pod at all: KEDA's, or one with `minReplicas: 0`. */
export function scalesToZero(autoscaler: KubernetesObject): boolean {
  const by = autoscaler.metadata.labels?.['app.kubernetes.io/managed-by'] ?? '';
  return by.startsWith('keda') || numberAt(autoscaler, 'spec', 'minReplicas') === 0;
}

/** What an autoscaler belongs to, which writes its target; undefined where nothing does. */
export function keeperOf({ metadata }: KubernetesObject): ObjectRef | undefined {
  const owner = metadata.ownerReferences?.find(({ controller }) => controller === true);
  if (owner === undefined) return undefined;
  const { apiVersion, kind, name } = owner;
  return { apiVersion, kind, name, ...(metadata.namespace === undefined ? {} : { namespace: metadata.namespace }) };
}

/** The ScaledObjects that these autoscalers belong to; without those that may not be read. */
export async function scaledObjectsOf(
  client: KubernetesClient,
  autoscalers: readonly KubernetesObject[],
): Promise<KubernetesObject[]> {
  const refs = autoscalers.flatMap((autoscaler) => keeperOf(autoscaler) ?? []).filter(isScaledObject);
  const found = await Promise.all(refs.map((ref) => client.read(ref).catch(() => undefined)));
  return found.filter((object) => object !== undefined);
}

/**
 * The workload with `spec.replicas` left to its autoscaler; itself where it has none. Where we alone own the field, dropping it
 * would let it fall to 1: then it keeps the live value, which hands it over with the autoscaler's next change
 * (kubernetes/website#29739).
 */
export function leaveReplicasToAutoscaler(
  manifest: KubernetesObject,
  live: KubernetesObject | undefined,
  targets: ReadonlySet<string>,
): KubernetesObject {
  if (!targets.has(keyOf(refOf(manifest))) || live === undefined) return manifest;
  const owners = entriesOf(live).filter((entry) => owns(entry, ['spec', 'replicas']));
  // What predecessors own will be ours by the time of the apply.
  const isOurs = (entry: ManagedFieldsEntry) => entry.manager === fieldManager || isPredecessor(entry);
  const { replicas: stated, ...others } = objectAt(manifest, 'spec');
  const replicas = owners.every(isOurs) ? (numberAt(live, 'spec', 'replicas') ?? stated) : undefined;
  return { ...manifest, spec: { ...others, ...(replicas === undefined ? {} : { replicas }) } };
}
