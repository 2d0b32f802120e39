import { InvalidInput } from '../base/errors.ts';
import { describeRef, keyOf, refOf, type KubernetesObject } from '../kubernetes/object.ts';
import { manifestFrom } from '../manifests/manifest.ts';
import { setReplicas } from '../manifests/replicas.ts';
import { manifestOfRevision, replacedPaths } from '../apply/adopt.ts';
import { refuseAutoscaled } from '../apply/autoscaled.ts';
import { liveRevision, runningRef } from '../release/revision.ts';
import { isPaused, pausedBy } from '../rollout/pause.ts';
import { lastGood, shownState, versionName, type WorkloadRevision } from '../rollout/workload-history.ts';
import { originOf } from '../strategies/candidate.ts';
import type { UserRule } from '../rollout/readiness/user/user-rule.ts';
import { rollingBackWithRoom } from '../strategies/rolling.ts';
import type { Context } from '../release/context.ts';
import { failureOf } from '../report/failure.ts';
import type { Report } from '../report/report.ts';
import { nameOf } from './find-workload.ts';
import { finishApplied } from './held.ts';
import { podsOfAwaited } from './not-over.ts';
import type { RunReport } from '../report/run-report.ts';
import type { RollOutOptions } from './purpose.ts';
import { rollOut } from './roll-out.ts';
import { RolloutWatch, type WatchOptions } from '../report/watch.ts';
import { workloadRow } from '../report/workloads.ts';
import { describeRevision, readHistory } from './workload-history.ts';
import { rulesOfChange } from '../release/recorded-rules.ts';
import type { Revision } from '../release/revision-shape.ts';

interface WorkloadRollback {
  workload: KubernetesObject;
  /** The workload's own revision number; by default the last good one. */
  toRevision: string | undefined;
  replicas: readonly string[];
  /** What is recorded of the release. */
  revisions: readonly Revision[];
  /** The rules of the input `await`. */
  givenRules: readonly UserRule[];
}

/**
 * Brings back an earlier version of a workload from what its own controller keeps, as `kubectl rollout undo` does, and
 * records it: from then on the release has a history of its own.
 */
export async function rollbackWorkload(
  context: Context,
  options: Omit<RollOutOptions, 'strategy' | 'newNamespaces' | 'forceConflicts' | 'checks' | 'restartOnConfig'>,
  { workload, toRevision, replicas, revisions, givenRules }: WorkloadRollback,
  report: Report,
): Promise<RunReport> {
  const { release } = options;
  const live = liveRevision(revisions);
  refuseSide(workload, live, release);
  const target = await chooseTarget(context, workload, toRevision);
  if (target.state === 'current' && !isPaused(workload) && replicas.length === 0)
    return await confirmCurrent(context, options, { workload, target }, report);
  if (target.state !== 'good' && target.state !== 'current') {
    report.warn(
      `${versionName(workload, target.revision)} of ${nameOf(workload)} may never have been ready: ${target.reason}`,
    );
  }
  if (isPaused(workload)) {
    report.warn(`${describeRef(refOf(workload), true)} was paused ${pausedBy(workload)}; the rollback resumes it`);
  }
  const manifest = manifestFrom(manifestOfRevision(workload, target), `revision ${target.revision}`);
  const scaled = setReplicas([manifest], replicas);
  await refuseAutoscaled(
    context.client,
    options.namespace,
    scaled.map((change) => change.workload),
  );
  const others = (live?.objects ?? []).filter((object) => keyOf(refOf(object)) !== keyOf(refOf(workload)));
  // Where the rest of the release runs on sides, it goes on to.
  const { strategy: strategyName, serving } = live?.serving === undefined ? { strategy: 'rolling' } : live;
  return await rollOut(
    context,
    // Who has written into the template is of no matter when it is replaced.
    {
      ...options,
      strategy: strategyName,
      forceConflicts: true,
      newNamespaces: new Set(),
      checks: [],
      ...(live === undefined ? { userRules: givenRules } : rulesOfChange(givenRules, live, report)),
      // The template is one that its controller has kept, with the hash that it had.
      restartOnConfig: undefined,
    },
    {
      command: 'rollback',
      status: 'rolled-back',
      manifests: [manifest],
      strategy: rollingBackWithRoom,
      alongside: others,
      ...(serving === undefined ? {} : { serving }),
      claims: replacedPaths,
      surplus: [],
      done: `rolled back to ${versionName(workload, target.revision)}`,
      attempt: `rollback to ${versionName(workload, target.revision)}`,
    },
    report,
  );
}

