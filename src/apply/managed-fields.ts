import { equal, isObject, ownValue, putOwn, type Json, type JsonObject } from '../base/json.ts';
import type { KubernetesObject, ManagedFieldsEntry } from '../kubernetes/object.ts';

/**
 * Reads `metadata.managedFields`. A `fieldsV1` is a tree: `f:NAME` is a field, `k:{"name":"a"}` an entry of a keyed list,
 * `v:VALUE` a member of a set, `.` the parent itself (sigs.k8s.io/structured-merge-diff, fieldpath).
 */
export function entriesOf(object: KubernetesObject | undefined): ManagedFieldsEntry[] {
  return object?.metadata.managedFields ?? [];
}

/** The entry of a manager's server-side applies, where it has made any. */
export function applyEntry(object: KubernetesObject, manager: string): ManagedFieldsEntry | undefined {
  return entriesOf(object).find(
    (entry) => entry.manager === manager && entry.operation === 'Apply' && (entry.subresource ?? '') === '',
  );
}

/**
 * Managers that stand for the same person as we do: whoever wrote the object with kubectl before this action did. What
 * they wrote is ours from then on, so that a field that the manifest no longer has really goes away
 * (kubernetes/kubernetes#99003). Ad-hoc changes (`kubectl edit`, `kubectl set`, `kubectl scale`) and other tools stay
 * who they are: overwriting them is a conflict that somebody has to decide about.
 */
const predecessors = new Set(['kubectl-client-side-apply', 'before-first-apply', 'kubectl-create']);

/** Who writes with `kubectl apply --server-side`, unless told to be somebody else. */
const serverSideKubectl = 'kubectl';

const lastApplied = ['metadata', 'annotations', 'kubectl.kubernetes.io/last-applied-configuration'];

export function isPredecessor(entry: ManagedFieldsEntry): boolean {
  if ((entry.subresource ?? '') !== '') return false;
  if (entry.operation === 'Apply') return entry.manager === serverSideKubectl;
  return predecessors.has(entry.manager) || owns(entry, lastApplied);
}

/** Whether the fields of an entry include the one at `path`, given as names. */
export function owns(entry: ManagedFieldsEntry | undefined, path: readonly string[]): boolean {
  let fields: Json | undefined = entry?.fieldsV1;
  for (const step of path) fields = isObject(fields) ? fields[`f:${step}`] : undefined;
  return fields !== undefined;
}

/** The part of a live object that an entry owns, in the shape of a manifest but without its name. */
export function extractOwned(object: KubernetesObject, entry: ManagedFieldsEntry): JsonObject {
  const owned = extract(object, entry.fieldsV1 ?? {});
  return isObject(owned) ? owned : {};
}

function extract(value: Json | undefined, fields: JsonObject): Json | undefined {
  const inner = Object.entries(fields).filter(([key]) => key !== '.');
  if (inner.length === 0) return '.' in fields ? emptyLike(value) : value;
  if (Array.isArray(value)) {
    return value.flatMap((item) => {
      const match = inner.find(([key]) => selects(key, item));
      if (match === undefined) return [];
      const [key, itemFields] = match;
      const owned = key.startsWith('v:') ? item : extract(item, isObject(itemFields) ? itemFields : {});
      return owned === undefined ? [] : [owned];
    });
  }
  if (!isObject(value)) return undefined;
  const result: JsonObject = {};
  for (const [key, fieldFields] of inner) {
    const name = key.slice(2);
    const owned = extract(ownValue(value, name), isObject(fieldFields) ? fieldFields : {});
    if (owned !== undefined) putOwn(result, name, owned);
  }
  return result;
}

function emptyLike(value: Json | undefined): Json | undefined {
  if (Array.isArray(value)) return [];
  return isObject(value) ? {} : value;
}

/** The entry of a list that a step of a tree of fields stands for. */
export function itemOf(list: Json | undefined, key: string): Json | undefined {
  return Array.isArray(list) ? list.find((item) => selects(key, item)) : undefined;
}

function selects(key: string, item: Json): boolean {
  if (key.startsWith('v:')) return equal(JSON.parse(key.slice(2)) as Json, item);
  if (!key.startsWith('k:') || !isObject(item)) return false;
  return Object.entries(JSON.parse(key.slice(2)) as JsonObject).every(([name, value]) => equal(item[name], value));
}

