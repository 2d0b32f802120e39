import { describeRef, type ObjectRef } from '../kubernetes/object.ts';
import type { Amounts } from './amounts.ts';
import { hostPort, type Demand } from './demand.ts';
import type { Obstacle } from './node-fit.ts';
import type { Placement } from './placement.ts';
import { formatAmount } from './quantity.ts';
import type { QuotaShortage } from './quota.ts';

/** `blue-green of Deployment "web"` */
export function subjectOf(ref: ObjectRef, strategy: string | undefined): string {
  return strategy === undefined ? describeRef(ref) : `${strategy} of ${describeRef(ref)}`;
}

/** What is needed, what is free, on how many nodes that fit, and of what there is too little. */
export function describePlacement(subject: string, demand: Demand, placement: Placement): string {
  const { placed, fitting, nodes, obstacles, lacking } = placement;
  const needs = `${subject} needs ${morePods(demand.count)}`;
  if (fitting.length === 0) {
    const why =
      nodes === 0
        ? 'the cluster has no nodes'
        : `0 of ${counted(nodes, 'node')} match (${describeObstacles(obstacles)})`;
    return `${needs}, but ${why}`;
  }
  const names = [...lacking].sort(([, left], [, right]) => right - left).map(([name]) => name);
  const [scarcest] = names;
  // That each is one pod more goes without saying.
  const wanted = names.filter((name) => name !== 'pods').map((name) => described(name, demand.perPod));
  const each = wanted.length === 0 ? '' : ` with ${listed(wanted)} each`;
  const room = `${needs}${each}, but there is ${placed === 0 ? 'no capacity' : `capacity for only ${placed}`}`;
  const ruledOut = describeRuledOut(placement);
  if (scarcest === undefined) return `${room}: of ${counted(fitting.length, 'matching node')}, ${ruledOut}`;
  const free = describeFree(scarcest, demand.perPod.get(scarcest) ?? 0, fitting);
  const others = names.slice(1).map((name) => `, not enough ${name} on ${lacking.get(name) ?? 0}`);
  return `${room}: ${free}${others.join('')}${ruledOut === '' ? '' : `; ${ruledOut}`}`;
}

/** `1 of 4 matching nodes has enough nvidia.com/gpu free (2 in total, at most 2 on one)`, `1 matching node, 0 free cpu` */
function describeFree(name: string, wanted: number, fitting: readonly Amounts[]): string {
  const free = fitting.map((amounts) => Math.max(0, amounts.get(name) ?? 0));
  const enough = free.filter((amount) => amount >= wanted).length;
  const which = `${enough === 0 ? 'none' : enough} of ${counted(fitting.length, 'matching node')} ${enough > 1 ? 'have' : 'has'}`;
  if (name.startsWith(hostPort)) return `${which} ${name} free`;
  const [all, most] = [free.reduce((sum, amount) => sum + amount, 0), Math.max(...free)];
  if (fitting.length === 1) return `1 matching node, ${formatAmount(name, all)} free ${name}`;
  const figures = `(${formatAmount(name, all)} in total, at most ${formatAmount(name, most)} on any node)`;
  return name === 'pods' ? `${which} room for another pod ${figures}` : `${which} enough ${name} free ${figures}`;
}

function describeRuledOut({ repelled, unbalanced }: Placement): string {
  const parts = [
    ...(repelled > 0 ? [`${repelled} ${isOrAre(repelled)} ruled out by the pod anti-affinity`] : []),
    ...(unbalanced > 0 ? [`${unbalanced} ${isOrAre(unbalanced)} ruled out by topologySpreadConstraints`] : []),
  ];
  return parts.join(', ');
}

function describeObstacles(obstacles: readonly Obstacle[]): string {
  const texts = obstacles.map((obstacle) => {
    switch (obstacle.kind) {
      case 'not-ready':
        return 'not ready';
      case 'cordoned':
        return 'cordoned';
      case 'taint':
        return `with taint "${obstacle.taint}" that the pods do not tolerate`;
      case 'not-selected':
        return 'not matching their nodeSelector or affinity';
    }
  });
  return [...Map.groupBy(texts, (text) => text)].map(([text, all]) => `${all.length} ${text}`).join('; ');
}

export function describeQuota(subject: string, namespace: string, shortage: QuotaShortage): string {
  const quota = `the ResourceQuota "${shortage.quota}" of namespace "${namespace}"`;
  if (shortage.kind === 'unspecified') {
    return `${subject} needs more pods, but ${quota} requires ${shortage.resource} on every container, and container "${shortage.container}" sets none`;
  }
  const { resource, hard, used, more } = shortage;
  const amount = (value: number) => formatAmount(resource, value);
  return `${subject} needs ${amount(more)} more ${resource}, but ${quota} has ${amount(Math.max(0, hard - used))} left (${amount(used)} of ${amount(hard)} used)`;
}

/** `3 more pods` */
export function morePods(count: number): string {
  return count === 1 ? '1 more pod' : `${count} more pods`;
}

function described(name: string, amounts: Amounts): string {
  if (name.startsWith(hostPort)) return name;
  return `${formatAmount(name, amounts.get(name) ?? 0)} ${name}`;
}

function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}

function isOrAre(count: number): string {
  return count === 1 ? 'is' : 'are';
}

/** `a`, `a and b`, `a, b and c` */
export function listed(parts: readonly string[]): string {
  return parts.length < 2 ? parts.join('') : `${parts.slice(0, -1).join(', ')} and ${parts.at(-1) ?? ''}`;
}
