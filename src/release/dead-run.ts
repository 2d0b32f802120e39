import { messageOf } from '../base/errors.ts';
import { serverTimestamp } from '../kubernetes/server-time.ts';
import type { Kept } from './kept.ts';
import { recordRevision, setOutcome } from './record-revision.ts';
import { imagesIn, listRevisions } from './revision.ts';
import type { Context } from './context.ts';
import type { JournalRecord } from './journal-shape.ts';

/**
 * The history tells of a run that was cancelled or killed too; what it would have applied in all, whoever comes after it does
 * not know. Where it cannot be recorded, that is said.
 */
export async function recordDead(
  context: Context,
  namespace: string,
  record: JournalRecord,
  outcome: 'undone' | 'failed',
  kept: readonly Kept[] = [],
): Promise<void> {
  await writeDead(context, namespace, record, outcome, kept).catch((error: unknown) => {
    context.reporter.warning(`this cancelled revision could not be recorded: ${messageOf(error)}`);
  });
}

async function writeDead(
  { client, clock }: Context,
  namespace: string,
  { release, revision, run, startedAt, entries }: JournalRecord,
  outcome: 'undone' | 'failed',
  kept: readonly Kept[],
): Promise<void> {
  if (revision === undefined) return;
  const { url, commit, actor, reason } = run;
  const revisions = await listRevisions(client, namespace, release);
  const recorded = revisions.find((entry) => entry.revision === revision);
  if (recorded !== undefined) {
    // It was killed between the record of its candidate and the end of its journal.
    if (recorded.outcome === 'waiting') await setOutcome(client, namespace, release, revision, 'failed');
    return;
  }
  const written = entries.flatMap(({ after }) => (after === null ? [] : [after]));
  const dead = {
    release,
    revision,
    outcome,
    strategy: '',
    startedAt,
    finishedAt: serverTimestamp(client, clock),
    ...(commit === undefined ? {} : { commit }),
    ...(url === undefined ? {} : { run: url }),
    ...(actor === undefined ? {} : { actor }),
    ...(reason === undefined ? {} : { reason }),
    images: imagesIn(written),
    objects: [],
    ...(kept.length === 0 ? {} : { kept: [...kept] }),
  };
  await recordRevision(client, namespace, dead, revisions);
}
