import { isObject, type Json } from '../base/json.ts';
import {
  integer,
  line,
  listOf,
  mapOf,
  matching,
  Misshapen,
  nullOr,
  oneOf,
  recordOf,
  text,
  type Reader,
} from '../base/shape.ts';
import type { KubernetesObject, ObjectRef } from '../kubernetes/object.ts';
import type { Kept } from './kept.ts';

/** What the readers of journals and revisions share. */

const apiVersion = matching(/^(?:[a-z0-9][-a-z0-9.]*\/)?[a-z0-9]+$/, 'is not an apiVersion', 320);
const kind = matching(/^[A-Za-z][A-Za-z0-9]*$/, 'is not the name of a kind', 63);
const namespaceName = matching(/^[a-z0-9](?:[-a-z0-9]*[a-z0-9])?$/, 'is not the name of a namespace', 63);
/** RBAC allows colons, so that only what cannot be a part of a path is refused (apimachinery pkg/api/validation/path). */
export const objectName = matching(/^(?!\.{1,2}$)[^/%\p{Cc}]+$/u, 'is not the name of an object', 253);

export const refReader: Reader<ObjectRef> = recordOf<ObjectRef>({
  apiVersion,
  kind,
  namespace: { optional: namespaceName },
  name: objectName,
});

/** Numbers of revisions; what is above is no number that a run has given. */
export const revisionNumber = integer(1);

export const keptReader: Reader<Kept> = recordOf<Kept>({
  ref: refReader,
  reason: text(),
  fields: { optional: listOf(text()) },
});

/** Of the metadata what this action reads; files of users have `null` where something is left empty. */
const metadataFields: Readonly<Record<string, Reader<unknown>>> = {
  name: objectName,
  namespace: nullOr(namespaceName),
  uid: nullOr(line()),
  resourceVersion: nullOr(line()),
  generation: nullOr(integer(0, Number.MAX_SAFE_INTEGER)),
  creationTimestamp: nullOr(line()),
  deletionTimestamp: nullOr(line()),
  labels: nullOr(mapOf(nullOr(text()))),
  annotations: nullOr(mapOf(nullOr(text()))),
  finalizers: nullOr(listOf(text())),
  ownerReferences: nullOr(listOf(mapOf((value) => value))),
  managedFields: nullOr(listOf(managedFields)),
};

function managedFields(value: Json | undefined, path: string): void {
  if (!isObject(value)) throw new Misshapen(path, 'is not a map');
  line()(value['manager'], `${path}.manager`);
  oneOf('Apply', 'Update')(value['operation'], `${path}.operation`);
  if (value['fieldsV1'] !== undefined && !isObject(value['fieldsV1']))
    throw new Misshapen(`${path}.fieldsV1`, 'is not a map');
}

/** An object verbatim, of which names and metadata are what they should be. */
export const objectReader: Reader<KubernetesObject> = (value, path) => {
  if (!isObject(value)) throw new Misshapen(path, 'is not an object of Kubernetes');
  apiVersion(value['apiVersion'], `${path}.apiVersion`);
  kind(value['kind'], `${path}.kind`);
  const { metadata } = value;
  if (!isObject(metadata)) throw new Misshapen(`${path}.metadata`, 'is not a map');
  objectName(metadata['name'], `${path}.metadata.name`);
  for (const [key, read] of Object.entries(metadataFields))
    if (metadata[key] !== undefined) read(metadata[key], `${path}.metadata.${key}`);
  // All that its type says has been looked at.
  return value as KubernetesObject;
};
