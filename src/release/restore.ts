import { equal, isObject, type Json, type JsonObject } from '../base/json.ts';
import { formatFieldPath } from '../kubernetes/field-path.ts';
import type { KubernetesObject, ManagedFieldsEntry } from '../kubernetes/object.ts';
import { contentOf, serverMetadata } from './comparison.ts';
import { fieldManager, undoManager } from './field-manager.ts';
import { entriesOf, listShape, restoreEntries, sameEntries, type ListShape } from './managed-fields.ts';

/** What has to be written to bring an object back. */
export type Restoration =
  | { state: 'untouched' }
  | {
      state: 'changed';
      /** The whole object to write, with the live resourceVersion as guard; its managedFields are still the live ones. */
      object: KubernetesObject;
      managedFields: ManagedFieldsEntry[];
      /** Fields that we had changed, and somebody else since: they stay as they are. */
      conflicts: string[];
    };

/**
 * The three-way restore: every field that the run changed (before → after) and that still has the value it wrote goes back;
 * all else stays as it is in the live object.
 */
export function restore(before: KubernetesObject, after: KubernetesObject, live: KubernetesObject): Restoration {
  const conflicts: string[] = [];
  const shape = listShape([...entriesOf(before), ...entriesOf(after), ...entriesOf(live)]);
  const current = contentOf(live);
  const content = merge(contentOf(before), contentOf(after), current, shape, [], conflicts);
  const managedFields = restoreEntries(before, after, live, [fieldManager, undoManager]);
  if (equal(content, current) && conflicts.length === 0 && sameEntries(managedFields, entriesOf(live))) {
    return { state: 'untouched' };
  }
  const body = asMap(content);
  const object = {
    ...body,
    metadata: { ...serverMetadata(live), ...asMap(body['metadata']) },
    status: live['status'],
  } as unknown as KubernetesObject;
  return { state: 'changed', object, managedFields, conflicts };
}

type Value = Json | undefined;

function merge(
  before: Value,
  after: Value,
  live: Value,
  shape: ListShape,
  path: (string | number)[],
  conflicts: string[],
): Value {
  if (equal(before, after) || equal(live, before)) return live;
  if (equal(live, after)) return before;
  if ([before, after, live].every((value) => value === undefined || isObject(value))) {
    return mergeMaps(asMap(before), asMap(after), asMap(live), before === undefined, shape, path, conflicts);
  }
  if ([before, after, live].every((value) => value === undefined || Array.isArray(value))) {
    const lists = [before, after, live].map((value) => (Array.isArray(value) ? value : []));
    const [old = [], written = [], current = []] = lists;
    if (shape.keys !== undefined || shape.set === true)
      return mergeKeyed(old, written, current, shape, path, conflicts);
  }
  conflicts.push(formatFieldPath(path));
  return live;
}

function mergeMaps(
  before: JsonObject,
  after: JsonObject,
  live: JsonObject,
  wasAbsent: boolean,
  shape: ListShape,
  path: (string | number)[],
  conflicts: string[],
): Value {
  const result: JsonObject = {};
  for (const key of new Set([...Object.keys(live), ...Object.keys(before), ...Object.keys(after)])) {
    const inner = shape.fields.get(key) ?? { fields: new Map() };
    const value = merge(before[key], after[key], live[key], inner, [...path, key], conflicts);
    if (value !== undefined) result[key] = value;
  }
  return wasAbsent && Object.keys(result).length === 0 ? undefined : result;
}

function mergeKeyed(
  before: Json[],
  after: Json[],
  live: Json[],
  shape: ListShape,
  path: (string | number)[],
  conflicts: string[],
): Json[] {
  const { keys } = shape;
  const keyOf = (item: Json) =>
    JSON.stringify(keys === undefined ? item : keys.map((key) => (isObject(item) ? (item[key] ?? null) : null)));
  const index = (list: Json[]) => new Map(list.map((item) => [keyOf(item), item]));
  const [old, written, current] = [index(before), index(after), index(live)];
  const items = shape.items ?? { fields: new Map<string, ListShape>() };
  // The old order first, then what others have added since.
  return [...new Set([...old.keys(), ...current.keys()])].flatMap((key) => {
    const value = merge(old.get(key), written.get(key), current.get(key), items, [...path, key], conflicts);
    return value === undefined ? [] : [value];
  });
}

function asMap(value: Value): JsonObject {
  return isObject(value) ? value : {};
}
