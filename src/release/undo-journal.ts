import { messageOf } from '../base/errors.ts';
import { keyOf, nameFrom, refOf, type KubernetesObject, type ObjectRef } from '../kubernetes/object.ts';
import { isBuiltIn, isWorkload } from '../manifests/kinds.ts';
import { serverNow } from '../kubernetes/server-time.ts';
import { stepsBackwards, type Journal } from './journal.ts';
import { customToComeBack, untilReported, type Reported } from './custom-back.ts';
import { recordedRules } from './recorded-rules.ts';
import { listRevisions, liveRevision } from './revision.ts';
import { undo } from './undo.ts';
import { untilReplacedInPlace } from './undo-in-place.ts';
import type { UndoReport, UndoResult } from './undo-report.ts';
import type { UserRule } from '../rollout/readiness/user/user-rule.ts';
import { waitForRollout } from '../rollout/tracker.ts';
import { untilRouted } from '../traffic/endpoints.ts';
import { retire } from '../traffic/retire.ts';
import { isService } from '../traffic/services.ts';
import type { Context } from './context.ts';
import { pauseAgain, podsNotBack, resumeRestored } from './undo-paused.ts';
import type { JournalEntry, JournalRecord } from './journal-shape.ts';

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
 * before the one before it loses what it has brought. Closes the journal when all is back but for what cannot go back. What
 * could not be done now is left to the next run, once: what that cannot do either stays.
 * @param from the first step to undo; by default those behind a candidate that waits, which goes on waiting
 */
export async function undoJournal(
  context: Context,
  journal: Journal,
  timeoutMs: number,
  from = firstOwnStep(journal.record),
): Promise<UndoReport> {
  const { client, clock, limit, reporter } = context;
  return await reporter.group('Undo', async () => {
    limit.begin(timeoutMs);
    const deadline = limit.until;
    const { replaced } = journal.record;
    const isLastAttempt = (journal.record.undoAttempts ?? 0) > 0;
    const reports: UndoReport[] = [];
    const pods: string[] = [];
    const back = new Map<string, KubernetesObject>();
    let unheard: ObjectRef[] = [];
    let settled = true;
    let isNoted = true;
    const ended = (): UndoReport => ({
      ...combined(reports, settled, pods),
      ...(unheard.length === 0 ? {} : { unheard }),
      ...(isNoted ? {} : { unclosed: true as const }),
      ...(replaced === undefined ? {} : { replaced }),
    });
    const steps = stepsBackwards(journal.record.entries, from);
    for (const { step, entries } of steps) {
      const staying = reports.flatMap(({ results }) => results.filter(isLeft).map(({ ref }) => ref));
      await untilReplacedInPlace(context, entries, halfWay(clock.now(), deadline));
      const beforeRemoval = (objects: readonly KubernetesObject[]) => retireCreated(context, objects, deadline);
      const tried = await undo(client, entries, {
        reporter,
        clock,
        deadline,
        staying,
        beforeRemoval,
        mark: journal.mark,
      });
      const report = isLastAttempt ? givenUp(tried) : tried;
      reports.push(report);
      for (const result of report.results)
        reporter.info(`${nameFrom(journal.namespace, result.ref)}: ${outcomeOf(result)}`);
      // What failed may succeed when it is tried again; and what still serves must not go before.
      if (report.results.some(({ outcome }) => outcome === 'failed')) {
        isNoted = await noted(context, journal.undoFailed());
        return ended();
      }
      const resumed = await orUnknown(context, resumeRestored(context, entries, report));
      const restored = await untilRestored(context, report, deadline, step !== steps.at(-1)?.step);
      for (const object of restored.objects) back.set(keyOf(refOf(object)), object);
      const left = await orUnknown(context, podsNotBack(context, entries, report));
      const areBack = restored.areBack && resumed !== undefined && left?.length === 0;
      await pauseAgain(context, resumed ?? [], areBack);
      pods.push(...(left ?? []));
      settled &&= areBack;
      // The last word counts: the journal as it is then says of all steps how far they are.
      isNoted = await noted(context, step === 0 && from === 0 ? journal.close() : journal.forget(step));
    }
    // Nothing is left to be undone that could wait for them.
    const entries = steps.flatMap((step) => step.entries);
    const custom = await untilCustomBack(context, journal, { objects: [...back.values()], entries, deadline });
    unheard = custom.unheard.map(refOf);
    settled &&= custom.notReady.length === 0;
    return ended();
  });
}

/** What comes after the writes of an undo; where it fails that is said, for the rest, and the report, must not end with it. */
async function orUnknown<T>({ reporter, signal }: Context, work: Promise<T>): Promise<T | undefined> {
  try {
    return await work;
  } catch (error) {
    signal.throwIfAborted();
    reporter.warning(`it is unknown whether the pods of before are back: ${messageOf(error)}`);
    return undefined;
  }
}

/** What waits before it is undone must not take all of the time that the undo needs. */
function halfWay(now: number, deadline: number): number {
  return now + (deadline - now) / 2;
}

/** Undoing the same again changes nothing, so that a journal which cannot be written is no reason to stop. */
async function noted({ reporter }: Context, writing: Promise<void>): Promise<boolean> {
  try {
    await writing;
    return true;
  } catch (error) {
    reporter.warning(`the progress of the undo could not be recorded, the next run tries again: ${messageOf(error)}`);
    return false;
  }
}

