import { changesPods } from '../apply/preflight.ts';
import type { Prepared } from '../apply/prepared.ts';
import { booleanAt, equal, numberAt, objectAt, stringAt, stringsAt } from '../base/json.ts';
import { checkCapacity, enforceCapacity, type CapacityReport, type Shortage } from '../capacity/capacity.ts';
import { hostPort, requestsOf } from '../capacity/demand.ts';
import { isEnding } from '../capacity/pods.ts';
import { isStatus } from '../kubernetes/errors.ts';
import { refOf, type KubernetesObject } from '../kubernetes/object.ts';
import { isDeployment } from '../manifests/kinds.ts';
import { podsIn, podsOf, podSpecOf } from '../manifests/pod-template.ts';
import { needsRoomForOneMore, oneByOne, rollingUpdateOf } from '../manifests/rolling-update.ts';
import type { PlanContext } from '../plan/plan.ts';
import { candidateName } from './candidate.ts';
import { lookWhetherSomeComeFree } from './device-holders.ts';
import type { Cramped } from './in-place.ts';

/**
 * A rolling update that may not do with a pod less begins with a pod more. Where every device of a pool is taken, that pod waits
 * for ever for one that an old pod holds (LLMKube#192). Only devices count, since nodes with spare ones are rare; and only what is
 * certain: whatever else the deploy, or a scheduler of its own, may yet let go leaves the question to the rollout.
 * @returns what is to be replaced in place; nothing unless `onLowCapacity` is `in-place`
 * @throws LowCapacity, or Failures of them; with `onLowCapacity: 'warn'` they are warnings
 */
export async function lookForRoom(context: PlanContext, prepared: readonly Prepared[]): Promise<Cramped[]> {
  const { onLowCapacity, reporter } = context;
  const isBetween = (entry: Prepared) => onLowCapacity === 'in-place' && isHalfWay(entry);
  const moving = prepared.filter((entry) => mayLetGo(entry) || isBetween(entry));
  const stuck = new Map<Prepared, Shortage[]>();
  const asking = moving.filter((entry) => beginsWithDevices(entry) && (isBetween(entry) || isFresh(entry)));
  for (const entry of asking) {
    const shortages = await lookForShortages(context, entry);
    if (shortages.length > 0) stuck.set(entry, shortages);
  }
  const certain = [...stuck].filter(([entry]) =>
    moving.every((other) => stuck.has(other) || !shares(devicesOf(entry.predicted), devicesOf(other.live))),
  );
  const obstacles = new Map(certain.map(([entry]) => [entry, obstacleInPlace(entry)]));
  const refused = certain.flatMap(([entry, own]) => {
    if (onLowCapacity !== 'in-place') return own;
    const hint = obstacles.get(entry);
    return hint === undefined ? [] : own.map((shortage) => ({ ...shortage, hint }));
  });
  if (refused.length > 0) {
    const action = onLowCapacity === 'warn' ? 'warn' : 'fail';
    enforceCapacity({ state: 'short', shortages: refused, notices: [] }, action, reporter);
  }
  if (onLowCapacity !== 'in-place') return [];
  return certain.map(([entry, own]) => ({
    entry,
    devices: [...new Set(own.flatMap(({ lacking }) => lacking.map(resourceOf)))],
  }));
}

/** Why the pods of a Deployment that has no room for one more cannot be replaced in place, and what to do; undefined where they can. */
function obstacleInPlace({ live, predicted, manifest }: Prepared): string | undefined {
  if (grows(live, predicted)) return `${inPlaceInput} makes no room for more replicas: ${ofMoreReplicas}`;
  if (equal(rollingUpdateOf(predicted), rollingUpdateOf(manifest.object))) return undefined;
  return `${inPlaceInput} could not restore the rolling update settings, which are set in the cluster and not in the manifest: add them to the manifest.`;
}

const inPlaceInput = '"on-low-capacity: in-place"';
const ofMoreReplicas = 'free up or add nodes, or use no more replicas than now.';

