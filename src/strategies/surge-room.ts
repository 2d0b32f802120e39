import { changesPods } from '../apply/preflight.ts';
import type { Prepared } from '../apply/prepared.ts';
import { booleanAt, equal, numberAt } from '../base/json.ts';
import { enforceCapacity, type Shortage } from '../capacity/capacity.ts';
import type { Source } from '../capacity/report.ts';
import type { KubernetesObject } from '../kubernetes/object.ts';
import { isDeployment } from '../manifests/kinds.ts';
import { podsOf } from '../manifests/pod-template.ts';
import { needsRoomForOneMore, oneByOne, rollingUpdateOf } from '../manifests/rolling-update.ts';
import { expectedObject } from '../plan/expected.ts';
import type { PlanContext } from '../plan/plan.ts';
import type { Cramped } from './in-place.ts';
import { resourcesIn } from './room/certain.ts';
import { devicesOf, shares } from './room/devices.ts';
import { lookOnce } from './room/list-once.ts';
import { lookForObstacle, lookForRoomOfAll, obstacleInPlace } from './room/obstacles.ts';
import { lookForShortages, type Stuck } from './room/one-more.ts';
import { isPlacedAsNow } from './room/placed-as-now.ts';

/**
 * A rolling update that may not do with a pod less begins with a pod more. Where every device of a pool is taken, that pod waits
 * for ever for one that an old pod holds (LLMKube#192). Only devices count, since nodes with spare ones are rare; and only what is
 * certain: whatever else the deploy, or a scheduler of its own, may yet let go leaves the question to the rollout.
 * @returns what is to be replaced in place; nothing unless `onLowCapacity` is `in-place`
 * @throws LowCapacity, or Failures of them; with `onLowCapacity: 'warn'` they are warnings
 */
export async function lookForRoom(
  context: Pick<PlanContext, 'client' | 'namespace' | 'onLowCapacity' | 'reporter'>,
  prepared: readonly Prepared[],
  source?: Source,
): Promise<Cramped[]> {
  const { onLowCapacity, reporter } = context;
  const refuse = (shortages: Shortage[]) => {
    if (shortages.length === 0) return;
    enforceCapacity({ state: 'short', shortages, notices: [] }, onLowCapacity === 'warn' ? 'warn' : 'fail', reporter);
  };
  const look = { ...context, client: lookOnce(context.client) };
  // Judged by what they are after fields of `kubectl apply` have been taken over.
  const expected = new Map(prepared.map((entry) => [{ ...entry, predicted: expectedObject(entry) }, entry]));
  const isBetween = (entry: Prepared) => onLowCapacity === 'in-place' && isHalfWay(entry);
  const moving = [...expected.keys()].filter((entry) => mayLetGo(entry) || isBetween(entry));
  const stuck = new Map<Prepared, Stuck>();
  const asking = moving.filter((entry) => beginsWithDevices(entry) && (isBetween(entry) || isFresh(entry)));
  for (const entry of asking) {
    const found = await lookForShortages(look, entry, source);
    if (found !== undefined) stuck.set(entry, found);
  }
  const certain = [...stuck].filter(([entry]) =>
    moving.every((other) => stuck.has(other) || !shares(devicesOf(entry.predicted), devicesOf(other.live))),
  );
  if (onLowCapacity !== 'in-place') {
    refuse(certain.flatMap(([, { shortages }]) => shortages));
    return [];
  }
  const refused: Shortage[] = [];
  for (const [entry, own] of certain) {
    const hint =
      own.obstacle ?? obstacleInPlace(entry, source) ?? (await lookForObstacle(look, entry, own.shortages, moving));
    if (hint !== undefined) refused.push(...own.shortages.map((shortage) => ({ ...shortage, hint })));
  }
  const entries = certain.map(([entry]) => entry);
  refuse(refused.length > 0 ? refused : await lookForRoomOfAll(look, entries));
  return certain.map(([entry, { shortages }]) => ({
    entry: expected.get(entry) ?? entry,
    devices: resourcesIn(shortages),
  }));
}

/** Whether pods that run now may go with this deploy. */
export function mayLetGo(entry: Prepared): boolean {
  return entry.live !== undefined && (changesPods(entry) || podsOf(entry.predicted) < podsOf(entry.live));
}

function beginsWithDevices({ live, predicted }: Prepared): boolean {
  if (live === undefined || predicted === undefined || !isDeployment(predicted)) return false;
  return (
    devicesOf(predicted).length > 0 &&
    booleanAt(predicted, 'spec', 'paused') !== true &&
    needsRoomForOneMore(predicted, podsOf(predicted)) &&
    isPlacedAsNow(live, predicted)
  );
}

function isFresh(entry: Prepared): boolean {
  return entry.live !== undefined && isSettled(entry.live) && changesPods(entry);
}

/**
 * Whether an earlier run has left it while its pods were replaced in place. With its own surge it would be stuck, even with the
 * template that it has: no old pod goes while a new one is not available.
 */
function isHalfWay({ live }: Prepared): boolean {
  return live !== undefined && isDeployment(live) && !isSettled(live) && equal(rollingUpdateOf(live), oneByOne);
}

/**
 * Whether all its pods are of the version that it has now: otherwise some may be of the next one already, and others go before
 * they become ready.
 */
function isSettled(live: KubernetesObject): boolean {
  const observed = numberAt(live, 'status', 'observedGeneration') ?? 0;
  const updated = numberAt(live, 'status', 'updatedReplicas') ?? 0;
  return observed >= (live.metadata.generation ?? 0) && updated === numberAt(live, 'status', 'replicas');
}
