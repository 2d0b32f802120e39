import { formatDuration } from '../../../base/clock.ts';
import { at, booleanAt, listAt, numberAt, objectsAt, stringAt, type Json } from '../../../base/json.ts';
import { saidAt } from '../../../base/said.ts';
import { condition } from '../../../kubernetes/conditions.ts';
import type { KubernetesObject } from '../../../kubernetes/object.ts';
import type { Verdict } from '../../verdict.ts';
import { heldBack, notObserved, pods, progressing, ready, troubled, type Facts, type Rule } from '../rule.ts';
import { failureOf, observedGeneration, type Failing } from './conditions.ts';
import { whenSilent } from './patience.ts';

export const argoRollout: Rule = {
  kinds: [{ kind: 'Rollout', group: 'argoproj.io' }],
  ready:
    'the change is observed, of the Deployment that it refers to as well, and its phase is Healthy; accepted and said to be held back while paused, except for pauses that end by themselves within 5 min; accepted after 60 s without a status',
  failed:
    'InvalidSpec is True or the rollout was aborted, at once; its phase is Degraded for 10 s; or through its pods',
  source: 'argo-rollouts utils/rollout (GetRolloutPhase); argo-rollouts#4672 for observedGeneration, which is a string',
  runsPods: true,
  judge,
};

const degradedMs = 10_000;
/** A pause that ends by itself is awaited when it is no longer than this, ms. */
const shortPauseMs = 300_000;

const failing: readonly Failing[] = [
  {
    type: 'InvalidSpec',
    status: 'True',
    graceMs: 0,
    hint: 'Fix what the message says in the manifest of the Rollout.',
  },
  {
    type: 'Progressing',
    reasons: ['RolloutAborted'],
    graceMs: 0,
    hint: 'Check its analysis runs and its pods; "kubectl argo rollouts retry" tries the same version again.',
  },
];

function judge(object: KubernetesObject, facts: Facts): Verdict {
  const phase = stringAt(object, 'status', 'phase');
  const settled = whenSilent(object, facts, phase !== undefined || condition(object, 'InvalidSpec') !== undefined);
  if (settled !== undefined) return settled;
  const failure = failureOf(object, facts, failing);
  if (failure !== undefined) return failure;
  if ((observedGeneration(object) ?? 0) < facts.generation) return notObserved;
  if (!isWorkloadObserved(object)) return progressing('waiting for the controller to see the Deployment it refers to');
  const said = saidAt(object, 'status', 'message') ?? '';
  switch (phase) {
    case 'Healthy':
      return ready(`${pods(numberAt(object, 'status', 'availableReplicas') ?? 0)} available`);
    case 'Degraded':
      return troubled(object, degradedMs, {
        reason: condition(object, 'Progressing')?.reason ?? 'Degraded',
        message: said === '' ? 'its phase is Degraded' : said,
        hint: 'Check its pods and its analysis runs.',
      });
    case 'Paused':
      return whilePaused(object);
    default:
      return progressing([updatedOf(object), said].filter((text) => text !== '').join(': '));
  }
}

/** Of a Rollout that takes its pods from a Deployment: whether its present template was seen. */
function isWorkloadObserved(object: KubernetesObject): boolean {
  if (at(object, 'spec', 'workloadRef') === undefined) return true;
  const wanted = object.metadata.annotations?.['rollout.argoproj.io/workload-generation'];
  const seen = stringAt(object, 'status', 'workloadObservedGeneration');
  return wanted === undefined || seen === undefined || wanted === seen;
}

function whilePaused(object: KubernetesObject): Verdict {
  const [pause] = objectsAt(object, 'status', 'pauseConditions');
  if (pause === undefined && booleanAt(object, 'status', 'controllerPause') === true) return progressing('resuming');
  const done = updatedOf(object);
  if (booleanAt(object, 'spec', 'paused') === true) {
    const held = `paused in its spec: ${done}`;
    return heldBack('unchecked', held, `${held}; set spec.paused to false to continue`);
  }
  const reason = stringAt(pause, 'reason') ?? '';
  const durationMs = pauseOf(object, reason);
  if (durationMs === undefined) {
    const held = `paused${causes[reason] ?? stepOf(object)}: ${done}`;
    return heldBack('unchecked', held, `${held}; promote it to continue`);
  }
  const held = `pauses for ${formatDuration(durationMs)}${causes[reason] ?? stepOf(object)}: ${done}`;
  return durationMs <= shortPauseMs
    ? { state: 'progressing', message: held, isTimed: true }
    : heldBack('unchecked', held);
}

const causes: Readonly<Record<string, string>> = {
  BlueGreenPause: ' before its active Service switches',
  InconclusiveAnalysisRun: ' since its analysis is inconclusive',
};

/** How long the present pause lasts, ms; undefined where it waits for somebody. */
function pauseOf(object: KubernetesObject, reason: string): number | undefined {
  if (reason === 'BlueGreenPause')
    return durationOf(at(object, 'spec', 'strategy', 'blueGreen', 'autoPromotionSeconds'));
  if (reason !== 'CanaryPauseStep') return undefined;
  const step = numberAt(object, 'status', 'currentStepIndex') ?? 0;
  return durationOf(at(object, 'spec', 'strategy', 'canary', 'steps', step, 'pause', 'duration'));
}

const units: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 };

/** Seconds, or a duration of Go (`1h30m`), in ms; undefined for none and for what is neither. */
function durationOf(value: Json | undefined): number | undefined {
  if (typeof value === 'number') return value > 0 ? value * 1000 : undefined;
  if (typeof value !== 'string') return undefined;
  if (/^\d{1,9}$/.test(value)) return Number(value) * 1000;
  const parts = [...value.matchAll(/(\d{1,9}(?:\.\d{1,9})?)(ms|s|m|h)/g)];
  if (parts.length === 0 || parts.map(([part]) => part).join('') !== value) return undefined;
  return parts.reduce((sum, [, count, unit]) => sum + Number(count) * (units[unit ?? ''] ?? 0), 0);
}

/** ` at step 2 of 4` */
function stepOf(object: KubernetesObject): string {
  const steps = listAt(object, 'spec', 'strategy', 'canary', 'steps').length;
  const step = numberAt(object, 'status', 'currentStepIndex');
  return step === undefined || step >= steps ? '' : ` at step ${step + 1} of ${steps}`;
}

/** `1 of 5 pods updated` */
function updatedOf(object: KubernetesObject): string {
  const wanted = numberAt(object, 'spec', 'replicas') ?? 1;
  return `${numberAt(object, 'status', 'updatedReplicas') ?? 0} of ${pods(wanted)} updated`;
}
