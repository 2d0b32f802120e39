import { objectAt } from '../base/json.ts';
import type { KubernetesObject } from '../kubernetes/object.ts';
import type { Autoscaler } from './autoscaler.ts';
import { demandOf } from './demand.ts';
import type { Placement } from './placement.ts';
import { exceeds } from './quota.ts';
import type { AskedFor, CapacityOptions, CreatedKind, Shortage } from './report.ts';
import { describePlacement, describeQuota, listed, subjectOf } from './words.ts';

/** Where pods find a place: beside those that are there, and if as many of their workload's own pods went first. */
interface Placements {
  beside: readonly Placement[];
  inPlace: readonly Placement[];
}

export function nodeShortages(
  asks: readonly AskedFor[],
  { beside, inPlace }: Placements,
  autoscaler: Autoscaler,
  { strategy, inPlace: mayHelp = true, source }: CapacityOptions,
): Shortage[] {
  return asks.flatMap(({ ref, template, extra }, index): Shortage[] => {
    const placement = beside[index];
    if (placement === undefined || placement.placed === extra) return [];
    // Of a RayService nothing is replaced one by one.
    const helpsInPlace = strategy === 'new cluster' || (mayHelp && (inPlace[index]?.placed ?? 0) > placement.placed);
    const what = describePlacement(subjectOf(ref, strategy), demandOf(template, extra), placement);
    const certain = autoscaler.state === 'absent';
    const message = certain ? what : `${what}. An autoscaler ${autoscaler.why}`;
    const hint = hintFor(placement, { strategy: helpsInPlace ? strategy : undefined, source });
    return [{ ref, message, hint, certain, lacking: [...placement.lacking.keys()] }];
  });
}

/** To let old pods go first is of use only where that makes room: else they would be taken away for nothing. */
function hintFor(placement: Placement, advice: Advice): string {
  const { fitting, nodes, able, lacking } = placement;
  if (fitting.length === 0 && nodes > 0) {
    return 'Fix nodeSelector, affinity and tolerations of the pods, or add matching nodes.';
  }
  if (fitting.length > 0 && able === 0) {
    return `None of these nodes has that much ${listed([...lacking.keys()])}, even when empty: add larger nodes, or lower the pods' requests${orAnyway(advice)}.`;
  }
  return `${withAdvice('Free up or add nodes', advice)}.`;
}

export function quotaShortages(
  namespace: string,
  asks: readonly AskedFor[],
  quotas: readonly KubernetesObject[],
  created: readonly CreatedKind[],
  { strategy, inPlace = true, source }: CapacityOptions,
): Shortage[] {
  const here = asks.filter(({ ref }) => ref.namespace === namespace);
  const [first] = here;
  if (first === undefined) return [];
  const changes = here.map(({ template, extra, freed, leaving }) => {
    const spec = objectAt(template, 'spec');
    // Pods that may not be looked at are taken for pods like the new ones.
    const gone = leaving?.map((pod) => objectAt(pod, 'spec')) ?? Array.from({ length: freed }, () => spec);
    return { spec, extra, freed: gone };
  });
  const names = [
    ...created.filter((kind) => kind.namespace === namespace).map(({ resource }) => resource),
    // New pods of a Deployment come from a new ReplicaSet.
    ...here.filter(({ ref }) => ref.kind === 'Deployment').map(() => 'count/replicasets.apps'),
  ];
  const objects = new Map([...Map.groupBy(names, (name) => name)].map(([name, all]) => [name, all.length]));
  return quotas
    .filter(({ metadata }) => metadata.namespace === namespace)
    .flatMap((quota) => exceeds(quota, changes, objects))
    .map((shortage) => ({
      ref: first.ref,
      message: describeQuota(
        [...new Set(here.map(({ ref }) => subjectOf(ref, strategy)))].join(' with '),
        namespace,
        shortage,
      ),
      hint:
        shortage.kind === 'unspecified'
          ? `Set it in the container's resources, or give the namespace a LimitRange with a default.`
          : `${withAdvice('Free up quota or have it raised', { strategy: inPlace ? strategy : undefined, source })}.`,
      certain: true,
      lacking: [shortage.resource],
    }));
}

/** The end of what is advised where a shortage ends the run. */
export const anyway = 'or set "on-low-capacity: warn" to try anyway';

/** What helps: letting pods go first, where the strategy is named, and that as far as somebody can still say so. */
interface Advice {
  strategy: CapacityOptions['strategy'];
  source: CapacityOptions['source'];
}

/** What starts anew as it is has no input for that. */
function orAnyway({ source }: Advice): string {
  return source === 'cluster' ? '' : `; ${anyway}`;
}

/** @param more how there comes to be room for all */
function withAdvice(more: string, advice: Advice): string {
  const { strategy, source } = advice;
  if (strategy === 'rolling update') {
    const later = `${more.charAt(0).toLowerCase()}${more.slice(1)}`;
    const now = 'Set "on-low-capacity: in-place" to replace pods one at a time in this run';
    const always = '"maxSurge: 0" and "maxUnavailable: 1" in the Deployment';
    if (source === 'cluster') return `Deploy it with ${always} to replace pods one at a time, or ${later}`;
    if (source === 'revision') return `${now}, or ${later}${orAnyway(advice)}`;
    return `${now}, or set ${always} for all runs, or ${later}${orAnyway(advice)}`;
  }
  const less = {
    canary:
      'set "constant-total: true" or fewer replicas, or deploy in place with "strategy: rolling" and "maxSurge: 0"',
    'blue-green':
      'choose "strategy: canary" with "constant-total: true" or fewer replicas, or deploy in place with "strategy: rolling" and "maxSurge: 0"',
    promotion:
      'set "maxSurge: 0" and "maxUnavailable: 1" in the Deployment, so that promotion removes an old pod first',
    'extra group':
      'set "maxSurge: 0" and "maxUnavailable: 1" in rolloutStrategy.rollingUpdateConfiguration of the LeaderWorkerSet to replace groups one at a time',
    'new cluster':
      'set "upgradeStrategy.type: NewClusterWithIncrementalUpgrade" with a low maxSurgePercent (it needs a Gateway and autoscaling), or "upgradeStrategy.type: None", with which the change has no effect on the running cluster',
  };
  return `${more}, ${strategy === undefined ? 'use fewer replicas' : less[strategy]}${orAnyway(advice)}`;
}
