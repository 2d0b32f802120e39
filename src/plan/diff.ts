import { at, type Json } from '../base/json.ts';
import type { KubernetesObject } from '../kubernetes/object.ts';
import { hashAnnotation, hashIn } from '../manifests/config-hash.ts';
import { containersOf, imagesOf } from '../manifests/pod-template.ts';
import { contentOf } from '../apply/comparison.ts';
import { fieldManager } from '../apply/field-manager.ts';
import { nameOfField, valueShown } from '../apply/field-words.ts';
import { applyEntry, entriesOf, isPredecessor, listShape } from '../apply/managed-fields.ts';
import { releaseAnnotation } from '../apply/mark.ts';
import type { Prepared } from '../apply/prepared.ts';
import type { FieldDiff, ObjectDiff } from '../report/field-diff.ts';
import { isShort, textOfChange } from './change-text.ts';
import { expectedObject } from './expected.ts';
import { changesBetween, type Change } from './object-changes.ts';

/** How many fields of one object are told, unless somebody asks for another number. */
export const maxFields = 40;

/**
 * What an apply is going to change in an object, in words: nothing of what the server and this action keep for themselves, no
 * defaults, no values of Secrets, nor what looks like one.
 */
export function diffOf(prepared: Prepared, limit = maxFields): ObjectDiff {
  const { live, predicted, manifest, change, remake } = prepared;
  const basis = predicted === undefined && remake !== true ? 'manifest' : 'server';
  if (change === 'unchanged') return { fields: [], more: 0, basis };
  if (live === undefined) return { ...limited(factsOf(predicted ?? manifest.object), limit), basis };
  const after = expectedObject(prepared) ?? manifest.object;
  const changes = changesOf(prepared, live, after).toSorted((one, other) => rankOf(one) - rankOf(other));
  const only = changes.length > 0 ? undefined : isOtherConfig(live, after) ? 'config' : 'ownership';
  return { ...limited(inWords(live.kind, changes), limit), basis, ...(only === undefined ? {} : { only }) };
}

function limited(fields: FieldDiff[], limit: number): { fields: FieldDiff[]; more: number } {
  return { fields: fields.slice(0, limit), more: Math.max(0, fields.length - limit) };
}

function changesOf(
  { predicted, manifest, remake }: Prepared,
  live: KubernetesObject,
  after: KubernetesObject,
): Change[] {
  const entries = entriesOf(live).filter(({ subresource = '' }) => subresource !== 'status');
  // What is only stated takes nothing away that is somebody else's.
  const ours = [applyEntry(live, fieldManager), ...entries.filter(isPredecessor)].filter(
    (entry) => entry !== undefined,
  );
  const counting = predicted === undefined && remake !== true ? ours : entries;
  return changesBetween({
    before: contentOf(live),
    after: contentOf(after),
    stated: contentOf(manifest.object),
    owned: entries.length === 0 ? undefined : counting.map(({ fieldsV1 }) => fieldsV1 ?? {}),
    shape: listShape(entries),
    asWritten: predicted === undefined,
    isLeftOut,
    isShort,
  });
}

/** The books of this action, of kubectl, and what names an object. */
const leftOutAnnotations = new Set([
  releaseAnnotation,
  hashAnnotation,
  'gke-rollout/paused-by',
  'kubectl.kubernetes.io/last-applied-configuration',
]);

const leftOutFields = new Set([
  'apiVersion',
  'kind',
  'metadata.name',
  'metadata.namespace',
  'metadata.ownerReferences',
  'metadata.generateName',
]);

function isLeftOut(path: readonly string[]): boolean {
  const [last, parent] = [path.at(-1) ?? '', path.at(-2)];
  return (
    (parent === 'annotations' && leftOutAnnotations.has(last)) || (path.length < 3 && leftOutFields.has(path.join('.')))
  );
}

/** What a reader wants to know first. */
function rankOf({ path }: Change): number {
  if (path[0] === 'metadata') return 3;
  if (path.at(-1) === 'image' || path.at(-2) === 'containers') return 0;
  return path.join('.') === 'spec.replicas' ? 1 : 2;
}

/** Fields of containers are called by their whole paths where an object may have containers in several places. */
function inWords(kind: string, changes: readonly Change[]): FieldDiff[] {
  const fields = changes.map((change) => textOfChange(kind, change));
  const times = new Map<string, number>();
  for (const { field } of fields) times.set(field, (times.get(field) ?? 0) + 1);
  return fields.map((diff, index) => {
    const path = changes[index]?.path ?? [];
    const isAmbiguous = (times.get(diff.field) ?? 0) > 1 || !isOnePod(path);
    return isAmbiguous ? { ...diff, field: path.join('.') } : diff;
  });
}

/** Where the kinds have their pod that have but one. */
const podPlaces = new Set(['spec', 'template.spec', 'spec.template.spec', 'spec.jobTemplate.spec.template.spec']);

function isOnePod(path: readonly string[]): boolean {
  const index = path.findIndex((step) => step === 'containers' || step === 'initContainers');
  return index === -1 || podPlaces.has(path.slice(0, index).join('.'));
}

function isOtherConfig(live: KubernetesObject, after: KubernetesObject): boolean {
  return hashIn(live) !== hashIn(after);
}

/** What tells most of a new object, as far as its kind has it. */
const tellingPaths: readonly (readonly string[])[] = [
  ['spec', 'replicas'],
  ['spec', 'schedule'],
  ['spec', 'type'],
  ['spec', 'minReplicas'],
  ['spec', 'maxReplicas'],
  ['spec', 'storageClassName'],
  ['spec', 'resources', 'requests', 'storage'],
];

function factsOf(object: KubernetesObject): FieldDiff[] {
  const images = containersOf(object).flatMap(({ path, name, image }) => {
    const place = typeof path.at(-1) === 'number' ? [...path.slice(0, -1), name] : path;
    return image === undefined ? [] : [fact(object.kind, [...place, 'image'], image)];
  });
  const split = imagesOf(object).flatMap(({ key, path, image }) =>
    key !== 'repository' || image === undefined ? [] : [fact(object.kind, path.slice(0, -1), image)],
  );
  const others = tellingPaths.flatMap((path) => {
    const value = at(object, ...path);
    return typeof value === 'string' || typeof value === 'number' ? [fact(object.kind, path, value)] : [];
  });
  return [...images, ...split, ...others];
}

function fact(kind: string, path: readonly (string | number)[], value: Json): FieldDiff {
  const after = valueShown(kind, path, value);
  const field = isOnePod(path.map(String)) ? nameOfField(path) : path.join('.');
  return { field, change: 'added', ...(after === undefined ? {} : { after }) };
}
