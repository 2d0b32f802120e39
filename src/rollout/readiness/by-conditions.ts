import { condition } from '../../kubernetes/conditions.ts';
import type { KubernetesObject } from '../../kubernetes/object.ts';
import type { Verdict } from '../verdict.ts';
import { judgeConditions, observedGeneration } from './custom/conditions.ts';
import { failed, ready, type Facts } from './rule.ts';

/**
 * All kinds without a rule of their own. One that keeps a status by the conventions (a condition `Ready`, or else `Available`, and
 * an observedGeneration, of that condition itself or of the whole status) is awaited; any other is ready when it is applied:
 * waiting for a condition that a kind never sets would undo a healthy release (helm/helm#32615).
 */
export function judgeByConditions(object: KubernetesObject, facts: Facts): Verdict {
  const stalled = condition(object, 'Stalled');
  if (stalled?.status === 'True' && (stalled.observedGeneration ?? facts.generation) >= facts.generation) {
    return failed(object, stalled.reason, stalled.message, 'Fix what its controller complains about.');
  }
  const told = condition(object, 'Ready') ?? condition(object, 'Available');
  if (told === undefined) return ready('applied');
  const inStatus = observedGeneration(object) !== undefined;
  // What a condition says of itself is nearer to it than what the status says of all.
  if (told.observedGeneration === undefined && !inStatus) return ready('applied');
  const observed = told.observedGeneration === undefined ? 'status' : 'conditions';
  return judgeConditions(object, facts, { types: [told.type], observed, failing: [] });
}
