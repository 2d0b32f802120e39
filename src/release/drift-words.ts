import { isObject, type Json, type Path } from '../base/json.ts';
import { isPlain, looksSecret, secretNames } from '../base/telling.ts';
import { describeRef, type ObjectRef } from '../kubernetes/object.ts';

/** One field of an object that is not as it was recorded. */
export interface Drift {
  ref: ObjectRef;
  /** In words: `image of container "web"`. */
  field: string;
  /** Absent where there is none, and where the value is not to be shown. */
  recorded?: string;
  live?: string;
  /** `manager` of the field: who has written it last, where somebody owns it. */
  manager?: string;
  /** ISO 8601. */
  since?: string;
}

/** Longer values are cut. */
const maxValue = 120;

/**
 * `['spec', 'template', 'spec', 'containers', 'web', 'image']` → `image of container "web"`. Entries of keyed lists stand in
 * the path by their keys.
 */
export function nameOfField(path: Path): string {
  const steps = path.map(String);
  const index = steps.findIndex((step) => ['containers', 'initContainers'].includes(step));
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

/**
 * The value as it may stand in a log; undefined for none, and for what may be a secret: all of a Secret, what is called like one or
 * looks like one, and of variables all but words, numbers and versions.
 */
export function valueShown(kind: string, path: Path, value: Json | undefined): string | undefined {
  if (value === undefined || kind === 'Secret' || path.some((step) => secretNames.test(String(step)))) return undefined;
  const text = isObject(value) || Array.isArray(value) ? describeMap(value) : String(value);
  if (looksSecret(text) || (path.includes('env') && !isPlain(text))) return undefined;
  const line = text.replaceAll(/\s+/g, ' ').trim();
  return line.length <= maxValue ? line : `${line.slice(0, maxValue - 1)}…`;
}

/** An entry of a list by what tells most: the value of a variable, the image of a container. */
function describeMap(value: Json): string {
  if (isObject(value)) {
    for (const key of ['value', 'image']) if (typeof value[key] === 'string') return value[key];
  }
  return JSON.stringify(value);
}

/** `Deployment "web": image of container "web": a:1 → a:2 (kubectl-set, since 2026-01-01T00:00:00Z)` */
export function describeDrift({ ref, field, recorded, live, manager, since }: Drift): string {
  const change =
    recorded === undefined && live === undefined ? 'changed' : `${recorded ?? '(none)'} → ${live ?? '(none)'}`;
  const who = [manager, since === undefined ? undefined : `since ${since}`].filter((part) => part !== undefined);
  return `${describeRef(ref)}: ${field}: ${change}${who.length === 0 ? '' : ` (${who.join(', ')})`}`;
}
