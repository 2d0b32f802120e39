import { objectAt } from '../../base/json.ts';
import { refOf } from '../../kubernetes/object.ts';
import { needsRoomForOneMore } from '../../manifests/rolling-update.ts';
import { checkCapacity, enforceCapacity, type Surge } from '../../capacity/capacity.ts';
import type { PlanContext } from '../../plan/plan.ts';
import { podsOf } from '../../manifests/pod-template.ts';
import { shareOf, type CanaryOptions, type Pair } from './pairs.ts';

/**
 * Whether stable pods have to go before those of the candidate can come: where all places are taken, as in a pool of GPUs.
 * @throws LowCapacity when there is no room even so
 */
export async function needsPlaces(
  context: PlanContext,
  pairs: readonly Pair[],
  options: CanaryOptions,
): Promise<boolean> {
  const { client, namespace, onLowCapacity, reporter } = context;
  const surges = pairs.map(({ candidate, live }) => {
    const most = Math.max(...options.steps.map((percent) => shareOf(podsOf(live), percent, options).candidate));
    return { ref: refOf(live), template: objectAt(candidate.object, 'spec', 'template'), extra: most };
  });
  const about = { strategy: 'canary', creates: pairs.map(({ candidate }) => refOf(candidate.object)) } as const;
  const report = await checkCapacity(client, namespace, surges, about);
  if (!options.constantTotal) {
    enforceCapacity(report, onLowCapacity, reporter);
    return false;
  }
  const freed = surges.map((surge) => ({ ...surge, freed: surge.extra }));
  if (report.state === 'short') {
    enforceCapacity(await checkCapacity(client, namespace, freed, about), onLowCapacity, reporter);
  } else {
    enforceCapacity(report, onLowCapacity, reporter);
  }
  await refuseStuckPromotion(context, pairs, freed, options);
  if (report.state === 'fits') return false;
  context.note('no capacity left: stable pods are removed before those of the candidate are added');
  return true;
}

/**
 * With a constant total the stable Deployments roll while the candidate keeps its places. One whose rolling update begins
 * with one pod more would never get it in a full pool.
 * @throws LowCapacity
 */
async function refuseStuckPromotion(
  context: PlanContext,
  pairs: readonly Pair[],
  candidates: readonly Surge[],
  options: CanaryOptions,
): Promise<void> {
  const { client, namespace, onLowCapacity, reporter } = context;
  for (const { stable, live } of pairs) {
    const left = shareOf(podsOf(live), options.steps.at(-1) ?? 0, options).stable;
    const promoted = stable.predicted ?? stable.manifest.object;
    if (!needsRoomForOneMore(promoted, left)) continue;
    // One after the other: the first that is through gives its place to the next.
    const own = { ref: refOf(live), template: objectAt(promoted, 'spec', 'template'), extra: 1 };
    const report = await checkCapacity(client, namespace, [...candidates, own], { strategy: 'promotion' });
    enforceCapacity({ ...report, notices: [] }, onLowCapacity, reporter);
  }
}
