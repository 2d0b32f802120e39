import { Cancelled, Failure, InvalidInput, messageOf } from '../base/errors.ts';
import { nameGoing } from '../kubernetes/going.ts';
import { serverTimestamp } from '../kubernetes/server-time.ts';
import { Journal } from './journal.ts';
import { keptOf } from './kept.ts';
import { acquireLock, type Lock, type LockSeen } from './lock.ts';
import { takenSince } from '../apply/mark.ts';
import { recordKept, setOutcome, supersedeOlder, type TidyUp } from './record-revision.ts';
import { listRevisions } from './revision.ts';
import { notBack, type UndoReport } from './undo-report.ts';
import type { ChangeOptions, Context, WhatRuns } from './context.ts';
import { recordDead } from './dead-run.ts';
import { removeMade } from './remove-made.ts';
import { readLeftover } from './leftover.ts';
import { refuseServingCandidate } from './serving-candidate.ts';
import { RecordTaken } from './store.ts';
import { ownSteps, undoJournal } from './undo-journal.ts';
import type { JournalEntry, JournalRecord } from './journal-shape.ts';

/** A change under way: the lock is held, and everything is written down before it is done. */
export interface GuardedChange {
  journal: Journal;
  /** Until when all of it must be ready, milliseconds since the epoch. */
  deadline: number;
  /** Aborts when the run is cancelled or the lock is lost. */
  signal: AbortSignal;
  /** Somebody else was at work since this run began, or a dead run was undone: what was read before may be stale. */
  stale: boolean;
  /** What was read of the release's records by the first look holds. */
  isAsSeen: boolean;
  /** What the undo of an earlier run has come to that had left something to undo. */
  leftover?: UndoReport;
  /**
   * Leaves work for the time when the journal is closed, beside that; where it does not need the lock, that may be free again before
   * it ends. What fails of it is a warning.
   */
  beside(work: TidyUp): void;
}

export interface ChangeFailure {
  error: unknown;
  /** Absent when nothing was to be undone. */
  undo?: UndoReport;
  /** There was something to undo, and it is left as it is. */
  stays?: boolean;
}

/** How long a run looks at what has failed before it undoes it. */
const evidenceMs = 10_000;
/** How long it tries to record how it has ended. */
const lastWordsMs = 10_000;

export type ChangeOutcome<T> = { state: 'done'; result: T } | { state: 'failed'; failure: ChangeFailure };

export interface ChangeTask<T> {
  command: string;
  /** What runs afterwards. Absent where that is what runs already. */
  runs?: Omit<WhatRuns, 'command'>;
  /** The lock as the run has seen it free before it read anything; given where it found that no run had left anything. */
  seen?: LockSeen | undefined;
  /** What becomes of a candidate that an earlier deploy has left waiting; by default the task is refused. */
  candidate?: 'replace' | 'continue';
  work(change: GuardedChange): Promise<T>;
  /** Whether nothing is left to undo after this result; by default unless a candidate waits. */
  isOver?(result: T): boolean;
  /** Looks at the cluster while what has failed is still there. @param entries what was done until then */
  beforeUndo(error: unknown, entries: readonly JournalEntry[]): Promise<void>;
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
  const lock = await lockRelease(context, options, task);
  try {
    return await underLock(context, options, task, lock);
  } catch (error) {
    if (context.signal.aborted) throw new Cancelled();
    throw error;
  } finally {
    if (!context.signal.aborted) await lock.release();
  }
}

/**
 * Waits until a run under way has ended, and undoes what a dead one has left, so that what is read next will hold. A candidate
 * that waits goes on waiting. @throws Failure when that is not possible, Cancelled
 */
export async function settle(
  context: Context,
  options: Required<ChangeOptions>,
  command: string,
): Promise<UndoReport | undefined> {
  const outcome = await guardedChange(context, options, {
    command,
    candidate: 'continue',
    work: ({ leftover }) => Promise.resolve(leftover),
    beforeUndo: () => Promise.resolve(),
  });
  return outcome.state === 'done' ? outcome.result : undefined;
}

