import { numberAt } from '../../base/json.ts';
import type { KubernetesObject } from '../../kubernetes/object.ts';
import { condition } from '../../kubernetes/conditions.ts';
import { isHeldBack, isPaused, ownerOfPause, pausedBy, updatedPods } from '../pause.ts';
import type { Verdict } from '../verdict.ts';
import {
  failed,
  heldBack,
  isObserved,
  notObserved,
  pods,
  progressing,
  ready,
  type Facts,
  type Rule,
  surplus,
} from './rule.ts';

export const deployment: Rule = {
  kinds: [{ kind: 'Deployment', group: 'apps' }],
  ready:
    'the change is observed, all pods are updated and available, no old or surplus pod is left; one that was paused when it was written is accepted and said to be held back, for one that somebody pauses meanwhile the clock stands still',
  failed: 'Progressing is False (deadline exceeded, ReplicaSet cannot be made), said after this write',
  source:
    'kubernetes pkg/controller/deployment/progress.go; kubectl rollout_status.go; kubernetes#49637 for stale deadlines',
  judge,
};

function judge(object: KubernetesObject, facts: Facts): Verdict {
  if (!isObserved(object, facts)) return notObserved;
  const wanted = numberAt(object, 'spec', 'replicas') ?? 1;
  const existing = numberAt(object, 'status', 'replicas') ?? 0;
  const updated = numberAt(object, 'status', 'updatedReplicas') ?? 0;
  const available = numberAt(object, 'status', 'availableReplicas') ?? 0;
  const paused = isPaused(object) ? `; paused ${pausedBy(object)}` : '';
  const complete = updated >= wanted && existing <= updated && existing <= wanted && available >= updated;
  if (complete) return ready(`${pods(available)} available${paused}`);
  if (isHeldBack(object)) {
    const done = updatedPods(object);
    if (isPausedMeanwhile(object, facts))
      return progressing(`${done}; paused ${pausedBy(object)}, run "resume" to continue`);
    const by = ownerOfPause(object) === undefined ? '' : ` ${pausedBy(object)}`;
    return heldBack('unchecked', `paused${by}: ${done}`, `paused${by}: ${done}; run "resume" to continue`);
  }
  const failure = finalFailure(object, facts);
  if (failure !== undefined) return failure;
  if (updated < wanted) return progressing(`${updated} of ${pods(wanted)} updated, ${available} available`);
  if (existing > updated) {
    const old = `waiting for ${existing - updated === 1 ? '1 old pod' : `${existing - updated} old pods`} to terminate`;
    // Old pods wait for new ones: what is not available says more than what has not ended.
    return progressing(available < existing ? `${available} of ${pods(existing)} available, ${old}` : old);
  }
  if (existing > wanted) return progressing(surplus(existing - wanted));
  return progressing(`${available} of ${pods(updated)} available${paused}`);
}

/**
 * A condition may be left from an earlier rollout although the generation is observed: when an old template comes back the
 * controller touches it only once it sees progress. So it counts when it is younger than our write, when there was no
 * write, or when the whole deadline has passed since.
 */
function finalFailure(object: KubernetesObject, facts: Facts): Verdict | undefined {
  const progress = condition(object, 'Progressing');
  if (progress?.status !== 'False') return undefined;
  const deadlineMs = (numberAt(object, 'spec', 'progressDeadlineSeconds') ?? 600) * 1000;
  const isFresh =
    !facts.changed || (progress.updatedAt ?? 0) > facts.writtenAt || facts.now - facts.writtenAt > deadlineMs;
  if (!isFresh) return undefined;
  const isDeadline = progress.reason === 'ProgressDeadlineExceeded';
  return failed(
    object,
    progress.reason,
    isDeadline ? `made no progress for ${deadlineMs / 1000}s (spec.progressDeadlineSeconds)` : progress.message,
    isDeadline
      ? 'Check what its pods are waiting for; raise progressDeadlineSeconds if they just need more time.'
      : 'Fix what the message says.',
  );
}

/** Whether somebody has paused a Deployment that was not paused as we wrote it. */
export function isPausedMeanwhile(object: KubernetesObject, { asWritten }: Facts): boolean {
  return isPaused(object) && !isPaused(asWritten);
}
