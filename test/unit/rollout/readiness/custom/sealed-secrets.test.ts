import { describe, expect, test } from '@jest/globals';

import type { JsonObject } from '../../../../../src/base/json.ts';
import { custom, decidedOver } from '../../../../support/custom-resource.ts';
import { justMade } from '../../../../support/just-made.ts';
import { conditionAt, timeAt } from '../../../../support/rollout-objects.ts';

const written = (status?: JsonObject) =>
  custom('bitnami.com/v1alpha1', 'SealedSecret', {
    spec: { encryptedData: { password: 'AgBy3i4OJSWK+PiTySYZZA9rO43cGDEq' } },
    ...(status && { status }),
  });

/** As its controller writes it: without reason, and with a message only where it failed. */
function statusOf(status: string, observedGeneration: number | undefined, seconds: number, message = ''): JsonObject {
  const time = timeAt(seconds);
  const condition = { type: 'Synced', status, lastUpdateTime: time, lastTransitionTime: time };
  return {
    ...(observedGeneration === undefined ? {} : { observedGeneration }),
    conditions: [{ ...condition, ...(message === '' ? {} : { message }) }],
  };
}

describe('a SealedSecret', () => {
  test('is ready once it is decrypted for this generation', () => {
    const before = statusOf('True', 1, -900);
    expect(
      decidedOver(
        written(before),
        [
          { at: 1, status: before },
          { at: 2, status: statusOf('True', 2, 2) },
        ],
        2,
      ),
    ).toEqual(['progressing: waiting for the controller', 'ready: synced']);
  });

  test('that cannot be decrypted has failed after 15 s', () => {
    const shown = [
      { at: 1, status: statusOf('False', 1, 1, 'no key could decrypt secret (password)') },
      { at: 15 },
      { at: 16 },
    ];
    expect(decidedOver(justMade(written()), shown, 16)).toEqual([
      'progressing: no key could decrypt secret (password)',
      'progressing: no key could decrypt secret (password)',
      'failed: Synced: SealedSecret "web": no key could decrypt secret (password)',
    ]);
  });

  test('that could not be decrypted before is not failed by that', () => {
    const before = statusOf('False', 1, -900, 'no key could decrypt secret (password)');
    const shown = [{ at: 1, status: before }, { at: 100 }, { at: 101, status: statusOf('True', 2, 101) }];
    expect(decidedOver(written(before), shown, 101)).toEqual([
      'progressing: waiting for the controller',
      'progressing: waiting for the controller',
      'ready: synced',
    ]);
  });

  test('whose controller names no generation is accepted once it has stayed so for a minute (sealed-secrets#1355)', () => {
    const before = statusOf('True', undefined, -900);
    expect(decidedOver(written(before), [{ at: 59, status: before }, { at: 60 }], 60)).toEqual([
      'progressing: its status does not say which generation it is for; checking that it stays so',
      'unchecked: its status does not say which generation it is for',
    ]);
  });

  test('that was not changed, or whose controller writes no status', () => {
    const status = { observedGeneration: 2, conditions: [conditionAt('Synced', 'True', '', '', -900)] };
    expect(decidedOver(written(status), [{ at: 1, status }], 1, { changed: false })).toEqual(['ready: synced']);
    expect(decidedOver(justMade(written()), [{ at: 59 }, { at: 60 }], 60)).toEqual([
      'progressing: waiting for the controller',
      'unchecked: its controller has set no status; check that it is installed',
    ]);
  });
});
