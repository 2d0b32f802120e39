import { isObject, stringAt, type Json } from '../base/json.ts';
import type { EntryPair } from '../apply/keyed-lists.ts';

/** What a person tells the entries of a list by, whatever the server does: a port by its name, not by its number. */
const identities: readonly { of: (item: Json) => string | undefined; isOrdered: boolean }[] = [
  { of: (item) => stringAt(item, 'name'), isOrdered: true },
  // Rules of an Ingress, and the paths in them.
  { of: (item) => stringAt(item, 'host'), isOrdered: true },
  { of: (item) => stringAt(item, 'path'), isOrdered: true },
  // Where a volume is mounted, and an address.
  { of: (item) => stringAt(item, 'mountPath'), isOrdered: true },
  { of: (item) => stringAt(item, 'ip'), isOrdered: true },
  // Groups of workers (ray.io/v1 RayCluster).
  { of: (item) => stringAt(item, 'groupName'), isOrdered: true },
  // Metrics of an autoscaler, which older servers bring into another order (kubernetes/kubernetes#74099).
  { of: nameOfMetric, isOrdered: false },
];

/**
 * Pairs the entries of two versions of a list by the first of these that every entry has and no two share.
 * @param path of the list; its last step, unless it is the root
 */
export function identify(
  before: readonly Json[],
  after: readonly Json[],
  path: readonly string[],
): { pairs: EntryPair[]; isOrdered: boolean } | undefined {
  if (before.length === 0 && after.length === 0) return undefined;
  for (const { of, isOrdered } of identities) {
    if (of === nameOfMetric && path.at(-1) !== 'metrics') continue;
    const [left, right] = [namedBy(before, of), namedBy(after, of)];
    if (left === undefined || right === undefined) continue;
    const names = new Set([...left.keys(), ...right.keys()]);
    return { pairs: [...names].map((name) => ({ name, left: left.get(name), right: right.get(name) })), isOrdered };
  }
  return undefined;
}

function namedBy(items: readonly Json[], of: (item: Json) => string | undefined): Map<string, Json> | undefined {
  const named = new Map<string, Json>();
  for (const item of items) {
    const name = isObject(item) ? of(item) : undefined;
    if (name === undefined || named.has(name)) return undefined;
    named.set(name, item);
  }
  return named;
}

/** `{type: Resource, resource: {name: cpu}}` → `cpu`; `{type: Pods, pods: {metric: {name: rps}}}` → `rps`. */
function nameOfMetric(item: Json): string | undefined {
  const type = stringAt(item, 'type');
  if (type === undefined) return undefined;
  const field = `${type.charAt(0).toLowerCase()}${type.slice(1)}`;
  return stringAt(item, field, 'name') ?? stringAt(item, field, 'metric', 'name');
}
