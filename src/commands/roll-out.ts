import { changesPods } from '../apply/preflight.ts';
import { fieldManager } from '../apply/field-manager.ts';
import type { Prepared } from '../apply/prepared.ts';
import { Failure } from '../base/errors.ts';
import { nameGoing } from '../kubernetes/going.ts';
import type { KubernetesObject } from '../kubernetes/object.ts';
import { serverTimestamp } from '../kubernetes/server-time.ts';
import { execute, type Done } from '../plan/execute.ts';
import { broughtIn, settled, type Plan, type Waiting } from '../plan/plan.ts';
import type { Context } from '../release/context.ts';
import type { FirstLook } from '../release/first-look.ts';
import type { Revision } from '../release/revision-shape.ts';
import { listRevisions, liveRevision, nextRevision } from '../release/revision.ts';
import { attemptOf, liveHeadline, nameChanges, waitingHeadline, type Change } from '../report/headline.ts';
import type { Report } from '../report/report.ts';
import type { ObjectReport, RunReport } from '../report/run-report.ts';
import { RolloutWatch } from '../report/watch.ts';
import { reportAttempt, reportObjects, writtenOf } from '../report/workloads.ts';
import { adoptRelease } from './adopt-release.ts';
import { changesIn, plannedObjects } from './changes.ts';
import { executionOf, verificationOf } from './execution.ts';
import { finishFailed } from './failed-change.ts';
import { guardedChange, type GuardedChange } from '../release/change.ts';
import { finishApplied } from './held.ts';
import { defaultKeepOldMs, keepOldSide, retireLeftover } from './keep-old.ts';
import { lookAhead, type Ahead } from './look-ahead.ts';
import { expectOfObjects, expectOfUndo } from './needs.ts';
import { findNotOver, tellAsNotOver } from './not-over.ts';
import type { Purpose, RollOutOptions } from './purpose.ts';
import { Recording } from './recording.ts';
import { servingNow } from './serving-now.ts';
import { refuseOtherCandidate } from './same-candidate.ts';
import { removeStrays } from './strays.ts';
import { verifyApplied, whenUnchanged } from './unchanged.ts';
import { findUnserved, refuseUnserved, tellUnserved, type UnservedService } from './unserved.ts';
import { madeServices, untilAnsweredByNew, untilReachable } from './verification.ts';

/** One roll-out under way. */
interface RollOut {
  context: Context;
  options: RollOutOptions;
  purpose: Purpose;
  report: Report;
  ahead: Ahead;
  recording: Recording;
  watch: RolloutWatch;
  /** What is going to be done, and what it was decided by; made anew under the lock where somebody else was at work. */
  plan: Plan;
  prepared: readonly Prepared[];
}

/** What it has come to. */
interface Result {
  recorded: Revision;
  done: Done;
  written: ObjectReport[];
  /** What a success does not wait for, one sentence each; absent where more is waited for until the end, which decides it. */
  notOver?: readonly string[] | undefined;
  unserved: readonly UnservedService[];
}

/**
 * Makes the cluster run these objects: look, plan, lock, journal, steps, record; on failure the undo.
 * @throws Failure, Failures for problems found before the first write; Cancelled
 */
export async function rollOut(
  context: Context,
  options: RollOutOptions,
  purpose: Purpose,
  report: Report,
  first?: FirstLook,
): Promise<RunReport> {
  const ahead = await lookAhead(context, options, purpose, report, first);
  const unchanged = await whenUnchanged(context, options, purpose, { ahead, report });
  if (unchanged !== undefined) return unchanged;
  const plan = await planOf(context, options, purpose, ahead);
  report.tellChanges(plannedObjects(ahead.prepared));
  await context.rights?.require();
  if (options.adoptRelease !== undefined) await adoptRelease(context, options, options.adoptRelease, report);
  await createNamespace(context, options, report);
  const recording = new Recording(context, options, purpose, { ahead, report });
  const watch = new RolloutWatch(context, options);
  const { prepared } = ahead;
  const rolling: RollOut = { context, options, purpose, report, ahead, recording, watch, plan, prepared };
  const place = recording.findPlace(prepared);
  // Told once the lock is held.
  place.catch(() => undefined);
  let failedWith: ObjectReport[] = [];
  const outcome = await guardedChange(context, options, {
    command: purpose.command,
    runs: {
      ...(purpose.commit === undefined ? {} : { commit: purpose.commit }),
      revision: recording.number,
    },
    ...(purpose.candidate === undefined ? {} : { candidate: purpose.candidate }),
    // What an adoption has moved was read before it.
    ...(ahead.leftover.state === 'none' && options.adoptRelease === undefined ? { seen: ahead.lock } : {}),
    work: async (change) => await carryOut(rolling, change, place),
    beforeUndo: async (error, entries) => {
      failedWith = writtenOf(entries);
      await watch.collectEvidence(error);
    },
    afterFailure: async (failure) => {
      await recording.recordFailure(failure, watch.wroteAnything);
    },
  });
  if (outcome.state === 'done') return await finish(rolling, outcome.result);
  reportAttempt(report, rolling.prepared, failedWith, watch);
  const attempt = attemptOf(subjectOf(rolling), purpose.attempt, changesIn(rolling.prepared));
  return await finishFailed(context, options, { report, watch, failure: outcome.failure, attempt }, purpose.manifests);
}

