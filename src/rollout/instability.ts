import { numberAt, objectAt, stringAt } from '../base/json.ts';
import { formatDuration } from '../base/clock.ts';
import { timeOf } from '../kubernetes/conditions.ts';
import { refOf, type KubernetesObject } from '../kubernetes/object.ts';
import { lastingStatuses } from './lasting-statuses.ts';
import type { Cause } from './verdict.ts';

/**
 * A container that runs for this long after a crash has recovered: the kubelet starts its back-off anew then (kubernetes
 * pkg/kubelet, MaxContainerBackOff).
 */
const recoveredMs = 10 * 60_000;
const restartsUntilTold = 2;

/**
 * Between two crashes a container runs, and may be ready, for a moment: the workload looks healthy then. Says which container
 * has crashed several times and a short time ago; undefined when none has.
 */
export function unstable(pods: readonly KubernetesObject[], now: number): Cause | undefined {
  for (const pod of pods) {
    if (pod.metadata.deletionTimestamp !== undefined || stringAt(pod, 'status', 'phase') !== 'Running') continue;
    for (const { name: container, status, what } of lastingStatuses(pod)) {
      const last = objectAt(status, 'lastState', 'terminated');
      const restarts = numberAt(status, 'restartCount') ?? 0;
      const exitCode = numberAt(last, 'exitCode') ?? 0;
      const endedAt = timeOf(stringAt(last, 'finishedAt'));
      if (restarts < restartsUntilTold || exitCode === 0 || endedAt === undefined || now - endedAt >= recoveredMs)
        continue;
      return {
        reason: stringAt(last, 'reason') === 'OOMKilled' ? 'OOMKilled' : 'CrashLoopBackOff',
        message: `${what} keeps crashing (exit code ${exitCode}, ${restarts} restarts, the last one ${formatDuration(now - endedAt)} ago)`,
        hint: 'Check the last lines of its log.',
        container,
        object: refOf({ ...pod, apiVersion: 'v1', kind: 'Pod' }),
        since: endedAt,
      };
    }
  }
  return undefined;
}
