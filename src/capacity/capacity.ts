import { Failure, Failures } from '../base/errors.ts';
import type { Reporter } from '../base/reporter.ts';
import type { KubernetesClient, LargeListOptions } from '../kubernetes/client.ts';
import { isStatus } from '../kubernetes/errors.ts';
import { groupOf, keyOf, type KubernetesObject, type ObjectRef } from '../kubernetes/object.ts';
import { autoscalerOf, statusConfigMap, type Autoscaler, type StatusLook } from './autoscaler.ts';
import { withDefaults } from './limit-range.ts';
import { essentialsOfNode, essentialsOfPod, firstToGo, isPodOf, notEnded, usesClaims } from './pods.ts';
import type {
  AskedFor,
  CapacityOptions,
  CapacityReport,
  CreatedKind,
  OnLowCapacity,
  Shortage,
  Surge,
  Wanted,
} from './report.ts';
import { findRoom } from './room.ts';
import { anyway, nodeShortages, quotaShortages } from './shortages.ts';
import { listed, morePods, subjectOf } from './words.ts';

export type { CapacityOptions, CapacityReport, OnLowCapacity, Shortage, Surge } from './report.ts';

/** The pods do not fit, and nothing has been changed. */
export class LowCapacity extends Failure {}

/**
 * Whether the nodes and the quotas have room for more pods, before the first write. What may not be looked at is left out,
 * and a notice names the right that is missing. Takes one LIST each of nodes, pods (in pages), quotas and LimitRanges.
 * @throws ApiError for every refusal but a missing right
 */
export async function checkCapacity(
  client: KubernetesClient,
  namespace: string,
  surges: readonly Surge[],
  options: CapacityOptions = {},
): Promise<CapacityReport> {
  const wanted = surges
    .filter(({ extra }) => extra > 0)
    .map((surge): Wanted => ({
      freed: 0,
      ...surge,
      ref: { ...surge.ref, namespace: surge.ref.namespace ?? namespace },
    }));
  if (wanted.length === 0) return { state: 'fits', notices: [] };
  const namespaces = [...new Set(wanted.map(({ ref }) => ref.namespace))];
  const missing = new Map<string, string[]>();
  const list = async (kind: string, where: string, scope: LargeListOptions) => {
    const resource = await client.resource('v1', kind);
    if (resource === undefined) return undefined;
    try {
      return (await client.list(resource, scope)).items;
    } catch (error) {
      if (!isStatus(error, 403)) throw error;
      missing.set(where, [...(missing.get(where) ?? []), resource.plural]);
      return undefined;
    }
  };
  const inNamespaces = async (kind: string) => {
    const lists = namespaces.map((name) => list(kind, `in namespace "${name}"`, { namespace: name }));
    return (await Promise.all(lists)).flatMap((items) => items ?? []);
  };
  const everywhere = 'cluster-wide';
  const [nodes, pods, quotas, limitRanges, created] = await Promise.all([
    list('Node', everywhere, { keep: essentialsOfNode }),
    list('Pod', everywhere, { fieldSelector: notEnded, keep: essentialsOfPod }),
    inNamespaces('ResourceQuota'),
    inNamespaces('LimitRange'),
    kindsOf(client, namespace, options.creates ?? []),
  ]);
  const asks = wanted.map((surge) => {
    const ranges = limitRanges.filter(({ metadata }) => metadata.namespace === surge.ref.namespace);
    const own = pods?.filter((pod) => isPodOf(pod, surge.ref));
    const goingFirst = (count: number) => (own === undefined ? undefined : firstToGo(own, count));
    return {
      ...surge,
      template: withDefaults(surge.template, ranges),
      leaving: goingFirst(surge.freed),
      replaced: goingFirst(countOf(wanted.filter(({ ref }) => keyOf(ref) === keyOf(surge.ref)))),
    };
  });
  const notices = noticesOf(asks, missing);
  const inQuotas = namespaces.flatMap((name) => quotaShortages(name, asks, quotas, created, options));
  if (nodes === undefined || pods === undefined) return reportOf(inQuotas, notices);

  const { placements, note } = findRoom(nodes, pods, asks);
  if (placements.every(({ placed }, index) => placed === asks[index]?.extra)) {
    return reportOf(inQuotas, note === undefined ? notices : [...notices, note]);
  }
  const autoscaler = await findAutoscaler(client, nodes, options);
  const inPlace = findRoom(
    nodes,
    pods,
    asks.map((ask) => ({ ...ask, leaving: ask.replaced })),
  );
  const found = { beside: placements, inPlace: inPlace.placements };
  return reportOf([...inQuotas, ...nodeShortages(asks, found, autoscaler, options)], notices);
}

