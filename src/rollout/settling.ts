import { numberAt, objectAt, objectsAt, stringAt, type JsonObject } from '../base/json.ts';
import type { KubernetesObject } from '../kubernetes/object.ts';
import { timeOf } from '../kubernetes/conditions.ts';
import { lastingStatuses } from './lasting-statuses.ts';

/** A container that was started again has to run for this long before its workload counts as ready. */
const settlingMs = 10_000;

/** A container that nothing probes has to run for this long after its first start: one that crashes at once does not. */
const firstStartMs = 2000;

/**
 * A container without a readiness probe counts as ready from its start, so that one that crashes at once makes its pod, and
 * its workload, ready for a moment at every start. Says which container was started too short a time ago to be believed;
 * undefined when all have settled.
 */
export function unsettled(pods: readonly KubernetesObject[], now: number): string | undefined {
  for (const pod of pods) {
    if (pod.metadata.deletionTimestamp !== undefined || !isRestartedAlways(objectAt(pod, 'spec'))) continue;
    for (const { name, status } of lastingStatuses(pod)) {
      const [last, running] = [objectAt(status, 'lastState', 'terminated'), objectAt(status, 'state', 'running')];
      const current = objectAt(status, 'state', 'terminated');
      const ended = Object.keys(current).length > 0 ? current : last;
      const changedAt = timeOf(stringAt(running, 'startedAt') ?? stringAt(ended, 'finishedAt'));
      if (changedAt === undefined) continue;
      if (Object.keys(ended).length === 0) {
        if (isProbed(pod, name) || now - changedAt >= firstStartMs) continue;
        return `container "${name}" has no readiness probe; checking that it stays up`;
      }
      // One that waits for its next start is none that makes a workload ready: the workload's own status came first.
      const isWaiting = Object.keys(objectAt(status, 'state', 'waiting')).length > 0;
      if (!isWaiting && now - changedAt >= settlingMs) continue;
      const exitCode = numberAt(ended, 'exitCode') ?? 0;
      return `container "${name}" just exited with code ${exitCode}; checking that it stays up after its restart`;
    }
  }
  return undefined;
}

function isRestartedAlways(spec: JsonObject): boolean {
  return (stringAt(spec, 'restartPolicy') ?? 'Always') === 'Always';
}

function isProbed(pod: KubernetesObject, name: string): boolean {
  return ['containers', 'initContainers'].some((list) =>
    objectsAt(pod, 'spec', list).some(
      (container) => container['name'] === name && Object.keys(objectAt(container, 'readinessProbe')).length > 0,
    ),
  );
}
