import { numberAt, objectsAt, stringAt } from '../base/json.ts';
import { saidAt } from '../base/said.ts';
import type { KubernetesObject } from './object.ts';

export interface StatusCondition {
  type: string;
  /** `True`, `False` or `Unknown`. */
  status: string;
  reason: string;
  message: string;
  /** Milliseconds since the epoch; undefined when the controller does not say. */
  updatedAt: number | undefined;
  /** The generation that it is about; undefined when it does not say. */
  observedGeneration: number | undefined;
}

export function conditionsOf(object: KubernetesObject): StatusCondition[] {
  return objectsAt(object, 'status', 'conditions').map((condition) => ({
    type: stringAt(condition, 'type') ?? '',
    status: stringAt(condition, 'status') ?? '',
    reason: stringAt(condition, 'reason') ?? '',
    message: saidAt(condition, 'message') ?? '',
    updatedAt: timeOf(stringAt(condition, 'lastUpdateTime') ?? stringAt(condition, 'lastTransitionTime')),
    observedGeneration: numberAt(condition, 'observedGeneration'),
  }));
}

/** The last one of its type: a few controllers write several (kedacore/http-add-on#1390). */
export function condition(object: KubernetesObject, type: string): StatusCondition | undefined {
  return conditionsOf(object).findLast((candidate) => candidate.type === type);
}

export function isTrue(object: KubernetesObject, type: string): boolean {
  return condition(object, type)?.status === 'True';
}

/** A time of the API in milliseconds since the epoch. */
export function timeOf(text: string | undefined): number | undefined {
  const time = text === undefined ? Number.NaN : Date.parse(text);
  return Number.isNaN(time) ? undefined : time;
}
