import { Failure } from '../base/errors.ts';
import { equal, stringsAt, type Json } from '../base/json.ts';
import { Misshapen } from '../base/shape.ts';
import type { KubernetesClient } from '../kubernetes/client.ts';
import { keyOf, refOf, type KubernetesObject, type ObjectRef } from '../kubernetes/object.ts';
import { keepWhatIsMeant } from '../manifests/as-meant.ts';
import { fieldManager } from './field-manager.ts';
import { describeKept, type Kept } from './kept.ts';
import { revisionOf } from './revision-shape.ts';
import {
  labelsOf,
  listRecords,
  readRecord,
  recordLabels,
  UnreadableRecord,
  type BrokenRecord,
  type StoredRecord,
} from './store.ts';

/**
 * How a revision ended; `live` is the only one that an undo or a rollback goes to by itself. One that is `waiting` has not:
 * it becomes `live` when it is promoted, or `aborted`.
 */
export type Outcome = 'live' | 'superseded' | 'undone' | 'failed' | 'waiting' | 'aborted' | 'unreadable';

/** One recorded version of a release: everything that is needed to bring it back without a checkout. */
export interface Revision {
  release: string;
  revision: number;
  outcome: Outcome;
  strategy: string;
  /** ISO 8601. */
  startedAt: string;
  finishedAt: string;
  /** The revision whose objects these are, after a rollback. */
  restores?: number;
  commit?: string;
  run?: string;
  actor?: string;
  /** `workload/container` → image. */
  images: Record<string, string>;
  /**
   * Every object as it was meant: as the user's manifests have it, with the inputs of the run. None of a run that was
   * cancelled before it knew.
   */
  objects: KubernetesObject[];
  /** What workloads of these are called where a strategy runs them under another name, by their keys. */
  serving?: Record<string, string>;
  /** Where the user has written two sides: what the files of the one hold that was not brought in. */
  idle?: KubernetesObject[];
  /** What earlier revisions had and this one lacks, as far as it was still in the cluster. */
  left?: ObjectRef[];
  /** What served before it and stays until then (ISO 8601); afterwards whichever run comes scales it to 0. */
  retiring?: { refs: ObjectRef[]; until: string };
  /** What its run, or a later one that made no revision, has changed and an undo could not bring back. */
  kept?: Kept[];
  /** What the hashes of config in pod templates are made with: the same in all revisions of a release. */
  configKey?: string;
  /** Whether pods are made anew when only their config changes; absent: they are. */
  restartOnConfig?: boolean;
  /** What the release was called before, where its history has come along. */
  formerly?: string[];
  /** Why there is nothing of it but its number. */
  problem?: string;
}

export const outcomeLabel = 'gke-rollout/outcome';

/** The highest number that a revision can have. */
const highest = 2_147_483_647;

/** Those of one release, oldest first. */
export async function listRevisions(client: KubernetesClient, namespace: string, release: string): Promise<Revision[]> {
  return await list(client, namespace, labelsOf(release, 'revision'));
}

/** Those of all releases in the namespace. */
export async function listAllRevisions(client: KubernetesClient, namespace: string): Promise<Revision[]> {
  const { managedBy, record } = recordLabels;
  return await list(client, namespace, { [managedBy]: fieldManager, [record]: 'revision' });
}

/** What each release of the namespace has live. */
export async function listLiveRevisions(client: KubernetesClient, namespace: string): Promise<Revision[]> {
  const { managedBy, record } = recordLabels;
  const labels = { [managedBy]: fieldManager, [record]: 'revision', [outcomeLabel]: 'live' };
  // The label is only what it is found by.
  const revisions = (await list(client, namespace, labels)).filter(({ outcome }) => outcome === 'live');
  const last = new Map(revisions.map((revision) => [revision.release, revision]));
  return [...last.values()];
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
    throw new Misshapen('', `has not the name of a revision of release "${release}", which its labels say it is`);
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

export function liveRevision(revisions: readonly Revision[]): Revision | undefined {
  return revisions.findLast((revision) => revision.outcome === 'live');
}

/** What the hashes of config in the pod templates of the release are made with, once it has any. */
export function configKeyOf(revisions: readonly Revision[]): string | undefined {
  return revisions.findLast(({ configKey }) => configKey !== undefined)?.configKey;
}

/** Numbers are never used twice, also not those of revisions that failed or cannot be read. */
export function nextRevision(revisions: readonly Revision[]): number {
  const last = Math.max(0, ...revisions.map(({ revision }) => revision));
  if (last < highest) return last + 1;
  throw new Failure(`there is no number left after revision ${last}, which no run of this action can have made`, {
    hint: 'Delete its Secret, whose name ends with this number.',
  });
}

/** Whether a run had come to its end but for closing its journal: then what it wrote is what is live, and not to be undone. */
export async function isFinished(
  client: KubernetesClient,
  namespace: string,
  { release, revision }: { release: string; revision?: number },
): Promise<boolean> {
  if (revision === undefined) return false;
  return liveRevision(await listRevisions(client, namespace, release))?.revision === revision;
}

/** Whether these are the very objects of a revision. */
export function isSameRelease({ objects }: Revision, manifests: readonly KubernetesObject[]): boolean {
  const recorded = new Map(objects.map((object) => [keyOf(refOf(object)), object]));
  return (
    recorded.size === manifests.length && manifests.every((object) => equal(recorded.get(keyOf(refOf(object))), object))
  );
}
