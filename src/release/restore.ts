import { equal, isObject, ownValue, putOwn, type Json, type JsonObject, type Path } from '../base/json.ts';
import { formatFieldPath } from '../kubernetes/field-path.ts';
import type { KubernetesObject, ManagedFieldsEntry } from '../kubernetes/object.ts';
import { contentOf, withContent } from '../apply/comparison.ts';
import { fieldManager, undoManager } from '../apply/field-manager.ts';
import {
  entriesOf,
  listShape,
  ownersAt,
  restoreEntries,
  sameEntries,
  type ListShape,
} from '../apply/managed-fields.ts';

/** What has to be written to bring an object back. */
type Restoration =
  | {
      state: 'untouched';
      /** Fields that we had changed, and somebody else since: they stay as they are. */
      conflicts: string[];
    }
  | {
      state: 'changed';
      /** The whole object to write, with the live resourceVersion as guard; its managedFields are still the live ones. */
      object: KubernetesObject;
      managedFields: ManagedFieldsEntry[];
      conflicts: string[];
    };

const ownManagers = [fieldManager, undoManager];

/**
 * The three-way restore: every field that the run changed (before → after) and that nobody else has changed since goes
 * back; all else stays as it is in the live object. A field that has another value than we expected to have written is
 * still ours while no other manager owns it: the server chose it (a node port, say), or a webhook did.
 */
export function restore(before: KubernetesObject, after: KubernetesObject, live: KubernetesObject): Restoration {
  const conflicts: string[] = [];
  const shape = listShape([...entriesOf(before), ...entriesOf(after), ...entriesOf(live)]);
  const current = contentOf(live);
  const isTracked = entriesOf(live).some(({ manager }) => ownManagers.includes(manager));
  const others = entriesOf(live).filter(({ manager }) => !ownManagers.includes(manager));
  const place: Place = {
    path: [],
    shape,
    others: isTracked ? others.map((entry) => entry.fieldsV1 ?? {}) : 'unknown',
    conflicts,
  };
  const content = merge(contentOf(before), contentOf(after), current, place);
  const managedFields = restoreEntries(before, after, live, ownManagers);
  if (equal(content, current) && sameEntries(managedFields, entriesOf(live))) {
    return { state: 'untouched', conflicts };
  }
  return { state: 'changed', object: withContent(live, asMap(content)), managedFields, conflicts };
}

type Value = Json | undefined;

/** Where in the object the merge is, and what is known about that place. */
interface Place {
  path: Path;
  shape: ListShape;
  /** What managers other than ours own at and below this place; unknown when somebody has wiped all ownership. */
  others: JsonObject[] | 'unknown';
  /** Collects the fields that stay although this run had changed them. */
  conflicts: string[];
}

function within(place: Place, step: string | number, shape: ListShape | undefined, item?: Json): Place {
  const { path, others, conflicts } = place;
  return {
    path: [...path, step],
    shape: shape ?? { fields: new Map() },
    others: others === 'unknown' ? others : others.flatMap((fields) => ownersAt(fields, String(step), item)),
    conflicts,
  };
}

function merge(before: Value, after: Value, live: Value, place: Place): Value {
  const { shape, others, path, conflicts } = place;
  if (equal(before, after) || equal(live, before)) return live;
  if (equal(live, after)) return before;
  if ([before, after, live].every((value) => value === undefined || isObject(value))) {
    return mergeMaps(asMap(before), asMap(after), asMap(live), before === undefined, place);
  }
  if ([before, after, live].every((value) => value === undefined || Array.isArray(value))) {
    const lists = [before, after, live].map((value) => (Array.isArray(value) ? value : []));
    const [old = [], written = [], current = []] = lists.map((list) => byKey(list, shape));
    if (old instanceof Map && written instanceof Map && current instanceof Map)
      return mergeKeyed(old, written, current, place);
  }
  // What is gone was taken away by somebody: that leaves no owner.
  if (live !== undefined && others !== 'unknown' && others.length === 0) return before;
  conflicts.push(formatFieldPath(path));
  return live;
}

function mergeMaps(before: JsonObject, after: JsonObject, live: JsonObject, wasAbsent: boolean, place: Place): Value {
  const result: JsonObject = {};
  for (const key of new Set([...Object.keys(live), ...Object.keys(before), ...Object.keys(after)])) {
    const inner = within(place, key, place.shape.fields.get(key));
    const value = merge(ownValue(before, key), ownValue(after, key), ownValue(live, key), inner);
    if (value !== undefined) putOwn(result, key, value);
  }
  return wasAbsent && Object.keys(result).length === 0 ? undefined : result;
}

function mergeKeyed(
  before: Map<string, Json>,
  after: Map<string, Json>,
  live: Map<string, Json>,
  place: Place,
): Json[] {
  // The old order first, then what others have added since.
  return [...new Set([...before.keys(), ...live.keys()])].flatMap((key) => {
    const item = live.get(key) ?? after.get(key) ?? before.get(key);
    const value = merge(before.get(key), after.get(key), live.get(key), within(place, key, place.shape.items, item));
    return value === undefined ? [] : [value];
  });
}

/** The entries of a list by their keys; undefined for a list without keys, or with the same key twice. */
function byKey(list: Json[], { keys, set }: ListShape): Map<string, Json> | undefined {
  if (keys === undefined && set !== true) return undefined;
  const name = (item: Json) =>
    keys === undefined
      ? JSON.stringify(item)
      : keys.map((key) => (isObject(item) ? JSON.stringify(item[key] ?? null) : '')).join(',');
  const result = new Map(list.map((item) => [name(item), item]));
  return result.size === list.length ? result : undefined;
}

function asMap(value: Value): JsonObject {
  return isObject(value) ? value : {};
}