async function underLock<T>(
  context: Context,
  options: Required<ChangeOptions>,
  task: ChangeTask<T>,
  lock: Lock,
): Promise<ChangeOutcome<T>> {
  const { limit } = context;
  const { journal, recovered, undone } = await openJournal(context, options, task, lock);
  const beside: TidyUp[] = [];
  try {
    await context.wanted?.assert();
    limit.begin(options.timeoutMs);
    const result = await task.work({
      journal,
      deadline: limit.until,
      signal: AbortSignal.any([context.signal, lock.lost]),
      stale: lock.contended || recovered,
      isAsSeen: lock.isAsSeen,
      ...(undone === undefined ? {} : { leftover: undone }),
      beside: (work) => {
        beside.push(work);
      },
    });
    const isOver = task.isOver?.(result) ?? journal.record.waiting === undefined;
    // Nothing is undone any more: its time is there for what comes at the end.
    limit.begin(options.undoTimeoutMs);
    await closeAll(context, { journal: isOver ? journal : undefined, beside, lock });
    return { state: 'done', result };
  } catch (error) {
    if (context.signal.aborted || lock.lost.aborted) throw error;
    if (await isDoomed(context)) return { state: 'failed', failure: { error } };
    const failure = await handleFailure(context, options, journal, error, task);
    await task.afterFailure?.(failure);
    return { state: 'failed', failure };
  }
}

/**
 * What is left to do of a change that has come to its end. The journal of one whose revision is live is nobody's to undo, so that the
 * lock may be given back beside it: what arrives later is refused where another run has been there, for each Secret is written or
 * deleted only as this run has read or written it last.
 */
async function closeAll(
  context: Context,
  { journal, beside, lock }: { journal: Journal | undefined; beside: readonly TidyUp[]; lock: Lock },
): Promise<void> {
  const { temporary = [] } = journal?.record ?? {};
  const isBrief = journal?.isOneSecret === true && !beside.some(({ needsLock }) => needsLock);
  const isEarly = isBrief && temporary.length === 0 && lock.isFresh();
  const tidyUp = beside.map((work) =>
    work.run().catch((error: unknown) => {
      // Another run has done it, or the post step will.
      if (error instanceof RecordTaken || context.signal.aborted) return;
      context.reporter.warning(`records of earlier revisions could not be tidied up: ${messageOf(error)}`);
    }),
  );
  const closing = journal === undefined ? undefined : closeFinished(context, journal);
  await Promise.all([...tidyUp, closing, isEarly && !context.signal.aborted ? lock.release() : undefined]);
}

/** The journal for this task, after whatever an earlier run has left was dealt with. */
async function openJournal<T>(
  context: Context,
  options: Required<ChangeOptions>,
  task: ChangeTask<T>,
  { isAsSeen }: Lock,
): Promise<{ journal: Journal; recovered: boolean; undone?: UndoReport }> {
  const { client, clock, run } = context;
  const { namespace, release, undoOnFailure } = options;
  // What others have recorded is one thing, what the files of this run have is another.
  const ofOthers = <R>(work: () => Promise<R>) => context.bounds?.withoutFiles(work) ?? work();
  const { leftover, ...recovery } = isAsSeen
    ? { leftover: undefined, recovered: false }
    : await ofOthers(() => undoLeftover(context, options));
  const opening = { command: task.command, run, startedAt: serverTimestamp(client, clock), undoOnFailure };
  if (leftover === undefined) {
    return { journal: new Journal(client, namespace, { release, ...opening, entries: [] }), ...recovery };
  }
  if (task.candidate === undefined) throw candidateInTheWay(leftover.record, task.command);
  if (task.candidate === 'continue') {
    Object.assign(leftover.record, opening);
    leftover.beginStep();
    return { journal: leftover, ...recovery };
  }
  const replaced = leftover.record.waiting?.revision;
  await ofOthers(() => abortCandidate(context, options, leftover));
  const record = { release, ...opening, entries: [], ...(replaced === undefined ? {} : { replaced }) };
  return { journal: new Journal(client, namespace, record), recovered: true };
}

/** What the user reads when a command does not go with a candidate that waits. */
function candidateInTheWay({ release, waiting }: JournalRecord, command: string): InvalidInput {
  return new InvalidInput(
    `revision ${waiting?.revision ?? ''} of release "${release}" has been waiting for approval since ${waiting?.since ?? ''}, so "${command}" is not possible`,
    { hint: 'Run the command "promote" to roll it out, or "abort" to remove it.' },
  );
}

