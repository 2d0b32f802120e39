import { isWorkload } from '../manifests/kinds.ts';
import { readJournal } from '../release/journal.ts';
import { listRevisions, liveRevision } from '../release/revision.ts';
import { locking } from '../release/rights.ts';
import type { ChangeOptions, Context } from '../release/context.ts';
import { Report } from '../report/report.ts';
import { command, type OptionsOf } from './command.ts';
import { exceptionsOf, tellServing } from './failed-change.ts';
import { guardedChange, settle, takeAway } from '../release/change.ts';
import { expectOfStrategy, expectOfUndo } from './needs.ts';
import { examine } from './health.ts';
import { endOf, noteEvent } from './note-event.ts';
import { retireLeftover } from './keep-old.ts';
import { findCandidate } from './promote.ts';
import { refuseOtherCandidate } from './same-candidate.ts';
import { recordedRules } from '../release/recorded-rules.ts';
import { readRelease, servingIn, unservedIn } from './release-now.ts';
import type { RunReport } from '../report/run-report.ts';
import { goneRow } from '../report/workloads.ts';
import type { JournalRecord } from '../release/journal-shape.ts';

/** What the input "undo-timeout" of other commands says unless somebody has set it, in ms. */
export const defaultUndoMs = 300_000;

const inputs = ['timeout', 'unschedulable-grace', 'environment', 'reason'] as const;

export const abort = command({ inputs, required: [], rights: locking, run: abortCandidate });

/** Takes a candidate away that a deploy has left waiting: traffic goes back first, its pods go last. */
async function abortCandidate(context: Context, given: OptionsOf<(typeof inputs)[number]>): Promise<RunReport> {
  const namespace = given.namespace ?? context.client.defaultNamespace;
  const { release } = given;
  // It is an undo itself: there are no inputs to say whether there is to be one, and for how long.
  const options: ChangeOptions = { ...given, undoOnFailure: true, undoTimeoutMs: defaultUndoMs };
  const first = (await readJournal(context.client, namespace, release))?.record;
  if (first !== undefined && first.waiting === undefined) {
    const ended = await finishUnfinished(context, { ...options, namespace }, first);
    if (ended !== undefined) return ended;
  }
  const { record, revision } = await findCandidate(context, { ...options, namespace }, 'abort');
  expectOfStrategy(context, revision.strategy, namespace, 'now');
  await expectOfUndo(context, record.entries);
  const report = new Report(context, 'abort', { release, namespace, strategy: revision.strategy });
  const outcome = await guardedChange(
    context,
    { ...options, namespace },
    {
      command: 'abort',
      candidate: 'continue',
      work: async ({ journal }) => {
        const asked = first?.waiting?.revision ?? first?.revision ?? revision.revision;
        const abort = { command: 'abort', namespace, release, revision: asked } as const;
        await refuseOtherCandidate(context, abort, journal.record.waiting);
        return await takeAway(context, { ...options, namespace }, journal);
      },
      isOver: (undo) => !undo.results.some((result) => result.outcome === 'failed'),
      beforeUndo: () => Promise.resolve(),
    },
  );
  report.tellRevision(revision.revision);
  report.tellWorkloads(
    revision.objects.filter(isWorkload).map((object) => goneRow(object, 'the candidate was aborted')),
  );
  await noteEvent(
    context,
    { namespace, release, revision: revision.revision },
    {
      command: 'abort',
      ...(outcome.state === 'done' && !outcome.result.complete ? { outcome: 'failed' } : endOf(outcome)),
    },
    report,
  );
  if (outcome.state === 'failed') throw outcome.failure.error;
  report.tellUndo(outcome.result);
  const removed = `${release}: the candidate (revision ${revision.revision}) was removed`;
  if (!outcome.result.complete) return report.finish('failed', `${removed}${exceptionsOf(outcome.result)}`);
  const problem = await firstProblem(context, { namespace, release }, report);
  if (problem !== undefined) return report.finish('failed', `${removed}, but what is live is not healthy: ${problem}`);
  await retireBeside(context, { ...options, namespace }, report);
  const serves = await tellServing(context, { namespace, release }, report, outcome.result);
  return report.finish('aborted', `${removed}, everything is as it was before${exceptionsOf(outcome.result)}${serves}`);
}

/** An old side whose time was over while the candidate ran there. */
async function retireBeside(context: Context, options: Required<ChangeOptions>, report: Report): Promise<void> {
  const live = liveRevision(await listRevisions(context.client, options.namespace, options.release));
  if (live !== undefined) await retireLeftover(context, options, live, report);
}

/** What is wrong with the revision that is live without the candidate, and with the Services that lead to it. */
async function firstProblem(
  context: Context,
  { namespace, release }: { namespace: string; release: string },
  report: Report,
): Promise<string | undefined> {
  const live = liveRevision(await listRevisions(context.client, namespace, release));
  if (live === undefined) return undefined;
  const { client } = context;
  const now = await readRelease(client, live);
  const [examined, serving, unserved] = await Promise.all([
    examine(context, now.found, { userRules: recordedRules(live, report) }),
    servingIn(client, now, live),
    unservedIn(client, now),
  ]);
  // Nothing of it was to change, so that nothing has to start.
  const problems = [
    ...now.problems,
    ...examined.problems,
    ...examined.starting,
    ...serving.problems,
    ...unserved.problems,
  ];
  return problems[0]?.message;
}

/**
 * A run that is under way, or has died: it is waited for, or whoever takes the lock finishes its undo. Undefined where it has left its
 * candidate waiting, which is the one that is meant.
 */
async function finishUnfinished(
  context: Context,
  options: Required<ChangeOptions>,
  { command, revision }: JournalRecord,
): Promise<RunReport | undefined> {
  const { namespace, release } = options;
  const { client } = context;
  const report = new Report(context, 'abort', { release, namespace });
  const undo = await settle(context, options, 'abort');
  const waiting = (await readJournal(client, namespace, release))?.record.waiting;
  if (waiting !== undefined) {
    await refuseOtherCandidate(context, { command: 'abort', namespace, release, revision }, waiting);
    return undefined;
  }
  const removed = `${release}: what an interrupted "${command}" had left was removed`;
  if (undo !== undefined) {
    report.tellUndo(undo);
    const serves = await tellServing(context, { namespace, release }, report, undo);
    return report.finish(undo.complete ? 'aborted' : 'failed', `${removed}${exceptionsOf(undo)}${serves}`);
  }
  const outcome = (await listRevisions(client, namespace, release)).find((one) => one.revision === revision)?.outcome;
  return outcome === 'aborted' || outcome === 'undone'
    ? report.finish('aborted', removed)
    : report.finish('unchanged', `Nothing to do: no candidate of ${release} is waiting`);
}
