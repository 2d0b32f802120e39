import { at, numberAt, objectAt, objectsAt, stringAt } from '../../base/json.ts';
import { condition } from '../../kubernetes/conditions.ts';
import type { KubernetesObject } from '../../kubernetes/object.ts';
import type { Cause } from '../verdict.ts';
import { readRefusal } from './unschedulable.ts';

/** The pods of the workload: `pods` of the version that was written, `old` those before it. */
interface Sides {
  pods: readonly KubernetesObject[];
  old: readonly KubernetesObject[];
}

/**
 * A new pod that finds no room while old ones hold it: a rolling update with `maxSurge` above 0, which is the default, never
 * lets an old one go first (LLMKube#192, a full pool of GPUs). What is to be done is another than for a pod that fits nowhere,
 * and also for one that would fit nowhere without the old ones: they would be taken away for nothing.
 */
export function withSurgeHint(workload: KubernetesObject, cause: Cause, { pods, old }: Sides): Cause {
  if (cause.reason !== 'Unschedulable' || !surges(workload) || !hasOldPods(workload)) return cause;
  const pod = pods.find(({ metadata }) => metadata.name === cause.object.name);
  const message = pod === undefined ? undefined : condition(pod, 'PodScheduled')?.message;
  const { isCrowded, isTooLarge, resources } = readRefusal(message ?? '');
  const isHeld = resources.every((resource) => old.some((other) => asksFor(other, resource)));
  if (!isCrowded || isTooLarge || !isHeld) return cause;
  return {
    ...cause,
    hint: 'Old pods stay until a new one is ready: set "maxSurge: 0" and "maxUnavailable: 1", or free up or add nodes.',
  };
}

function asksFor(pod: KubernetesObject, resource: string): boolean {
  return objectsAt(pod, 'spec', 'containers').some(({ resources }) =>
    ['requests', 'limits'].some((list) => objectAt(resources, list)[resource] !== undefined),
  );
}

function surges(workload: KubernetesObject): boolean {
  if (workload.kind !== 'Deployment' || stringAt(workload, 'spec', 'strategy', 'type') === 'Recreate') return false;
  const surge = at(workload, 'spec', 'strategy', 'rollingUpdate', 'maxSurge') ?? '25%';
  return surge !== 0 && surge !== '0%' && surge !== '0';
}

function hasOldPods(workload: KubernetesObject): boolean {
  return (numberAt(workload, 'status', 'replicas') ?? 0) > (numberAt(workload, 'status', 'updatedReplicas') ?? 0);
}
