import { numberAt } from '../../base/json.ts';
import type { KubernetesObject } from '../../kubernetes/object.ts';
import { condition } from '../../kubernetes/conditions.ts';
import type { Verdict } from '../verdict.ts';
import { failed, progressing, ready, type Facts } from './rule.ts';

/**
 * All kinds without a rule of their own. One that keeps a status by the conventions (a numeric observedGeneration and a
 * `Ready` condition) is awaited; any other is ready when it is applied: waiting for a condition that a kind never sets
 * would undo a healthy release (helm/helm#32615).
 */
export function judgeByConditions(object: KubernetesObject, facts: Facts): Verdict {
  const stalled = condition(object, 'Stalled');
  if (stalled?.status === 'True') {
    return failed(object, stalled.reason, stalled.message, 'Correct what its controller complains about.');
  }
  const observed = numberAt(object, 'status', 'observedGeneration');
  const isReady = condition(object, 'Ready');
  if (observed === undefined || isReady === undefined) return ready('applied');
  if (observed < facts.generation) return progressing('waiting for its controller to see the change');
  if (isReady.status === 'True') return ready('ready');
  const reason = isReady.message === '' ? isReady.reason : isReady.message;
  return progressing(reason === '' ? `its condition Ready is ${isReady.status}` : reason);
}
