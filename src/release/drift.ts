import { isObject, ownValue, type Json, type JsonObject, type Path } from '../base/json.ts';
import { refOf, type KubernetesObject, type ManagedFieldsEntry } from '../kubernetes/object.ts';
import { additionsCount } from '../manifests/kinds.ts';
import { fieldManager } from '../apply/field-manager.ts';
import { nameOfField, valueShown } from '../apply/field-words.ts';
import { listKeys, pairEntries } from '../apply/keyed-lists.ts';
import { entriesOf, listShape, ownersAt, type ListShape } from '../apply/managed-fields.ts';
import { isAsStated } from '../apply/same-value.ts';
import type { Drift } from './drift-words.ts';

export interface DriftOptions {
  /** An autoscaler sets the number of pods. */
  autoscaled?: boolean;
  /** When the recorded revision was complete, milliseconds since the epoch: what this action has written since is a change, too. */
  recordedAt?: number;
  /** A strategy is at work on it, or has left a candidate waiting: what this action itself has written is no change. */
  inProgress?: boolean;
  /** What a strategy ends the names of its copies with: `-green`. */
  suffix?: string;
}

/**
 * What is different in a live object from what was recorded of it. The server fills in defaults and rewrites values
 * (`0.5` → `500m`); so a field that our own apply still owns has the value that was recorded, however it is spelled. What
 * others have added counts where it changes what pods run or get: in workloads, config and Services.
 */
export function driftOf(recorded: KubernetesObject, live: KubernetesObject, options: DriftOptions = {}): Drift[] {
  const entries = entriesOf(live).filter(({ subresource = '' }) => subresource !== 'status');
  const shape = listShape(entries);
  const place: Place = {
    path: [],
    shape,
    owners: entries.map((entry) => ({ entry, fields: entry.fieldsV1 ?? {} })),
    comparison: { live, options, additionsCount: additionsCount(live), found: [] },
  };
  compare(contentOf(recorded), contentOf(live), place);
  return place.comparison.found;
}

interface Owner {
  entry: ManagedFieldsEntry;
  /** What it owns at and below the place; empty: the place as a whole. */
  fields: JsonObject;
}

interface Comparison {
  live: KubernetesObject;
  options: DriftOptions;
  additionsCount: boolean;
  found: Drift[];
}

interface Place {
  path: Path;
  shape: ListShape;
  owners: Owner[];
  comparison: Comparison;
  /** It is an entry of a list with keys. */
  isItem?: boolean;
}

/** Without what the server keeps, and a Secret as it is kept: `stringData` is for writing only. */
function contentOf(object: KubernetesObject): JsonObject {
  const { labels, annotations } = object.metadata;
  const content: JsonObject = { ...object, metadata: { labels: labels ?? {}, annotations: annotations ?? {} } };
  delete content['status'];
  if (object.kind !== 'Secret' || !isObject(object['stringData'])) return content;
  const written = Object.entries(object['stringData']).map(([key, value]): [string, Json | undefined] => [
    key,
    typeof value === 'string' ? Buffer.from(value).toString('base64') : value,
  ]);
  delete content['stringData'];
  content['data'] = { ...(isObject(object['data']) ? object['data'] : {}), ...Object.fromEntries(written) };
  return content;
}

function compare(recorded: Json | undefined, live: Json | undefined, place: Place): void {
  if (isLeftOut(place)) return;
  if (recorded === undefined) {
    compareAddition(live, place);
    return;
  }
  if (isObject(recorded) && isObject(live)) {
    for (const key of new Set([...Object.keys(recorded), ...Object.keys(live)]))
      compare(ownValue(recorded, key), ownValue(live, key), within(place, key, place.shape.fields.get(key)));
    return;
  }
  if (Array.isArray(recorded) && Array.isArray(live) && compareKeyed(recorded, live, place)) return;
  if (isSame(recorded, live, place) || isAsWritten(place)) return;
  report(recorded, live, place);
}

/** Somebody has added it. What nobody owns the server has filled in. */
function compareAddition(live: Json | undefined, place: Place): void {
  const { comparison, owners, path } = place;
  if (!comparison.additionsCount || live === undefined || path[0] === 'metadata') return;
  const others = owners.filter(({ entry }) => !isOwn(entry) && !isController(entry));
  if (others.length === 0) return;
  const isMixed = owners.length > others.length;
  // An entry of a list is told as a whole, a map field by field.
  const isWhole = place.isItem === true && !isMixed;
  if (!isWhole && isObject(live) && Object.keys(live).length > 0) {
    for (const key of Object.keys(live))
      compare(undefined, ownValue(live, key), within(place, key, place.shape.fields.get(key)));
    return;
  }
  if (!isMixed) report(undefined, live, place);
}

