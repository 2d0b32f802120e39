import { at, isObject, ownValue, type Json, type JsonObject, type Path } from '../base/json.ts';
import { parseFieldPath } from '../kubernetes/field-path.ts';
import type { KubernetesObject } from '../kubernetes/object.ts';
import { fieldManager } from './field-manager.ts';
import { applyEntry, entriesOf, isPredecessor, ownersAt, owns } from './managed-fields.ts';
import type { StatusCause } from '../kubernetes/attempt.ts';

/** Maps of an object, as paths of names. */
export type Places = readonly (readonly string[])[];

/**
 * What stands at these places of a live object, is not in the manifest and belongs to no other manager: defaults of the
 * server, for the most part. An apply leaves it where it is, because only what we own goes when we want it no more.
 * @returns the fields as `fieldsV1` has them, to be made ours ahead of the apply
 */
export function unownedAt(live: KubernetesObject, manifest: KubernetesObject, places: Places): JsonObject {
  const others = entriesOf(live)
    .filter((entry) => !isPredecessor(entry) && (entry.manager !== fieldManager || entry.operation !== 'Apply'))
    .map((entry) => entry.fieldsV1 ?? {});
  const result: JsonObject = {};
  for (const place of places) {
    const owners = place.reduce((all, step) => all.flatMap((fields) => ownersAt(fields, step)), others);
    const found = unowned(at(live, ...place), at(manifest, ...place), owners);
    if (Object.keys(found).length > 0) putAt(result, place, found);
  }
  return result;
}

function unowned(live: Json | undefined, wanted: Json | undefined, others: readonly JsonObject[]): JsonObject {
  if (!isObject(live)) return {};
  const result: JsonObject = {};
  for (const [key, value] of Object.entries(live)) {
    const owners = others.flatMap((fields) => ownersAt(fields, key));
    const inner = isObject(wanted) ? ownValue(wanted, key) : undefined;
    if (inner === undefined && owners.length === 0) {
      // With the dot it stands for the field itself, whatever else of it is ours.
      result[`f:${key}`] = { '.': {} };
      continue;
    }
    const found = unowned(value, inner, owners);
    if (Object.keys(found).length > 0) result[`f:${key}`] = found;
  }
  return result;
}

function putAt(root: JsonObject, place: readonly string[], fields: JsonObject): void {
  let target = root;
  for (const step of place) {
    const next = target[`f:${step}`];
    const map = isObject(next) ? next : {};
    target[`f:${step}`] = map;
    target = map;
  }
  Object.assign(target, fields);
}

/** The maps in which the server has found something that does not go with the rest. */
export function placesOfRefusal(causes: readonly StatusCause[], live: KubernetesObject): Places {
  const places = causes.map(({ field }) => mapAround(parseFieldPath(field, live)));
  return [...new Map(places.filter((place) => place.length > 0).map((place) => [place.join('\n'), place])).values()];
}

function mapAround(path: Path): string[] {
  const index = path.findIndex((step) => typeof step === 'number');
  const names = (index === -1 ? path : path.slice(0, index)).map(String);
  // What is wrong with `spec` as a whole is to be found inside.
  return names.length > 1 ? names.slice(0, -1) : names;
}

/**
 * Where an earlier apply has set the keys of a Secret under `stringData`: the server knows nobody who owns them, so that those
 * that have left the manifest are still there (kubernetes/kubernetes#108008).
 */
export function placesOfStringData(live: KubernetesObject | undefined): Places {
  if (live?.kind !== 'Secret') return [];
  const ours = [applyEntry(live, fieldManager), ...entriesOf(live).filter(isPredecessor)];
  return ours.some((entry) => owns(entry, ['stringData'])) ? [['data']] : [];
}
