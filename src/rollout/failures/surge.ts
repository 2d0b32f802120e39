import { at, numberAt, stringAt } from '../../base/json.ts';
import type { KubernetesObject } from '../../kubernetes/object.ts';
import type { Cause } from '../verdict.ts';

/**
 * A new pod that finds no room while old ones hold it: a rolling update with `maxSurge` above 0, which is the default, never
 * lets an old one go first (LLMKube#192, a full pool of GPUs). What is to be done is another than for a pod that fits nowhere.
 */
export function withSurgeHint(workload: KubernetesObject, cause: Cause): Cause {
  const isShort = cause.reason === 'Unschedulable' && /too little |anti-affinity|free ports/.test(cause.message);
  if (!isShort || !surges(workload) || !hasOldPods(workload)) return cause;
  return {
    ...cause,
    hint: 'The old pods keep what they have until a new one is ready: set "maxSurge: 0" and "maxUnavailable: 1" in the rolling update of the Deployment, so that an old pod goes first, or free or add nodes.',
  };
}

function surges(workload: KubernetesObject): boolean {
  if (workload.kind !== 'Deployment' || stringAt(workload, 'spec', 'strategy', 'type') === 'Recreate') return false;
  const surge = at(workload, 'spec', 'strategy', 'rollingUpdate', 'maxSurge') ?? '25%';
  return surge !== 0 && surge !== '0%' && surge !== '0';
}

function hasOldPods(workload: KubernetesObject): boolean {
  return (numberAt(workload, 'status', 'replicas') ?? 0) > (numberAt(workload, 'status', 'updatedReplicas') ?? 0);
}
