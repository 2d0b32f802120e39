import type { Prepared } from '../../apply/prepared.ts';
import { checkCapacity, type Shortage } from '../../capacity/capacity.ts';
import type { Source } from '../../capacity/report.ts';
import { isStatus } from '../../kubernetes/errors.ts';
import { describeRef, refOf, type KubernetesObject } from '../../kubernetes/object.ts';
import { podSpecOf } from '../../manifests/pod-template.ts';
import type { PlanContext } from '../../plan/plan.ts';
import { candidateName } from '../candidate.ts';
import { lookWhoMayReleaseThem } from '../device-holders.ts';
import { certainOf, isOfQuota } from './certain.ts';
import { devicesOf, shares } from './devices.ts';
import { asksForMore, grows, notForAll, wholeOf, withoutOldPods } from './whole.ts';

/** What keeps a rolling update from beginning with a pod more. */
export interface Stuck {
  shortages: Shortage[];
  /** Why it would not do to replace pods in place either, and what to do. */
  obstacle?: string;
}

/** Certain shortages of one pod more, where one pod less would make room. */
export async function lookForShortages(
  look: Pick<PlanContext, 'client' | 'namespace' | 'onLowCapacity' | 'reporter'>,
  entry: Prepared,
  source: Source | undefined,
): Promise<Stuck | undefined> {
  const { live, predicted } = entry;
  const whole = wholeOf(entry);
  if (live === undefined || predicted === undefined || whole === undefined) return undefined;
  const { client, namespace, onLowCapacity, reporter } = look;
  const { ref, extra: replicas, freed: existing = 0 } = whole;
  // Those that are too many go first.
  const freed = Math.max(0, existing - replicas);
  const about = { strategy: 'rolling update', ...(source === undefined ? {} : { source }) } as const;
  const check = async (extra: number, gone: number, inPlace: boolean) =>
    await checkCapacity(client, namespace, [{ ...whole, extra, freed: gone }], { ...about, inPlace });
  const report = await check(1, freed, !grows(entry));
  const isInPlace = onLowCapacity === 'in-place';
  if (isInPlace) for (const notice of report.notices) reporter.notice(notice);
  const beside = certainOf(report);
  if (beside.length === 0) return undefined;
  const afterwards = certainOf(await check(1, freed + 1, true));
  if (afterwards.length > 0) {
    if (isInPlace)
      for (const { message } of afterwards) reporter.notice(`${message}, and replacing pods in place would not help`);
    return undefined;
  }
  const inTheWay = await lookForLeaving(look, predicted, { inQuota: isOfQuota(beside), source });
  if (inTheWay !== undefined) {
    if (isInPlace) reporter.notice(`${describeRef(ref)}: tried with an extra pod, not in place, ${inTheWay}`);
    return undefined;
  }
  const all = asksForMore(entry) && !grows(entry) ? certainOf(await check(replicas, existing, false)) : [];
  if (all.length > 0) return { shortages: all.map(withoutOldPods), obstacle: notForAll };
  if (replicas > 1) return { shortages: beside };
  return { shortages: beside.map((shortage) => ({ ...shortage, hint: `${shortage.hint} ${loneReplica}` })) };
}

const loneReplica = 'With 1 replica, nothing serves from then on until the new pod is ready.';

/**
 * Whether something else is about to give such devices back: a candidate beside it, which is removed before a deploy begins, or
 * pods that may end or be evicted meanwhile.
 * @returns what, as a sentence goes on
 */
async function lookForLeaving(
  { client, namespace }: Pick<PlanContext, 'client' | 'namespace'>,
  deployment: KubernetesObject,
  { inQuota, source }: { inQuota: boolean; source: Source | undefined },
): Promise<string | undefined> {
  const ref = refOf(deployment);
  const asked = devicesOf(deployment);
  const releases = (what: string) => `since ${what} and may release its ${asked.join(' and ')}`;
  try {
    // A restart removes none.
    const tracks = source === 'cluster' ? [] : (['canary', 'green'] as const);
    const names = tracks.map((track) => candidateName(ref.name, track));
    const candidates = await Promise.all(names.map(async (name) => await client.read({ ...ref, name })));
    const candidate = candidates.find((object) => object !== undefined);
    if (candidate !== undefined) return releases(`${describeRef(refOf(candidate))} is removed first`);
    const owner = { ...ref, namespace: ref.namespace ?? namespace };
    const holds = (pod: KubernetesObject) => shares(asked, devicesOf(pod));
    const other = await lookWhoMayReleaseThem(client, { specs: [podSpecOf(deployment)], owner, inQuota }, holds);
    return other === undefined ? undefined : releases(other);
  } catch (error) {
    // Whoever may not look cannot say that there is nothing.
    if (isStatus(error, 403))
      return `since there is no permission to list what else may release ${asked.join(' and ')}`;
    throw error;
  }
}
