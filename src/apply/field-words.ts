import { equal, isObject, type Json, type Path } from '../base/json.ts';
import { isPlain } from '../base/telling.ts';
import { isSecretPlace, tellsSecret, withoutSecrets } from '../base/without-secrets.ts';

/** Longer values are cut. */
export const maxValue = 120;

/**
 * `['spec', 'template', 'spec', 'containers', 'web', 'image']` → `image of container "web"`. Entries of keyed lists stand in
 * the path by their keys.
 */
export function nameOfField(path: Path): string {
  const steps = path.map(String);
  // A schema may have a property of that name.
  const index = steps.findIndex(
    (step, place) => ['containers', 'initContainers'].includes(step) && steps[place - 1] !== 'properties',
  );
  const container = steps[index + 1];
  if (index >= 0 && container !== undefined) {
    const what = steps[index] === 'initContainers' ? 'init container' : 'container';
    const inner = steps.slice(index + 2);
    if (inner.length === 0) return `${what} "${container}"`;
    const [list, variable] = inner;
    const field = list === 'env' && variable !== undefined ? `env ${variable}` : inner.join('.');
    return `${field} of ${what} "${container}"`;
  }
  if (steps.join('.') === 'spec.replicas') return 'replicas';
  if (['data', 'binaryData', 'stringData'].includes(steps[0] ?? '') && steps.length === 2)
    return `key "${steps[1] ?? ''}"`;
  return steps.join('.');
}

/** The value as `safeText` has it, cut where it is long. */
export function valueShown(kind: string, path: Path, value: Json | undefined): string | undefined {
  const line = safeText(kind, path, value);
  return line === undefined || line.length <= maxValue ? line : `${line.slice(0, maxValue - 1)}…`;
}

/**
 * The value as it may stand in a log, on one line; undefined for none, and for what may be a secret: all of a Secret, what is called
 * like one or looks like one, also inside, and of variables all but words, numbers and versions.
 */
export function safeText(kind: string, path: Path, value: Json | undefined): string | undefined {
  if (value === undefined || kind === 'Secret' || isSecretPlace(path)) return undefined;
  const text = tellingText(value);
  if (text === undefined || tellsSecret(text) || (path.includes('env') && !isPlain(text))) return undefined;
  return onOneLine(text);
}

export function onOneLine(text: string): string {
  return text.replaceAll(/\s+/g, ' ').trim();
}

/** Of an entry of a list what tells most, the value of a variable or the image of a container; undefined for what holds a secret. */
function tellingText(value: Json): string | undefined {
  if (!isObject(value) && !Array.isArray(value)) return String(value);
  if (isObject(value)) {
    for (const key of ['value', 'image']) if (typeof value[key] === 'string') return value[key];
  }
  return equal(withoutSecrets(value), value) ? JSON.stringify(value) : undefined;
}
