import { Bounds } from '../release/bounds.ts';
import { readJournal } from '../release/journal.ts';
import { keptOf, type Kept } from '../release/kept.ts';
import { acquireLock, releaseLeftLock } from '../release/lock.ts';
import { leftoverIn } from '../release/leftover.ts';
import { listRevisions, liveRevision } from '../release/revision.ts';
import { UnreadableRecord } from '../release/store.ts';
import type { ChangeOptions, Context } from '../release/context.ts';
import { recordDead } from '../release/dead-run.ts';
import { Report } from '../report/report.ts';
import { describeUndo, tellServing } from './failed-change.ts';
import { finishLeftover, recordUndone } from '../release/change.ts';
import { retireLeftover, type RetireOptions } from './keep-old.ts';
import type { RunReport } from '../report/run-report.ts';
import { ownSteps, undoJournal } from '../release/undo-journal.ts';

interface RecoverOptions extends Required<ChangeOptions> {
  /** The main step was not cancelled or killed: it has tried to undo what it did, in vain. */
  hasFailed?: boolean;
}

/** An undo is begun also when the way to the cluster has used the time for it up. */
const leastUndoMs = 5000;

/**
 * What the post step does after a main step that was cancelled or killed, or could not undo what it had done: undo what its
 * journal lists. Undefined when there is nothing to do.
 */
export async function recover(context: Context, options: RecoverOptions): Promise<RunReport | undefined> {
  // What is undone here stands in a record; the files of the main step are not read again.
  new Bounds(context.client, options).guard();
  const report = await undoOwn(context, options);
  // A run that has failed has switched nothing for good.
  if (report === undefined && options.hasFailed !== true) await retireOwn(context, options);
  return report;
}

async function undoOwn(
  context: Context,
  { release, namespace, undoOnFailure, undoTimeoutMs, hasFailed = false }: RecoverOptions,
): Promise<RunReport | undefined> {
  const { client, clock, limit, reporter, signal, run } = context;
  const left = await readJournal(client, namespace, release).catch(async (error: unknown) => {
    // Nobody is to wait for a run that cannot go on.
    if (error instanceof UnreadableRecord) await releaseLeftLock(client, namespace, release, run.holder);
    throw error;
  });
  if (left?.record.run.holder !== run.holder) {
    await releaseLeftLock(client, namespace, release, run.holder);
    return undefined;
  }
  const deadline = Math.min(limit.until, clock.now() + undoTimeoutMs);
  const about = { ...run, command: left.record.command };
  // The main step held the lock by the same name, so that there is nothing to wait for, unless it had given it back.
  const lock = await acquireLock(client, namespace, release, run.holder, { about, clock, reporter, deadline, signal });
  try {
    const journal = await readJournal(client, namespace, release);
    // Another run has come in between, and has dealt with what was left.
    if (journal?.record.run.holder !== run.holder) return undefined;
    const report = new Report(context, journal.record.command, { release, namespace });
    const { state } = leftoverIn(journal, await listRevisions(client, namespace, release));
    if (state === 'finished') {
      await finishLeftover(context, journal, { release, namespace });
      reporter.info(`The ${journal.record.command} of ${release} had already finished when it was cancelled`);
      return undefined;
    }
    // A candidate that waits had come to its end too; what was begun after it had not.
    if (ownSteps(journal.record).length === 0) return undefined;
    const record = async (undone: boolean, kept: readonly Kept[] = []) => {
      // What was to be promoted waits as before.
      if (journal.record.waiting !== undefined) return;
      await recordDead(context, namespace, journal.record, undone ? 'undone' : 'failed', kept);
    };
    if (!undoOnFailure) {
      await journal.accept();
      await record(false);
      return report.finish('cancelled', `${release}: ${journal.record.command} was cancelled and left as it is`);
    }
    // What the main step of the same run has tried is no other run's try.
    delete journal.record.undoAttempts;
    const undo = await undoJournal(context, journal, Math.max(deadline - clock.now(), leastUndoMs));
    if (journal.record.waiting === undefined) await recordUndone(context, journal.record, { release, namespace }, undo);
    report.tellUndo(undo);
    await record(undo.complete, keptOf(undo));
    const serves = await tellServing(context, { namespace, release }, report, undo);
    return report.finish(
      undo.complete ? 'undone' : 'failed',
      `${release}: ${journal.record.command} ${hasFailed ? 'failed' : 'was cancelled'} ${describeUndo(undo)}${serves}`,
    );
  } finally {
    await lock.release();
  }
}

/** What served before a switch of this run, which is not there any more to keep it: that has no time left. */
async function retireOwn(context: Context, options: RetireOptions): Promise<void> {
  const { client, run } = context;
  const live = liveRevision(await listRevisions(client, options.namespace, options.release));
  if (live === undefined || run.url === undefined || live.run !== run.url) return;
  await retireLeftover(context, options, live, new Report(context, 'undo', options), Number.POSITIVE_INFINITY);
}

/**
 * What a run has recorded that had nothing to undo: it may have come to its end before it was cancelled. Undefined where it had
 * not begun to change anything, and of commands that make no revision.
 */
export async function recordedEnd(
  { client, run }: Pick<Context, 'client' | 'run'>,
  { release, namespace }: Pick<Required<ChangeOptions>, 'release' | 'namespace'>,
): Promise<'live' | 'waiting' | undefined> {
  if (run.url === undefined) return undefined;
  const last = (await listRevisions(client, namespace, release)).findLast((revision) => revision.run === run.url);
  return last?.outcome === 'live' || last?.outcome === 'waiting' ? last.outcome : undefined;
}
