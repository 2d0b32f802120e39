import { describe, expect, test } from '@jest/globals';

import type { JsonObject } from '../../../../../src/base/json.ts';
import { custom, decidedOver } from '../../../../support/custom-resource.ts';
import { justMade } from '../../../../support/just-made.ts';
import { conditionAt } from '../../../../support/rollout-objects.ts';

const silent = 'unchecked: its controller has set no status; check that it is installed';

describe('an ExternalSecret', () => {
  const written = (status?: JsonObject, spec: JsonObject = {}) =>
    custom('external-secrets.io/v1', 'ExternalSecret', {
      spec: { refreshInterval: '1h', secretStoreRef: { name: 'vault' }, ...spec },
      ...(status && { status }),
    });
  const synced = (generation: number, seconds: number) => ({
    syncedResourceVersion: `${generation}-2d8d9bf7b52a0d9b7dfdb4a2ca5c9c1d`,
    binding: { name: 'web' },
    conditions: [conditionAt('Ready', 'True', 'SecretSynced', 'secret synced', seconds)],
  });
  const refused = (seconds: number, more: JsonObject = {}) => ({
    ...more,
    conditions: [
      conditionAt('Ready', 'False', 'SecretSyncedError', 'could not get secret data from provider', seconds),
    ],
  });

  test('is ready once it is synced as of this generation, and not before', () => {
    const before = synced(1, -900);
    // Its condition keeps its time while it stays True.
    const shown = [{ at: 1, status: before }, { at: 70 }, { at: 71, status: synced(2, -900) }];
    expect(decidedOver(written(before), shown, 71)).toEqual([
      'progressing: waiting for the controller',
      'progressing: waiting for the controller',
      'ready: synced',
    ]);
  });

  test('that cannot be synced while its store starts has 60 s', () => {
    const shown = [{ at: 2, status: refused(2) }, { at: 61 }, { at: 62, status: synced(1, 62) }];
    expect(decidedOver(justMade(written()), shown, 62)).toEqual([
      'progressing: could not get secret data from provider',
      'progressing: could not get secret data from provider',
      'ready: synced',
    ]);
    expect(decidedOver(justMade(written()), [{ at: 2, status: refused(2) }, { at: 62 }], 62).at(-1)).toBe(
      'failed: SecretSyncedError: ExternalSecret "web": could not get secret data from provider',
    );
  });

  test('that could not be synced before the write either is given time to be looked at again', () => {
    const before = refused(-900, { syncedResourceVersion: '' });
    const shown = [{ at: 1, status: before }, { at: 29 }, { at: 30 }, { at: 89 }, { at: 90 }];
    expect(decidedOver(written(before), shown, 90)).toEqual([
      'progressing: not Ready yet: SecretSyncedError: could not get secret data from provider',
      'progressing: not Ready yet: SecretSyncedError: could not get secret data from provider',
      'progressing: could not get secret data from provider',
      'progressing: could not get secret data from provider',
      'failed: SecretSyncedError: ExternalSecret "web": could not get secret data from provider',
    ]);
  });

  test.each([
    [{ refreshPolicy: 'CreatedOnce' }],
    [{ refreshInterval: '0' }],
    [{ refreshInterval: '0s' }],
    [{ refreshInterval: '0h0m0s' }],
    [{ refreshPolicy: 'Periodic', refreshInterval: '0' }],
  ])('that is synced only once is accepted as it is: %j', (spec) => {
    const before = synced(1, -900);
    expect(decidedOver(written(before, spec), [{ at: 1, status: before }], 1)).toEqual([
      'unchecked: synced once, before this change: its Secret stays as it is',
    ]);
    expect(decidedOver(written(undefined, spec), [{ at: 1, status: synced(2, 1) }], 1)).toEqual(['ready: synced']);
  });

  test.each([[{ refreshPolicy: 'OnChange', refreshInterval: '0' }], [{ refreshInterval: '10m' }]])(
    'that is synced again when it changes is awaited: %j',
    (spec) => {
      const before = synced(1, -900);
      expect(decidedOver(written(before, spec), [{ at: 1, status: before }], 1)).toEqual([
        'progressing: waiting for the controller',
      ]);
    },
  );

  test('that was not changed is judged as it is', () => {
    const status = synced(1, -900);
    expect(decidedOver(written(status), [{ at: 1, status }], 1, { changed: false })).toEqual(['ready: synced']);
  });

  test('without a status is awaited for a minute (werf/kubedog#355)', () => {
    expect(decidedOver(justMade(written()), [{ at: 59 }, { at: 60 }], 60)).toEqual([
      'progressing: waiting for the controller',
      silent,
    ]);
  });
});

describe.each(['SecretStore', 'ClusterSecretStore'])('a %s', (kind) => {
  const written = (status?: JsonObject) =>
    custom('external-secrets.io/v1', kind, { spec: { provider: { gcpsm: {} } }, ...(status && { status }) });
  const valid = (seconds: number) => ({
    capabilities: 'ReadWrite',
    conditions: [conditionAt('Ready', 'True', 'Valid', 'store validated', seconds)],
  });
  const refused = (seconds: number) => ({
    conditions: [conditionAt('Ready', 'False', 'InvalidProviderConfig', 'unable to create client', seconds)],
  });

  test('is ready once it is validated', () => {
    expect(decidedOver(justMade(written()), [{ at: 1 }, { at: 2, status: valid(2) }], 2)).toEqual([
      'progressing: waiting for the controller',
      'ready: valid',
    ]);
  });

  test('that was valid before, too, has to stay so for 10 s, since it names no generation', () => {
    const before = valid(-900);
    expect(decidedOver(written(before), [{ at: 9, status: before }, { at: 10 }], 10)).toEqual([
      'progressing: valid; checking that it stays so',
      'ready: valid',
    ]);
  });

  test('that the change has broken has failed after 60 s', () => {
    const shown = [{ at: 2, status: refused(2) }, { at: 61 }, { at: 62 }];
    expect(decidedOver(written(valid(-900)), shown, 62)).toEqual([
      'progressing: unable to create client',
      'progressing: unable to create client',
      `failed: InvalidProviderConfig: ${kind} "web": unable to create client`,
    ]);
  });

  test('that was not changed, or has no controller', () => {
    const status = valid(-900);
    expect(decidedOver(written(status), [{ at: 1, status }], 1, { changed: false })).toEqual(['ready: valid']);
    expect(decidedOver(justMade(written()), [{ at: 60 }], 60)).toEqual([silent]);
  });
});
