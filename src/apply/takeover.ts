import { isObject, type JsonObject } from '../base/json.ts';
import type { KubernetesClient } from '../kubernetes/client.ts';
import { refOf, type KubernetesObject, type ManagedFieldsEntry } from '../kubernetes/object.ts';
import { fieldManager } from './field-manager.ts';
import { applyEntry, entriesOf, isPredecessor, owns, unionFields } from './managed-fields.ts';
import { isController } from './managers.ts';

/** Paths of fields that become ours whoever owns them, such as a pod template that is replaced as a whole. */
export type Claims = readonly (readonly string[])[];

/** Whether an apply of ours must take over fields first: those of predecessors, and those that it claims. */
export function needsTakeover(live: KubernetesObject | undefined, claims: Claims = []): boolean {
  return entriesOf(live).some(
    (entry) => isPredecessor(entry) || (isOthers(entry) && claimsOn(entry, claims).some((path) => owns(entry, path))),
  );
}

/** Who owns what of a live object after a takeover. */
export function divide(live: KubernetesObject, claims: Claims): { ours: JsonObject[]; others: ManagedFieldsEntry[] } {
  const ours: JsonObject[] = [];
  const others: ManagedFieldsEntry[] = [];
  for (const entry of entriesOf(live)) {
    if (isOthers(entry)) {
      const { taken, left } = split(entry.fieldsV1 ?? {}, claimsOn(entry, claims));
      ours.push(...taken);
      if (Object.keys(left).length > 0) others.push({ ...entry, fieldsV1: left });
    } else if (isPredecessor(entry) || isOwn(entry)) {
      ours.push(entry.fieldsV1 ?? {});
    } else {
      others.push(entry);
    }
  }
  return { ours, others };
}

/**
 * Makes the fields of our predecessors ours (the rule of client-go's csaupgrade), and those at the claimed paths. The
 * annotation of `kubectl apply` comes along, and with it goes away in the next apply: a later `kubectl apply` would compute
 * removals from it.
 * @param unowned fields of nobody that become ours as well
 * @throws ApiError with a write conflict when the object has changed since it was read
 */
export async function takeOver(
  client: KubernetesClient,
  live: KubernetesObject,
  claims: Claims = [],
  unowned: JsonObject = {},
): Promise<KubernetesObject> {
  if (!needsTakeover(live, claims) && Object.keys(unowned).length === 0) return live;
  const own = applyEntry(live, fieldManager);
  const first = own ?? entriesOf(live).find(isPredecessor);
  const { ours, others } = divide(live, claims);
  const merged: ManagedFieldsEntry = {
    manager: fieldManager,
    operation: 'Apply',
    apiVersion: first?.apiVersion ?? live.apiVersion,
    fieldsType: 'FieldsV1',
    fieldsV1: [...ours, unowned].reduce(unionFields, {}),
    ...(first?.time === undefined ? {} : { time: first.time }),
  };
  const { object } = await client.patch(
    refOf(live),
    {
      type: 'json',
      operations: [
        { op: 'replace', path: '/metadata/managedFields', value: [...others, merged] },
        // A guard against a write in between.
        { op: 'replace', path: '/metadata/resourceVersion', value: live.metadata.resourceVersion ?? '' },
      ],
    },
    { fieldManager },
  );
  return object;
}

function isOwn(entry: ManagedFieldsEntry): boolean {
  return entry.manager === fieldManager && entry.operation === 'Apply' && (entry.subresource ?? '') === '';
}

/** What controllers write through a subresource is theirs in any case. */
function isOthers(entry: ManagedFieldsEntry): boolean {
  return !isOwn(entry) && !isPredecessor(entry) && (entry.subresource ?? '') === '';
}

/** What makes pods what they are. */
const podTemplate = ['spec', 'template'] as const;

/**
 * Controllers keep what they own, except in the pod template. What `kubectl rollout undo` has brought back there is a former version
 * of ours, not somebody's addition to the present one: no part of it stays in the next.
 */
function claimsOn(entry: ManagedFieldsEntry, claims: Claims): Claims {
  if (isRolloutUndo(entry)) return [podTemplate, ...claims];
  return isController(entry)
    ? claims.filter((path) => podTemplate.every((step, index) => path[index] === step))
    : claims;
}

/** It writes under the name of the program alone, whereas `kubectl set`, `edit`, `rollout restart` and others add theirs. */
function isRolloutUndo(entry: ManagedFieldsEntry): boolean {
  return (
    entry.manager === 'kubectl' &&
    entry.operation === 'Update' &&
    (entry.subresource ?? '') === '' &&
    owns(entry, podTemplate)
  );
}

/** Whether `kubectl rollout undo` has brought a former pod template back since our last apply. */
export function isRolledBackByKubectl(live: KubernetesObject | undefined): boolean {
  return entriesOf(live).some(isRolloutUndo);
}

/** Cuts the subtrees at the paths out of a tree of fields. */
function split(fields: JsonObject, claims: Claims): { taken: JsonObject[]; left: JsonObject } {
  const taken: JsonObject[] = [];
  let left = fields;
  for (const path of claims) {
    const cut = cutAt(left, path);
    if (cut === undefined) continue;
    taken.push(cut.taken);
    left = cut.left;
  }
  return { taken, left };
}

function cutAt(
  fields: JsonObject,
  [step, ...rest]: readonly string[],
): { taken: JsonObject; left: JsonObject } | undefined {
  const key = `f:${step ?? ''}`;
  const inner = fields[key];
  if (!isObject(inner)) return undefined;
  const others = Object.fromEntries(Object.entries(fields).filter(([name]) => name !== key));
  if (rest.length === 0) return { taken: { [key]: inner }, left: others };
  const cut = cutAt(inner, rest);
  if (cut === undefined) return undefined;
  // A tree without leaves would stand for the field itself.
  const left = Object.keys(cut.left).length === 0 ? others : { ...others, [key]: cut.left };
  return { taken: { [key]: cut.taken }, left };
}
