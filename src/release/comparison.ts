import { equal, objectAt, type JsonObject } from '../base/json.ts';
import type { KubernetesObject } from '../kubernetes/object.ts';
import { fieldManager } from './field-manager.ts';
import { applyEntry, extractOwned } from './managed-fields.ts';

/** Fields of the metadata that the server alone writes. */
const serverOwned = new Set([
  'creationTimestamp',
  'deletionGracePeriodSeconds',
  'deletionTimestamp',
  'generation',
  'managedFields',
  'resourceVersion',
  'selfLink',
  'uid',
]);

/** What users and controllers write: the object without its status and without what the server alone writes. */
export function contentOf(object: KubernetesObject): JsonObject {
  const content: JsonObject = { ...object, metadata: contentOfMetadata(object) };
  delete content['status'];
  return content;
}

function contentOfMetadata(object: KubernetesObject): JsonObject {
  return Object.fromEntries(Object.entries(object.metadata).filter(([key]) => !serverOwned.has(key)));
}

/** The part of the metadata that the server alone writes. */
export function serverMetadata(object: KubernetesObject): JsonObject {
  return Object.fromEntries(Object.entries(object.metadata).filter(([key]) => serverOwned.has(key)));
}

/**
 * Whether an apply of the manifest would change nothing: we own exactly the fields that it sets, and they have its values.
 * In doubt (another spelling of the same quantity, say) it answers false, and the server is asked.
 */
export function isApplied(manifest: KubernetesObject, live: KubernetesObject): boolean {
  const entry = applyEntry(live, fieldManager);
  if (entry?.apiVersion !== manifest.apiVersion) return false;
  return equal(extractOwned(live, entry), withoutIdentity(manifest));
}

function withoutIdentity(manifest: KubernetesObject): JsonObject {
  const body: JsonObject = { ...manifest };
  delete body['apiVersion'];
  delete body['kind'];
  const metadata: JsonObject = { ...objectAt(manifest, 'metadata') };
  delete metadata['name'];
  delete metadata['namespace'];
  if (Object.keys(metadata).length === 0) delete body['metadata'];
  else body['metadata'] = metadata;
  return body;
}
