import { isObject, type Json } from './json.ts';

/** Reads JSON that came from outside as what it should be. @throws Misshapen @param path where it stands: `objects[2].kind` */
export type Reader<T> = (value: Json | undefined, path: string) => T;

/** JSON that is not what it should be. The message says where and what is wrong, and shows no value. */
export class Misshapen extends Error {
  constructor(path: string, problem: string) {
    super(`${path === '' ? 'it' : `"${path}"`} ${problem}`);
    this.name = new.target.name;
  }
}

/** How each field of a record is read: every field has to be named, so that none is forgotten when one is added. */
type Fields<T> = {
  [K in keyof T]-?: undefined extends T[K] ? { optional: Reader<Exclude<T[K], undefined>> } : Reader<T[K]>;
};

/** A map with these fields; what else it has is left out. */
export function recordOf<T>(fields: Fields<T>): Reader<T> {
  const readers = Object.entries<Reader<unknown> | { optional: Reader<unknown> }>(fields);
  return (value, path) => {
    if (!isObject(value)) throw new Misshapen(path, 'is not a map');
    const found = readers.flatMap(([name, field]): [string, unknown][] => {
      const inner = path === '' ? name : `${path}.${name}`;
      if (typeof field === 'function') return [[name, field(value[name], inner)]];
      return value[name] === undefined ? [] : [[name, field.optional(value[name], inner)]];
    });
    // Each field of T has been read by its own reader.
    return Object.fromEntries(found) as T;
  };
}

export function listOf<T>(each: Reader<T>, most = 20_000): Reader<T[]> {
  return (value, path) => {
    if (!Array.isArray(value)) throw new Misshapen(path, 'is not a list');
    if (value.length > most) throw new Misshapen(path, `has more than ${most} entries`);
    return value.map((item, index) => each(item, `${path}[${index}]`));
  };
}

/** A map of any keys. */
export function mapOf<T>(each: Reader<T>): Reader<Record<string, T>> {
  return (value, path) => {
    if (!isObject(value)) throw new Misshapen(path, 'is not a map');
    // Not by assignment: "__proto__" is a key like any other.
    return Object.fromEntries(
      Object.entries(value).map(([key, item]) => [key, each(item, `${path}.${key.slice(0, 60)}`)]),
    );
  };
}

/** @param most characters */
export function text(most = 1_000_000): Reader<string> {
  return (value, path) => {
    if (typeof value !== 'string') throw new Misshapen(path, value === undefined ? 'is missing' : 'is not a string');
    if (value.length > most) throw new Misshapen(path, `is longer than ${most} characters`);
    return value;
  };
}

/** One line of text without control characters, as messages show it. */
export function line(most = 2000): Reader<string> {
  return matching(/^\P{Cc}*$/u, 'is not one line of text', most);
}

export function matching(pattern: RegExp, problem: string, most = 2000): Reader<string> {
  const read = text(most);
  return (value, path) => {
    const found = read(value, path);
    if (!pattern.test(found)) throw new Misshapen(path, problem);
    return found;
  };
}

export const boolean: Reader<boolean> = (value, path) => {
  if (typeof value !== 'boolean') throw new Misshapen(path, 'is neither true nor false');
  return value;
};

export function integer(least: number, most = 2_147_483_647): Reader<number> {
  return (value, path) => {
    if (typeof value !== 'number' || !Number.isInteger(value) || value < least || value > most)
      throw new Misshapen(path, `is not a whole number from ${least} to ${most}`);
    return value;
  };
}

export function oneOf<const T extends Json>(...allowed: readonly T[]): Reader<T> {
  return (value, path) => {
    const found = allowed.find((one) => one === value);
    if (found === undefined) throw new Misshapen(path, `is not one of ${allowed.map(String).join(', ')}`);
    return found;
  };
}

export function nullOr<T>(read: Reader<T>): Reader<T | null> {
  return (value, path) => (value === null ? null : read(value, path));
}

/** A time in ISO 8601. */
export const time: Reader<string> = (value, path) => {
  const found = line(40)(value, path);
  if (Number.isNaN(Date.parse(found))) throw new Misshapen(path, 'is not a time');
  return found;
};
