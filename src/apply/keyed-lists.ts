import { equal, isObject, type Json } from '../base/json.ts';

/** Two entries of a list that stand for the same thing, or one that has no counterpart. */
export interface EntryPair {
  /** The values of its keys: `web`, `80/TCP`. */
  name: string;
  left: Json | undefined;
  right: Json | undefined;
}

/**
 * By what the entries of two versions of a list are told apart; undefined where nothing says so.
 * @param known the keys that the server has told, where it has
 */
export function listKeys(
  known: readonly string[] | undefined,
  left: readonly Json[],
  right: readonly Json[],
): readonly string[] | undefined {
  const all = [...left, ...right];
  const keys = known ?? (namedByAll(all) ? ['name'] : undefined);
  return keys !== undefined && all.every(isObject) ? keys : undefined;
}

function namedByAll(items: readonly Json[]): boolean {
  return items.length > 0 && items.every((item) => isObject(item) && typeof item['name'] === 'string');
}

/** The entries of the left list in their order, each with its counterpart; then what only the right one has. */
export function pairEntries(left: readonly Json[], right: readonly Json[], keys: readonly string[]): EntryPair[] {
  const rest = new Set(right);
  const pairs = left.map((item) => {
    const found = right.find((candidate) => rest.has(candidate) && isSameEntry(item, candidate, keys));
    if (found !== undefined) rest.delete(found);
    return { name: nameOfEntry(found ?? item, keys), left: item, right: found };
  });
  return [...pairs, ...[...rest].map((item) => ({ name: nameOfEntry(item, keys), left: undefined, right: item }))];
}

/** A key that one of them does not have is a default of the server: `protocol: TCP`. */
function isSameEntry(left: Json, right: Json, keys: readonly string[]): boolean {
  if (!isObject(left) || !isObject(right)) return false;
  return (
    keys.some((key) => left[key] !== undefined) &&
    keys.every((key) => left[key] === undefined || right[key] === undefined || equal(left[key], right[key]))
  );
}

function nameOfEntry(item: Json, keys: readonly string[]): string {
  return keys
    .flatMap((key) => {
      const value = isObject(item) ? item[key] : undefined;
      return value === undefined || value === null
        ? []
        : [typeof value === 'object' ? JSON.stringify(value) : String(value)];
    })
    .join('/');
}