/**
 * Says what was found. A shortage that an autoscaler may heal is a warning.
 * @throws LowCapacity, or Failures of them, for those that are certain; with `onLowCapacity: 'warn'` they are warnings, too.
 * Only a rolling update replaces pods in place: for all else `in-place` is `fail`
 */
export function enforceCapacity(
  report: CapacityReport,
  onLowCapacity: OnLowCapacity,
  reporter: Pick<Reporter, 'notice' | 'warning'>,
): void {
  for (const notice of report.notices) reporter.notice(notice);
  if (report.state === 'fits') return;
  const failures: LowCapacity[] = [];
  for (const { message, hint, certain } of report.shortages) {
    if (certain && onLowCapacity !== 'warn')
      failures.push(new LowCapacity(message, { hint: onLowCapacity === 'fail' ? hint : `${hint} ${onlyRolling}` }));
    else reporter.warning(certain ? `${message}. ${hint.replace(`; ${anyway}`, '')}` : message);
  }
  const [first] = failures;
  if (first === undefined) return;
  throw failures.length === 1 ? first : new Failures('the cluster does not have enough capacity', failures);
}

const onlyRolling = '"on-low-capacity: in-place" helps only Deployments with "strategy: rolling".';

/** How many pods they bring in all. */
function countOf(asks: readonly Pick<Wanted, 'extra'>[]): number {
  return asks.reduce((sum, { extra }) => sum + extra, 0);
}

function reportOf(shortages: Shortage[], notices: string[]): CapacityReport {
  return shortages.length === 0 ? { state: 'fits', notices } : { state: 'short', shortages, notices };
}

/** By the names that quotas have for the kinds: `count/deployments.apps`, `services`. */
async function kindsOf(
  client: KubernetesClient,
  namespace: string,
  refs: readonly ObjectRef[],
): Promise<CreatedKind[]> {
  const kinds = await Promise.all(
    refs.map(async ({ apiVersion, kind, namespace: own = namespace }) => {
      const plural = (await client.resource(apiVersion, kind))?.plural;
      const group = groupOf(apiVersion);
      if (plural === undefined) return [];
      const names = group === '' ? [plural, `count/${plural}`] : [`count/${plural}.${group}`];
      return names.map((resource) => ({ namespace: own, resource }));
    }),
  );
  return kinds.flat();
}

async function findAutoscaler(
  client: KubernetesClient,
  nodes: readonly KubernetesObject[],
  { autoscaler }: CapacityOptions,
): Promise<Autoscaler> {
  if (autoscaler === 'absent') return { state: 'absent' };
  const found = autoscalerOf(nodes, await readStatus(client));
  return found.state === 'present' || autoscaler === undefined ? found : { state: 'present', why: 'may add nodes' };
}

async function readStatus(client: KubernetesClient): Promise<StatusLook> {
  try {
    const configMap = await client.read(statusConfigMap);
    return configMap === undefined ? { state: 'none' } : { state: 'found', configMap };
  } catch (error) {
    if (isStatus(error, 403)) return { state: 'forbidden' };
    throw error;
  }
}

function noticesOf(asks: readonly AskedFor[], missing: ReadonlyMap<string, readonly string[]>): string[] {
  const count = countOf(asks);
  const lists = [...missing].map(([where, plurals]) => `list ${listed([...plurals].sort())} ${where}`);
  return [
    ...(missing.size === 0
      ? []
      : [`capacity for ${morePods(count)} is only partly checked: no permission to ${listed(lists.sort())}`]),
    ...asks
      .filter(({ template }) => usesClaims(template))
      .map(({ ref }) => `devices in the resourceClaims of ${subjectOf(ref, undefined)} are not counted`),
  ];
}