function subjectOf({ options, purpose }: RollOut): string {
  return purpose.subject ?? options.release;
}

/** What is going to be done; and what that has to be allowed is known then. @throws InvalidInput, LowCapacity */
export async function planOf(
  context: Context,
  options: RollOutOptions,
  purpose: Purpose,
  { arrangement, prepared, leftover }: Ahead,
): Promise<Plan> {
  const arranged = arrangement.manifests.map(({ object }) => object);
  await Promise.all([
    expectOfObjects(context, arranged, { ...options, surplus: purpose.surplus }, prepared),
    expectOfUndo(context, leftover.state === 'none' ? [] : leftover.journal.record.entries),
  ]);
  return withRemoval(await arrangement.plan(prepared), purpose);
}

/** What the release has no more goes once all else is ready. */
function withRemoval(plan: Plan, { surplus }: Purpose): Plan {
  if (surplus.length === 0) return plan;
  const removal = settled([{ do: 'remove', title: 'Remove what is no longer part of the release', objects: surplus }]);
  return { ...plan, stages: [...plan.stages, removal] };
}

/** The release's own namespace must be there before the lock and the journal, which lie in it. */
async function createNamespace(
  { client, reporter }: Context,
  { namespace, newNamespaces }: RollOutOptions,
  report: Report,
): Promise<void> {
  if (!newNamespaces.has(namespace)) return;
  await client.apply({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } }, { fieldManager });
  reporter.info(`Namespace "${namespace}" created`);
  report.mark(`namespace ${namespace} created; an undo would keep it`);
}

const titles: Readonly<Record<string, string>> = { rollback: 'Roll back', promote: 'Promote' };

/** All that happens under the lock, up to the record. */
async function carryOut(rolling: RollOut, change: GuardedChange, place: Promise<void>): Promise<Result> {
  const { context, options, purpose, report, ahead, recording, watch } = rolling;
  const { journal } = change;
  const { promotes, command } = purpose;
  if (promotes !== undefined && command === 'promote')
    await refuseOtherCandidate(context, { ...options, command, revision: promotes }, journal.record.waiting);
  const isNew = await lookAgain(rolling, change);
  await (isNew ? recording.findPlace(rolling.prepared) : place);
  journal.record.revision = recording.number;
  const execution = executionOf(context, options, purpose, { plan: ahead.plan, change, watch, report });
  const title = titles[purpose.command] ?? 'Deploy';
  const done = await context.reporter.group(title, async () => await execute(rolling.plan, execution));
  report.mark('all objects are ready');
  const unserved = done.end.state === 'live' ? await verifyAll(rolling, change, done) : [];
  // Before the journal is closed: a run that is killed in between has come to its end, and the next one sees it.
  const { recorded, notOver } = await record(rolling, change, done);
  change.beside(recording.tidyUp);
  return { recorded, done, written: writtenOf(journal.record.entries), notOver, unserved };
}

/** The record, and beside it what has to be read for what comes after it. */
async function record(
  rolling: RollOut,
  change: GuardedChange,
  { end }: Done,
): Promise<Pick<Result, 'recorded' | 'notOver'>> {
  const { context, recording, watch } = rolling;
  if (end.state === 'waiting') {
    const recorded = await recording.record('waiting');
    await leaveWaiting(rolling, change, end, recorded);
    return { recorded };
  }
  delete change.journal.record.waiting;
  const { temporary = [] } = change.journal.record;
  const isLast = temporary.length === 0 && (end.retired ?? []).length === 0;
  // Once it is recorded nothing may fail any more: the rest does without what could not be read.
  const [recorded, notOver] = await Promise.all([
    recording.record('live', end),
    isLast ? findNotOver(context, watch).catch(() => []) : undefined,
    change.journal.prepareClose().catch(() => undefined),
  ]);
  return { recorded, notOver };
}

/** @throws Failure where somebody has deployed since: a rollback would take a version back that nobody has seen here */
function refuseOtherLive({ from, attempt }: Purpose, release: string, revisions: readonly Revision[]): void {
  const now = liveRevision(revisions)?.revision;
  if (from === undefined || from.live === now) return;
  throw new Failure(`revision ${now ?? ''} of release "${release}" became live after this ${attempt} was started`, {
    hint: 'Check with "status" what runs now, then run it again if it is still wanted.',
  });
}

