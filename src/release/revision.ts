import { Failure } from '../base/errors.ts';
import { equal, stringsAt, type Json } from '../base/json.ts';
import { Misshapen } from '../base/shape.ts';
import type { KubernetesClient } from '../kubernetes/client.ts';
import { keyOf, refOf, type KubernetesObject, type ObjectRef } from '../kubernetes/object.ts';
import { imagesOf } from '../manifests/pod-template.ts';
import { keepWhatIsMeant } from '../manifests/as-meant.ts';
import { fieldManager } from '../apply/field-manager.ts';
import { describeKept } from './kept.ts';
import { revisionOf, type Revision } from './revision-shape.ts';
import {
  labelsOf,
  listRecords,
  readRecord,
  recordLabels,
  UnreadableRecord,
  type BrokenRecord,
  type StoredRecord,
} from './store.ts';

export const outcomeLabel = 'gke-rollout/outcome';

/** The highest number that a revision can have. */
const highest = 2_147_483_647;

/** Those of one release, oldest first. */
export async function listRevisions(client: KubernetesClient, namespace: string, release: string): Promise<Revision[]> {
  return lastLive(await listAsRecorded(client, namespace, release));
}

/** The same with more than one that says it is live, where a run has ended before it could mark the one before. */
export async function listAsRecorded(
  client: KubernetesClient,
  namespace: string,
  release: string,
): Promise<Revision[]> {
  return await list(client, namespace, labelsOf(release, 'revision'));
}

/** Of each release only the last one that says so is live. */
function lastLive(revisions: readonly Revision[]): Revision[] {
  const isLive = ({ outcome }: Revision) => outcome === 'live';
  const last = new Map(revisions.filter(isLive).map((revision) => [revision.release, revision]));
  return revisions.map((one): Revision =>
    isLive(one) && last.get(one.release) !== one ? { ...one, outcome: 'superseded', unmarked: true } : one,
  );
}

/** Those of all releases in the namespace. */
export async function listAllRevisions(client: KubernetesClient, namespace: string): Promise<Revision[]> {
  const { managedBy, record } = recordLabels;
  return lastLive(await list(client, namespace, { [managedBy]: fieldManager, [record]: 'revision' }));
}

/** What each release of the namespace has live. */
export async function listLiveRevisions(client: KubernetesClient, namespace: string): Promise<Revision[]> {
  const { managedBy, record } = recordLabels;
  const labels = { [managedBy]: fieldManager, [record]: 'revision', [outcomeLabel]: 'live' };
  // The label is only what it is found by.
  return lastLive(await list(client, namespace, labels)).filter(({ outcome }) => outcome === 'live');
}

async function list(client: KubernetesClient, namespace: string, labels: Record<string, string>): Promise<Revision[]> {
  const records = await listRecords(client, namespace, labels, checked);
  return records
    .map((record) => ('value' in record ? record.value : unreadable(record)))
    .sort((left, right) => left.revision - right.revision);
}

/** What a Secret holds that says it is a revision. @throws Misshapen */
function checked(value: Json, head: KubernetesObject): Revision {
  const release = stringsAt(head, 'metadata', 'labels')[recordLabels.release] ?? '';
  const revision = numberIn(head.metadata.name, release);
  if (revision === undefined)
    throw new Misshapen('', `is labelled as a revision of release "${release}", but is not named like one`);
  return asMeant(revisionOf(value, { release, revision }));
}

/** The number of a revision, which its Secret is named by; undefined for all other names. */
function numberIn(name: string, release: string): number | undefined {
  const prefix = `gke-rollout.${release}.v`;
  const number = name.startsWith(prefix) ? name.slice(prefix.length) : '';
  return /^[1-9]\d{0,9}$/.test(number) && Number(number) <= highest ? Number(number) : undefined;
}

export type RevisionName = Pick<Revision, 'release' | 'revision'>;

/** What its Secret is called. */
export function revisionSecret({ release, revision }: RevisionName): string {
  return `gke-rollout.${release}.v${revision}`;
}

