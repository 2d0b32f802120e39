import { describe, expect, test } from '@jest/globals';

import type { JsonObject } from '../../../../../src/base/json.ts';
import { custom, decidedOver, ownedBy } from '../../../../support/custom-resource.ts';
import { conditionAt, liveStatefulSet, podOf, timeAt } from '../../../../support/rollout-objects.ts';

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
      'progressing: 1 surge group left',
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

  test('with one group and a surge says why its update does not begin (lws#779), and never fails for it', () => {
    const spec = { replicas: 1, rolloutStrategy: { rollingUpdateConfiguration: { maxSurge: '25%' } } };
    const object = written(spec);
    const held = ownedBy(object, liveStatefulSet({ spec: { updateStrategy: { rollingUpdate: { partition: 1 } } } }));
    const shown = [{ at: 1, status: statusOf({ replicas: 1, updatedReplicas: 0, readyReplicas: 1 }), beside: [held] }];
    expect(decidedOver(object, shown, 60).at(-1)).toBe('progressing: 0 of 1 group updated, 1 ready');
    expect(decidedOver(object, shown, 3600).at(-1)).toBe(
      'progressing: 0 of 1 group updated, 1 ready; its update has not begun: with one replica and a maxSurge, some versions of LeaderWorkerSet never make the extra group (lws#779)',
    );
    const moving = ownedBy(object, liveStatefulSet({ spec: { updateStrategy: { rollingUpdate: { partition: 0 } } } }));
    expect(decidedOver(object, [...shown, { at: 2, beside: [moving] }], 90).at(-1)).toBe(
      'progressing: 0 of 1 group updated, 1 ready',
    );
  });

  test('names a surge that stays', () => {
    const shown = [{ at: 1, status: statusOf({ replicas: 5 }) }];
    expect(decidedOver(written(), shown, 60).at(-1)).toBe('progressing: 1 surge group left');
    expect(decidedOver(written(), shown, 61).at(-1)).toBe(
      'progressing: 1 surge group left; all its groups are updated and ready, and LeaderWorkerSet has not removed the extra ones',
    );
  });

  test('has failed once a group of it has been recreated three times: no pod of it lives to crash again', () => {
    const object = written({ replicas: 1 });
    const leaders = ownedBy(object, liveStatefulSet({ replicas: 1 }));
    const leader = (round: number) => {
      const metadata = { name: 'web-0', uid: `web-0-${round}`, creationTimestamp: timeAt(10 * round) };
      return ownedBy(leaders, podOf(undefined, { metadata }));
    };
    const status = statusOf({ replicas: 1, updatedReplicas: 1, readyReplicas: 0 });
    const rounds = [1, 2, 3, 4].map((round) => ({
      at: 10 * round,
      status,
      beside: round === 1 ? [leaders, leader(1)] : [leader(round)],
      gone: round === 1 ? [] : [leader(round - 1)],
    }));
    expect(decidedOver(object, rounds, 40)).toEqual([
      ...[10, 20, 30].map(() => 'progressing: 0 of 1 group ready'),
      'failed: RecreatedAgain: LeaderWorkerSet "web": pod "web-0" has been recreated 3 times and is not ready',
    ]);
  });

  test('that was not changed is ready at once', () => {
    expect(decidedOver(written({}, statusOf({})), [{ at: 0 }], 0, { changed: false })).toEqual([
      'ready: 4 groups ready',
    ]);
  });
});
