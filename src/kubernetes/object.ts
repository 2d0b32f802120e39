import type { JsonObject } from '../base/json.ts';

/** An object of the Kubernetes API, verbatim. Fields beyond the metadata are read with the accessors of `base/json`. */
export interface KubernetesObject extends JsonObject {
  apiVersion: string;
  kind: string;
  metadata: ObjectMeta;
}

export interface ObjectMeta extends JsonObject {
  name: string;
  namespace?: string;
  uid?: string;
  resourceVersion?: string;
  generation?: number;
  creationTimestamp?: string;
  deletionTimestamp?: string;
  labels?: Record<string, string>;
  annotations?: Record<string, string>;
  ownerReferences?: OwnerReference[];
  managedFields?: ManagedFieldsEntry[];
  finalizers?: string[];
}

interface OwnerReference extends JsonObject {
  apiVersion: string;
  kind: string;
  name: string;
  uid: string;
  controller?: boolean;
}

/** Who owns which fields: `fieldsV1` is the set of paths in the form `{"f:spec": {"f:replicas": {}}}`. */
export interface ManagedFieldsEntry extends JsonObject {
  manager: string;
  operation: 'Apply' | 'Update';
  apiVersion: string;
  fieldsType?: string;
  fieldsV1?: JsonObject;
  subresource?: string;
  time?: string;
}

/** What names an object in a cluster. `namespace` is absent for cluster-scoped kinds. */
export interface ObjectRef {
  apiVersion: string;
  kind: string;
  namespace?: string;
  name: string;
}

export function refOf(object: KubernetesObject): ObjectRef {
  const { apiVersion, kind, metadata } = object;
  return metadata.namespace === undefined
    ? { apiVersion, kind, name: metadata.name }
    : { apiVersion, kind, namespace: metadata.namespace, name: metadata.name };
}

/** The group of an apiVersion: `apps/v1` → `apps`, `v1` → the empty core group. */
export function groupOf(apiVersion: string): string {
  const slash = apiVersion.indexOf('/');
  return slash === -1 ? '' : apiVersion.slice(0, slash);
}

/** A key under which an object is the same in every version of its group: `apps/Deployment/shop/web`. */
export function keyOf(ref: ObjectRef): string {
  return [groupOf(ref.apiVersion), ref.kind, ref.namespace ?? '', ref.name].join('/');
}

/** How the log of a run in one namespace names an object: it has said that one once, and names only others. */
export function nameFrom(namespace: string, ref: ObjectRef): string {
  return describeRef(ref, ref.namespace !== namespace);
}

/** How messages name an object: `Deployment "web"`, with its namespace where that helps. */
export function describeRef(ref: ObjectRef, withNamespace = false): string {
  return withNamespace && ref.namespace !== undefined
    ? `${ref.kind} "${ref.name}" in namespace "${ref.namespace}"`
    : `${ref.kind} "${ref.name}"`;
}
