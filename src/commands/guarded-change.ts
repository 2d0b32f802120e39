import { Cancelled, Failure, InvalidInput, messageOf } from '../base/errors.ts';
import { describeRef, keyOf, type KubernetesObject } from '../kubernetes/object.ts';
import { Journal, readJournal, stepsBackwards, type JournalEntry, type JournalRecord } from '../release/journal.ts';
import { acquireLock, type Lock } from '../release/lock.ts';
import { remove } from '../release/prune.ts';
import { isFinished, listRevisions, setOutcome, supersedeOlder } from '../release/revision.ts';
import { undo } from '../release/undo.ts';
import type { UndoReport, UndoResult } from '../release/undo-report.ts';
import { isWorkload } from '../manifests/pod-template.ts';
import { waitForRollout } from '../rollout/tracker.ts';
import { untilRouted } from '../traffic/endpoints.ts';
import { retire } from '../traffic/retire.ts';
import { isService } from '../traffic/services.ts';
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

/**
 * Waits until a run under way has ended, and undoes what a dead one has left, so that what is read next will hold. A candidate
 * that waits goes on waiting. @throws Failure when that is not possible, Cancelled
 */
export async function settle(context: Context, options: Required<ChangeOptions>, command: string): Promise<void> {
  await guardedChange(context, options, {
    command,
    candidate: 'continue',
    work: () => Promise.resolve(),
    beforeUndo: () => Promise.resolve(),
  });
}

async function underLock<T>(
  context: Context,
  options: Required<ChangeOptions>,
  task: ChangeTask<T>,
  lock: Lock,
): Promise<ChangeOutcome<T>> {
  const { clock } = context;
  const { journal, recovered } = await openJournal(context, options, task);
  try {
    const result = await task.work({
      journal,
      deadline: clock.now() + options.timeoutMs,
      signal: AbortSignal.any([context.signal, lock.lost]),
      stale: lock.contended || recovered,
    });
    const isOver = task.isOver?.(result) ?? journal.record.waiting === undefined;
    if (isOver) await closeFinished(context, journal, options);
    return { state: 'done', result };
  } catch (error) {
    if (context.signal.aborted || lock.lost.aborted) throw error;
    const failure = await handleFailure(context, options, journal, error, task);
    await task.afterFailure?.(failure);
    return { state: 'failed', failure };
  }
}

/** The journal for this task, after whatever an earlier run has left was dealt with. */
async function openJournal<T>(
  context: Context,
  options: Required<ChangeOptions>,
  task: ChangeTask<T>,
): Promise<{ journal: Journal; recovered: boolean }> {
  const { client, clock, run } = context;
  const { namespace, release, undoOnFailure } = options;
  const { leftover, recovered } = await undoLeftover(context, options);
  const opening = { command: task.command, run, startedAt: new Date(clock.now()).toISOString(), undoOnFailure };
  if (leftover === undefined) {
    return { journal: new Journal(client, namespace, { release, ...opening, entries: [] }), recovered };
  }
  if (task.candidate === undefined) throw candidateInTheWay(leftover.record, task.command);
  if (task.candidate === 'continue') {
    Object.assign(leftover.record, opening);
    leftover.beginStep();
    return { journal: leftover, recovered };
  }
  await abortCandidate(context, options, leftover);
  return { journal: new Journal(client, namespace, { release, ...opening, entries: [] }), recovered: true };
}

/** What the user reads when a command does not go with a candidate that waits. */
export function candidateInTheWay({ release, waiting }: JournalRecord, command: string): InvalidInput {
  return new InvalidInput(
    `revision ${waiting?.revision ?? ''} of release "${release}" is a candidate that waits since ${waiting?.since ?? ''}, so that "${command}" is not possible`,
    { hint: 'Run the command "promote" to bring it in, or "abort" to take it away.' },
  );
}

/** Takes a waiting candidate away. @throws Failure when that is not possible now */
async function abortCandidate(context: Context, options: Required<ChangeOptions>, journal: Journal): Promise<void> {
  context.reporter.info(
    `the candidate that waited (revision ${journal.record.waiting?.revision ?? ''}) is taken away first`,
  );
  const report = await takeAway(context, { ...options, timeoutMs: options.undoTimeoutMs }, journal);
  if (!report.results.some(({ outcome }) => outcome === 'failed')) return;
  throw new Failure(`the candidate of release "${options.release}" that waited cannot be taken away`, {
    hint: 'See the lines of the undo above, mend what they name, and run it again.',
  });
}

/**
 * Undoes everything that the deploy of a waiting candidate has done. The journal says so first: a run that finds it half-way
 * goes on.
 */
