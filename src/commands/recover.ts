import { readJournal, stepsBackwards } from '../release/journal.ts';
import { acquireLock, releaseLeftLock } from '../release/lock.ts';
import { isFinished } from '../release/revision.ts';
import type { ChangeOptions, Context } from './context.ts';
import { Draft } from './draft.ts';
import { finishLeftover, firstOwnStep, noLongerWaiting, undoJournal } from './guarded-change.ts';
import type { RunReport } from './report.ts';

/**
 * What the post step does after a main step that was cancelled or killed: undo what its journal lists. Undefined when
 * there is nothing to do.
 */
export async function recover(
  context: Context,
  { release, namespace, undoOnFailure, undoTimeoutMs }: Required<ChangeOptions>,
): Promise<RunReport | undefined> {
  const { client, clock, reporter, signal, run } = context;
  const journal = await readJournal(client, namespace, release);
  if (journal?.record.run.holder !== run.holder) {
    await releaseLeftLock(client, namespace, release, run.holder);
    return undefined;
  }
  const deadline = clock.now() + undoTimeoutMs;
  // The main step held the lock by the same name, so that there is nothing to wait for.
  const lock = await acquireLock(client, namespace, release, run.holder, { clock, reporter, deadline, signal });
  try {
    const draft = new Draft(context, journal.record.command, { release, namespace });
    if (await isFinished(client, namespace, journal.record)) {
      await finishLeftover(context, journal, { release, namespace, timeoutMs: undoTimeoutMs });
      reporter.info(`The ${journal.record.command} of ${release} had come to its end before it was cancelled`);
      return undefined;
    }
    // A candidate that waits had come to its end too; what was begun after it had not.
    if (stepsBackwards(journal.record.entries, firstOwnStep(journal.record)).length === 0) return undefined;
    if (!undoOnFailure) {
      await journal.accept();
      return draft.finish('cancelled', `The ${journal.record.command} of ${release} was cancelled and left as it is`);
    }
    const undo = await undoJournal(context, journal, undoTimeoutMs);
    if (journal.record.waiting === undefined) await noLongerWaiting(context, journal.record, { release, namespace });
    draft.add({ undo });
    return undo.complete
      ? draft.finish('undone', `The ${journal.record.command} of ${release} was cancelled and undone`)
      : draft.finish(
          'failed',
          `The ${journal.record.command} of ${release} was cancelled and could not be undone completely`,
        );
  } finally {
    await lock.release();
  }
}
