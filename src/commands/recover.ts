import { messageOf } from '../base/errors.ts';
import { containersOf } from '../manifests/pod-template.ts';
import { keyOf, refOf } from '../kubernetes/object.ts';
import { readJournal, type JournalRecord } from '../release/journal.ts';
import { acquireLock, releaseLeftLock } from '../release/lock.ts';
import { isFinished, listRevisions, liveRevision, recordRevision, setOutcome } from '../release/revision.ts';
import type { ChangeOptions, Context } from './context.ts';
import { Draft } from './draft.ts';
import { finishLeftover, noLongerWaiting, ownSteps, undoJournal } from './guarded-change.ts';
import { retireLeftover, type RetireOptions } from './keep-old.ts';
import type { RunReport } from './report.ts';

/**
 * What the post step does after a main step that was cancelled or killed: undo what its journal lists. Undefined when
 * there is nothing to do.
 */
export async function recover(context: Context, options: Required<ChangeOptions>): Promise<RunReport | undefined> {
  const report = await undoOwn(context, options);
  if (report === undefined) await retireOwn(context, { ...options, timeoutMs: options.undoTimeoutMs });
  return report;
}

async function undoOwn(
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
    if (ownSteps(journal.record).length === 0) return undefined;
    const record = async (undone: boolean) => {
      // What was to be promoted waits as before.
      if (journal.record.waiting !== undefined) return;
      await recordCancelled(context, namespace, journal.record, undone).catch((error: unknown) => {
        reporter.warning(`this cancelled revision could not be recorded: ${messageOf(error)}`);
      });
    };
    if (!undoOnFailure) {
      await journal.accept();
      await record(false);
      return draft.finish('cancelled', `The ${journal.record.command} of ${release} was cancelled and left as it is`);
    }
    const undo = await undoJournal(context, journal, undoTimeoutMs);
    if (journal.record.waiting === undefined) await noLongerWaiting(context, journal.record, { release, namespace });
    draft.add({ undo });
    await record(undo.complete);
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

/** What served before a switch of this run, which is not there any more to keep it: that has no time left. */
async function retireOwn(context: Context, options: RetireOptions): Promise<void> {
  const { client, run } = context;
  const live = liveRevision(await listRevisions(client, options.namespace, options.release));
  if (live === undefined || run.url === undefined || live.run !== run.url) return;
  await retireLeftover(context, options, live, new Draft(context, 'undo', options), Number.POSITIVE_INFINITY);
}

/** The history tells of a run that was cancelled too; what it would have applied in all, its post step does not know. */
async function recordCancelled(
  { client, clock }: Context,
  namespace: string,
  { release, revision, run, startedAt, entries }: JournalRecord,
  undone: boolean,
): Promise<void> {
  if (revision === undefined) return;
  const { url, commit, actor } = run;
  const revisions = await listRevisions(client, namespace, release);
  const recorded = revisions.find((entry) => entry.revision === revision);
  if (recorded !== undefined) {
    // It was killed between the record of its candidate and the end of its journal.
    if (recorded.outcome === 'waiting') await setOutcome(client, namespace, release, revision, 'failed');
    return;
  }
  const written = entries.flatMap(({ after }) => (after === null ? [] : [after]));
  const images = written.flatMap((object) =>
    containersOf(object).map(({ name, image = '' }): [string, string] => [`${keyOf(refOf(object))}/${name}`, image]),
  );
  const cancelled = {
    release,
    revision,
    outcome: undone ? ('undone' as const) : ('failed' as const),
    strategy: '',
    startedAt,
    finishedAt: new Date(clock.now()).toISOString(),
    ...(commit === undefined ? {} : { commit }),
    ...(url === undefined ? {} : { run: url }),
    ...(actor === undefined ? {} : { actor }),
    images: Object.fromEntries(images),
    objects: [],
  };
  await recordRevision(client, namespace, cancelled, revisions);
}
