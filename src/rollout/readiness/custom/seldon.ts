import { condition } from '../../../kubernetes/conditions.ts';
import type { KubernetesObject } from '../../../kubernetes/object.ts';
import type { Verdict } from '../../verdict.ts';
import { isSinceWrite, troubled, type Facts, type Rule } from '../rule.ts';
import { judgeConditions } from './conditions.ts';
import { staleGraceMs } from './stale.ts';

const group = 'mlops.seldon.io';
const source =
  'SeldonIO/seldon-core operator/scheduler: the message of a condition is the state, its reason the explanation; no generation is kept';

/** What a Model, Pipeline or Experiment is about, the condition that tells it, and the states that are failures. */
function seldonRule(kind: string, type: string, states: readonly string[]): Rule {
  return {
    kinds: [{ kind, group }],
    ready: `${type} and Ready are True, and have changed since the write or stayed so for 10 s`,
    failed: states.length === 0 ? 'never' : `its state is ${states.join(' or ')} for 120 s`,
    source,
    judge: (object, facts) =>
      failureOf(object, facts, type, states) ??
      judgeConditions(object, facts, { types: [type, 'Ready'], observed: 'nowhere', failing: [] }),
  };
}

export const seldonModel = seldonRule('Model', 'ModelReady', ['ModelFailed', 'ScheduleFailed']);
export const seldonPipeline = seldonRule('Pipeline', 'PipelineReady', ['PipelineFailed']);
export const seldonExperiment = seldonRule('Experiment', 'ExperimentReady', []);

/** A model may fit only once its servers have grown. */
const graceMs = 120_000;

function failureOf(
  object: KubernetesObject,
  facts: Facts,
  type: string,
  states: readonly string[],
): Verdict | undefined {
  const found = condition(object, type);
  if (found?.status !== 'False' || !states.includes(found.message)) return undefined;
  const { message: state, reason: why } = found;
  const hint =
    state === 'ScheduleFailed'
      ? 'Deploy a Server with what the model requires and room for it.'
      : 'Fix what the message says.';
  const grace = isSinceWrite(found, facts) ? graceMs : graceMs + staleGraceMs;
  return troubled(object, grace, {
    reason: state,
    message: `its state is ${state}${why === '' ? '' : `: ${why}`}`,
    hint,
  });
}
