import { at, objectAt, type Json, type JsonObject } from '../base/json.ts';
import type { KubernetesObject } from '../kubernetes/object.ts';

/**
 * Whether the rolling update of a Deployment with so many replicas can begin only with one pod more than it has: its
 * maxUnavailable comes to 0 (kubernetes pkg/controller/deployment/util ResolveFenceposts: rounded down, and 1 where maxSurge
 * is 0 as well). The default of 25 % does up to 3 replicas.
 */
export function needsRoomForOneMore(deployment: KubernetesObject, replicas: number): boolean {
  const surge = surgeOf(deployment, replicas);
  if (surge === 0) return false;
  const unavailable = at(deployment, 'spec', 'strategy', 'rollingUpdate', 'maxUnavailable') ?? '25%';
  return resolveShare(unavailable, replicas, Math.floor) === 0;
}

/** How many pods more than it has a Deployment with so many replicas may have while it is updated. */
export function surgeOf(deployment: KubernetesObject, replicas: number): number {
  if (at(deployment, 'spec', 'strategy', 'type') === 'Recreate' || replicas === 0) return 0;
  return resolveShare(at(deployment, 'spec', 'strategy', 'rollingUpdate', 'maxSurge') ?? '25%', replicas, Math.ceil);
}

/** How a Deployment is updated, with what Kubernetes takes where it says nothing (pkg/apis/apps/v1 SetDefaults_Deployment). */
export function rollingUpdateOf(deployment: KubernetesObject | undefined): JsonObject {
  const type = at(deployment, 'spec', 'strategy', 'type') ?? 'RollingUpdate';
  if (type !== 'RollingUpdate') return { type };
  const { maxSurge = '25%', maxUnavailable = '25%' } = objectAt(deployment, 'spec', 'strategy', 'rollingUpdate');
  return { type, rollingUpdate: { maxSurge, maxUnavailable } };
}

/** An old pod makes room for each new one, one after the other. */
export const oneByOne = {
  type: 'RollingUpdate',
  rollingUpdate: { maxSurge: 0, maxUnavailable: 1 },
} as const satisfies JsonObject;

/** A number of pods or groups that may be given as a percentage of the replicas: `1`, `"1"`, `"25%"`. */
export function resolveShare(value: Json, replicas: number, round: (share: number) => number): number {
  const text = typeof value === 'number' || typeof value === 'string' ? String(value) : '';
  const number = Number.parseFloat(text) || 0;
  return text.endsWith('%') ? round((number * replicas) / 100) : number;
}
