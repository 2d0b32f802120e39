import { isObject, ownValue, putOwn, type Json, type JsonObject } from '../base/json.ts';
import type { KubernetesObject } from '../kubernetes/object.ts';
import { renewsPods } from '../manifests/kinds.ts';
import { listKeys, pairEntries } from '../apply/keyed-lists.ts';
import { entriesOf, listShape, type ListShape } from '../apply/managed-fields.ts';
import type { Prepared } from '../apply/prepared.ts';
import { simulateTakeover } from '../apply/simulate.ts';
import { unownedAt } from '../apply/unowned.ts';

/**
 * The object as it will be after the apply, as far as the server could try it; undefined where it could not. Before fields have been
 * taken over, its dry run leaves what others have set and the manifest lacks: that goes as well.
 */
export function expectedObject({ live, predicted, manifest, ...prepared }: Prepared): KubernetesObject | undefined {
  const { takeover, claims, places = [] } = prepared;
  if (live === undefined || predicted === undefined || !takeover) return predicted;
  const { object } = manifest;
  const simulated = simulateTakeover(live, object, claims, unownedAt(live, object, places));
  const left = withoutGone(predicted, live, simulated, listShape(entriesOf(live))) as KubernetesObject;
  // The pod template was tried as it will be after the takeover.
  return renewsPods(object) && isObject(predicted['spec']) && isObject(left['spec'])
    ? { ...left, spec: { ...left['spec'], template: predicted['spec']['template'] } }
    : left;
}

/** A value without what was there before and will not be any more. */
function withoutGone(value: Json, before: Json, after: Json, shape: ListShape): Json {
  if (isObject(value) && isObject(before) && isObject(after)) {
    const result: JsonObject = {};
    for (const [key, inner] of Object.entries(value)) {
      const [was, will] = [ownValue(before, key), ownValue(after, key)];
      const isGone = was !== undefined && will === undefined;
      if (inner === undefined || isGone) continue;
      const isKept = was === undefined || will === undefined;
      putOwn(
        result,
        key,
        isKept ? inner : withoutGone(inner, was, will, shape.fields.get(key) ?? { fields: new Map() }),
      );
    }
    return result;
  }
  if (!Array.isArray(value) || !Array.isArray(before) || !Array.isArray(after)) return value;
  const keys = listKeys(shape.keys, before, [...value, ...after]);
  if (keys === undefined) return value;
  const former = new Map(pairEntries(value, before, keys).map(({ left, right }) => [left, right]));
  const later = new Map(pairEntries(value, after, keys).map(({ left, right }) => [left, right]));
  return value.flatMap((item) => {
    const [was, will] = [former.get(item), later.get(item)];
    if (was === undefined) return [item];
    return will === undefined ? [] : [withoutGone(item, was, will, shape.items ?? { fields: new Map() })];
  });
}
