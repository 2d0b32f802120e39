import { describe, expect, test } from '@jest/globals';

import type { JsonObject } from '../../../../../src/base/json.ts';
import { custom, decidedOver } from '../../../../support/custom-resource.ts';
import { conditionAt } from '../../../../support/rollout-objects.ts';

const written = (spec: JsonObject = {}, status?: JsonObject) =>
  custom('leaderworkerset.x-k8s.io/v1', 'LeaderWorkerSet', {
    spec: { replicas: 4, ...spec },
    ...(status && { status }),
  });

function statusOf(counts: JsonObject, ...conditions: JsonObject[]): JsonObject {
  const whole = { observedGeneration: 2, replicas: 4, updatedReplicas: 4, readyReplicas: 4, ...counts };
  return { ...whole, conditions: conditions.length > 0 ? conditions : [conditionAt('Available', 'True')] };
}

describe('a LeaderWorkerSet', () => {
  test('is ready once all its groups are updated and ready, its surge has gone, and that has stayed so for 3 s', () => {
    const rolling = [conditionAt('Available', 'True'), conditionAt('UpdateInProgress', 'True', 'GroupsUpdating')];
    const shown = [
      { at: 1, status: statusOf({ observedGeneration: 1 }) },
      { at: 2, status: statusOf({ updatedReplicas: 1, readyReplicas: 3 }, ...rolling) },
      { at: 30, status: statusOf({ readyReplicas: 3 }, ...rolling) },
      { at: 60, status: statusOf({ replicas: 5 }, ...rolling) },
      { at: 61, status: statusOf({}, ...rolling) },
      { at: 62, status: statusOf({}) },
    ];
    expect(decidedOver(written(), shown, 66)).toEqual([
      'progressing: waiting for the controller',
      'progressing: 1 of 4 groups updated, 3 ready',
      'progressing: 3 of 4 groups ready',
      'progressing: 1 extra group of its surge left',
      'progressing: its update is in progress',
      'progressing: 4 groups ready; checking that it stays so',
      'ready: 4 groups ready',
    ]);
  });

  test('that keeps some groups at the old version by its partition is held back, and says so', () => {
    const spec = { rolloutStrategy: { rollingUpdateConfiguration: { partition: 3 } } };
    const shown = [{ at: 1, status: statusOf({ updatedReplicas: 1 }) }];
    expect(decidedOver(written(spec), shown, 10).at(-1)).toBe('ready: 4 groups ready, 1 updated (partition is 3)');
  });

  test('without groups is ready by its counts: Available is never set then', () => {
    const status = { observedGeneration: 2, replicas: 0, updatedReplicas: 0, readyReplicas: 0 };
    expect(decidedOver(written({ replicas: 0 }), [{ at: 1, status }], 10).at(-1)).toBe('ready: 0 groups ready');
  });
});
