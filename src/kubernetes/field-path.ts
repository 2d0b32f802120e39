import { at, isObject, type Json, type Path } from '../base/json.ts';

/**
 * Reads the ways in which the API server writes field paths: `spec.containers[0].image`, `metadata.labels[app.io/name]`,
 * `.spec.containers[name="web"].image`. Keys in brackets select the list entry of `object` that has them; without such an
 * entry the path ends there.
 */
export function parseFieldPath(text: string, object?: Json): Path {
  const path: (string | number)[] = [];
  const steps = text.matchAll(/\[(?<bracket>[^\]]*)\]|(?<name>[^.[\]]+)/g);
  for (const { groups } of steps) {
    const bracket = groups?.['bracket'];
    if (bracket === undefined) {
      path.push(groups?.['name'] ?? '');
    } else if (/^\d+$/.test(bracket)) {
      path.push(Number(bracket));
    } else if (bracket.includes('=')) {
      const index = indexByKeys(at(object, ...path), bracket);
      if (index === undefined) break;
      path.push(index);
    } else {
      path.push(bracket);
    }
  }
  return path;
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

function indexByKeys(list: Json | undefined, keys: string): number | undefined {
  if (!Array.isArray(list)) return undefined;
  const wanted = keys.split(',').map((pair) => {
    const [name = '', value = ''] = pair.split('=', 2);
    return { name, value: value.replace(/^"(?<inner>.*)"$/, '$<inner>') };
  });
  const index = list.findIndex(
    (entry) =>
      isObject(entry) &&
      wanted.every(({ name, value }) => {
        const found = entry[name];
        return (typeof found === 'string' || typeof found === 'number') && String(found) === value;
      }),
  );
  return index === -1 ? undefined : index;
}
