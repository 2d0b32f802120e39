import { at, isObject, type Json, type Path } from '../base/json.ts';

/** `[…]`, where quoted text may hold brackets itself, or a name up to the next dot or bracket. */
const step = /\[(?<bracket>(?:"(?:[^"\\]|\\.)*"|[^[\]"\\])*)\]|(?<name>[^.[\]]+)/g;

/**
 * Reads the ways in which the API server writes field paths: `spec.containers[0].image`, `metadata.labels[app.io/name]`,
 * `.spec.containers[name="web"].image`, `.metadata.finalizers[="a"]`. Keys in brackets select the list entry of `object`
 * that has them; without such an entry the path ends there. Keys of maps that hold dots stand without quotes in conflicts
 * (`.data.app.yaml`): the keys of `object` decide where one ends.
 */
export function parseFieldPath(text: string, object?: Json): Path {
  const path: (string | number)[] = [];
  const names: string[] = [];
  const takeNames = () => {
    for (let from = 0; from < names.length;) {
      const end = endOfKey(names, from, at(object, ...path));
      path.push(names.slice(from, end).join('.'));
      from = end;
    }
    names.length = 0;
  };
  for (const { groups } of text.matchAll(step)) {
    const bracket = groups?.['bracket'];
    if (bracket === undefined) {
      names.push(groups?.['name'] ?? '');
      continue;
    }
    takeNames();
    if (/^\d+$/.test(bracket)) {
      path.push(Number(bracket));
    } else if (bracket.includes('=')) {
      const index = indexByKeys(at(object, ...path), bracket);
      if (index === undefined) return path;
      path.push(index);
    } else {
      path.push(bracket);
    }
  }
  takeNames();
  return path;
}

/** Where the key that begins at `from` ends: the shortest run of names that the map has as a key, or just one. */
function endOfKey(names: readonly string[], from: number, map: Json | undefined): number {
  for (let end = from + 1; end <= names.length && isObject(map); end += 1) {
    if (Object.hasOwn(map, names.slice(from, end).join('.'))) return end;
  }
  return from + 1;
}

/** `['spec', 'containers', 0, 'image']` → `spec.containers[0].image`. */
export function formatFieldPath(path: Path): string {
  return path
    .map((step, index) => {
      if (typeof step === 'number') return `[${step}]`;
      if (/[./]/.test(step)) return `[${step}]`;
      return index === 0 ? step : `.${step}`;
    })
    .join('');
}

/**
 * `name="web"`, `containerPort=80,protocol="TCP"`, or `="value"` in a list of plain values. A key that an entry does not
 * have may be a default that the server filled in, as long as another one fits.
 */
function indexByKeys(list: Json | undefined, keys: string): number | undefined {
  if (!Array.isArray(list)) return undefined;
  const wanted = [...keys.matchAll(/(?<![^,])(?<name>[^=,]*)=(?<value>"(?:[^"\\]|\\.)*"|[^,]*)/g)].map(
    ({ groups }) => ({
      name: groups?.['name'] ?? '',
      value: unquoted(groups?.['value'] ?? ''),
    }),
  );
  const index = list.findIndex((entry) => {
    const pairs = wanted.map(({ name, value }) => ({ value, found: name === '' ? entry : at(entry, name) }));
    return (
      pairs.some(({ found }) => found !== undefined) &&
      pairs.every(({ value, found }) => found === undefined || isText(found, value))
    );
  });
  return index === -1 ? undefined : index;
}

function isText(value: Json, text: string): boolean {
  return value === text || (typeof value !== 'object' && String(value) === text);
}

function unquoted(text: string): string {
  return text.startsWith('"') ? text.slice(1, -1).replaceAll(/\\(?<char>.)/g, '$<char>') : text;
}
