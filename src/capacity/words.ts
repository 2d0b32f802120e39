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
        ? 'there is no node'
        : `none of the ${counted(nodes, 'node')} takes them: ${describeObstacles(obstacles)}`;
    return `${needs}, and ${why}`;
  }
  const names = [...lacking].sort(([, left], [, right]) => right - left).map(([name]) => name);
  const [scarcest] = names;
  // That each is one pod more goes without saying.
  const wanted = names.filter((name) => name !== 'pods').map((name) => described(name, demand.perPod));
  const each = wanted.length === 0 ? '' : ` with ${listed(wanted)} each`;
  const room = `${needs}${each}, and there is room for ${placed === 0 ? 'none' : placed}`;
  const ruledOut = describeRuledOut(placement);
  if (scarcest === undefined) return `${room}: of ${counted(fitting.length, 'node')} that fit, ${ruledOut}`;
  const free = describeFree(scarcest, demand.perPod.get(scarcest) ?? 0, fitting);
  const others = names.slice(1).map((name) => `, too little ${name} on ${lacking.get(name) ?? 0}`);
  return `${room}: ${free}${others.join('')}${ruledOut === '' ? '' : `; ${ruledOut}`}`;
}

/** `1 of 4 nodes that fit has that much nvidia.com/gpu free (2 in all, 2 at most on one)` */
function describeFree(name: string, wanted: number, fitting: readonly Amounts[]): string {
  const free = fitting.map((amounts) => Math.max(0, amounts.get(name) ?? 0));
  const enough = free.filter((amount) => amount >= wanted).length;
  const which = `${enough === 0 ? 'none' : enough} of ${counted(fitting.length, 'node')} that fit${fitting.length === 1 ? 's' : ''} ${enough > 1 ? 'have' : 'has'}`;
  if (name.startsWith(hostPort)) return `${which} ${name} free`;
  const [all, most] = [free.reduce((sum, amount) => sum + amount, 0), Math.max(...free)];
  const figures = `(${formatAmount(name, all)} in all, ${formatAmount(name, most)} at most on one)`;
  return name === 'pods'
    ? `${which} a place for one pod more ${figures}`
    : `${which} that much ${name} free ${figures}`;
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
        return `tainted "${obstacle.taint}", which the pods do not tolerate`;
      case 'not-selected':
        return 'not chosen by their nodeSelector or affinity';
    }
  });
  return [...Map.groupBy(texts, (text) => text)]
    .map(([text, all]) => `${all.length} ${isOrAre(all.length)} ${text}`)
    .join('; ');
}

export function describeQuota(subject: string, namespace: string, shortage: QuotaShortage): string {
  const quota = `the ResourceQuota "${shortage.quota}" of namespace "${namespace}"`;
  if (shortage.kind === 'unspecified') {
    return `${subject} needs more pods, and ${quota} wants ${shortage.resource} of every container: container "${shortage.container}" has none`;
  }
  const { resource, hard, used, more } = shortage;
  const amount = (value: number) => formatAmount(resource, value);
  return `${subject} needs ${amount(more)} ${resource} more, and ${quota} leaves ${amount(Math.max(0, hard - used))} (${amount(used)} of ${amount(hard)} are used)`;
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
