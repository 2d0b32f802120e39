import { condition } from '../../../kubernetes/conditions.ts';
import type { KubernetesObject } from '../../../kubernetes/object.ts';
import type { Verdict } from '../../verdict.ts';
import { ready, troubled, unchecked, type Rule } from '../rule.ts';

export const verticalPodAutoscaler: Rule = {
  kinds: [{ kind: 'VerticalPodAutoscaler', group: 'autoscaling.k8s.io' }],
  ready: 'it is applied: a recommendation takes minutes to a day; one that matches no pods is accepted',
  failed: 'ConfigUnsupported is True for 2 min: its recommender looks once a minute',
  source: 'autoscaler vertical-pod-autoscaler/pkg/apis/autoscaling.k8s.io/v1',
  judge,
};

const unsupportedMs = 120_000;

function judge(object: KubernetesObject): Verdict {
  const unsupported = condition(object, 'ConfigUnsupported');
  if (unsupported?.status === 'True') {
    return troubled(object, unsupportedMs, {
      reason: 'ConfigUnsupported',
      message: unsupported.message === '' ? 'its configuration is not supported' : unsupported.message,
      hint: 'Fix its target, or how it is configured.',
    });
  }
  const unmatched = condition(object, 'NoPodsMatched');
  return unmatched?.status === 'True'
    ? unchecked(unmatched.message === '' ? 'it matches no pods' : `it matches no pods: ${unmatched.message}`)
    : ready('applied');
}