/** Another run may have come and gone before we had the lock. Answers whether all was looked at once more. */
async function lookAgain(rolling: RollOut, change: GuardedChange): Promise<boolean> {
  const { context, options, purpose, ahead, recording, report } = rolling;
  if (change.isAsSeen) return false;
  recording.known = await listRevisions(context.client, options.namespace, options.release);
  refuseOtherLive(purpose, options.release, recording.known);
  if (!change.stale && nextRevision(recording.known) === nextRevision(ahead.revisions)) return false;
  const { arrangement, prepared } = await ahead.again(recording.known);
  rolling.prepared = prepared;
  rolling.plan = withRemoval(await arrangement.plan(prepared), purpose);
  report.tellChanges(plannedObjects(prepared));
  return true;
}

/** What has been brought in has to be what answers, and to pass the checks. */
async function verifyAll(
  { context, options, purpose, report, watch, prepared }: RollOut,
  change: GuardedChange,
  { end }: Done,
): Promise<UnservedService[]> {
  const { manifests } = purpose;
  const verification = verificationOf(context, options, change);
  await untilReachable(context, verification, prepared);
  // A switch has waited for that already.
  const isSwitched = end.state === 'live' && end.retired !== undefined;
  if (!isSwitched && watch.held.length === 0 && prepared.some(changesPods))
    await untilAnsweredByNew(context, verification, manifests);
  // Pods that are held back are told of; nobody else has to be missed then.
  const unserved = watch.held.length > 0 ? [] : await findUnserved(context, purpose, prepared, verification);
  if (purpose.command === 'deploy') refuseUnserved(unserved, ['broken']);
  await verifyApplied(context, verification, manifests, { report, watch });
  const isFresh = verification.checks.length === 0 && madeServices(prepared).length === 0;
  await watch.confirm({ ...verification, isFresh });
  return unserved;
}

async function leaveWaiting(
  { context, options }: RollOut,
  { journal }: GuardedChange,
  { candidates, constantTotal, numbers }: Waiting,
  { revision }: Revision,
): Promise<void> {
  await journal.leaveWaiting({
    revision,
    candidates,
    since: serverTimestamp(context.client, context.clock),
    ...(options.verify === undefined ? {} : { verify: options.verify }),
    ...(constantTotal === undefined ? {} : { constantTotal }),
    ...(numbers === undefined ? {} : { numbers }),
  });
}

async function finish(rolling: RollOut, { recorded, done, written, notOver, unserved }: Result): Promise<RunReport> {
  const { context, options, purpose, report, ahead, watch, prepared } = rolling;
  const { revision } = recorded;
  if (done.end.state === 'waiting') {
    reportAttempt(report, prepared, written, watch);
    if (options.strategy === 'blue-green' && options.keepOldForMs !== defaultKeepOldMs)
      ahead.plan.note('"keep-old-for" counts in the run that promotes: set it there');
    return await finishWaiting(rolling, revision);
  }
  const { retired = [] } = done.end;
  reportObjects(report, broughtIn(done.end, done.applied) ?? prepared, watch);
  const changes = changesIn(prepared);
  const headline = liveHeadline({
    subject: subjectOf(rolling),
    changes,
    done: purpose.done,
    recorded: purpose.restores === undefined ? `revision ${revision}` : `now revision ${revision}`,
    elapsed: report.elapsed(),
  });
  const servingAgain =
    retired.length > 0
      ? await keepOldSide(context, options, revision, retired, report)
      : await retireLeftover(context, options, recorded, report);
  tellAsNotOver(context, notOver ?? (await findNotOver(context, watch)), report);
  await removeStrays(context, options, { revision, known: [...rolling.recording.known, recorded] }, report);
  const { faults, remarks } = tellUnserved(unserved, report);
  return finishLive(rolling, {
    headline,
    changes,
    revision,
    held: done.held,
    faults: [...servingAgain, ...faults],
    remarks,
  });
}

function finishLive(
  rolling: RollOut,
  {
    headline,
    changes,
    revision,
    held,
    faults,
    remarks,
  }: {
    headline: string;
    changes: readonly Change[];
    revision: number;
    held: readonly KubernetesObject[];
    faults: readonly string[];
    remarks: readonly string[];
  },
): RunReport {
  const { purpose, report, watch } = rolling;
  // What was to be removed and is not is no success, although all else is.
  if (held.length > 0) return report.finish('failed', `${headline}, but ${held.map(nameGoing).join('; ')}`);
  const changed = nameChanges(changes);
  return finishApplied(report, watch, purpose.status, {
    headline,
    applied: `${subjectOf(rolling)}: ${changed === '' ? '' : `${changed} `}applied as revision ${revision}`,
    faults,
    remarks,
  });
}

async function finishWaiting(rolling: RollOut, revision: number): Promise<RunReport> {
  const { context, options, report, prepared } = rolling;
  const { traffic } = report;
  const { serving } = traffic.length > 0 ? {} : await servingNow(context, options);
  const changes = changesIn(prepared);
  const headline = waitingHeadline({ subject: subjectOf(rolling), changes, traffic, revision, serving });
  return report.finish('waiting', headline);
}