/** Lists whose entries have keys: entry by entry. False for all others. */
function compareKeyed(recorded: Json[], live: Json[], place: Place): boolean {
  const keys = listKeys(place.shape.keys, recorded, live);
  if (keys === undefined) return false;
  for (const { name, left, right } of pairEntries(recorded, live, keys))
    compare(left, right, within(place, name, place.shape.items, right ?? left));
  return true;
}

function within(place: Place, step: string, shape: ListShape | undefined, item?: Json): Place {
  const owners = place.owners.flatMap(({ entry, fields }) => {
    // Who owns a field as a whole owns all that is in it.
    if (Object.keys(fields).length === 0 && place.path.length > 0) return [{ entry, fields }];
    return ownersAt(fields, step, item).map((inner) => ({ entry, fields: inner }));
  });
  return {
    path: [...place.path, step],
    shape: shape ?? { fields: new Map() },
    owners,
    comparison: place.comparison,
    isItem: item !== undefined,
  };
}

const leftOut: readonly ((path: Path, options: DriftOptions) => boolean)[] = [
  (path) => path.length === 1 && (path[0] === 'apiVersion' || path[0] === 'kind'),
  // Told on its own: who has paused it, and since when.
  (path) => path.join('.') === 'spec.paused',
  (path, { autoscaled = false }) => autoscaled && path.join('.') === 'spec.replicas',
  // A restart brings no other version; and what we mark objects with is ours.
  (path) =>
    /^(?:kubectl\.kubernetes\.io\/|gke-rollout\/|deployment\.kubernetes\.io\/|pod-template-hash$)/.test(
      String(path.at(-1)),
    ),
  // What a strategy runs under another name has another selector.
  (path, { suffix }) =>
    suffix !== undefined && path[0] === 'spec' && path[1] === 'selector' && path[2] === 'matchLabels',
];

function isLeftOut({ path, comparison }: Place): boolean {
  return leftOut.some((test) => test(path, comparison.options));
}

/** Our own apply owns it, and has not been repeated since the revision was recorded: it is what was recorded. */
function isAsWritten({ owners, comparison: { options } }: Place): boolean {
  const { recordedAt = Infinity, inProgress = false } = options;
  return owners.some(
    ({ entry }) =>
      entry.manager === fieldManager &&
      entry.operation === 'Apply' &&
      (inProgress || Date.parse(entry.time ?? '') <= recordedAt + toleranceMs || entry.time === undefined),
  );
}

/** The server's clock and the runner's are not the same. */
const toleranceMs = 5_000;

function isOwn({ manager }: ManagedFieldsEntry): boolean {
  return manager.startsWith(fieldManager);
}

/** What belongs to the cluster itself does its work, and changes nobody's application. */
function isController({ manager }: ManagedFieldsEntry): boolean {
  return /^(?:kube-|kubelet|system:|cloud-controller|gke-|glbc|cluster-autoscaler|k3s)/.test(manager);
}

function isSame(recorded: Json, live: Json | undefined, { path, comparison }: Place): boolean {
  const { suffix } = comparison.options;
  return isAsStated(recorded, live, path, (one, other) => suffix !== undefined && other === `${one}${suffix}`);
}

function report(recorded: Json | undefined, live: Json | undefined, place: Place): void {
  const { comparison, owners, path } = place;
  const latest = owners
    .map(({ entry }) => entry)
    .toSorted((left, right) => (right.time ?? '').localeCompare(left.time ?? ''))[0];
  const shown = (value: Json | undefined) => valueShown(comparison.live.kind, path, value);
  const [before, after] = [shown(recorded), shown(live)];
  comparison.found.push({
    ref: refOf(comparison.live),
    field: nameOfField(path),
    ...(before === undefined ? {} : { recorded: before }),
    ...(after === undefined ? {} : { live: after }),
    ...(latest === undefined ? {} : { manager: latest.manager }),
    ...(latest?.time === undefined ? {} : { since: latest.time }),
  });
}
