import { Cancelled, Failure, messageOf } from '../base/errors.ts';
import { describeRef } from '../kubernetes/object.ts';
import { Journal, readJournal } from '../release/journal.ts';
import { acquireLock, type Lock } from '../release/lock.ts';
import { isFinished } from '../release/revision.ts';
import { undo } from '../release/undo.ts';
import type { UndoReport, UndoResult } from '../release/undo-report.ts';
import { isWorkload } from '../manifests/pod-template.ts';
import { waitForRollout } from '../rollout/tracker.ts';
import type { ChangeOptions, Context } from './context.ts';

/** A change under way: the lock is held, and everything is written down before it is done. */
export interface GuardedChange {
  journal: Journal;
  /** Until when all of it must be ready, milliseconds since the epoch. */
  deadline: number;
  /** Aborts when the run is cancelled or the lock is lost. */
  signal: AbortSignal;
  /** Somebody else was at work since this run began, or a dead run was undone: what was read before may be stale. */
  stale: boolean;
}

export interface ChangeFailure {
  error: unknown;
  /** Absent when nothing was to be undone. */
  undo?: UndoReport;
}

export type ChangeOutcome<T> = { state: 'done'; result: T } | { state: 'failed'; failure: ChangeFailure };

export interface ChangeTask<T> {
  command: string;
  work(change: GuardedChange): Promise<T>;
  /** Looks at the cluster while what has failed is still there. */
  beforeUndo(error: unknown): Promise<void>;
  /** Called after the undo, still under the lock. */
  afterFailure?(failure: ChangeFailure): Promise<void>;
}

/**
 * Runs a task under the lock of the release and with a journal. When its work throws, the journal is undone. A cancelled
 * run stops at once and leaves journal and lock to its post step.
 * @throws Cancelled
 */
export async function guardedChange<T>(
  context: Context,
  options: Required<ChangeOptions>,
  task: ChangeTask<T>,
): Promise<ChangeOutcome<T>> {
  const lock = await lockRelease(context, options);
  try {
    return await underLock(context, options, task, lock);
  } catch (error) {
    if (context.signal.aborted) throw new Cancelled();
    throw error;
  } finally {
    if (!context.signal.aborted) await lock.release();
  }
}

async function underLock<T>(
  context: Context,
  options: Required<ChangeOptions>,
  task: ChangeTask<T>,
  lock: Lock,
): Promise<ChangeOutcome<T>> {
  const { client, clock } = context;
  const recovered = await undoLeftover(context, options);
  const journal = new Journal(client, options.namespace, {
    release: options.release,
    command: task.command,
    run: context.run,
    startedAt: new Date(clock.now()).toISOString(),
    undoOnFailure: options.undoOnFailure,
    entries: [],
  });
  try {
    const result = await task.work({
      journal,
      deadline: clock.now() + options.timeoutMs,
      signal: AbortSignal.any([context.signal, lock.lost]),
      stale: lock.contended || recovered,
    });
    await journal.close();
    return { state: 'done', result };
  } catch (error) {
    if (context.signal.aborted || lock.lost.aborted) throw error;
    const failure = await handleFailure(context, options, journal, error, task);
    await task.afterFailure?.(failure);
    return { state: 'failed', failure };
  }
}

async function handleFailure(
  context: Context,
  options: Required<ChangeOptions>,
  journal: Journal,
  error: unknown,
  task: ChangeTask<unknown>,
): Promise<ChangeFailure> {
  await task.beforeUndo(error).catch((reason: unknown) => {
    context.reporter.debug(`looking for the cause failed: ${messageOf(reason)}`);
  });
  if (journal.record.entries.length === 0) return { error };
  if (!options.undoOnFailure) {
    // The failed state is what the user asked to keep: the next run starts from it.
    await journal.close();
    return { error };
  }
  return { error, undo: await undoJournal(context, journal, options.undoTimeoutMs) };
}

/** Undoes what a journal lists, waits until the workloads are as they were, and closes the journal if all is back. */
export async function undoJournal(context: Context, journal: Journal, timeoutMs: number): Promise<UndoReport> {
  const { client, clock, reporter } = context;
  return await reporter.group('Undo', async () => {
    const deadline = clock.now() + timeoutMs;
    const report = await undo(client, journal.record.entries, { reporter, clock, deadline });
    for (const result of report.results) reporter.info(`${describeRef(result.ref, true)}: ${outcomeOf(result)}`);
    const settled = await waitForRestored(context, report, deadline);
    // What failed may succeed when it is tried again; what somebody else changed will not.
    if (!report.results.some(({ outcome }) => outcome === 'failed')) await journal.close();
    return settled ? report : { ...report, complete: false, unsettled: true };
  });
}

function outcomeOf(result: UndoResult): string {
  switch (result.outcome) {
    case 'restored':
      return result.note === undefined ? 'restored' : `restored (${result.note})`;
    case 'partly':
      return `restored in part: somebody else has changed ${result.fields.join(', ')} since`;
    case 'failed':
      return `failed: ${result.message}`;
    case 'kept':
      return 'kept, because it may hold data';
    case 'untouched':
    case 'deleted':
      return result.outcome;
  }
}

/** False when a restored workload did not become ready again in time. */
async function waitForRestored(context: Context, report: UndoReport, deadline: number): Promise<boolean> {
  const { client, clock, reporter, signal } = context;
  const refs = report.results
    .filter(({ outcome }) => outcome === 'restored' || outcome === 'partly')
    .map(({ ref }) => ref);
  const objects = (await Promise.all(refs.map((ref) => client.read(ref)))).filter((object) => object !== undefined);
  const targets = objects.filter(isWorkload).map((object) => ({ object, changed: true, writtenAt: clock.now() }));
  if (targets.length === 0) return true;
  const result = await waitForRollout(client, targets, { reporter, clock, deadline, signal });
  if (result.outcome !== 'ready') reporter.warning('the restored workloads are not ready again');
  return result.outcome === 'ready';
}

async function lockRelease(
  context: Context,
  { release, namespace, timeoutMs }: Required<ChangeOptions>,
): Promise<Lock> {
  const { client, clock, reporter, signal, run } = context;
  // Said before the lock is taken: a run that is killed right after must be found by its post step.
  context.onChangeBegins({ release, namespace });
  const deadline = clock.now() + timeoutMs;
  return await acquireLock(client, namespace, release, run.holder, { clock, reporter, deadline, signal });
}

/** True when an earlier run had died, and what it left has been dealt with now. */
async function undoLeftover(context: Context, options: Required<ChangeOptions>): Promise<boolean> {
  const leftover = await readJournal(context.client, options.namespace, options.release);
  if (leftover === undefined) return false;
  if (await isFinished(context.client, options.namespace, leftover.record)) {
    await leftover.close();
    return true;
  }
  const { command, run, startedAt, undoOnFailure } = leftover.record;
  context.reporter.warning(
    `an earlier "${command}" of release "${options.release}" (${run.url ?? run.holder}, ${startedAt}) was killed before its end`,
  );
  if (!undoOnFailure) {
    await leftover.close();
    return true;
  }
  const report = await undoJournal(context, leftover, options.undoTimeoutMs);
  if (report.results.some(({ outcome }) => outcome === 'failed')) {
    throw new Failure(`an earlier "${command}" of release "${options.release}" was killed, and cannot be undone now`, {
      hint: 'See the lines of the undo above, mend what they name, and run it again.',
    });
  }
  return true;
}
