import { at, equal, isObject, ownValue, putOwn, type Json, type JsonObject } from '../base/json.ts';
import { listKeys, pairEntries, type EntryPair } from '../apply/keyed-lists.ts';
import { ownersAt, type ListShape } from '../apply/managed-fields.ts';
import { isAsStated, isSameAmount } from '../apply/same-value.ts';
import { identify } from './list-identity.ts';

/** One place at which two versions of an object differ. */
export interface Change {
  /** Entries of lists stand in it by their keys, or by their number. */
  path: string[];
  before: Json | undefined;
  after: Json | undefined;
  /** `item`: an entry of a list as a whole; `order`: the same entries, of which both sides have the names. */
  what: 'value' | 'item' | 'order';
}

/** Two versions of an object, and what is known of them. */
interface Versions {
  before: JsonObject;
  after: JsonObject;
  /** What the user wrote: what the later version has beside that is a default of the server. */
  stated: JsonObject;
  /** The fields that count as somebody's in the earlier version; undefined where nobody keeps books, so that all do. */
  owned: readonly JsonObject[] | undefined;
  shape: ListShape;
  /** The later version is as the user wrote it, without the defaults and the spelling of the server. */
  asWritten: boolean;
  isLeftOut: (path: readonly string[]) => boolean;
  /** Whether a map that comes or goes is told as one value, not entry by entry. */
  isShort: (value: Json) => boolean;
}

/** What differs, in the order of the earlier version. */
export function changesBetween(versions: Versions): Change[] {
  const { owned, shape, stated } = versions;
  const found: Change[] = [];
  const root = { path: [], shape, owned, stated, isItem: false, isInOwnedList: false, versions, found };
  compare(versions.before, versions.after, root);
  return found;
}

interface Place {
  path: string[];
  shape: ListShape;
  /** What each manager owns at and below the place. */
  owned: readonly JsonObject[] | undefined;
  /** What the user has at the place. */
  stated: Json | undefined;
  isItem: boolean;
  /** It is in an entry of a list that has its owners as a whole: they tell nothing of what the server has filled in there. */
  isInOwnedList: boolean;
  versions: Versions;
  found: Change[];
}

function compare(one: Json | undefined, other: Json | undefined, place: Place): void {
  const [before, after] = [one ?? undefined, other ?? undefined];
  if (place.versions.isLeftOut(place.path)) return;
  if (before === undefined) {
    if (after !== undefined) compareAddition(after, place);
  } else if (after === undefined) {
    compareRemoval(before, place);
  } else if (isObject(before) && isObject(after) && !isVariable(place)) {
    compareMaps(before, after, place);
  } else if (!(Array.isArray(before) && Array.isArray(after) && compareLists(before, after, place))) {
    if (!isSame(before, after, place)) tell(before, after, place);
  }
}

function compareMaps(before: JsonObject, after: JsonObject, place: Place): void {
  for (const key of new Set([...Object.keys(before), ...Object.keys(after)]))
    compare(ownValue(before, key), ownValue(after, key), field(place, key));
}

/** What the user did not ask for the server has filled in; but it makes no entries of lists, so that a webhook has put those there. */
function compareAddition(after: Json, place: Place): void {
  const { stated, isItem } = place;
  if (stated === undefined && !isItem) return;
  if (Array.isArray(after) && after.length > 0 && compareLists([], after, place)) return;
  const value = stated === undefined ? after : statedPart(after, stated);
  if (isSplit(value, place)) compareMaps({}, value, place);
  else tell(undefined, value, place);
}

/** What nobody owned was a default, which goes with what it belonged to. */
function compareRemoval(before: Json, place: Place): void {
  const { owned, isItem, isInOwnedList, versions } = place;
  const isNobodys = owned?.length === 0;
  if (isNobodys && (versions.asWritten || !isItem)) return;
  if (versions.asWritten && isInOwnedList && !isItem) return;
  if (Array.isArray(before) && before.length > 0 && compareLists(before, [], place)) return;
  const value = owned === undefined || isNobodys ? before : ownedPart(before, owned);
  if (isSplit(value, place)) compareMaps(value, {}, place);
  else tell(value, undefined, place);
}

/** Maps in which each key stands for itself. */
const openMaps = new Set(['metadata', 'spec', 'labels', 'annotations', 'data', 'binaryData', 'stringData']);

function isSplit(value: Json, { path, isItem, versions }: Place): value is JsonObject {
  if (!isObject(value) || Object.keys(value).length === 0 || isItem) return false;
  return path.length < 2 || openMaps.has(path.at(-1) ?? '') || !versions.isShort(value);
}

/** Entry by entry where they can be told apart; false where the list is to be told as a whole. */
function compareLists(before: Json[], after: Json[], place: Place): boolean {
  const { shape, path, versions, found } = place;
  if (shape.set === true && isReordered(before, after)) return true;
  const pairing = pairsOf(before, after, place);
  if (pairing === undefined) return tellEntries(before, after, place);
  const { pairs, by } = pairing;
  for (const pair of pairs) compare(pair.left, pair.right, entry(place, pair, by));
  if (by === 'name' && !versions.asWritten) {
    const order = orderOf(pairs, after);
    if (order !== undefined) found.push({ path, what: 'order', ...order });
  }
  return true;
}

/** Of a long list whose entries cannot be told apart those that only one side has. */
function tellEntries(before: readonly Json[], after: readonly Json[], { path, versions, found }: Place): boolean {
  const isLong = !versions.isShort([...before]) || !versions.isShort([...after]);
  if (versions.asWritten || !isLong || ![...before, ...after].every(isObject)) return false;
  const without = (items: readonly Json[], others: readonly Json[]) =>
    items.filter((item) => !others.some((other) => equal(item, other)));
  const [gone, added] = [without(before, after), without(after, before)];
  for (const item of gone) found.push({ path, before: item, after: undefined, what: 'item' });
  for (const item of added) found.push({ path, before: undefined, after: item, what: 'item' });
  return gone.length + added.length > 0;
}

