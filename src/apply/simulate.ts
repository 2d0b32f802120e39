import { equal, isObject, ownValue, putOwn, type Json, type JsonObject } from '../base/json.ts';
import type { KubernetesObject } from '../kubernetes/object.ts';
import { entriesOf, listShape, ownersAt, type ListShape } from './managed-fields.ts';
import { divide, type Claims } from './takeover.ts';

/**
 * What an apply of the manifest will make of a live object once the fields of our predecessors (and those at the claimed
 * paths) are ours: the manifest's values, without the fields that they had set and the manifest has no more. The server cannot be asked for that
 * before the fields have changed hands (rules of sigs.k8s.io/structured-merge-diff, merge/update.go).
 * @param unowned what belongs to nobody and will be ours as well
 */
export function simulateTakeover(
  live: KubernetesObject,
  manifest: KubernetesObject,
  claims: Claims = [],
  unowned: JsonObject = {},
): KubernetesObject {
  const { ours, others } = divide(live, claims);
  return applied(live, manifest, {
    ours: [...ours, unowned],
    others: others.map((entry) => entry.fieldsV1 ?? {}),
    shape: listShape(entriesOf(live)),
  }) as KubernetesObject;
}

/** Who owns what at and below one place of the object. */
interface Place {
  ours: JsonObject[];
  others: JsonObject[];
  shape: ListShape;
}

function within({ ours, others, shape }: Place, step: string, item?: Json): Place {
  return {
    ours: ours.flatMap((fields) => ownersAt(fields, step, item)),
    others: others.flatMap((fields) => ownersAt(fields, step, item)),
    shape: (item === undefined ? shape.fields.get(step) : shape.items) ?? { fields: new Map() },
  };
}

function applied(live: Json | undefined, wanted: Json | undefined, place: Place): Json | undefined {
  if (wanted === undefined) return pruned(live, place);
  if (isObject(live) && isObject(wanted)) {
    return mapped(new Set([...Object.keys(live), ...Object.keys(wanted)]), (key) =>
      applied(ownValue(live, key), ownValue(wanted, key), within(place, key)),
    );
  }
  const { keys } = place.shape;
  if (!Array.isArray(live) || !Array.isArray(wanted) || keys === undefined) return wanted;
  const isSameEntry = (one: Json, other: Json) =>
    isObject(one) &&
    isObject(other) &&
    keys.every((key) => one[key] === undefined || other[key] === undefined || equal(one[key], other[key]));
  const kept = live.flatMap((item) => {
    const match = wanted.find((candidate) => isSameEntry(candidate, item));
    const result = applied(item, match, within(place, '', item));
    return result === undefined ? [] : [result];
  });
  return [...kept, ...wanted.filter((item) => !live.some((candidate) => isSameEntry(item, candidate)))];
}

/** What stays of a value that the manifest does not have: what we do not own, and what somebody else owns as well. */
function pruned(live: Json | undefined, place: Place): Json | undefined {
  if (live === undefined || place.ours.length === 0) return live;
  const isWhole = place.ours.some((fields) => '.' in fields || Object.keys(fields).length === 0);
  if (place.others.length === 0 && isWhole) return undefined;
  if (isObject(live))
    return mapped(new Set(Object.keys(live)), (key) => pruned(ownValue(live, key), within(place, key)));
  if (!Array.isArray(live)) return live;
  return live.flatMap((item) => {
    const result = pruned(item, within(place, '', item));
    return result === undefined ? [] : [result];
  });
}

function mapped(keys: ReadonlySet<string>, valueOf: (key: string) => Json | undefined): JsonObject {
  const result: JsonObject = {};
  for (const key of keys) {
    const value = valueOf(key);
    if (value !== undefined) putOwn(result, key, value);
  }
  return result;
}
