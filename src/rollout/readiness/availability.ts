import type { KubernetesObject } from '../../kubernetes/object.ts';
import { condition } from '../../kubernetes/conditions.ts';
import type { Verdict } from '../verdict.ts';
import { failed, isObserved, notObserved, progressing, ready, unchecked, type Facts, type Rule } from './rule.ts';

/** A controller looks at an autoscaler every 15 s; after two looks what it says is about our write. A budget is seen at once. */
const staleMs = 30_000;

export const horizontalPodAutoscaler: Rule = {
  kinds: [{ kind: 'HorizontalPodAutoscaler', group: 'autoscaling' }],
  ready: 'ScalingActive is True, or scaling is disabled by zero replicas; while metrics cannot be got it is accepted',
  failed: 'ScalingActive is False for another reason than FailedGet…, said after this write',
  source: 'kubernetes pkg/controller/podautoscaler; krane; argo-cd#6287 for metrics that come late',
  judge: judgeAutoscaler,
};

function judgeAutoscaler(object: KubernetesObject, facts: Facts): Verdict {
  const active = condition(object, 'ScalingActive');
  const able = condition(object, 'AbleToScale');
  if (active?.status === 'True') return ready('active');
  if (active?.reason === 'ScalingDisabled') return ready('disabled: its target has zero replicas');
  if (active?.status === 'False' && active.reason.startsWith('FailedGet')) {
    return unchecked(`it gets no metrics (yet): ${active.message}`);
  }
  if (active?.status === 'False') {
    // The API keeps no generation of autoscalers, so that time has to tell what a condition is about.
    const isFresh =
      !facts.changed || (active.updatedAt ?? 0) > facts.writtenAt || facts.now - facts.writtenAt > staleMs;
    return isFresh
      ? failed(object, active.reason, `cannot scale: ${active.message}`, 'Fix its metrics or its target.')
      : progressing(active.message);
  }
  if (able?.status === 'False') return progressing(`cannot scale yet: ${able.message}`);
  return notObserved;
}

export const podDisruptionBudget: Rule = {
  kinds: [{ kind: 'PodDisruptionBudget', group: 'policy' }],
  ready: 'the change is observed; one that its controller cannot compute, or does not look at for 30 s, is accepted',
  failed: 'never: that it allows no disruption now says nothing about the release',
  source: 'kubernetes pkg/controller/disruption',
  judge: (object, facts) => {
    const allowed = condition(object, 'DisruptionAllowed');
    // Then its controller does not count the change as observed (failSafe in its source), and perhaps never will.
    if (allowed?.reason === 'SyncFailed') return unchecked(`it cannot be computed: ${allowed.message}`);
    if (isObserved(object, facts)) return ready('observed');
    return facts.now - facts.writtenAt > staleMs
      ? unchecked(`its controller has not processed it for ${staleMs / 1000} s`)
      : notObserved;
  },
};
