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
  const from = { before: live, after: simulated, stated: lastApplied(live) };
  const left = withoutGone(predicted, from, listShape(entriesOf(live))) as KubernetesObject;
  // The pod template was tried as it will be after the takeover.
  return renewsPods(object) && isObject(predicted['spec']) && isObject(left['spec'])
    ? { ...left, spec: { ...left['spec'], template: predicted['spec']['template'] } }
    : left;
}

/** What `kubectl apply` was given last; undefined where it does not say. All else that it owns are the server's own defaults. */
function lastApplied(live: KubernetesObject): Json | undefined {
  const text = live.metadata.annotations?.['kubectl.kubernetes.io/last-applied-configuration'];
  if (text === undefined) return undefined;
  try {
    return JSON.parse(text) as Json;
  } catch {
    return undefined;
  }
}

interface Takeover {
  before: Json;
  after: Json;
  /** What goes only where it was stated: the server puts its defaults back. */
  stated: Json | undefined;
}

/** A value without what was there before and will not be any more. */
function withoutGone(value: Json, { before, after, stated }: Takeover, shape: ListShape): Json {
  if (isObject(value) && isObject(before) && isObject(after)) {
    const result: JsonObject = {};
    for (const [key, inner] of Object.entries(value)) {
      const [was, will] = [ownValue(before, key), ownValue(after, key)];
      const said = isObject(stated) ? ownValue(stated, key) : undefined;
      const isGone = was !== undefined && will === undefined && (stated === undefined || said !== undefined);
      if (inner === undefined || isGone) continue;
      const isKept = was === undefined || will === undefined;
      const from = {
        before: was ?? null,
        after: will ?? null,
        stated: stated === undefined ? undefined : (said ?? null),
      };
      putOwn(result, key, isKept ? inner : withoutGone(inner, from, shape.fields.get(key) ?? { fields: new Map() }));
    }
    return result;
  }
  if (!Array.isArray(value) || !Array.isArray(before) || !Array.isArray(after)) return value;
  const given = Array.isArray(stated) ? stated : [];
  const keys = listKeys(shape.keys, before, [...value, ...after]);
  if (keys === undefined) return value;
  const partnersIn = (list: readonly Json[]) =>
    new Map(pairEntries(value, list, keys).map(({ left, right }) => [left, right]));
  const [former, later, said] = [partnersIn(before), partnersIn(after), partnersIn(given)];
  return value.flatMap((item) => {
    const [was, will, meant] = [former.get(item), later.get(item), said.get(item)];
    if (was === undefined) return [item];
    const from = { before: was, after: will ?? null, stated: stated === undefined ? undefined : (meant ?? null) };
    if (will === undefined) return stated === undefined || meant !== undefined ? [] : [item];
    return [withoutGone(item, from, shape.items ?? { fields: new Map() })];
  });
}
