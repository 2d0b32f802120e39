import { formatDuration } from '../base/clock.ts';
import { numberAt, objectAt, stringAt } from '../base/json.ts';
import { timeOf } from '../kubernetes/conditions.ts';
import { refOf, type KubernetesObject } from '../kubernetes/object.ts';
import { describeEnd } from './failures/container.ts';
import { lastingStatuses, type LastingStatus } from './lasting-statuses.ts';
import type { Cause } from './verdict.ts';

/** A container that has run for this long counts as well again: the kubelet forgets its back-off then (10 min). */
const forgottenMs = 600_000;
/** One crash is common at a start, where something else is not up yet. */
const onceForgottenMs = 60_000;

/**
 * What crashes again and again is running, and even ready, for most of the time: whoever looks once has to ask when it has
 * ended last.
 * @param now milliseconds since the epoch
 */
export function recentCrash(pods: readonly KubernetesObject[], now: number): Cause | undefined {
  for (const pod of pods.filter(({ metadata }) => metadata.deletionTimestamp === undefined)) {
    for (const lasting of lastingStatuses(pod)) {
      const cause = crashOf(pod, lasting, now);
      if (cause !== undefined) return cause;
    }
  }
  return undefined;
}

function crashOf(pod: KubernetesObject, { name, status, what }: LastingStatus, now: number): Cause | undefined {
  const ended = objectAt(status, 'state', 'terminated');
  const last = Object.keys(ended).length > 0 ? ended : objectAt(status, 'lastState', 'terminated');
  const restarts = numberAt(status, 'restartCount') ?? 0;
  const finishedAt = timeOf(stringAt(last, 'finishedAt'));
  if (finishedAt === undefined || now - finishedAt > (restarts > 1 ? forgottenMs : onceForgottenMs)) return undefined;
  const end = describeEnd(what, stringAt(last, 'reason') ?? '', numberAt(last, 'exitCode') ?? 0, restarts, undefined);
  const ago = formatDuration(Math.max(0, now - finishedAt));
  return {
    ...end,
    message: `${end.message}, last ${ago} ago`,
    object: refOf(pod),
    container: name,
    since: finishedAt,
  };
}
