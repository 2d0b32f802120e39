import type { Json } from '../base/json.ts';
import type { KubernetesClient } from '../kubernetes/client.ts';
import { joinKept, type Kept } from './kept.ts';
import { tooMany } from './retention.ts';
import {
  listAsRecorded,
  listRevisions,
  liveRevision,
  outcomeLabel,
  readRevision,
  revisionSecret,
  type RevisionName,
} from './revision.ts';
import { withEvent, type ReleaseEvent } from './release-event.ts';
import { revisionOf, type Outcome, type Revision } from './revision-shape.ts';
import {
  deleteRecord,
  labelsOf,
  RecordTaken,
  secretRef,
  versionOf,
  writeRecord,
  type Expected,
  type StoredRecord,
  type Version,
} from './store.ts';

/**
 * Writes the revision, marks an older live one as superseded when the new one is live, and drops what nobody will miss.
 * @param earlier as they were read; the revision takes the place of the one of its number there, and of no other
 * @throws RecordTaken when somebody else has recorded one of that number
 */
export async function recordRevision(
  client: KubernetesClient,
  namespace: string,
  revision: Revision,
  earlier: readonly Revision[],
): Promise<void> {
  const tidyUp = await writeRevision(client, namespace, revision, earlier);
  await tidyUp.run();
}

/** What is left to do once a revision is recorded. */
export interface TidyUp {
  /** Marks older ones that say they are live, and drops records. It writes only in the place of what was read by then. */
  run(): Promise<void>;
  /** Whether it rewrites a record of several Secrets, which nobody must read meanwhile. */
  needsLock: boolean;
}

/** The same, but what follows from the record is left to whoever calls what it returns. */
export async function writeRevision(
  client: KubernetesClient,
  namespace: string,
  revision: Revision,
  earlier: readonly Revision[],
): Promise<TidyUp> {
  const replaced = earlier.find((old) => old.revision === revision.revision);
  const found = replaced === undefined ? undefined : await readRevision(client, namespace, revision);
  const isOurs = (there: Revision) => [revision, replaced].some((one) => one !== undefined && isOfSameRun(one, there));
  const written = write(client, namespace, revision, {
    ...(found !== undefined && isOurs(found.value) ? { version: found.version } : {}),
    isOurs: (value) => isOurs(revisionOf(value, revision)),
  });
  const before = earlier.filter((old) => old.revision !== revision.revision);
  const isReplaced = ({ outcome, unmarked }: Revision) => outcome === 'live' || unmarked === true;
  const older = revision.outcome === 'live' ? before.filter(isReplaced) : [];
  const after = [
    ...before.map((old): Revision => (older.includes(old) ? { ...old, outcome: 'superseded' } : old)),
    revision,
  ];
  const [recorded] = await Promise.all([
    // What cannot be read now is read when it is needed.
    Promise.all(older.map((old) => readRevision(client, namespace, old).catch(() => undefined))),
    written,
  ]);
  return {
    run: async () => {
      const supersede = async (old: Revision, index: number) =>
        await change(client, namespace, old, (one) => ({ ...one, outcome: 'superseded' }), recorded[index]);
      await Promise.all([...older.map(supersede), ...tooMany(after).map((old) => drop(client, namespace, old))]);
    },
    needsLock: recorded.some((record) => record !== undefined && record.parts > 0),
  };
}

/** What one run says of one revision at different times. */
function isOfSameRun(left: Revision, right: Revision): boolean {
  return left.startedAt === right.startedAt && left.run === right.run;
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
    const moved = { ...revision, release: to, formerly: [...new Set([...formerly, from])] };
    // A move that was killed half-way has written it already.
    const isOurs = (value: Json) => isOfSameRun(revisionOf(value, moved), moved);
    await write(client, namespace, moved, { isOurs });
  }
  for (const old of [...revisions.filter((one) => !ordered.includes(one)), ...ordered].reverse())
    await drop(client, namespace, { ...old, release: from });
}