function grows(live: KubernetesObject | undefined, next: KubernetesObject | undefined): boolean {
  return podsOf(next) > (numberAt(live, 'status', 'replicas') ?? 0);
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

/**
 * Whether the usual scheduler puts its pods onto nodes, and with the same priority as now: what a queue lets in, and whom pods of
 * a class that none has yet may evict, is not known here.
 */
function isPlacedAsNow(live: KubernetesObject, next: KubernetesObject): boolean {
  const spec = podSpecOf(next);
  const labels = { ...next.metadata.labels, ...stringsAt(next, 'spec', 'template', 'metadata', 'labels') };
  return (
    (stringAt(spec, 'schedulerName') ?? 'default-scheduler') === 'default-scheduler' &&
    spec?.['schedulingGates'] === undefined &&
    !Object.keys(labels).some((name) => name.startsWith('kueue.x-k8s.io/')) &&
    equal(spec?.['priorityClassName'], podSpecOf(live)?.['priorityClassName'])
  );
}

/** Certain shortages of one pod more, where one pod less would make room. */
async function lookForShortages(context: PlanContext, { live, predicted }: Prepared): Promise<Shortage[]> {
  if (live === undefined || predicted === undefined) return [];
  const { client, namespace, onLowCapacity, reporter } = context;
  const replicas = podsOf(predicted);
  // Those that are too many go first.
  const freed = Math.max(0, (numberAt(live, 'status', 'replicas') ?? 0) - replicas);
  const surge = { ref: refOf(predicted), template: objectAt(predicted, 'spec', 'template'), extra: 1 };
  const about = { strategy: 'rolling update', inPlace: !grows(live, predicted) } as const;
  const check = async (gone: number) => await checkCapacity(client, namespace, [{ ...surge, freed: gone }], about);
  const report = await check(freed);
  if (onLowCapacity === 'in-place') for (const notice of report.notices) reporter.notice(notice);
  const beside = certainOf(report);
  if (beside.length === 0) return [];
  const afterwards = certainOf(await check(freed + 1));
  if (afterwards.length > 0) {
    if (onLowCapacity === 'in-place')
      for (const { message } of afterwards) reporter.notice(`${message}, and replacing pods in place would not help`);
    return [];
  }
  if (await lookForLeaving(context, predicted, isOfQuota(beside))) return [];
  if (replicas > 1) return beside;
  return beside.map((shortage) => ({ ...shortage, hint: `${shortage.hint} ${loneReplica}` }));
}

const loneReplica = 'With 1 replica, nothing serves from then on until the new pod is ready.';

/** Of devices alone: whatever else is short, others of the deploy or pods that are ending may let it go meanwhile. */
export function certainOf(report: CapacityReport): Shortage[] {
  if (report.state === 'fits') return [];
  return report.shortages.filter(
    ({ certain, lacking }) => certain && lacking.length > 0 && lacking.every((name) => isDevice(resourceOf(name))),
  );
}

/** Whether a quota has too little for any of them. */
export function isOfQuota(shortages: readonly Shortage[]): boolean {
  return shortages.some(({ lacking }) => lacking.some((name) => resourceOf(name) !== name));
}

/** As pods ask for it, also where it is a quota that has too little: `nvidia.com/gpu`. */
function resourceOf(lacking: string): string {
  return lacking.replace(/^requests\./, '');
}

/**
 * Whether something else is about to give such devices back: a candidate beside it, which is removed before a deploy begins, or
 * pods that are ending, which count for a quota until they are gone, or that may end or be evicted meanwhile.
 */
async function lookForLeaving(
  { client, namespace }: PlanContext,
  deployment: KubernetesObject,
  inQuota: boolean,
): Promise<boolean> {
  const ref = refOf(deployment);
  try {
    const names = (['canary', 'green'] as const).map((track) => candidateName(ref.name, track));
    const candidates = await Promise.all(names.map(async (name) => await client.read({ ...ref, name })));
    if (candidates.some((object) => object !== undefined)) return true;
    const pods = await client.resource('v1', 'Pod');
    if (pods === undefined) return false;
    const { items } = await client.list(pods, { namespace: ref.namespace ?? namespace });
    const holds = (pod: KubernetesObject) => shares(devicesOf(deployment), devicesOf(pod));
    if (items.some((pod) => isEnding(pod) && holds(pod))) return true;
    const owner = { ...ref, namespace: ref.namespace ?? namespace };
    return await lookWhetherSomeComeFree(client, { specs: [podSpecOf(deployment)], owner, inQuota }, holds);
  } catch (error) {
    // Whoever may not look cannot say that there is nothing.
    if (isStatus(error, 403)) return true;
    throw error;
  }
}

export function shares(asked: readonly string[], held: readonly string[]): boolean {
  return asked.some((name) => held.includes(name));
}

/**
 * The extended resources that pods of a workload ask for, such as `nvidia.com/gpu`: their names have a domain, which is not one
 * of Kubernetes itself (kubernetes pkg/apis/core/helper IsExtendedResourceName).
 */
export function devicesOf(workload: KubernetesObject | undefined): string[] {
  const amounts = workload === undefined ? [] : podsIn(workload).flatMap(({ spec }) => [...requestsOf(spec)]);
  return [...new Set(amounts.filter(([name, amount]) => amount > 0 && isDevice(name)).map(([name]) => name))];
}

/** Neither what quotas count objects by, nor a port of the node: `count/pods`, `host port 8080/TCP`. */
export function isDevice(name: string): boolean {
  return (
    name.includes('/') && !name.includes('kubernetes.io/') && !name.startsWith('count/') && !name.startsWith(hostPort)
  );
}
