import { objectsAt, stringAt } from '../../base/json.ts';
import { condition, timeOf } from '../../kubernetes/conditions.ts';
import { refOf, type KubernetesObject } from '../../kubernetes/object.ts';
import type { Cause } from '../verdict.ts';
import { claimSign } from './claim.ts';
import type { ObjectEvent } from './events.ts';
import { diagnostic, mayHeal, startSign, type Sign } from './sign.ts';
import { isFlexStart, kueueHold } from './queue.ts';
import { readRefusal } from './unschedulable.ts';
import type { Graces } from './graces.ts';

/** Of texts that nobody here has written. */
const maxTextLength = 500;
/** An autoscaler that has answered is believed for this long. */
const scaleUpMs = 15 * 60_000;
/** A scheduler, and the kubelet of a node, look at a pod within a second. */
const attentionMs = 10_000;

/** Why a pod has no node yet, or no kubelet that takes it up. */
export function schedulingSigns(
  pod: KubernetesObject,
  events: readonly ObjectEvent[],
  now: number,
  graces: Graces,
): Sign[] {
  const scheduled = condition(pod, 'PodScheduled');
  if (scheduled?.status === 'False' && scheduled.reason === 'SchedulingGated') return [gateSign(pod)];
  if (scheduled?.status !== 'False' || scheduled.reason !== 'Unschedulable')
    return ignoredSigns(pod, events, now, graces);
  const since = scheduled.updatedAt === undefined ? {} : { since: scheduled.updatedAt };
  const claim = claimSign(pod, events, scheduled.message, graces.unschedulableMs);
  if (claim !== undefined) return [{ ...claim, cause: { ...since, ...claim.cause } }];
  const { words, hint } = readRefusal(scheduled.message);
  const cause = { reason: 'Unschedulable', message: words, hint, object: refOf(pod), path: ['resources'], ...since };
  return [flexStartSign(pod, cause, events) ?? refusedSign(cause, events, now, graces)];
}

/** It asks again until there is capacity; undefined for other pods, and where no pool can ever have the pod. */
function flexStartSign(pod: KubernetesObject, cause: Cause, events: readonly ObjectEvent[]): Sign | undefined {
  if (!isFlexStart(pod)) return undefined;
  const tried = lastEvent(events, 'TriggeredScaleUp') ?? lastEvent(events, 'FailedScaleUp');
  const never = lastEvent(events, 'NotTriggerScaleUp');
  if (never !== undefined && (tried === undefined || tried.lastAt < never.lastAt)) return undefined;
  return startSign({
    ...cause,
    message: `${cause.message}; queued for a flex-start node`,
    hint: 'Flex-start nodes come when there is capacity: raise the input "timeout", or use another kind of node.',
  });
}

function refusedSign(cause: Cause, events: readonly ObjectEvent[], now: number, graces: Graces): Sign {
  const scaleUp = lastEvent(events, 'TriggeredScaleUp');
  const failedScaleUp = lastEvent(events, 'FailedScaleUp');
  // It tries other zones and kinds of nodes by itself, so that one failure is not the end.
  if (failedScaleUp !== undefined && failedScaleUp.lastAt >= (scaleUp?.lastAt ?? 0)) {
    const why = failedScaleUp.message.slice(0, maxTextLength);
    return mayHeal(graces.unschedulableMs, { ...cause, message: `${cause.message}; the autoscaler failed: ${why}` });
  }
  if (isScalingUp(events, now))
    return startSign({ ...cause, message: `${cause.message}; the autoscaler is adding a node` });
  const cannotScale = lastEvent(events, 'NotTriggerScaleUp');
  if (cannotScale === undefined) return mayHeal(graces.unschedulableMs, cause);
  return mayHeal(graces.unschedulableMs / 2, {
    ...cause,
    message: `${cause.message}; the autoscaler cannot help: ${cannotScale.message}`,
  });
}

function lastEvent(events: readonly ObjectEvent[], reason: string): ObjectEvent | undefined {
  return events
    .filter((event) => event.reason === reason)
    .sort((left, right) => left.lastAt - right.lastAt)
    .at(-1);
}