/** A run may have died after it had recorded its revision as live, and before it could mark the one before as superseded. */
export async function supersedeOlder(client: KubernetesClient, namespace: string, release: string): Promise<void> {
  const revisions = await listAsRecorded(client, namespace, release);
  const live = liveRevision(revisions);
  const older = revisions.filter((revision) => revision.outcome === 'live' && revision !== live);
  await Promise.all(older.map(({ revision }) => setOutcome(client, namespace, release, revision, 'superseded')));
}

/** Says how a revision has ended. One that cannot be read stays as it is. */
export async function setOutcome(
  client: KubernetesClient,
  namespace: string,
  release: string,
  revision: number,
  outcome: Outcome,
): Promise<void> {
  await change(client, namespace, { release, revision }, (found) => ({ ...found, outcome }));
}

/**
 * Notes with a revision, by default with the live one, what was done to it.
 * @returns whether there is such a revision
 */
export async function recordEvent(
  client: KubernetesClient,
  namespace: string,
  { release, revision }: { release: string; revision: number | undefined },
  event: ReleaseEvent,
): Promise<boolean> {
  const revisions = await listRevisions(client, namespace, release);
  const found = revision === undefined ? liveRevision(revisions) : revisions.find((one) => one.revision === revision);
  if (found === undefined) return false;
  return await change(client, namespace, found, (one) => ({ ...one, events: withEvent(one.events, event) }));
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
  if (found === undefined) return;
  await change(client, namespace, found, (one) => ({ ...one, kept: joinKept(one.kept ?? [], kept) }));
}

/** How often a record is read anew that somebody else has changed before it was written. */
const maxChanges = 5;

/**
 * Changes a record as it is now; one that is gone, or cannot be read, stays as it is. A pause is noted without the lock, so that
 * somebody else may write at the same moment: then what is there by then is changed.
 * @returns whether there is one
 * @throws RecordTaken when it is another one by then, or has another outcome
 */
async function change(
  client: KubernetesClient,
  namespace: string,
  name: RevisionName,
  by: (revision: Revision) => Revision,
  read?: StoredRecord<Revision>,
): Promise<boolean> {
  let found = read ?? (await readRevision(client, namespace, name));
  for (let attempt = 1; found !== undefined; attempt += 1) {
    const { value, version } = found;
    try {
      await write(client, namespace, by(value), { version, isOurs: () => false });
      return true;
    } catch (error) {
      if (!(error instanceof RecordTaken) || attempt === maxChanges) throw error;
      found = await readRevision(client, namespace, name);
      // Somebody else was quicker with the very same.
      if (found !== undefined && isOfSameRun(found.value, value) && isDone(value, found.value, by)) return true;
      const isSame = found === undefined || (isOfSameRun(found.value, value) && found.value.outcome === value.outcome);
      if (!isSame) throw error;
    }
  }
  return false;
}

/** Whether a change was to make another outcome of a record, and it has that by now. */
function isDone(before: Revision, now: Revision, by: (revision: Revision) => Revision): boolean {
  const { outcome } = by(before);
  return outcome !== before.outcome && outcome === now.outcome;
}

/** Deletes the record of this revision. One of the same number that another run has made since stays. */
async function drop(client: KubernetesClient, namespace: string, old: Revision): Promise<void> {
  const { release } = old;
  const ref = { namespace, name: revisionSecret(old), release };
  const version = await versionToDrop(client, namespace, old);
  const isOurs = (value: Json) => isOfSameRun(revisionOf(value, old), old);
  if (version !== undefined) await deleteRecord(client, ref, { version, isOurs });
}

async function versionToDrop(client: KubernetesClient, namespace: string, old: Revision): Promise<Version | undefined> {
  if (old.problem === undefined) {
    const found = await readRevision(client, namespace, old);
    return found !== undefined && isOfSameRun(found.value, old) ? found.version : undefined;
  }
  const head = await client.read(secretRef(namespace, revisionSecret(old)));
  return head === undefined ? undefined : versionOf(head);
}

async function write(
  client: KubernetesClient,
  namespace: string,
  revision: Revision,
  expected: Expected,
): Promise<void> {
  const labels = { ...labelsOf(revision.release, 'revision'), [outcomeLabel]: revision.outcome };
  const ref = { namespace, name: revisionSecret(revision), release: revision.release };
  const content = { ...revision };
  delete content.unmarked;
  await writeRecord(client, ref, labels, content, expected);
}
