import { changesPods } from '../apply/preflight.ts';
import type { Prepared } from '../apply/prepared.ts';
import { equal, numberAt, objectAt, stringAt, stringsAt } from '../base/json.ts';
import { checkCapacity, enforceCapacity, type CapacityReport, type Shortage } from '../capacity/capacity.ts';
import { requestsOf } from '../capacity/demand.ts';
import { isStatus } from '../kubernetes/errors.ts';
import { refOf, type KubernetesObject } from '../kubernetes/object.ts';
import { isDeployment } from '../manifests/kinds.ts';
import { podsOf, podSpecOf } from '../manifests/pod-template.ts';
import { needsRoomForOneMore } from '../manifests/rolling-update.ts';
import type { PlanContext, Strategy } from '../plan/plan.ts';
import { candidateName } from './candidate.ts';

/** The same strategy; it ends before the first write where a rolling update could certainly never begin. */
export function withRoomForSurge(strategy: Strategy): Strategy {
  return async (context, manifests) => {
    const arrangement = await strategy(context, manifests);
    return {
      ...arrangement,
      plan: async (prepared) => {
        const plan = await arrangement.plan(prepared);
        await refuseStuckSurges(context, prepared);
        return plan;
      },
    };
  };
}

/**
 * A rolling update that may not do with a pod less begins with a pod more. Where every device of a pool is taken, that pod waits
 * for ever for one that an old pod holds (LLMKube#192). Only devices count, since nodes with spare ones are rare; and only what is
 * certain: whatever else the deploy, or a scheduler of its own, may yet let go leaves the question to the rollout.
 * @throws LowCapacity, or Failures of them; with `onLowCapacity: 'warn'` they are warnings
 */
async function refuseStuckSurges(context: PlanContext, prepared: readonly Prepared[]): Promise<void> {
  const moving = prepared.filter(mayLetGo);
  const stuck = new Map<Prepared, Shortage[]>();
  for (const entry of moving.filter(beginsWithDevices)) {
    const shortages = await shortagesOf(context, entry);
    if (shortages.length > 0) stuck.set(entry, shortages);
  }
  const shortages = [...stuck].flatMap(([entry, own]) =>
    moving.every((other) => stuck.has(other) || !sharesDevices(entry, other)) ? own : [],
  );
  if (shortages.length === 0) return;
  enforceCapacity({ state: 'short', shortages, notices: [] }, context.onLowCapacity, context.reporter);
}

/** Whether pods that run now may go with this deploy. */
function mayLetGo(entry: Prepared): boolean {
  return entry.live !== undefined && (changesPods(entry) || podsOf(entry.predicted) < podsOf(entry.live));
}

function beginsWithDevices({ live, predicted }: Prepared): boolean {
  if (live === undefined || predicted === undefined || !isDeployment(predicted)) return false;
  return (
    devicesOf(predicted).length > 0 &&
    needsRoomForOneMore(predicted, podsOf(predicted)) &&
    isSettled(live) &&
    isPlacedAsNow(live, predicted)
  );
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
async function shortagesOf(context: PlanContext, { live, predicted }: Prepared): Promise<Shortage[]> {
  if (live === undefined || predicted === undefined) return [];
  const { client, namespace } = context;
  const replicas = podsOf(predicted);
  // Those that are too many go first.
  const freed = Math.max(0, (numberAt(live, 'status', 'replicas') ?? 0) - replicas);
  const surge = { ref: refOf(predicted), template: objectAt(predicted, 'spec', 'template'), extra: 1 };
  const check = async (gone: number) =>
    certainOf(await checkCapacity(client, namespace, [{ ...surge, freed: gone }], { strategy: 'rolling update' }));
  const beside = await check(freed);
  if (beside.length === 0 || (await check(freed + 1)).length > 0) return [];
  if (await hasCandidate(context, predicted)) return [];
  if (replicas > 1) return beside;
  return beside.map((shortage) => ({ ...shortage, hint: `${shortage.hint} ${loneReplica}` }));
}

const loneReplica = 'With 1 replica, nothing serves from then on until the new pod is ready.';

function certainOf(report: CapacityReport): Shortage[] {
  return report.state === 'fits' ? [] : report.shortages.filter(({ certain }) => certain);
}

/** What waits beside it holds devices, too, and is removed before a deploy begins. */
async function hasCandidate({ client }: PlanContext, deployment: KubernetesObject): Promise<boolean> {
  const ref = refOf(deployment);
  try {
    const names = (['canary', 'green'] as const).map((track) => candidateName(ref.name, track));
    const found = await Promise.all(names.map(async (name) => await client.read({ ...ref, name })));
    return found.some((object) => object !== undefined);
  } catch (error) {
    // Whoever may not look cannot say that there is none.
    if (isStatus(error, 403)) return true;
    throw error;
  }
}

/** Whether the one has devices of a kind that the other asks for. */
function sharesDevices(asking: Prepared, holding: Prepared): boolean {
  const held = new Set(devicesOf(holding.live));
  return devicesOf(asking.predicted).some((name) => held.has(name));
}

/**
 * The extended resources that pods of a workload ask for, such as `nvidia.com/gpu`: their names have a domain, which is not one
 * of Kubernetes itself (kubernetes pkg/apis/core/helper IsExtendedResourceName).
 */
function devicesOf(workload: KubernetesObject | undefined): string[] {
  const amounts = [...requestsOf(workload === undefined ? undefined : podSpecOf(workload))];
  return amounts.filter(([name, amount]) => amount > 0 && isDevice(name)).map(([name]) => name);
}

function isDevice(name: string): boolean {
  return name.includes('/') && !name.includes('kubernetes.io/');
}
