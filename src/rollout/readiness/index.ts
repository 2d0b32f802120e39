import { describeGoing, goingHint, isGoing } from '../../kubernetes/going.ts';
import { groupOf, type KubernetesObject } from '../../kubernetes/object.ts';
import type { Verdict } from '../verdict.ts';
import { horizontalPodAutoscaler, podDisruptionBudget } from './availability.ts';
import { cronJob } from './cron-job.ts';
import { judgeByConditions } from './by-conditions.ts';
import { customRules } from './custom/index.ts';
import { daemonSet } from './daemon-set.ts';
import { apiService, customResourceDefinition, namespace } from './definitions.ts';
import { deployment } from './deployment.ts';
import { gateway, route } from './gateway.ts';
import { ingress } from './ingress.ts';
import { job } from './job.ts';
import { pod } from './pod.ts';
import { replicaSet } from './replica-set.ts';
import { failed, type Facts, type Rule } from './rule.ts';
import { service } from './service.ts';
import { statefulSet } from './stateful-set.ts';
import { persistentVolumeClaim } from './storage.ts';
import { judgeByUser } from './user/judge.ts';

/** The rules by kind; docs/rollout-rules.md is made from this table. */
export const rules: readonly Rule[] = [
  deployment,
  statefulSet,
  daemonSet,
  replicaSet,
  job,
  cronJob,
  pod,
  service,
  ingress,
  gateway,
  route,
  horizontalPodAutoscaler,
  podDisruptionBudget,
  persistentVolumeClaim,
  customResourceDefinition,
  apiService,
  namespace,
  ...customRules,
];

/**
 * What is going is ready no more, whatever its status says. Built-in kinds that do nothing after they are applied, and custom
 * ones, are judged by their conditions. A rule of the user's own comes before that of the kind.
 */
export function judge(object: KubernetesObject, facts: Facts): Verdict {
  if (isGoing(object)) return failed(object, 'Terminating', describeGoing(object), goingHint);
  const byKind = () => (ruleOf(object)?.judge ?? judgeByConditions)(object, facts);
  return facts.userRule === undefined ? byKind() : judgeByUser(facts.userRule, object, facts, byKind);
}

/** Whether there is more to a kind than that it exists. */
export function hasRule(object: KubernetesObject): boolean {
  return ruleOf(object) !== undefined;
}

/** What tells of an object beside itself, by its rule; undefined for those that tell all themselves. */
export function followedBy(object: KubernetesObject): Pick<Rule, 'children' | 'runsPods'> | undefined {
  const rule = ruleOf(object);
  return rule?.children === undefined && rule?.runsPods === undefined ? undefined : rule;
}

const byKind = new Map<string, Rule>();
const byGroup: { pattern: string; rule: Rule }[] = [];
for (const rule of rules)
  for (const { kind, group } of rule.kinds) {
    if (kind === '*') byGroup.push({ pattern: group, rule });
    else if (!byKind.has(`${group}/${kind}`)) byKind.set(`${group}/${kind}`, rule);
  }

function ruleOf({ apiVersion, kind }: KubernetesObject): Rule | undefined {
  const group = groupOf(apiVersion);
  return byKind.get(`${group}/${kind}`) ?? byGroup.find(({ pattern }) => isGroupOf(pattern, group))?.rule;
}

/** Whether a group is the one that is named, or below the domain: `*.crossplane.io` */
function isGroupOf(pattern: string, group: string): boolean {
  return pattern.startsWith('*.') ? group.endsWith(pattern.slice(1)) : pattern === group;
}
