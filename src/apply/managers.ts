import { equal, isObject, ownValue, type Json, type JsonObject } from '../base/json.ts';
import type { KubernetesObject, ManagedFieldsEntry } from '../kubernetes/object.ts';
import { fieldManager } from './field-manager.ts';
import { applyEntry, entriesOf, itemOf } from './managed-fields.ts';

/** One of ours: `gke-rollout`, and those under which single commands write. */
function isOurManager(manager: string): boolean {
  return manager === fieldManager || manager.startsWith(`${fieldManager}-`);
}

/**
 * Whether a manager is a program of the cluster by its name: what those write (the bundle of a certificate authority, a token)
 * is no change by hand, and they would only write it again.
 */
export function isController({ manager, subresource = '' }: ManagedFieldsEntry): boolean {
  return subresource === 'status' || /^kube-(?!ctl)|controller|operator|injector|autoscaler|webhook/i.test(manager);
}

/** Where a kind says which version of an application it is: what a rollback puts back as a whole, whoever has written there. */
export const versionPaths: readonly (readonly string[])[] = [
  ['spec', 'template'],
  ['spec', 'jobTemplate'],
  ['spec', 'selector'],
  ['spec', 'ports'],
  ['data'],
  ['binaryData'],
];

/** A field that somebody else than we owns. */
interface ForeignField {
  manager: string;
  /** ISO 8601, when this manager wrote last. */
  time: string;
  /** `spec.template.spec.containers[web].env[DEBUG].value` */
  field: string;
}

/** Below this, tools and `kubectl rollout restart` say when and why pods were made anew: no other version of them. */
const templateAnnotations = ['spec', 'template', 'metadata', 'annotations'];

/**
 * Fields below the paths that a person or a tool has written and we have not, or not any more. What was taken away by hand has
 * no owner and is not among them.
 */
export function changedByHand(live: KubernetesObject, paths = versionPaths): ForeignField[] {
  const own = applyEntry(live, fieldManager)?.fieldsV1 ?? {};
  return entriesOf(live)
    .filter((entry) => !isOurManager(entry.manager) && !isController(entry) && (entry.subresource ?? '') === '')
    .flatMap((entry) =>
      paths.flatMap((path) => {
        const [theirs, ours] = [below(entry.fieldsV1, path), below(own, path)];
        return leaves(theirs, ours, path).map((field) => ({
          manager: entry.manager,
          time: entry.time ?? '',
          field,
        }));
      }),
    );
}

function below(fields: Json | undefined, path: readonly string[]): JsonObject | undefined {
  let inner = fields;
  for (const step of path) inner = isObject(inner) ? inner[`f:${step}`] : undefined;
  return isObject(inner) ? inner : undefined;
}

function leaves(theirs: JsonObject | undefined, ours: JsonObject | undefined, path: readonly string[]): string[] {
  if (theirs === undefined || equal([...path], templateAnnotations)) return [];
  const inner = Object.entries(theirs).filter(([key]) => key !== '.');
  if (inner.length === 0) return ours === undefined ? [formatted(path)] : [];
  return inner.flatMap(([key, value]) => {
    const own = ours?.[key];
    return leaves(isObject(value) ? value : {}, isObject(own) ? own : undefined, [...path, nameOf(key)]);
  });
}

/** `f:image` → `image`, `k:{"name":"web"}` → `[web]` */
function nameOf(key: string): string {
  if (!key.startsWith('k:')) return key.slice(2);
  return `[${Object.values(JSON.parse(key.slice(2)) as JsonObject)
    .map(String)
    .join(',')}]`;
}

function formatted(path: readonly string[]): string {
  return path.reduce((text, step) => (step.startsWith('[') || text === '' ? `${text}${step}` : `${text}.${step}`), '');
}

/**
 * Takes out of a manifest, in place, the fields that a controller owns and has given another value: an apply would take them
 * over, and the controller write them again.
 */
export function leaveToControllers(manifest: KubernetesObject, live: KubernetesObject): void {
  const own = applyEntry(live, fieldManager)?.fieldsV1 ?? {};
  for (const entry of entriesOf(live)) {
    if (!isController(entry) || entry.subresource === 'status') continue;
    leave(manifest, live, entry.fieldsV1 ?? {}, own);
  }
}

function leave(manifest: Json | undefined, live: Json | undefined, theirs: JsonObject, ours: JsonObject): void {
  for (const [key, value] of Object.entries(theirs)) {
    const own = ours[key];
    const inner = isObject(value) ? value : {};
    const isLeaf = Object.keys(inner).every((name) => name === '.');
    if (key.startsWith('k:')) {
      leave(itemOf(manifest, key), itemOf(live, key), inner, isObject(own) ? own : {});
    } else if (key.startsWith('f:') && isObject(manifest) && isObject(live)) {
      const name = key.slice(2);
      if (!isLeaf) leave(ownValue(manifest, name), ownValue(live, name), inner, isObject(own) ? own : {});
      else if (own === undefined && !equal(ownValue(manifest, name), ownValue(live, name)))
        Reflect.deleteProperty(manifest, name);
    }
  }
}
