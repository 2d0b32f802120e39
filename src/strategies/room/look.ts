import type { Prepared } from '../../apply/prepared.ts';
import { objectAt } from '../../base/json.ts';
import { checkCapacity, enforceCapacity, type Shortage } from '../../capacity/capacity.ts';
import { isEnding } from '../../capacity/pods.ts';
import { isStatus } from '../../kubernetes/errors.ts';
import { refOf, type KubernetesObject, type ObjectRef } from '../../kubernetes/object.ts';
import type { PlanContext } from '../../plan/plan.ts';
import { lookWhoMayReleaseThem } from '../device-holders.ts';
import { mayLetGo } from '../surge-room.ts';
import { certainOf, isOfQuota } from './certain.ts';
import { deviceAmounts, devicesOf, shares } from './devices.ts';
import type { Growth, PodsWanted } from './growth.ts';
import { growthOfGroups } from './leader-worker-set.ts';
import { isPlacedAsNow } from './placed-as-now.ts';
import { growthOfCluster } from './ray-service.ts';

interface Growing {
  entry: Prepared;
  ref: ObjectRef;
  growth: Growth;
}

/**
 * Likewise for custom resources whose update begins with more pods than there are: a group of a LeaderWorkerSet, the second cluster
 * of a RayService. What is certain ends the run, and what is not is left to the rollout, as for Deployments.
 * @throws LowCapacity, or Failures of them; with `onLowCapacity: 'warn'` they are warnings
 */
export async function lookForRoomOfCustom(context: PlanContext, prepared: readonly Prepared[]): Promise<void> {
  const growing = prepared.flatMap((entry) => growingOf(entry) ?? []);
  const stuck = new Map<Prepared, Shortage[]>();
  for (const each of growing) {
    const shortages = await lookForShortages(context, each);
    if (shortages.length > 0) stuck.set(each.entry, shortages);
  }
  const moving = prepared.filter((entry) => mayLetGo(entry) && !stuck.has(entry));
  const shortages = [...stuck].flatMap(([{ predicted }, own]) =>
    moving.some(({ live }) => shares(devicesOf(predicted), devicesOf(live))) ? [] : own,
  );
  if (shortages.length === 0) return;
  enforceCapacity({ state: 'short', shortages, notices: [] }, context.onLowCapacity, context.reporter);
}

function growingOf(entry: Prepared): Growing | undefined {
  const { live, predicted, change } = entry;
  if (live === undefined || predicted === undefined || change === 'unchanged') return undefined;
  const growth = (mayLetGo(entry) ? growthOfGroups(live, predicted) : undefined) ?? growthOfCluster(live, predicted);
  if (growth === undefined || !isPlacedAsNow(live, predicted)) return undefined;
  const [pods, parts] = [growth.pods.filter(asksForDevice), growth.parts.filter((part) => part.some(asksForDevice))];
  return pods.length === 0 ? undefined : { entry, ref: refOf(predicted), growth: { ...growth, pods, parts } };
}

function asksForDevice({ template }: PodsWanted): boolean {
  return deviceAmounts(objectAt(template, 'spec')).size > 0;
}

/** Certain shortages of devices, where doing it in place would make room. */
async function lookForShortages(context: PlanContext, { entry, ref, growth }: Growing): Promise<Shortage[]> {
  const { client, namespace } = context;
  const check = async (wanted: readonly PodsWanted[], freed = 0, owner = ref) => {
    const surges = wanted.map(({ template, count }, index) => ({
      ref: owner,
      template,
      extra: count,
      freed: index === 0 ? freed : 0,
    }));
    return certainOf(
      await checkCapacity(client, namespace, surges, { strategy: growth.what, inPlace: growth.grows !== true }),
    );
  };
  const isOut = await somePart(growth.parts, async (part) => (await check(part)).length > 0);
  if (!isOut) return [];
  const { owner, count } = growth.inPlace;
  const fitsInPlace = !(await somePart(growth.parts, async (part) => (await check(part, count, owner)).length > 0));
  if (!fitsInPlace) return [];
  const beside = await check(growth.pods);
  if (await arePodsLeaving(context, entry.predicted, growth, isOfQuota(beside))) return [];
  const { note } = growth;
  return note === undefined ? beside : beside.map((shortage) => ({ ...shortage, hint: `${shortage.hint} ${note}` }));
}

async function somePart(
  parts: readonly PodsWanted[][],
  is: (part: readonly PodsWanted[]) => Promise<boolean>,
): Promise<boolean> {
  for (const part of parts) if (await is(part)) return true;
  return false;
}

/** Whether pods are about to give such devices back, or may. Whoever may not look cannot say that there are none. */
async function arePodsLeaving(
  { client, namespace }: PlanContext,
  object: KubernetesObject | undefined,
  { isLeaving, pods: wanted, inPlace }: Growth,
  inQuota: boolean,
): Promise<boolean> {
  try {
    const pods = await client.resource('v1', 'Pod');
    if (pods === undefined) return false;
    const owner = { ...inPlace.owner, namespace: object?.metadata.namespace ?? namespace };
    const { items } = await client.list(pods, { namespace: owner.namespace });
    const holds = (pod: KubernetesObject) => shares(devicesOf(object), devicesOf(pod));
    if (items.some((pod) => (isEnding(pod) || isLeaving(pod.metadata.labels ?? {})) && holds(pod))) return true;
    const specs = wanted.map(({ template }) => objectAt(template, 'spec'));
    return (await lookWhoMayReleaseThem(client, { specs, owner, inQuota }, holds)) !== undefined;
  } catch (error) {
    if (isStatus(error, 403)) return true;
    throw error;
  }
}
