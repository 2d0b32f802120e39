import { equal } from '../base/json.ts';
import type { KubernetesClient } from '../kubernetes/client.ts';
import { keyOf, refOf, type KubernetesObject, type ObjectRef } from '../kubernetes/object.ts';
import { keepWhatIsMeant } from '../manifests/as-meant.ts';
import { fieldManager } from './field-manager.ts';
import { describeKept, joinKept, type Kept } from './kept.ts';
import { tooMany } from './retention.ts';
import { deleteRecord, labelsOf, listRecords, recordLabels, writeRecord, type BrokenRecord } from './store.ts';

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

const outcomeLabel = 'gke-rollout/outcome';

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
  const revisions = await list(client, namespace, labels);
  const last = new Map(revisions.map((revision) => [revision.release, revision]));
  return [...last.values()];
}

async function list(client: KubernetesClient, namespace: string, labels: Record<string, string>): Promise<Revision[]> {
  const records = await listRecords(client, namespace, labels);
  return records
    .map((record) => ('value' in record ? asMeant(record.value as unknown as Revision) : unreadable(record)))
    .sort((left, right) => left.revision - right.revision);
}

/** Revisions of before hold what an exported manifest had of the server, with which it could never be applied again. */
function asMeant(revision: Revision): Revision {
  for (const object of [...revision.objects, ...(revision.idle ?? [])]) keepWhatIsMeant(object);
  return revision;
}

/** Its number stays taken, and it is dropped when its time comes. */
function unreadable({ name, labels, problem }: BrokenRecord): Revision {
  return {
    release: labels[recordLabels.release] ?? '',
    revision: Number(/\.v(\d+)$/.exec(name)?.[1] ?? 0),
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

/** Numbers are never used twice, also not those of revisions that failed. */
export function nextRevision(revisions: readonly Revision[]): number {
  return (revisions.at(-1)?.revision ?? 0) + 1;
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

/** Writes the revision, marks an older live one as superseded when the new one is live, and drops what nobody will miss. */
export async function recordRevision(
  client: KubernetesClient,
  namespace: string,
  revision: Revision,
  earlier: readonly Revision[],
): Promise<void> {
  await write(client, namespace, revision);
  const before = earlier.filter((old) => old.revision !== revision.revision);
  const live = revision.outcome === 'live' ? liveRevision(before) : undefined;
  const superseded: Revision | undefined = live && { ...live, outcome: 'superseded' };
  if (superseded !== undefined) await write(client, namespace, superseded);
  const after = [...before.map((old) => (old === live ? (superseded ?? old) : old)), revision];
  await Promise.all(
    tooMany(after).map((old) => deleteRecord(client, { namespace, name: nameOf(old), release: old.release })),
  );
}

/**
 * Moves records to another name. The live one is written last and removed first, so that at no moment neither name has it; doing it
 * again after a kill ends in the same state.
 */
export async function moveHistory(
  client: KubernetesClient,
  namespace: string,
  revisions: readonly Revision[],
  { from, to }: { from: string; to: string },
): Promise<void> {
  const readable = revisions.filter(({ problem }) => problem === undefined);
  const ordered = [...readable].sort(
    (left, right) => Number(left.outcome === 'live') - Number(right.outcome === 'live'),
  );
  for (const revision of ordered) {
    const { formerly = [] } = revision;
    await write(client, namespace, { ...revision, release: to, formerly: [...new Set([...formerly, from])] });
  }
  for (const old of [...revisions.filter((one) => !ordered.includes(one)), ...ordered].reverse())
    await deleteRecord(client, { namespace, name: nameOf(old), release: from });
}

/** A run may have died after it had recorded its revision as live, and before it could mark the one before as superseded. */
export async function supersedeOlder(client: KubernetesClient, namespace: string, release: string): Promise<void> {
  const revisions = await listRevisions(client, namespace, release);
  const live = liveRevision(revisions);
  const older = revisions.filter((revision) => revision.outcome === 'live' && revision !== live);
  await Promise.all(older.map((revision) => write(client, namespace, { ...revision, outcome: 'superseded' })));
}

/** Says how a revision that was waiting has ended. */
export async function setOutcome(
  client: KubernetesClient,
  namespace: string,
  release: string,
  revision: number,
  outcome: Outcome,
): Promise<void> {
  const revisions = await listRevisions(client, namespace, release);
  const found = revisions.find((entry) => entry.revision === revision);
  // What cannot be read is not written over.
  if (found !== undefined && found.problem === undefined) await write(client, namespace, { ...found, outcome });
}

/** Notes with a revision, by default with the live one, what could not be brought back. */
export async function recordKept(
  client: KubernetesClient,
  namespace: string,
  release: string,
  revision: number | undefined,
  kept: readonly Kept[],
): Promise<void> {
  const revisions = await listRevisions(client, namespace, release);
  const found = revisions.find((entry) => entry.revision === revision) ?? liveRevision(revisions);
  if (found === undefined || found.problem !== undefined) return;
  await write(client, namespace, { ...found, kept: joinKept(found.kept ?? [], kept) });
}

async function write(client: KubernetesClient, namespace: string, revision: Revision): Promise<void> {
  const labels = { ...labelsOf(revision.release, 'revision'), [outcomeLabel]: revision.outcome };
  const ref = { namespace, name: nameOf(revision), release: revision.release };
  await writeRecord(client, ref, labels, JSON.parse(JSON.stringify(revision)) as never);
}

function nameOf({ release, revision }: Revision): string {
  return `gke-rollout.${release}.v${revision}`;
}
