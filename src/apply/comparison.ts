import { equal, objectAt, type JsonObject } from '../base/json.ts';
import type { KubernetesObject } from '../kubernetes/object.ts';
import { serverMetadata } from '../manifests/as-meant.ts';
import { fieldManager } from './field-manager.ts';
import { applyEntry, extractOwned } from './managed-fields.ts';
import { withoutMark } from './mark.ts';

const serverOwned: ReadonlySet<string> = new Set(serverMetadata);

/**
 * Annotations in which the server and the controllers count upwards (pkg/controller/deployment/util,
 * pkg/apis/apps/v1/conversion): bringing an old number back would only be wrong.
 */
const countedAnnotations = new Set([
  'deployment.kubernetes.io/revision',
  'deployment.kubernetes.io/revision-history',
  'deprecated.daemonset.template.generation',
]);

/** What users write: the object without its status and without what the server and the controllers alone write. */
export function contentOf(object: KubernetesObject): JsonObject {
  const metadata = pick(object.metadata, (key) => !serverOwned.has(key));
  const annotations = pick(object.metadata.annotations ?? {}, (key) => !countedAnnotations.has(key));
  delete metadata['annotations'];
  if (Object.keys(annotations).length > 0) metadata['annotations'] = annotations;
  const content: JsonObject = { ...object, metadata };
  delete content['status'];
  return content;
}

/** A live object with other content: what `contentOf` leaves out stays as it is. */
export function withContent(live: KubernetesObject, content: JsonObject): KubernetesObject {
  const counted = pick(live.metadata.annotations ?? {}, (key) => countedAnnotations.has(key));
  const metadata = objectAt(content, 'metadata');
  const annotations = { ...objectAt(metadata, 'annotations'), ...counted };
  const result: JsonObject = {
    ...content,
    metadata: {
      ...pick(live.metadata, (key) => serverOwned.has(key)),
      ...metadata,
      ...(Object.keys(annotations).length === 0 ? {} : { annotations }),
    },
  };
  if (live['status'] !== undefined) result['status'] = live['status'];
  return result as KubernetesObject;
}

function pick(map: JsonObject, wanted: (key: string) => boolean): JsonObject {
  return Object.fromEntries(Object.entries(map).filter(([key]) => wanted(key)));
}

/**
 * Whether an apply of the manifest would change nothing: we own exactly the fields that it sets, and they have its values.
 * In doubt (another spelling of the same quantity, say) it answers false, and the server is asked.
 */
export function isApplied(manifest: KubernetesObject, live: KubernetesObject): boolean {
  const entry = applyEntry(live, fieldManager);
  if (entry?.apiVersion !== manifest.apiVersion) return false;
  // Whose it is stands on it beside what the manifest has.
  return equal(withoutMark(extractOwned(live, entry)), withoutMark(withoutIdentity(manifest)));
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
