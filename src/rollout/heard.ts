import { equal } from '../base/json.ts';
import { conditionsOf } from '../kubernetes/conditions.ts';
import type { KubernetesObject } from '../kubernetes/object.ts';
import { observedGeneration } from './readiness/custom/conditions.ts';

/** Whether its controller has looked at an object since it was written: it names that generation, or has changed the status. */
export function isHeard(object: KubernetesObject, asWritten: KubernetesObject): boolean {
  const generation = asWritten.metadata.generation ?? 0;
  const names = (seen: number | undefined) => generation > 0 && seen !== undefined && seen >= generation;
  return (
    names(observedGeneration(object)) ||
    conditionsOf(object).some((one) => names(one.observedGeneration)) ||
    !equal(object['status'], asWritten['status'])
  );
}