function isLeft({ outcome }: UndoResult): boolean {
  return outcome === 'refused' || outcome === 'partly' || outcome === 'going';
}

/** Two runs have tried: nothing waits for a third. */
function givenUp({ complete, results }: UndoReport): UndoReport {
  const given = results.map((result): UndoResult => {
    if (result.outcome !== 'failed') return result;
    return { ref: result.ref, outcome: 'refused', reason: `${result.message} (tried by two runs)` };
  });
  return { complete, results: given };
}

/** One report of several steps; of an object that several of them had changed, what was done to it last. */
function combined(reports: readonly UndoReport[], settled: boolean, pods: string[]): UndoReport {
  const results = new Map<string, UndoResult>();
  for (const result of reports.flatMap((report) => report.results)) {
    const earlier = results.get(keyOf(result.ref));
    if (earlier === undefined || !isLeft(earlier) || result.outcome === 'refused')
      results.set(keyOf(result.ref), result);
  }
  const complete = reports.every((report) => report.complete);
  return settled
    ? { complete, results: [...results.values()] }
    : { complete: false, unsettled: true, ...(pods.length === 0 ? {} : { pods }), results: [...results.values()] };
}

function outcomeOf(result: UndoResult): string {
  switch (result.outcome) {
    case 'restored':
      return result.note === undefined ? 'restored' : `restored (${result.note})`;
    case 'partly':
      return `partly restored: someone else has changed ${result.fields.join(', ')} since`;
    case 'refused':
      return result.fields === undefined
        ? `stays as it is: ${result.reason}`
        : `restored except for ${result.fields.join(', ')}: ${result.reason}`;
    case 'failed':
      return `failed: ${result.message}`;
    case 'going':
      return result.message;
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
  created: readonly KubernetesObject[],
  deadline: number,
): Promise<void> {
  const deployments = created.filter(({ kind }) => kind === 'Deployment');
  await Promise.all(deployments.map((one) => retire(client, one, { clock, signal, deadline, reporter }))).catch(
    (error: unknown) => {
      reporter.debug(`taking pods out of their Services failed: ${messageOf(error)}`);
    },
  );
}

/**
 * Waits until workloads that are back are ready again, and where pods of an earlier step are to go next, until no request comes to them
 * any more. Trouble with looking is no reason not to go on.
 * @returns what is back, and whether its workloads are ready
 */
async function untilRestored(
  context: Context,
  report: UndoReport,
  deadline: number,
  moreToUndo: boolean,
): Promise<{ objects: KubernetesObject[]; areBack: boolean }> {
  const { client, clock, reporter, signal } = context;
  let restored: KubernetesObject[] = [];
  try {
    restored = await readRestored(context, report);
    const areBack = await waitForRestored(context, restored, deadline);
    if (moreToUndo) {
      const routing = { clock, signal, reporter, deadline, courtesy: true };
      await untilRouted(client, restored.filter(isService), routing);
    }
    return { objects: restored, areBack };
  } catch (error) {
    signal.throwIfAborted();
    reporter.warning(`it is unknown whether the restored workloads are ready again: ${messageOf(error)}`);
    return { objects: restored, areBack: false };
  }
}

/** By the rules that the live revision was deployed with: it is that which is back. */
async function untilCustomBack(
  context: Context,
  { namespace, record: { release } }: Journal,
  { objects, entries, deadline }: { objects: KubernetesObject[]; entries: readonly JournalEntry[]; deadline: number },
): Promise<Reported> {
  const none: Reported = { notReady: [], unheard: [] };
  if (objects.every(isBuiltIn)) return none;
  const userRules = await rulesOfLive(context, namespace, release);
  const custom = customToComeBack(objects, entries, userRules);
  return custom.length === 0 ? none : await untilReported(context, custom, { deadline, userRules });
}

/** None where the record cannot be read: an undo does not depend on it. */
async function rulesOfLive({ client, reporter }: Context, namespace: string, release: string): Promise<UserRule[]> {
  try {
    const live = liveRevision(await listRevisions(client, namespace, release));
    return recordedRules(live, {
      warn: (text) => {
        reporter.warning(text);
      },
    });
  } catch (error) {
    reporter.debug(`the recorded "await" lines could not be read: ${messageOf(error)}`);
    return [];
  }
}

async function readRestored({ client }: Context, report: UndoReport): Promise<KubernetesObject[]> {
  const refs = report.results
    .filter((result) => result.outcome === 'restored' || result.outcome === 'partly' || hasRefusedFields(result))
    .map(({ ref }) => ref);
  return (await Promise.all(refs.map((ref) => client.read(ref)))).filter((object) => object !== undefined);
}

function hasRefusedFields(result: UndoResult): boolean {
  return result.outcome === 'refused' && result.fields !== undefined;
}

/** False when a restored workload did not become ready again in time. */
async function waitForRestored(
  { client, clock, reporter, signal }: Context,
  restored: readonly KubernetesObject[],
  deadline: number,
): Promise<boolean> {
  const writtenAt = serverNow(client, clock);
  const targets = restored.filter(isWorkload).map((object) => ({ object, changed: true, writtenAt }));
  if (targets.length === 0) return true;
  const result = await waitForRollout(client, targets, { reporter, clock, deadline, signal });
  if (result.outcome !== 'ready') reporter.warning('the restored workloads are not ready again');
  return result.outcome === 'ready';
}
