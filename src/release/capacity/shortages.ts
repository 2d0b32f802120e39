import { objectAt } from '../../base/json.ts';
import type { KubernetesObject } from '../../kubernetes/object.ts';
import type { Autoscaler } from './autoscaler.ts';
import { demandOf } from './demand.ts';
import type { Placement } from './placement.ts';
import { exceeds } from './quota.ts';
import type { AskedFor, CapacityOptions, CreatedKind, Shortage } from './report.ts';
import { describePlacement, describeQuota, subjectOf } from './words.ts';

export function nodeShortages(
  asks: readonly AskedFor[],
  placements: readonly Placement[],
  autoscaler: Autoscaler,
  { strategy }: CapacityOptions,
): Shortage[] {
  return asks.flatMap(({ ref, template, extra }, index): Shortage[] => {
    const placement = placements[index];
    if (placement === undefined || placement.placed === extra) return [];
    const what = describePlacement(subjectOf(ref, strategy), demandOf(template, extra), placement);
    const certain = autoscaler.state === 'absent';
    const message = certain ? what : `${what}. An autoscaler ${autoscaler.why}`;
    const wrongNodes = placement.fitting.length === 0 && placement.nodes > 0;
    const hint = wrongNodes
      ? 'Correct nodeSelector, affinity and tolerations of the pods, or add such nodes.'
      : `Free or add nodes, ${adviceOf(strategy)}.`;
    return [{ ref, message, hint, certain }];
  });
}

export function quotaShortages(
  namespace: string,
  asks: readonly AskedFor[],
  quotas: readonly KubernetesObject[],
  created: readonly CreatedKind[],
  { strategy }: CapacityOptions,
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
      message: describeQuota(here.map(({ ref }) => subjectOf(ref, strategy)).join(' with '), namespace, shortage),
      hint:
        shortage.kind === 'unspecified'
          ? `Set it in the container's resources, or give the namespace a LimitRange with a default.`
          : `Free some of the quota or have it raised, ${adviceOf(strategy)}.`,
      certain: true,
    }));
}

function adviceOf(strategy: CapacityOptions['strategy']): string {
  const less = {
    canary:
      'set "constant-total: true" or fewer replicas, or deploy in place with "strategy: rolling" and "maxSurge: 0"',
    'blue-green':
      'choose "strategy: canary" with "constant-total: true" or fewer replicas, or deploy in place with "strategy: rolling" and "maxSurge: 0"',
  };
  return `${strategy === undefined ? 'ask for fewer pods' : less[strategy]}; "on-low-capacity: warn" tries it anyway`;
}
