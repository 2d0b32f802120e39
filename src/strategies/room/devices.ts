import type { JsonObject } from '../../base/json.ts';
import { requestsOf } from '../../capacity/demand.ts';
import type { KubernetesObject } from '../../kubernetes/object.ts';
import { isDevice } from '../../manifests/devices.ts';
import { podsIn } from '../../manifests/pod-template.ts';

/** How many of each device a pod of this spec asks for, by the names of their resources: `nvidia.com/gpu`. */
export function deviceAmounts(spec: JsonObject | undefined): Map<string, number> {
  return new Map([...requestsOf(spec)].filter(([name, amount]) => amount > 0 && isDevice(name)));
}

/** The devices that pods of a workload ask for. */
export function devicesOf(workload: KubernetesObject | undefined): string[] {
  const names = workload === undefined ? [] : podsIn(workload).flatMap(({ spec }) => [...deviceAmounts(spec).keys()]);
  return [...new Set(names)];
}

export function shares(asked: readonly string[], held: readonly string[]): boolean {
  return asked.some((name) => held.includes(name));
}