export async function takeAway(
  context: Context,
  { namespace, release, timeoutMs }: Required<Pick<ChangeOptions, 'namespace' | 'release' | 'timeoutMs'>>,
  journal: Journal,
): Promise<UndoReport> {
  const revision = journal.record.waiting?.revision;
  await journal.stopWaiting();
  if (revision !== undefined) await setOutcome(context.client, namespace, release, revision, 'aborted');
  return await undoJournal(context, journal, timeoutMs, 0);
}

async function handleFailure(
  context: Context,
  options: Required<ChangeOptions>,
  journal: Journal,
  error: unknown,
  task: ChangeTask<unknown>,
): Promise<ChangeFailure> {
  await task.beforeUndo(error, journal.record.entries).catch((reason: unknown) => {
    context.reporter.debug(`looking for the cause failed: ${messageOf(reason)}`);
  });
  if (ownSteps(journal.record).length === 0) return { error };
  if (!options.undoOnFailure) {
    // The failed state is what the user asked to keep: the next run starts from it.
    await journal.accept();
    return { error };
  }
  return { error, undo: await undoJournal(context, journal, options.undoTimeoutMs) };
}

/**
 * Closes the journal of a run whose revision is live. What only its candidate needed goes first: its pods once no request
 * comes to them any more. Where that fails the journal stays, and the next run tries again.
 */
export async function closeFinished(
  { client, clock, reporter, signal }: Context,
  journal: Journal,
  { timeoutMs }: Pick<ChangeOptions, 'timeoutMs'>,
): Promise<void> {
  const { temporary = [] } = journal.record;
  try {
    if (temporary.length > 0) {
      await reporter.group('Clean up', async () => {
        const found = (await Promise.all(temporary.map((ref) => client.read(ref)))).filter((one) => one !== undefined);
        const deadline = clock.now() + timeoutMs;
        const deployments = found.filter(({ kind }) => kind === 'Deployment');
        await Promise.all(deployments.map((one) => retire(client, one, { clock, signal, deadline, reporter })));
        await remove(client, found, reporter);
      });
    }
    await journal.close();
  } catch (error) {
    if (signal.aborted) throw error;
    reporter.warning(`what the candidate needed could not be removed, the next run tries again: ${messageOf(error)}`);
  }
}

/** Does the rest of what a run had left to do that died when its revision was live already. */
export async function finishLeftover(
  context: Context,
  journal: Journal,
  options: Pick<Required<ChangeOptions>, 'namespace' | 'release' | 'timeoutMs'>,
): Promise<void> {
  await supersedeOlder(context.client, options.namespace, options.release);
  await closeFinished(context, journal, options);
}

/** Whether a run is under way, or has died: what merely waits for a decision is whole. */
export function isUnfinished(record: JournalRecord): boolean {
  return record.waiting === undefined || ownSteps(record).length > 0;
}

/** What the run under way has done, the last step first; not what belongs to a candidate that waits. */
export function ownSteps(record: JournalRecord): ReturnType<typeof stepsBackwards> {
  return stepsBackwards(record.entries, firstOwnStep(record));
}

/** Behind the steps of a candidate that waits: what the run under way has done. */
function firstOwnStep({ waiting }: JournalRecord): number {
  return waiting === undefined ? 0 : waiting.step + 1;
}

/**
 * Undoes what a journal lists, the last step first: each is undone, its workloads ready again and its traffic settled,
 * before the one before it loses what it has brought. Closes the journal when all is back.
 * @param from the first step to undo; by default those behind a candidate that waits, which goes on waiting
 */
export async function undoJournal(
  context: Context,
  journal: Journal,
  timeoutMs: number,
  from = firstOwnStep(journal.record),
): Promise<UndoReport> {
  const { client, clock, reporter, signal } = context;
  return await reporter.group('Undo', async () => {
    const deadline = clock.now() + timeoutMs;
    const reports: UndoReport[] = [];
    let settled = true;
    const steps = stepsBackwards(journal.record.entries, from);
    for (const { step, entries } of steps) {
      await retireCreated(context, entries, deadline);
      const report = await undo(client, entries, { reporter, clock, deadline });
      reports.push(report);
      for (const result of report.results) reporter.info(`${describeRef(result.ref, true)}: ${outcomeOf(result)}`);
      // What failed may succeed when it is tried again; and what still serves must not go before.
      if (report.results.some(({ outcome }) => outcome === 'failed')) return combined(reports, settled);
      const restored = await readRestored(context, report);
      settled = (await waitForRestored(context, restored, deadline)) && settled;
      // Pods that earlier steps have made go only once no request comes to them any more.
      if (step !== steps.at(-1)?.step)
        await untilRouted(client, restored.filter(isService), { clock, signal, deadline });
      if (step === 0 && from === 0) await journal.close();
      else await journal.forget(step);
    }
    return combined(reports, settled);
  });
}

