import { describe, expect, test } from '@jest/globals';

import type { JsonObject } from '../../../../../src/base/json.ts';
import { custom, decidedOver } from '../../../../support/custom-resource.ts';
import { conditionAt } from '../../../../support/rollout-objects.ts';

const seldon = (kind: string, status?: JsonObject) => custom('mlops.seldon.io/v1alpha1', kind, status && { status });

/** As the operator writes it: the state is the message, why it is so the reason. */
const told = (type: string, status: string, state: string, why: string, at: number): JsonObject => ({
  conditions: [conditionAt(type, status, why, state, at), conditionAt('Ready', status, why, state, at)],
});

describe('a Model of Seldon', () => {
  const model = (status?: JsonObject) => seldon('Model', status);
  const available = (at: number) => told('ModelReady', 'True', 'ModelAvailable', '', at);

  test('is ready once its condition has changed since the write', () => {
    const shown = [
      { at: 0 },
      { at: 1, status: told('ModelReady', 'False', 'ModelProgressing', '', 1) },
      { at: 300, status: available(300) },
    ];
    expect(decidedOver(model(available(-300)), shown, 300)).toEqual([
      'progressing: model ready, ready; checking that it stays so',
      'progressing: not ModelReady yet: ModelProgressing',
      'ready: model ready, ready',
    ]);
  });

  test('whose condition does not change is ready after 10 s', () => {
    expect(decidedOver(model(available(-300)), [{ at: 0 }], 9).at(-1)).toBe(
      'progressing: model ready, ready; checking that it stays so',
    );
    expect(decidedOver(model(available(-300)), [{ at: 0 }], 10).at(-1)).toBe('ready: model ready, ready');
  });

  test.each(['ModelFailed', 'ScheduleFailed'])('has failed once its state has been %s for 120 s', (state) => {
    const shown = [{ at: 5, status: told('ModelReady', 'False', state, 'rpc error: no server', 5) }];
    const message = `its state is ${state}: rpc error: no server`;
    expect(decidedOver(model(), shown, 124).at(-1)).toBe(`progressing: ${message}`);
    expect(decidedOver(model(), shown, 125).at(-1)).toBe(`failed: ${state}: Model "web": ${message}`);
  });

  test('that takes long, or whose scheduler does not answer, is waited for', () => {
    const shown = [{ at: 5, status: told('ModelReady', 'False', 'ModelProgressing', 'connection refused', 5) }];
    expect(decidedOver(model(), shown, 900).at(-1)).toBe(
      'progressing: not ModelReady yet: connection refused: ModelProgressing',
    );
  });

  test('that had failed before the write has a minute more', () => {
    const written = model(told('ModelReady', 'False', 'ModelFailed', '', -300));
    expect(decidedOver(written, [{ at: 0 }], 179).at(-1)).toBe('progressing: its state is ModelFailed');
    expect(decidedOver(written, [{ at: 0 }], 180).at(-1)).toBe(
      'failed: ModelFailed: Model "web": its state is ModelFailed',
    );
  });

  test('that was not changed is ready at once', () => {
    expect(decidedOver(model(available(-300)), [{ at: 0 }], 0, { changed: false })).toEqual([
      'ready: model ready, ready',
    ]);
  });
});

describe('a Pipeline of Seldon', () => {
  test('is ready when it and its models are', () => {
    const waiting = {
      conditions: [
        conditionAt('PipelineReady', 'True', '', 'PipelineReady', 2),
        conditionAt('Ready', 'False', 'Some models are not available', '', 2),
      ],
    };
    const shown = [
      { at: 2, status: waiting },
      { at: 9, status: told('PipelineReady', 'True', 'PipelineReady', '', 9) },
    ];
    expect(decidedOver(seldon('Pipeline'), shown, 9)).toEqual([
      'progressing: not Ready yet: Some models are not available',
      'ready: pipeline ready, ready',
    ]);
  });

  test('has failed once its state has been PipelineFailed for 120 s', () => {
    const shown = [{ at: 5, status: told('PipelineReady', 'False', 'PipelineFailed', 'unknown step', 5) }];
    expect(decidedOver(seldon('Pipeline'), shown, 124).at(-1)).toBe(
      'progressing: its state is PipelineFailed: unknown step',
    );
    expect(decidedOver(seldon('Pipeline'), shown, 125).at(-1)).toBe(
      'failed: PipelineFailed: Pipeline "web": its state is PipelineFailed: unknown step',
    );
  });
});

describe('an Experiment of Seldon', () => {
  test('is ready when it, its candidates and its mirror are', () => {
    const waiting = {
      conditions: [
        conditionAt('ExperimentReady', 'True', '', '', 2),
        conditionAt('CandidatesReady', 'False', '', '', 2),
        conditionAt('Ready', 'False', '', '', 2),
      ],
    };
    const shown = [
      { at: 1, status: { conditions: [conditionAt('ExperimentReady', 'False', 'not started', '', 1)] } },
      { at: 2, status: waiting },
      { at: 9, status: told('ExperimentReady', 'True', '', '', 9) },
    ];
    expect(decidedOver(seldon('Experiment'), shown, 9)).toEqual([
      'progressing: not ExperimentReady yet: not started',
      'progressing: not Ready yet',
      'ready: experiment ready, ready',
    ]);
  });
});
