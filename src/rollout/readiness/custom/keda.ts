import { stringAt } from '../../../base/json.ts';
import { condition } from '../../../kubernetes/conditions.ts';
import type { KubernetesObject } from '../../../kubernetes/object.ts';
import type { Verdict } from '../../verdict.ts';
import { progressing, ready, unchecked, type Facts, type Rule } from '../rule.ts';
import type { Awaited } from './conditions.ts';
import { acceptSlow, awaitConditions, readyAs } from './patience.ts';

const group = 'keda.sh';

export const scaledObject: Rule = {
  kinds: [{ kind: 'ScaledObject', group }],
  ready:
    'Ready is True and stays so for 10 s, and its HorizontalPodAutoscaler has the same target; accepted while paused, after 2 min without metrics, and after 60 s without a status',
  failed: 'Ready is False with reason ScaledObjectCheckFailed for 60 s',
  source:
    'keda controllers/keda/scaledobject_controller.go; argo-cd#28522 and keda#7914 for metrics that are missing for a while',
  children: [{ apiVersion: 'autoscaling/v2', kind: 'HorizontalPodAutoscaler' }],
  judge: judgeScaledObject,
};

export const scaledJob: Rule = {
  kinds: [{ kind: 'ScaledJob', group }],
  ready: 'Ready is True and stays so for 10 s; accepted while paused, and after 60 s without a status',
  failed: 'Ready is False with reason ScaledJobCheckFailed for 60 s',
  source: 'keda controllers/keda/scaledjob_controller.go',
  judge: (object, facts) => whenPaused(object) ?? awaitConditions(object, facts, whileChecked('ScaledJobCheckFailed')),
};

export const triggerAuthentication: Rule = {
  kinds: ['TriggerAuthentication', 'ClusterTriggerAuthentication'].map((kind) => ({ kind, group })),
  ready: 'it is applied: what uses it tells whether it works',
  failed: 'never',
  source: 'keda apis/keda/v1alpha1: it has no conditions',
  judge: () => ready('applied'),
};

const graceMs = 60_000;
/** Metrics come late, and come back late while pods are replaced, ms. */
const metricsMs = 120_000;
/** Its conditions name neither a generation nor a time: what they say counts once it has stayed so for as long, ms. */
const lookMs = 10_000;

function whileChecked(reason: string): Awaited {
  return {
    types: ['Ready'],
    observed: 'nowhere',
    failing: [
      {
        type: 'Ready',
        reasons: [reason],
        graceMs,
        hint: 'Fix what the message says: usually its target or a trigger, or access to what the trigger reads.',
      },
    ],
  };
}

function whenPaused(object: KubernetesObject): Verdict | undefined {
  if (condition(object, 'Paused')?.status !== 'True') return undefined;
  return { ...unchecked('paused: it does not scale until its annotation is removed'), quietMs: lookMs };
}

function judgeScaledObject(object: KubernetesObject, facts: Facts): Verdict {
  const paused = whenPaused(object);
  if (paused !== undefined) return paused;
  const verdict = awaitConditions(object, facts, whileChecked('ScaledObjectCheckFailed'));
  const isWithoutMetrics = condition(object, 'Ready')?.reason === 'HPAMetricsUnavailable';
  if (isWithoutMetrics) return acceptSlow(verdict, facts, metricsMs, 'it does not scale yet');
  if (verdict.state !== 'ready') return verdict;
  return autoscalerMissing(object, facts) ?? readyAs(verdict, 'ready to scale');
}

/** What is missing of the autoscaler that it owns; where that may not be seen, its name has to do. */
function autoscalerMissing(object: KubernetesObject, { descendants }: Facts): Verdict | undefined {
  const name = stringAt(object, 'status', 'hpaName') ?? '';
  if (name === '') return progressing('its HorizontalPodAutoscaler is not made yet');
  if (descendants === undefined) return undefined;
  const autoscaler = descendants.find(
    ({ kind, metadata }) => kind === 'HorizontalPodAutoscaler' && metadata.name === name,
  );
  if (autoscaler === undefined) return progressing(`HorizontalPodAutoscaler "${name}" is not there yet`);
  const target = stringAt(object, 'spec', 'scaleTargetRef', 'name');
  const scaled = stringAt(autoscaler, 'spec', 'scaleTargetRef', 'name');
  return target === scaled
    ? undefined
    : progressing(`HorizontalPodAutoscaler "${name}" still scales "${scaled ?? ''}"`);
}