/** Takes a waiting candidate away. @throws Failure when that is not possible now */
async function abortCandidate(context: Context, options: Required<ChangeOptions>, journal: Journal): Promise<void> {
  context.reporter.info(`the waiting candidate (revision ${journal.record.waiting?.revision ?? ''}) is removed first`);
  const report = await takeAway(context, { ...options, timeoutMs: options.undoTimeoutMs }, journal);
  if (!isOpen(report)) return;
  throw new Failure(`the waiting candidate of release "${options.release}" cannot be removed now`, {
    hint: 'The undo failed on the objects listed above. Fix those, then re-run: each is tried once more, then left as it is.',
  });
}

/** Whether there is something left that another run is to try again. */
function isOpen({ results }: UndoReport): boolean {
  return results.some(({ outcome }) => outcome === 'failed');
}

/**
 * Undoes everything that the deploy of a waiting candidate has done. The journal says so first: a run that finds it half-way
 * goes on.
 * @throws Failure where the candidate alone serves, because somebody has switched to it: it goes on waiting
 */
export async function takeAway(
  context: Context,
  { namespace, release, timeoutMs }: Required<Pick<ChangeOptions, 'namespace' | 'release' | 'timeoutMs'>>,
  journal: Journal,
): Promise<UndoReport> {
  const { waiting } = journal.record;
  const revision = waiting?.revision;
  if (waiting !== undefined) {
    const { client } = context;
    await refuseServingCandidate(client, waiting, await listRevisions(client, namespace, release));
  }
  await journal.stopWaiting();
  if (revision !== undefined) await setOutcome(context.client, namespace, release, revision, 'aborted');
  const report = await undoJournal(context, journal, timeoutMs, 0);
  await noteKept(context, { namespace, release }, revision, report);
  return report;
}

/**
 * Records what an undo could not bring back, so that later runs know of it: with the revision that has made it so, or with the
 * live one for commands that make none.
 */
async function noteKept(
  { client, reporter }: Context,
  { namespace, release }: Pick<Required<ChangeOptions>, 'namespace' | 'release'>,
  revision: number | undefined,
  report: UndoReport,
): Promise<void> {
  const kept = keptOf(report);
  if (kept.length === 0) return;
  await recordKept(client, namespace, release, revision, kept).catch((error: unknown) => {
    reporter.warning(`what could not be restored could not be recorded: ${messageOf(error)}`);
  });
}

async function handleFailure(
  context: Context,
  options: Required<ChangeOptions>,
  journal: Journal,
  error: unknown,
  task: ChangeTask<unknown>,
): Promise<ChangeFailure> {
  context.limit.begin(evidenceMs);
  await task.beforeUndo(error, journal.record.entries).catch((reason: unknown) => {
    context.reporter.debug(`looking for the cause failed: ${messageOf(reason)}`);
  });
  const { replaced } = journal.record;
  if (ownSteps(journal.record).length === 0) {
    if (replaced !== undefined) context.reporter.warning(notBack(replaced));
    return { error };
  }
  if (!options.undoOnFailure || (error instanceof Failure && error.keepsState)) {
    // The failed state is what the user asked to keep: the next run starts from it.
    await journal.accept();
    return { error, stays: true };
  }
  const undo = await undoJournal(context, journal, options.undoTimeoutMs);
  context.limit.begin(lastWordsMs);
  const { revision, waiting } = journal.record;
  // A revision of its own is recorded with all that is to be known of it.
  if (revision === undefined || waiting !== undefined) await noteKept(context, options, waiting?.revision, undo);
  return { error, undo };
}

/** What goes away with its namespace needs no undo, and nobody waits for one. */
async function isDoomed({ wanted, reporter }: Context): Promise<boolean> {
  return (
    (await wanted?.isDoomed().catch((problem: unknown) => {
      reporter.debug(`whether the namespace stays is not known: ${messageOf(problem)}`);
      return false;
    })) === true
  );
}

/**
 * Closes the journal of a run whose revision is live. What only its candidate needed goes first: its pods once no request
 * comes to them any more. Where that fails the journal stays, and the next run tries again.
 */
async function closeFinished(context: Context, journal: Journal): Promise<void> {
  const { client, limit, reporter, signal } = context;
  const { temporary = [] } = journal.record;
  try {
    if (temporary.length > 0) {
      await reporter.group('Clean up', async () => {
        const found = (await Promise.all(temporary.map((ref) => client.read(ref))))
          .filter((one) => one !== undefined)
          .filter((one) => takenSince(one, journal.mark) === undefined);
        const held = await removeMade(context, journal.namespace, found, limit.until);
        for (const object of held) reporter.warning(nameGoing(object));
      });
    }
    await journal.close();
  } catch (error) {
    if (signal.aborted) throw error;
    // The next run has closed it.
    if (error instanceof RecordTaken && temporary.length === 0) return;
    reporter.warning(`what the candidate needed could not be removed, the next run tries again: ${messageOf(error)}`);
  }
}

