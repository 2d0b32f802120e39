import { objectsAt, stringAt } from '../../base/json.ts';
import { condition, isTrue } from '../../kubernetes/conditions.ts';
import { refOf, type KubernetesObject } from '../../kubernetes/object.ts';
import { diagnostic, type Sign } from './sign.ts';

/** Controllers that are well set a gate as soon as they see the containers ready. */
const gateGraceMs = 5000;

const hints: readonly [prefix: string, hint: string][] = [
  [
    'cloud.google.com/load-balancer-neg-ready',
    'GKE sets it once its load balancer finds the pod healthy: check the health check of the backend, and the firewall.',
  ],
  [
    'target-health.',
    'The load balancer controller sets it once the target is healthy: check the health check of its target group.',
  ],
];

/** Readiness gates that keep a pod from being ready although its containers are (kubernetes pkg/kubelet/status). */
export function readinessGateSigns(pod: KubernetesObject, now: number): Sign[] {
  const containers = condition(pod, 'ContainersReady');
  if (containers?.status !== 'True' || isTrue(pod, 'Ready')) return [];
  const since = containers.updatedAt ?? now;
  if (now - since < gateGraceMs) return [];
  return objectsAt(pod, 'spec', 'readinessGates').flatMap((gate): Sign[] => {
    const type = stringAt(gate, 'conditionType') ?? '';
    const found = condition(pod, type);
    if (found?.status === 'True') return [];
    const why = [found?.reason, found?.message].filter((part) => part !== undefined && part !== '').join(': ');
    const state =
      found === undefined
        ? `its readiness gate "${type}" is not set`
        : `its readiness gate "${type}" is ${found.status}${why === '' ? '' : ` (${why.slice(0, 300)})`}`;
    return [
      diagnostic({
        reason: 'ReadinessGatesNotReady',
        message: `its containers are ready, but ${state}`,
        hint:
          hints.find(([prefix]) => type.startsWith(prefix))?.[1] ??
          'Check that the controller that sets it is running and handles these pods, or remove it from readinessGates.',
        object: refOf(pod),
        path: ['readinessGates'],
        since,
      }),
    ];
  });
}
