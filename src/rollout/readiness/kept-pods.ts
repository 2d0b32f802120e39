import { at, equal, listAt, objectsAt, stringAt, type JsonObject } from '../../base/json.ts';
import { timeOf } from '../../kubernetes/conditions.ts';
import type { KubernetesObject } from '../../kubernetes/object.ts';
import type { Held } from '../verdict.ts';
import { pods } from './rule.ts';

/** Fields of a container that a pod shows as its template had them. */
export type Shown = 'image' | 'command' | 'args' | 'env';

/** Those of its pods that are to stay. */
export function lastingPods(descendants: readonly KubernetesObject[]): KubernetesObject[] {
  return descendants.filter(
    (one) =>
      one.kind === 'Pod' &&
      one.metadata.deletionTimestamp === undefined &&
      !['Succeeded', 'Failed'].includes(stringAt(one, 'status', 'phase') ?? ''),
  );
}

/**
 * Whether a pod spec shows that it was not made from another one. What admission adds (containers, variables) says nothing, nor does
 * a digest or a registry that it puts around an image.
 */
export function showsOther(spec: JsonObject, wanted: JsonObject, fields: readonly Shown[]): boolean {
  return ['initContainers', 'containers'].some((list) => {
    const running = objectsAt(spec, list);
    return objectsAt(wanted, list).some((container) => {
      const found = running.find(({ name }) => name === container['name']);
      return found === undefined || fields.some((field) => !isShown(found, container, field));
    });
  });
}

function isShown(running: JsonObject, wanted: JsonObject, field: Shown): boolean {
  switch (field) {
    case 'image':
      return isSameImage(stringAt(running, 'image'), stringAt(wanted, 'image'));
    case 'env':
      return objectsAt(wanted, 'env').every((variable) => 'valueFrom' in variable || hasVariable(running, variable));
    default:
      return equal(listAt(running, field), listAt(wanted, field));
  }
}

/** A value that the server drops is an empty one. */
function hasVariable(container: JsonObject, { name, value = '' }: JsonObject): boolean {
  return objectsAt(container, 'env').some((one) => one['name'] === name && (one['value'] ?? '') === value);
}

function isSameImage(running: string | undefined, wanted: string | undefined): boolean {
  if (running === undefined || wanted === undefined || running === wanted) return true;
  const [name] = wanted.includes('@') ? [running] : running.split('@');
  return name === wanted || name?.endsWith(`/${wanted}`) === true;
}

/**
 * Whether an object was there before anybody wrote last what it was made from, as far as that shows: what admission changes in a new
 * pod is no sign of an old template.
 * @param path of the template as `managedFields` has it
 */
export function isOlderThanTemplate(
  made: KubernetesObject,
  { metadata: { managedFields = [] } }: KubernetesObject,
  path: readonly string[] = ['f:spec', 'f:template'],
): boolean {
  const writes = managedFields.flatMap(({ fieldsV1, time }) =>
    at(fieldsV1, ...path) === undefined ? [] : (timeOf(time) ?? []),
  );
  const madeAt = timeOf(made.metadata.creationTimestamp);
  return writes.length === 0 || madeAt === undefined || madeAt < Math.max(...writes);
}

/** `KubeRay replaces no pods: 1 of 4 pods updated`, and how the others get it */
export function keptPods(why: string, updated: number, all: number): { held: Held; told: string } {
  const held = `${why}: ${updated} of ${pods(all)} updated`;
  return { held, told: `${held}; delete the others to update them` };
}
