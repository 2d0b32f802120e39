import { at, type Json } from '../base/json.ts';
import type { KubernetesObject } from '../kubernetes/object.ts';

/**
 * Whether the rolling update of a Deployment with so many replicas can begin only with one pod more than it has: its
 * maxUnavailable comes to 0 (kubernetes pkg/controller/deployment/util ResolveFenceposts: rounded down, and 1 where maxSurge
 * is 0 as well). The default of 25 % does up to 3 replicas.
 */
export function needsRoomForOneMore(deployment: KubernetesObject, replicas: number): boolean {
  if (at(deployment, 'spec', 'strategy', 'type') === 'Recreate' || replicas === 0) return false;
  const surge = resolve(at(deployment, 'spec', 'strategy', 'rollingUpdate', 'maxSurge') ?? '25%', replicas, Math.ceil);
  const unavailable = at(deployment, 'spec', 'strategy', 'rollingUpdate', 'maxUnavailable') ?? '25%';
  return surge > 0 && resolve(unavailable, replicas, Math.floor) === 0;
}

/** A number, or a percentage of the replicas: `1`, `"1"`, `"25%"`. */
function resolve(value: Json, replicas: number, round: (share: number) => number): number {
  const text = typeof value === 'number' || typeof value === 'string' ? String(value) : '';
  const number = Number.parseFloat(text) || 0;
  return text.endsWith('%') ? round((number * replicas) / 100) : number;
}
