import { describe, expect, test } from '@jest/globals';

import type { JsonObject } from '../../../../../src/base/json.ts';
import { custom, decidedOver } from '../../../../support/custom-resource.ts';
import { justMade } from '../../../../support/just-made.ts';
import { conditionAt } from '../../../../support/rollout-objects.ts';

const written = (status?: JsonObject) =>
  custom('sql.cnrm.cloud.google.com/v1beta1', 'SQLInstance', {
    spec: { region: 'europe-west1', settings: { tier: 'db-f1-micro' } },
    ...(status && { status }),
  });

const statusOf = (observedGeneration: number | undefined, seconds: number, reason: string, message = '') => ({
  ...(observedGeneration === undefined ? {} : { observedGeneration }),
  conditions: [conditionAt('Ready', reason === 'UpToDate' ? 'True' : 'False', reason, message, seconds)],
});
const upToDate = (generation: number | undefined, seconds: number) =>
  statusOf(generation, seconds, 'UpToDate', 'The resource is up to date');
const updating = (generation: number, seconds: number) =>
  statusOf(generation, seconds, 'Updating', 'Update in progress');
const denied = 'Update call failed: error fetching live state: googleapi: Error 403: Permission denied, forbidden';

describe('a resource of Config Connector', () => {
  test('is ready once it is up to date for this generation', () => {
    const before = upToDate(1, -900);
    const shown = [
      { at: 1, status: before },
      { at: 2, status: updating(2, 2) },
      { at: 60, status: upToDate(2, 60) },
    ];
    expect(decidedOver(written(before), shown, 60)).toEqual([
      'progressing: waiting for the controller',
      'progressing: not Ready yet: Updating: Update in progress',
      'ready: up to date',
    ]);
  });

  test('whose dependency is made in the same deploy waits for it', () => {
    const missing = statusOf(1, 1, 'DependencyNotFound', 'reference SQLInstance shop/db is not found');
    const shown = [
      { at: 1, status: missing },
      { at: 20, status: statusOf(1, 20, 'DependencyNotReady', 'reference SQLInstance shop/db is not ready') },
      { at: 100, status: upToDate(1, 100) },
    ];
    expect(decidedOver(justMade(written()), shown, 100)).toEqual([
      'progressing: not Ready yet: DependencyNotFound: reference SQLInstance shop/db is not found',
      'progressing: not Ready yet: DependencyNotReady: reference SQLInstance shop/db is not ready',
      'ready: up to date',
    ]);
  });

  test('that takes longer than 2 min is accepted', () => {
    const shown = [{ at: 2, status: updating(1, 2) }, { at: 119 }, { at: 120 }];
    expect(decidedOver(justMade(written()), shown, 120).slice(1)).toEqual([
      'progressing: not Ready yet: Updating: Update in progress',
      'unchecked: still in progress in Google Cloud: not Ready yet: Updating: Update in progress',
    ]);
  });

  test.each([
    'UpdateFailed',
    'DeleteFailed',
    'ManagementConflict',
    'DependencyInvalid',
    'PreActuationTransformFailed',
    'PostActuationTransformFailed',
  ])('with %s has 90 s, as a right takes a while to count', (reason) => {
    const shown = [{ at: 40, status: statusOf(1, 40, reason, denied) }, { at: 129 }, { at: 130 }];
    expect(decidedOver(justMade(written()), shown, 130)).toEqual([
      `progressing: ${denied}`,
      `progressing: ${denied}`,
      `failed: ${reason}: SQLInstance "web": ${denied}`,
    ]);
  });

  test('that heals within that time is ready', () => {
    const shown = [
      { at: 2, status: statusOf(1, 2, 'UpdateFailed', denied) },
      { at: 80, status: updating(1, 80) },
      { at: 100, status: upToDate(1, 100) },
    ];
    expect(decidedOver(justMade(written()), shown, 100).at(-1)).toBe('ready: up to date');
  });

  test('in a namespace without Config Connector has 60 s', () => {
    const message =
      "No controller is managing this resource. Check if a ConfigConnectorContext exists for resource's namespace, 'shop'";
    const shown = [{ at: 5, status: statusOf(undefined, 5, 'Unmanaged', message) }, { at: 64 }, { at: 65 }];
    expect(decidedOver(justMade(written()), shown, 65)).toEqual([
      `progressing: ${message}`,
      `progressing: ${message}`,
      `failed: Unmanaged: SQLInstance "web": ${message}`,
    ]);
  });

  test('is not failed by what failed before the change', () => {
    const before = statusOf(1, -900, 'UpdateFailed', denied);
    const shown = [{ at: 1, status: before }, { at: 100 }, { at: 101, status: upToDate(2, 101) }];
    expect(decidedOver(written(before), shown, 101)).toEqual([
      'progressing: waiting for the controller',
      'progressing: waiting for the controller',
      'ready: up to date',
    ]);
  });

  test('whose generation never moves is accepted, and its failures count by their time (k8s-config-connector#7317)', () => {
    const before = { ...upToDate(1, -900), observedGeneration: 1 };
    const object = { ...written(before), metadata: { ...written().metadata, generation: 5 } };
    expect(decidedOver(object, [{ at: 59, status: before }, { at: 60 }], 60)).toEqual([
      'progressing: its status does not say which generation it is for; checking that it stays so',
      'unchecked: its status does not say which generation it is for',
    ]);
    const broken = { at: 5, status: statusOf(1, 5, 'UpdateFailed', denied) };
    expect(decidedOver(object, [broken, { at: 95 }], 95).at(-1)).toBe(
      `failed: UpdateFailed: SQLInstance "web": ${denied}`,
    );
  });

  test('that was not changed is judged as it is, without a wait', () => {
    const last = (status: JsonObject) =>
      decidedOver(written(status), [{ at: 1, status }], 1, { changed: false }).at(-1);
    expect(last(upToDate(2, -900))).toBe('ready: up to date');
    expect(last(updating(2, -900))).toBe(
      'unchecked: still in progress in Google Cloud: not Ready yet: Updating: Update in progress',
    );
  });

  test('without a controller is accepted after a minute', () => {
    expect(decidedOver(justMade(written()), [{ at: 59 }, { at: 60 }], 60)).toEqual([
      'progressing: waiting for the controller',
      'unchecked: its controller has set no status; check that it is installed',
    ]);
  });
});

test('what configures Config Connector itself is ready when it is applied', () => {
  const object = custom('core.cnrm.cloud.google.com/v1beta1', 'ConfigConnectorContext', { status: { healthy: false } });
  expect(decidedOver(object, [{ at: 0 }], 0)).toEqual(['ready: applied']);
});