interface Pairing {
  pairs: EntryPair[];
  /** `member`: by name as well, where it means nothing in which order they stand. */
  by: 'name' | 'member' | 'place';
}

function pairsOf(before: Json[], after: Json[], place: Place): Pairing | undefined {
  const identified = identify(before, after, place.path);
  if (identified !== undefined) return { pairs: identified.pairs, by: identified.isOrdered ? 'name' : 'member' };
  const keys = listKeys(place.shape.keys, before, after);
  if (keys !== undefined) return { pairs: pairEntries(before, after, keys), by: 'name' };
  // Without a name, they are told apart by their place, as long as none comes or goes.
  const isPaired = before.length === after.length && [...before, ...after].every(isObject);
  if (!isPaired || (place.versions.isShort(before) && place.versions.isShort(after))) return undefined;
  const pairs = before.map((left, index) => ({ name: String(index), left, right: after[index] }));
  return { pairs, by: 'place' };
}

/** The names of those that both have, where they stand in another order. */
function orderOf(pairs: readonly EntryPair[], after: readonly Json[]): { before: Json; after: Json } | undefined {
  const both = pairs.filter(({ left, right }) => left !== undefined && right !== undefined);
  const places = new Map(after.map((item, index) => [item, index]));
  const place = ({ right }: EntryPair) => (right === undefined ? -1 : (places.get(right) ?? -1));
  const sorted = both.toSorted((one, other) => place(one) - place(other));
  if (both.every((pair, index) => pair === sorted[index])) return undefined;
  return { before: both.map(({ name }) => name), after: sorted.map(({ name }) => name) };
}

function isReordered(before: readonly Json[], after: readonly Json[]): boolean {
  return before.length === after.length && before.every((item) => after.some((other) => equal(item, other)));
}

/** A variable of a container is one thing, whether it has a value or says where that is. */
function isVariable({ path, isItem }: Place): boolean {
  return isItem && path.at(-2) === 'env';
}

function isSame(before: Json, after: Json, { path, versions }: Place): boolean {
  if (versions.asWritten) return isAsStated(after, before, path);
  return equal(before, after) || isSameAmount(before, after, path);
}

function tell(before: Json | undefined, after: Json | undefined, { path, isItem, found }: Place): void {
  found.push({ path, before, after, what: isItem ? 'item' : 'value' });
}

function field(place: Place, key: string): Place {
  const { stated, shape } = place;
  return {
    ...place,
    path: [...place.path, key],
    shape: shape.fields.get(key) ?? { fields: new Map() },
    owned: ownedAt(place, key),
    stated: isObject(stated) ? (ownValue(stated, key) ?? undefined) : undefined,
    isItem: false,
  };
}

function entry(place: Place, { name, left, right }: EntryPair, by: Pairing['by']): Place {
  const item = left ?? right;
  return {
    ...place,
    path: [...place.path, name],
    shape: place.shape.items ?? { fields: new Map() },
    owned: ownedAt(place, name, item),
    stated: by === 'place' ? at(place.stated, Number(name)) : statedEntry(place.stated, right, place),
    isItem: by !== 'place',
    isInOwnedList: place.isInOwnedList || place.owned?.some((fields) => Object.keys(fields).length === 0) === true,
  };
}

function ownedAt({ owned, path }: Place, step: string, item?: Json): readonly JsonObject[] | undefined {
  return owned?.flatMap((fields) =>
    // Who owns a field as a whole owns all that is in it.
    Object.keys(fields).length === 0 && path.length > 0 ? [fields] : ownersAt(fields, step, item),
  );
}

/** What the user has written of an entry of the later version. */
function statedEntry(stated: Json | undefined, item: Json | undefined, { path, shape }: Place): Json | undefined {
  if (!Array.isArray(stated) || item === undefined) return undefined;
  const same = stated.find((candidate) => candidate === item || equal(candidate, item));
  if (same !== undefined) return same;
  const keys = listKeys(shape.keys, stated, [item]);
  const pairs = identify(stated, [item], path)?.pairs ?? (keys === undefined ? [] : pairEntries(stated, [item], keys));
  return pairs.find(({ right }) => right === item)?.left;
}

/** A value of the server without the defaults in it. */
function statedPart(value: Json, stated: Json): Json {
  if (Array.isArray(value) && Array.isArray(stated) && value.length === stated.length)
    return value.map((item, index) => statedPart(item, stated[index] ?? item));
  if (!isObject(value) || !isObject(stated)) return value;
  return picked(value, (key, inner) => {
    const wanted = ownValue(stated, key) ?? undefined;
    return wanted === undefined ? undefined : statedPart(inner, wanted);
  });
}

/** The same of an earlier version: what somebody owns. */
function ownedPart(value: Json, owned: readonly JsonObject[]): Json {
  if (!isObject(value) || owned.some((fields) => Object.keys(fields).every((key) => key === '.'))) return value;
  return picked(value, (key, inner) => {
    const within = owned.flatMap((fields) => ownersAt(fields, key));
    return within.length === 0 ? undefined : ownedPart(inner, within);
  });
}

function picked(map: JsonObject, valueOf: (key: string, value: Json) => Json | undefined): JsonObject {
  const result: JsonObject = {};
  for (const [key, inner] of Object.entries(map)) {
    const value = inner === undefined ? undefined : valueOf(key, inner);
    if (value !== undefined) putOwn(result, key, value);
  }
  return result;
}