/** The part of a tree of fields below one step: a field's name, or the entry of a list that `item` is. */
export function ownersAt(fields: JsonObject, step: string, item?: Json): JsonObject[] {
  return Object.entries(fields).flatMap(([key, inner]) => {
    const isMeant = item === undefined ? key === `f:${step}` : selects(key, item);
    return isMeant ? [isObject(inner) ? inner : {}] : [];
  });
}

/** Which lists of an object are keyed, and by what, as far as its managers show it. */
export interface ListShape {
  /** The names of the key fields, for a keyed list. */
  keys?: readonly string[];
  /** True for a list whose members are its own keys. */
  set?: true;
  fields: Map<string, ListShape>;
  /** The shape of a keyed list's entries. */
  items?: ListShape;
}

export function listShape(entries: readonly ManagedFieldsEntry[]): ListShape {
  const root: ListShape = { fields: new Map() };
  for (const entry of entries) addShape(root, entry.fieldsV1 ?? {});
  return root;
}

function addShape(shape: ListShape, fields: JsonObject): void {
  for (const [key, inner] of Object.entries(fields)) {
    const innerFields = isObject(inner) ? inner : {};
    if (key.startsWith('f:')) {
      const name = key.slice(2);
      const child = shape.fields.get(name) ?? { fields: new Map() };
      shape.fields.set(name, child);
      addShape(child, innerFields);
    } else if (key.startsWith('k:')) {
      shape.keys = Object.keys(JSON.parse(key.slice(2)) as JsonObject);
      shape.items ??= { fields: new Map() };
      addShape(shape.items, innerFields);
    } else if (key.startsWith('v:')) {
      shape.set = true;
    }
  }
}

/** The union of two trees of fields. */
export function unionFields(left: JsonObject, right: JsonObject): JsonObject {
  const result: JsonObject = { ...left };
  for (const [key, value] of Object.entries(right)) {
    const known = result[key];
    result[key] = isObject(known) && isObject(value) ? unionFields(known, value) : value;
  }
  return result;
}

function identity(entry: ManagedFieldsEntry): string {
  return [entry.manager, entry.operation, entry.subresource ?? '', entry.apiVersion].join('\n');
}

/**
 * Who should own what after an undo: an entry that nobody has touched since our write goes back to what it was; one that
 * somebody has touched stays. Entries of our own managers are always as before.
 */
export function restoreEntries(
  before: KubernetesObject,
  after: KubernetesObject,
  live: KubernetesObject,
  ownManagers: readonly string[],
): ManagedFieldsEntry[] {
  const index = (object: KubernetesObject) => new Map(entriesOf(object).map((entry) => [identity(entry), entry]));
  const [old, written, current] = [index(before), index(after), index(live)];
  const isOwn = (entry: ManagedFieldsEntry | undefined) =>
    entry !== undefined && ownManagers.includes(entry.manager) && (entry.subresource ?? '') === '';
  return [...new Set([...old.keys(), ...current.keys()])].flatMap((key) => {
    const [then, now] = [old.get(key), current.get(key)];
    const untouched = equal(now?.fieldsV1, written.get(key)?.fieldsV1);
    // Taken over by us, in a run that was killed before it knew what the apply would make of it.
    const inherited = now === undefined && then !== undefined && isPredecessor(then);
    // What controllers say in the status is theirs at any time.
    if ((now ?? then)?.subresource === 'status') return now === undefined ? [] : [now];
    const entry = untouched || inherited || isOwn(now ?? then) ? then : now;
    return entry === undefined ? [] : [entry];
  });
}

/** The same owners with the same fields, whenever they wrote. */
export function sameEntries(left: readonly ManagedFieldsEntry[], right: readonly ManagedFieldsEntry[]): boolean {
  const plain = (entries: readonly ManagedFieldsEntry[]) =>
    new Map(entries.map((entry) => [identity(entry), entry.fieldsV1 ?? {}]));
  const [one, two] = [plain(left), plain(right)];
  return one.size === two.size && [...one].every(([key, fields]) => equal(fields, two.get(key)));
}