/** Does the rest of what a run had left to do that died when its revision was live already. */
export async function finishLeftover(
  context: Context,
  journal: Journal,
  options: Pick<Required<ChangeOptions>, 'namespace' | 'release'>,
): Promise<void> {
  await supersedeOlder(context.client, options.namespace, options.release);
  await closeFinished(context, journal);
}

async function lockRelease(
  context: Context,
  { release, namespace, timeoutMs }: Required<ChangeOptions>,
  { command, runs, seen }: Pick<ChangeTask<unknown>, 'command' | 'runs' | 'seen'>,
): Promise<Lock> {
  const { client, clock, limit, reporter, signal, run } = context;
  await context.rights?.require();
  // Said before the lock is taken: a run that is killed right after must be found by its post step.
  context.onChangeBegins({ release, namespace, ...(runs === undefined ? {} : { runs: { command, ...runs } }) });
  limit.begin(timeoutMs);
  const deadline = limit.until;
  const about = { ...run, command };
  return await acquireLock(client, namespace, release, run.holder, { about, clock, reporter, deadline, signal, seen });
}

/**
 * Deals with what an earlier run has left: one that died is undone; a candidate that waits is handed on.
 * `recovered`: something was undone or closed, so that what was read before may be stale.
 */
async function undoLeftover(
  context: Context,
  options: Required<ChangeOptions>,
): Promise<{ leftover?: Journal; recovered: boolean; undone?: UndoReport }> {
  const { namespace } = options;
  const found = await readLeftover(context.client, namespace, options.release);
  if (found.state === 'none') return { recovered: false };
  const { journal: leftover } = found;
  if (found.state === 'finished') {
    await finishLeftover(context, leftover, options);
    return { recovered: true };
  }
  if (found.state === 'waiting') return { leftover, recovered: false };
  const { undoOnFailure, undoAttempts = 0, waiting } = leftover.record;
  const name = nameOfRun(leftover.record);
  context.reporter.warning(
    undoAttempts === 0
      ? `${name} was killed before it finished`
      : `${name} failed, and its undo is incomplete: the rest is tried again`,
  );
  if (!undoOnFailure) {
    await leftover.accept();
    await recordDead(context, namespace, leftover.record, 'failed');
    return waiting === undefined ? { recovered: true } : { leftover, recovered: true };
  }
  const undone = await undoJournal(context, leftover, options.undoTimeoutMs);
  if (isOpen(undone)) {
    throw new Failure(`${name} ${undoAttempts === 0 ? 'was killed' : 'failed'}, and cannot be undone now`, {
      hint: 'The undo failed on the objects listed above. Fix those, then re-run: each is tried once more, then left as it is.',
    });
  }
  if (waiting !== undefined) {
    await noteKept(context, options, waiting.revision, undone);
    return { leftover, recovered: true, undone };
  }
  await recordUndone(context, leftover.record, options, undone);
  if (keptOf(undone).length > 0) await recordDead(context, namespace, leftover.record, 'failed');
  await noteKept(context, options, leftover.record.revision, undone);
  return { recovered: true, undone };
}

/** `an earlier "deploy" of release "shop" (https://…, 2026-01-01T00:00:00Z)` */
function nameOfRun({ command, release, run, startedAt }: JournalRecord): string {
  return `an earlier "${command}" of release "${release}" (${run.url ?? run.holder}, ${startedAt})`;
}

/**
 * Says how a revision has ended whose undo has only come to its end now: its run may have died after it had recorded its
 * candidate, and before it had left it waiting; or it had failed, and not everything could be undone then.
 */
export async function recordUndone(
  { client }: Context,
  { revision }: JournalRecord,
  { namespace, release }: Pick<Required<ChangeOptions>, 'namespace' | 'release'>,
  { complete }: UndoReport,
): Promise<void> {
  if (revision === undefined) return;
  const recorded = (await listRevisions(client, namespace, release)).find((entry) => entry.revision === revision);
  const outcome = complete ? 'undone' : 'failed';
  const isOpen = recorded?.outcome === 'waiting' || recorded?.outcome === 'failed';
  if (isOpen && recorded.outcome !== outcome) await setOutcome(client, namespace, release, revision, outcome);
}
