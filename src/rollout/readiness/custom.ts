import { numberAt } from '../../base/json.ts';
import { condition, type StatusCondition } from '../../kubernetes/conditions.ts';
import type { KubernetesObject } from '../../kubernetes/object.ts';
import type { Verdict } from '../verdict.ts';
import { failed, progressing, ready, type Facts } from './rule.ts';

/**
 * All kinds without a rule of their own. One that keeps a status by the conventions (a condition `Ready`, or else `Available`, and
 * a numeric observedGeneration, of that condition itself or of the whole status) is awaited; any other is ready when it is
 * applied: waiting for a condition that a kind never sets would undo a healthy release (helm/helm#32615).
 */
export function judgeByConditions(object: KubernetesObject, facts: Facts): Verdict {
  const stalled = condition(object, 'Stalled');
  if (stalled?.status === 'True' && (stalled.observedGeneration ?? facts.generation) >= facts.generation) {
    return failed(object, stalled.reason, stalled.message, 'Fix what its controller complains about.');
  }
  const verdict = condition(object, 'Ready') ?? condition(object, 'Available');
  const observed = verdict && observedBy(object, verdict);
  if (verdict === undefined || observed === undefined) return ready('applied');
  if (observed < facts.generation) return progressing('waiting for the controller');
  if (verdict.status === 'True') return ready(verdict.type.toLowerCase());
  const reason = verdict.message === '' ? verdict.reason : verdict.message;
  return progressing(reason === '' ? `its condition ${verdict.type} is ${verdict.status}` : reason);
}

/** What a condition says of itself is nearer to it than what the status says of all. */
function observedBy(object: KubernetesObject, { observedGeneration }: StatusCondition): number | undefined {
  return observedGeneration ?? numberAt(object, 'status', 'observedGeneration');
}