/** Whether an autoscaler makes a node for a pod, and has not failed since. @param events those of the pod */
export function isScalingUp(events: readonly ObjectEvent[], now: number): boolean {
  const scaleUp = lastEvent(events, 'TriggeredScaleUp');
  const failed = lastEvent(events, 'FailedScaleUp');
  if (scaleUp === undefined || now - scaleUp.lastAt >= scaleUpMs) return false;
  return failed === undefined || failed.lastAt < scaleUp.lastAt;
}

/** A gate is taken away by whoever has put it there; until then no scheduler looks at the pod, and no autoscaler. */
function gateSign(pod: KubernetesObject): Sign {
  const gates = objectsAt(pod, 'spec', 'schedulingGates').map((gate) => stringAt(gate, 'name') ?? '');
  const since = timeOf(pod.metadata.creationTimestamp);
  const base = {
    reason: 'SchedulingGated',
    object: refOf(pod),
    path: ['schedulingGates'],
    ...(since === undefined ? {} : { since }),
  };
  const kueue = kueueHold(pod);
  if (kueue !== undefined) {
    const { queue, message } = kueue;
    return startSign({
      ...base,
      message: `queued by Kueue${queue === undefined ? '' : ` in "${queue}"`} until there is quota for it${message === '' ? '' : `: ${message.slice(0, maxTextLength)}`}`,
      hint: 'Check the Workload that Kueue created for it, and the quota of its ClusterQueue.',
    });
  }
  const named = gates.map((gate) => `"${gate}"`).join(' and ');
  return startSign({
    ...base,
    message: `${gates.length === 1 ? 'the scheduling gate' : 'the scheduling gates'} ${named} ${gates.length === 1 ? 'holds' : 'hold'} it back from the scheduler`,
    hint: 'Check that the controller that removes the gate is running, or remove it from schedulingGates.',
  });
}

/** A pod that nobody says anything of: the one that is to take it up does not see it, or waits for something in silence. */
function ignoredSigns(pod: KubernetesObject, events: readonly ObjectEvent[], now: number, graces: Graces): Sign[] {
  const since = condition(pod, 'PodScheduled')?.updatedAt ?? timeOf(pod.metadata.creationTimestamp);
  const isNew = stringAt(pod, 'status', 'phase') === 'Pending' && stringAt(pod, 'status', 'startTime') === undefined;
  if (!isNew || since === undefined || now - since < attentionMs) return [];
  const node = stringAt(pod, 'spec', 'nodeName');
  const base = { object: refOf(pod), since };
  if (node !== undefined) {
    return [
      diagnostic({
        ...base,
        reason: 'NodeNotReady',
        message: `the node "${node}" has not picked it up`,
        hint: 'Check that this node exists and its kubelet is running.',
      }),
    ];
  }
  if (condition(pod, 'PodScheduled') !== undefined) return [];
  const claim = claimSign(pod, events, '', graces.unschedulableMs);
  return [claim ?? unseenSign(pod, { ...base, reason: 'NotScheduled' })];
}

function unseenSign(pod: KubernetesObject, base: Pick<Cause, 'object' | 'since' | 'reason'>): Sign {
  const claims = objectsAt(pod, 'spec', 'resourceClaims');
  const [claim] = claims.flatMap((each) => stringAt(each, 'resourceClaimName') ?? []);
  if (claim !== undefined) {
    return diagnostic({
      ...base,
      message: `the scheduler is waiting for its ResourceClaim "${claim}"`,
      hint: 'Add the ResourceClaim to the manifests, or fix resourceClaimName.',
      path: ['resourceClaims'],
    });
  }
  if (claims.length > 0) {
    return diagnostic({
      ...base,
      message: 'the scheduler is waiting for its ResourceClaims, which are not created yet',
      hint: 'Check its resourceClaims and their templates.',
      path: ['resourceClaims'],
    });
  }
  const name = stringAt(pod, 'spec', 'schedulerName') ?? 'default-scheduler';
  return diagnostic({
    ...base,
    message: `the scheduler "${name}" has not picked it up`,
    hint:
      name === 'default-scheduler'
        ? 'Check that the scheduler of the cluster is running.'
        : 'Fix schedulerName, or check that this scheduler is running.',
    path: ['schedulerName'],
  });
}