/** One report of several steps; of an object that several of them had changed, what was done to it last. */
function combined(reports: readonly UndoReport[], settled: boolean): UndoReport {
  const results = new Map<string, UndoResult>();
  for (const result of reports.flatMap((report) => report.results)) {
    const earlier = results.get(keyOf(result.ref));
    if (earlier?.outcome !== 'partly') results.set(keyOf(result.ref), result);
  }
  const complete = reports.every((report) => report.complete);
  return settled
    ? { complete, results: [...results.values()] }
    : { complete: false, unsettled: true, results: [...results.values()] };
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

/** Candidates leave their Services before they are deleted. */
async function retireCreated(
  { client, clock, reporter, signal }: Context,
  entries: readonly JournalEntry[],
  deadline: number,
): Promise<void> {
  const refs = entries.filter(({ before, ref }) => before === null && ref.kind === 'Deployment').map(({ ref }) => ref);
  const created = (await Promise.all(refs.map((ref) => client.read(ref)))).filter((object) => object !== undefined);
  await Promise.all(created.map((one) => retire(client, one, { clock, signal, deadline, reporter }))).catch(
    (error: unknown) => {
      reporter.debug(`taking pods out of their Services failed: ${messageOf(error)}`);
    },
  );
}

async function readRestored({ client }: Context, report: UndoReport): Promise<KubernetesObject[]> {
  const refs = report.results
    .filter(({ outcome }) => outcome === 'restored' || outcome === 'partly')
    .map(({ ref }) => ref);
  return (await Promise.all(refs.map((ref) => client.read(ref)))).filter((object) => object !== undefined);
}

/** False when a restored workload did not become ready again in time. */
async function waitForRestored(
  { client, clock, reporter, signal }: Context,
  restored: readonly KubernetesObject[],
  deadline: number,
): Promise<boolean> {
  const targets = restored.filter(isWorkload).map((object) => ({ object, changed: true, writtenAt: clock.now() }));
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
  await context.rights?.require();
  // Said before the lock is taken: a run that is killed right after must be found by its post step.
  context.onChangeBegins({ release, namespace });
  const deadline = clock.now() + timeoutMs;
  return await acquireLock(client, namespace, release, run.holder, { clock, reporter, deadline, signal });
}

/**
 * Deals with what an earlier run has left: one that died is undone; a candidate that waits is handed on.
 * `recovered`: something was undone or closed, so that what was read before may be stale.
 */
async function undoLeftover(
  context: Context,
  options: Required<ChangeOptions>,
): Promise<{ leftover?: Journal; recovered: boolean }> {
  const leftover = await readJournal(context.client, options.namespace, options.release);
  if (leftover === undefined) return { recovered: false };
  if (await isFinished(context.client, options.namespace, leftover.record)) {
    await finishLeftover(context, leftover, options);
    return { recovered: true };
  }
  const { command, run, startedAt, undoOnFailure, waiting } = leftover.record;
  if (!isUnfinished(leftover.record)) return { leftover, recovered: false };
  context.reporter.warning(
    `an earlier "${command}" of release "${options.release}" (${run.url ?? run.holder}, ${startedAt}) was killed before its end`,
  );
  if (!undoOnFailure) {
    await leftover.accept();
    return waiting === undefined ? { recovered: true } : { leftover, recovered: true };
  }
  const report = await undoJournal(context, leftover, options.undoTimeoutMs);
  if (report.results.some(({ outcome }) => outcome === 'failed')) {
    throw new Failure(`an earlier "${command}" of release "${options.release}" was killed, and cannot be undone now`, {
      hint: 'See the lines of the undo above, mend what they name, and run it again.',
    });
  }
  if (waiting !== undefined) return { leftover, recovered: true };
  await noLongerWaiting(context, leftover.record, options);
  return { recovered: true };
}

/** A run may have died after it had recorded its candidate, and before it had left it waiting. */
export async function noLongerWaiting(
  { client }: Context,
  { revision }: JournalRecord,
  { namespace, release }: Pick<Required<ChangeOptions>, 'namespace' | 'release'>,
): Promise<void> {
  if (revision === undefined) return;
  const recorded = (await listRevisions(client, namespace, release)).find((entry) => entry.revision === revision);
  if (recorded?.outcome === 'waiting') await setOutcome(client, namespace, release, revision, 'undone');
}
