/** JSON as it travels to and from the API server: never narrowed to a schema, so that no field is ever lost. */

export type Json = null | boolean | number | string | Json[] | JsonObject;

export interface JsonObject {
  [key: string]: Json | undefined;
}

export type Path = readonly (string | number)[];

export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/**
 * What a map has under a key that somebody else has chosen. Every object of JavaScript inherits a `constructor` and a `toString`,
 * which `map[key]` finds where the map has none.
 */
export function ownValue<T>(map: Readonly<Record<string, T>>, key: string): T | undefined {
  return Object.hasOwn(map, key) ? map[key] : undefined;
}

/** Puts a value under such a key; `map['__proto__'] = value` would keep nothing. */
export function putOwn<T>(map: Record<string, T>, key: string, value: T): void {
  Object.defineProperty(map, key, { value, writable: true, enumerable: true, configurable: true });
}

/** The value at `path`, or undefined as soon as a step of the path is missing or of another shape. */
export function at(root: Json | undefined, ...path: Path): Json | undefined {
  let value: Json | undefined = root;
  for (const step of path) {
    if (typeof step === 'number') {
      value = Array.isArray(value) ? value[step] : undefined;
    } else {
      value = isObject(value) ? ownValue(value, step) : undefined;
    }
  }
  return value;
}

export function stringAt(root: Json | undefined, ...path: Path): string | undefined {
  const value = at(root, ...path);
  return typeof value === 'string' ? value : undefined;
}

export function numberAt(root: Json | undefined, ...path: Path): number | undefined {
  const value = at(root, ...path);
  return typeof value === 'number' ? value : undefined;
}

export function booleanAt(root: Json | undefined, ...path: Path): boolean | undefined {
  const value = at(root, ...path);
  return typeof value === 'boolean' ? value : undefined;
}

/** The object at `path`; an empty one where there is none, so that callers can go on reading. */
export function objectAt(root: Json | undefined, ...path: Path): JsonObject {
  const value = at(root, ...path);
  return isObject(value) ? value : {};
}

/** The list at `path`; an empty one where there is none. */
export function listAt(root: Json | undefined, ...path: Path): Json[] {
  const value = at(root, ...path);
  return Array.isArray(value) ? value : [];
}

/** The objects of the list at `path`; entries of another shape are left out. */
export function objectsAt(root: Json | undefined, ...path: Path): JsonObject[] {
  return listAt(root, ...path).filter(isObject);
}

/** The string entries of the map at `path`, such as labels. */
export function stringsAt(root: Json | undefined, ...path: Path): Record<string, string> {
  return Object.fromEntries(
    Object.entries(objectAt(root, ...path)).filter((entry): entry is [string, string] => typeof entry[1] === 'string'),
  );
}

/** Structural equality; a property that is undefined counts as absent, and the order of keys does not matter. */
export function equal(left: Json | undefined, right: Json | undefined): boolean {
  if (left === right) return true;
  if (Array.isArray(left)) {
    return (
      Array.isArray(right) && left.length === right.length && left.every((item, index) => equal(item, right[index]))
    );
  }
  if (!isObject(left) || !isObject(right)) return false;
  const keys = new Set([...Object.keys(left), ...Object.keys(right)]);
  return [...keys].every((key) => equal(ownValue(left, key), ownValue(right, key)));
}

/** Put `value` at `path`, making the maps on the way; throws a TypeError when a step is not a map. */
export function setAt(root: JsonObject, path: readonly string[], value: Json): void {
  const last = path.at(-1);
  if (last === undefined) throw new TypeError('setAt needs a path of at least one step');
  let target = root;
  for (const step of path.slice(0, -1)) {
    const next = ownValue(target, step) ?? {};
    if (!isObject(next)) throw new TypeError(`"${step}" in ${path.join('.')} is not a map`);
    putOwn(target, step, next);
    target = next;
  }
  putOwn(target, last, value);
}

/** Remove what is at `path`, where there is something. */
export function removeAt(root: JsonObject, path: readonly string[]): void {
  const last = path.at(-1);
  const parent = at(root, ...path.slice(0, -1));
  if (last !== undefined && isObject(parent)) Reflect.deleteProperty(parent, last);
}
