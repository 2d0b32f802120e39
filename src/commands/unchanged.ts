import { Cancelled } from '../base/errors.ts';
import type { Prepared } from '../apply/prepared.ts';
import type { Manifest } from '../manifests/manifest.ts';
import { isDeployment } from '../manifests/kinds.ts';
import { hasPods, imagesOf } from '../manifests/pod-template.ts';
import type { Context } from '../release/context.ts';
import type { Revision } from '../release/revision-shape.ts';
import { isSameRelease, liveRevision } from '../release/revision.ts';
import { failureOf } from '../report/failure.ts';
import { listed } from '../report/headline.ts';
import { versionOf } from '../report/image-words.ts';
import type { Report } from '../report/report.ts';
import type { RunReport } from '../report/run-report.ts';
import { RolloutWatch, type WorkloadPods } from '../report/watch.ts';
import { reportObjects } from '../report/workloads.ts';
import { originOf } from '../strategies/candidate.ts';
import { refusePaused } from '../strategies/paused.ts';
import { finishApplied } from './held.ts';
import { retireLeftover } from './keep-old.ts';
import type { Ahead } from './look-ahead.ts';
import { notOverAmong, podsOfAwaited, tellAsNotOver } from './not-over.ts';
import type { Purpose, RollOutOptions } from './purpose.ts';
import { findStrays, removeStrays } from './strays.ts';
import { findUnserved, refuseUnserved, tellUnserved, type UnservedService } from './unserved.ts';
import { verifyRelease, type VerificationOptions } from './verification.ts';

/** Whether a roll-out has nothing to write: all is as it is to be, and nothing else is left to do. */
export async function isSettled(
  context: Context,
  options: RollOutOptions,
  { surplus }: Purpose,
  { prepared, revisions, leftover }: Ahead,
): Promise<boolean> {
  if (leftover.state !== 'none' || surplus.length > 0) return false;
  if (prepared.some(({ change }) => change !== 'unchanged')) return false;
  // A candidate that a failed run was told to leave may get requests, whatever the manifests say.
  return !(await findStrays(context, options, revisions)).some(isDeployment);
}

/** The revision that is live, if it is the one that is to be deployed. */
export function sameRevision({ manifests }: Purpose, { revisions }: Pick<Ahead, 'revisions'>): Revision | undefined {
  const live = liveRevision(revisions);
  const objects = manifests.map(({ object }) => object);
  return live !== undefined && isSameRelease(live, objects) ? live : undefined;
}

/** How a roll-out ends that has nothing to write; undefined where there is something. */
export async function whenUnchanged(
  context: Context,
  options: RollOutOptions,
  purpose: Purpose,
  { ahead, report }: { ahead: Ahead; report: Report },
): Promise<RunReport | undefined> {
  if (!(await isSettled(context, options, purpose, ahead))) return undefined;
  if (purpose.whenUnchanged !== undefined) return await purpose.whenUnchanged();
  const live = sameRevision(purpose, ahead);
  const { prepared } = ahead;
  return live === undefined
    ? undefined
    : await confirmUnchanged(context, options, { purpose, prepared, live, revisions: ahead.revisions }, report);
}

/** Nothing is to be written; but what is there may be broken, and then this is no success. */
async function confirmUnchanged(
  context: Context,
  options: RollOutOptions,
  {
    purpose,
    prepared,
    live,
    revisions,
  }: { purpose: Purpose; prepared: readonly Prepared[]; live: Revision; revisions: readonly Revision[] },
  report: Report,
): Promise<RunReport> {
  const watch = new RolloutWatch(context, options);
  const deadline = context.clock.now() + options.timeoutMs;
  const targets = prepared.flatMap((entry) =>
    entry.live === undefined ? [] : [{ object: entry.live, changed: false }],
  );
  refusePaused(prepared);
  report.tellRevision(live.revision);
  let seen: WorkloadPods[];
  let unserved: readonly UnservedService[] = [];
  try {
    await watch.wait(targets, { deadline, signal: context.signal });
    const manifests = prepared.map(({ manifest }) => manifest);
    // Nothing was written, so that nothing has to come about.
    if (watch.held.length === 0) unserved = await findUnserved(context, purpose, prepared, context);
    refuseUnserved(unserved, ['broken', 'found']);
    await verifyApplied(context, { ...options, deadline, signal: context.signal }, manifests, { report, watch });
    seen = await podsOfAwaited(context, watch);
    watch.refuseUnstable(seen);
  } catch (error) {
    if (context.signal.aborted) throw new Cancelled();
    await watch.collectEvidence(error);
    const failure = watch.explain(
      failureOf(error),
      prepared.map(({ manifest }) => manifest),
    );
    reportObjects(report, prepared, watch);
    report.tellFailure(failure);
    return report.finish(
      'failed',
      `${options.release}: nothing to change, but revision ${live.revision} is not healthy`,
    );
  }
  reportObjects(report, prepared, watch);
  const servingAgain = await retireLeftover(context, options, live, report);
  await removeStrays(context, options, { revision: live.revision, known: revisions }, report);
  tellAsNotOver(context, notOverAmong(seen, watch), report);
  const versions = versionsIn(prepared);
  const subject = versions === '' ? `revision ${live.revision}` : `${versions} (revision ${live.revision})`;
  return finishApplied(report, watch, 'unchanged', {
    headline: `${options.release}: nothing to change, ${subject} is live and healthy`,
    applied: `${options.release}: nothing to change, ${subject} is applied`,
    faults: servingAgain,
    remarks: tellUnserved(unserved, report).remarks,
  });
}

/** `web 2.0.0, worker 2.0.0`; of each workload the version of its first container. */
function versionsIn(prepared: readonly Prepared[]): string {
  return listed(
    prepared.flatMap(({ live }) => {
      const image = live === undefined || !hasPods(live) ? undefined : imagesOf(live)[0]?.image;
      return live === undefined || image === undefined
        ? []
        : [`${originOf(live) ?? live.metadata.name} ${versionOf(image)}`];
    }),
  );
}

/** What pods of the old version answer says nothing of what was applied. */
export async function verifyApplied(
  context: Context,
  options: VerificationOptions,
  manifests: readonly Manifest[],
  { report, watch }: { report: Report; watch: RolloutWatch },
): Promise<void> {
  if (watch.held.length === 0) await verifyRelease(context, options, manifests, report);
  else if (options.checks.length > 0)
    report.warn('the checks of "verify" were skipped: not all pods have what was applied');
}