/** Tells what its controller keeps of a workload, and which of it the rollback goes back to. */
async function chooseTarget(
  context: Context,
  workload: KubernetesObject,
  toRevision: string | undefined,
): Promise<WorkloadRevision> {
  const { reporter } = context;
  return await reporter.group(`Look up earlier versions of ${nameOf(workload)}`, async () => {
    const history = await readHistory(context, workload);
    for (const revision of history) reporter.info(describeRevision(workload, revision));
    const chosen = chooseWorkloadRevision(workload, history, toRevision);
    reporter.info(`going back to ${describeRevision(workload, chosen)}`);
    return chosen;
  });
}

/** @throws InvalidInput for what a strategy runs under another name: its version is that of the release */
export function refuseSide(workload: KubernetesObject, live: Revision | undefined, release: string): void {
  const running = live === undefined ? refOf(workload) : runningRef(live, workload);
  const isDerived = originOf(workload) !== undefined;
  if (!isDerived && running.name === workload.metadata.name) return;
  throw new InvalidInput(
    isDerived
      ? `${nameOf(workload)} was created by a strategy of this action and has no history of its own`
      : `${nameOf(workload)} of release "${release}" does not serve now, but ${running.name} does`,
    { hint: 'Leave out the input "workload" to roll back the release, or run the command "abort" for a candidate.' },
  );
}

/** @throws InvalidInput when there is no such revision, or none to go back to */
export function chooseWorkloadRevision(
  workload: KubernetesObject,
  history: readonly WorkloadRevision[],
  wanted: string | undefined,
): WorkloadRevision {
  const listed =
    history.length === 0
      ? 'its controller keeps none'
      : `there are ${history.map(({ revision, state }) => `#${revision} (${shownState(state)})`).join(', ')}`;
  if (wanted !== undefined) {
    const found = history.find(({ revision }) => String(revision) === wanted);
    if (found !== undefined) return found;
    throw new InvalidInput(`there is no ${versionName(workload, wanted)} of ${nameOf(workload)}: ${listed}`, {
      hint: 'Set the input "to-revision" to one of them.',
    });
  }
  const good = lastGood(history);
  if (good !== undefined) return good;
  const others = history.filter(({ state }) => state !== 'current');
  throw new InvalidInput(
    `${nameOf(workload)} has no earlier version that could be healthy: ${others.length === 0 ? listed : others.map(({ revision, reason }) => `#${revision}: ${reason}`).join('; ')}`,
    {
      hint:
        others.length === 0
          ? 'Deploy a version that works; "revisionHistoryLimit" of the workload sets how many are kept.'
          : 'Set the input "to-revision" to use one of them anyway.',
    },
  );
}

/** Nothing is to be written; but what is there may be broken, and then this is no success. */
async function confirmCurrent(
  context: Context,
  options: WatchOptions & Pick<RollOutOptions, 'timeoutMs'>,
  { workload, target }: { workload: KubernetesObject; target: WorkloadRevision },
  report: Report,
): Promise<RunReport> {
  const watch = new RolloutWatch(context, options);
  const is = `Nothing to do: ${nameOf(workload)} already runs ${versionName(workload, target.revision)}`;
  const deadline = context.clock.now() + options.timeoutMs;
  let failure;
  try {
    await watch.wait([{ object: workload, changed: false }], { deadline, signal: context.signal });
    watch.refuseUnstable(await podsOfAwaited(context, watch));
  } catch (error) {
    context.signal.throwIfAborted();
    await watch.collectEvidence(error);
    failure = watch.explain(failureOf(error));
    report.tellFailure(failure);
  }
  report.tellWorkloads([workloadRow(workload, watch.stateOf(refOf(workload)))]);
  return failure === undefined
    ? finishApplied(report, watch, 'unchanged', { headline: `${is}, and it is healthy`, applied: is })
    : report.finish('failed', `${is}, but it is not healthy`);
}
