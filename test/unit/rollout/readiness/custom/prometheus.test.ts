import { describe, expect, test } from '@jest/globals';

import type { JsonObject } from '../../../../../src/base/json.ts';
import { custom, decidedOver } from '../../../../support/custom-resource.ts';
import { justMade } from '../../../../support/just-made.ts';
import { timeAt } from '../../../../support/rollout-objects.ts';

const kinds = [
  'PodMonitoring',
  'ClusterPodMonitoring',
  'ClusterNodeMonitoring',
  'Rules',
  'ClusterRules',
  'GlobalRules',
];

/** As the operator writes it: without a reason. */
function statusOf(status: string, observedGeneration: number, seconds: number, message = ''): JsonObject {
  const time = timeAt(seconds);
  const condition = { type: 'ConfigurationCreateSuccess', status, lastUpdateTime: time, lastTransitionTime: time };
  return { observedGeneration, conditions: [{ ...condition, ...(message === '' ? {} : { message }) }] };
}

describe.each(kinds)('a %s of managed Prometheus', (kind) => {
  const written = (status?: JsonObject) =>
    custom('monitoring.googleapis.com/v1', kind, { spec: {}, ...(status && { status }) });

  test('is ready once it is configured for this generation', () => {
    const before = statusOf('True', 1, -900);
    // A condition that stays True keeps its times.
    expect(
      decidedOver(
        written(before),
        [
          { at: 1, status: before },
          { at: 2, status: statusOf('True', 2, -900) },
        ],
        2,
      ),
    ).toEqual(['progressing: waiting for the controller', 'ready: configured']);
  });

  test('that cannot be configured has failed after 20 s', () => {
    const message = 'generating rule config failed';
    const shown = [{ at: 1, status: statusOf('False', 1, 1, message) }, { at: 20 }, { at: 21 }];
    expect(decidedOver(justMade(written()), shown, 21)).toEqual([
      `progressing: ${message}`,
      `progressing: ${message}`,
      `failed: ConfigurationCreateSuccess: ${kind} "web": ${message}`,
    ]);
  });

  test('that could not be configured before counts only for its own generation', () => {
    const before = statusOf('False', 1, -900, 'invalid');
    const shown = [{ at: 1, status: before }, { at: 60 }, { at: 61, status: statusOf('False', 2, -900, 'invalid') }];
    expect(decidedOver(written(before), shown, 61)).toEqual([
      'progressing: waiting for the controller',
      'progressing: waiting for the controller',
      'progressing: invalid',
    ]);
  });

  test('that was not changed, or whose operator writes no status', () => {
    const status = statusOf('True', 2, -900);
    expect(decidedOver(written(status), [{ at: 1, status }], 1, { changed: false })).toEqual(['ready: configured']);
    expect(decidedOver(justMade(written()), [{ at: 59 }, { at: 60 }], 60)).toEqual([
      'progressing: waiting for the controller',
      'unchecked: its controller has set no status; check that it is installed',
    ]);
  });
});