/** Undefined for one that is not there or cannot be read. */
export async function readRevision(
  client: KubernetesClient,
  namespace: string,
  name: RevisionName,
): Promise<StoredRecord<Revision> | undefined> {
  const read = readRecord(client, namespace, revisionSecret(name), (value) => asMeant(revisionOf(value, name)));
  return await read.catch((error: unknown) => {
    if (error instanceof UnreadableRecord) return undefined;
    throw error;
  });
}

/** Revisions of before hold what an exported manifest had of the server, with which it could never be applied again. */
function asMeant(revision: Revision): Revision {
  for (const object of [...revision.objects, ...(revision.idle ?? [])]) keepWhatIsMeant(object);
  return revision;
}

/** Its number stays taken, and it is dropped when its time comes. One that is called otherwise has none. */
function unreadable({ name, labels, problem }: BrokenRecord): Revision {
  const release = labels[recordLabels.release] ?? '';
  return {
    release,
    revision: numberIn(name, release) ?? 0,
    outcome: 'unreadable',
    strategy: '',
    startedAt: '',
    finishedAt: '',
    images: {},
    objects: [],
    problem,
  };
}

/** What the user should know of the records: one sentence for each that cannot be read. */
export function problemsOfRevisions(revisions: readonly Revision[]): string[] {
  return revisions.flatMap(({ problem }) => (problem === undefined ? [] : [`${problem}; it is left out`]));
}

/** What stays in the cluster of runs that could not be undone completely, until a later revision is live: a sentence for each. */
export function remarksOnKept(revisions: readonly Revision[]): string[] {
  const live = liveRevision(revisions)?.revision ?? 0;
  return revisions
    .filter(({ revision }) => revision >= live)
    .flatMap(({ revision, kept = [] }) => kept.map((entry) => describeKept(entry, revision)));
}

/** Where a workload of a revision runs. */
export function runningRef({ serving = {} }: Revision, object: KubernetesObject): ObjectRef {
  const ref = refOf(object);
  return { ...ref, name: serving[keyOf(ref)] ?? ref.name };
}

/** The workloads that serve of those that take turns, by their keys. @param serving what each is called, by its own key */
export function servingKeys(serving: Readonly<Record<string, string>>): Set<string> {
  return new Set(Object.entries(serving).map(([key, name]) => `${key.slice(0, key.lastIndexOf('/') + 1)}${name}`));
}

export function liveRevision(revisions: readonly Revision[]): Revision | undefined {
  return revisions.findLast((revision) => revision.outcome === 'live');
}

/**
 * The commit that the objects of a revision come from. Of a rollback it is that of the revision that it has brought back:
 * earlier versions of this action have recorded the one that the rollback itself was started from.
 */
export function commitOf(
  revision: Pick<Revision, 'commit' | 'restores'> | undefined,
  revisions: readonly Revision[],
): string | undefined {
  const restored = revisions.find((one) => one.revision === revision?.restores);
  return restored === undefined ? revision?.commit : restored.commit;
}

/** What the hashes of config in the pod templates of the release are made with, once it has any. */
export function configKeyOf(revisions: readonly Revision[]): string | undefined {
  return revisions.findLast(({ configKey }) => configKey !== undefined)?.configKey;
}

/** Numbers are never used twice, also not those of revisions that failed or cannot be read. */
export function nextRevision(revisions: readonly Revision[]): number {
  const last = Math.max(0, ...revisions.map(({ revision }) => revision));
  if (last < highest) return last + 1;
  throw new Failure(`revision ${last} has the highest possible number, which no run of this action can have created`, {
    hint: 'Delete its Secret, whose name ends with this number.',
  });
}

/** What a revision records of images: `workload/container` → image. */
export function imagesIn(objects: readonly KubernetesObject[]): Record<string, string> {
  return Object.fromEntries(
    objects.flatMap((object) =>
      imagesOf(object).map(({ name, image = '' }) => [`${keyOf(refOf(object))}/${name}`, image]),
    ),
  );
}

/** Whether these are the very objects of a revision. */
export function isSameRelease({ objects }: Revision, manifests: readonly KubernetesObject[]): boolean {
  const recorded = new Map(objects.map((object) => [keyOf(refOf(object)), object]));
  return (
    recorded.size === manifests.length && manifests.every((object) => equal(recorded.get(keyOf(refOf(object))), object))
  );
}
