import { describe, expect, test } from '@jest/globals';

import type { JsonObject } from '../../../../../src/base/json.ts';
import { custom, decidedOver } from '../../../../support/custom-resource.ts';
import { justMade } from '../../../../support/just-made.ts';
import { conditionAt } from '../../../../support/rollout-objects.ts';

const of = (generation: number, condition: JsonObject) => ({ ...condition, observedGeneration: generation });
const statusOf = (...conditions: JsonObject[]) => ({ conditions });
const synced = (seconds: number) => conditionAt('Synced', 'True', 'ReconcileSuccess', '', seconds);
const available = (seconds: number) => conditionAt('Ready', 'True', 'Available', '', seconds);
const creating = (seconds: number) => conditionAt('Ready', 'False', 'Creating', '', seconds);
const refused = (seconds: number) =>
  conditionAt(
    'Synced',
    'False',
    'ReconcileError',
    'connect failed: cannot get terraform setup: no credentials',
    seconds,
  );

describe.each([
  ['database.gcp.crossplane.io/v1beta1', 'CloudSQLInstance'],
  ['s3.aws.m.upbound.io/v1beta1', 'Bucket'],
])('a managed resource of %s', (apiVersion, kind) => {
  const written = (status?: JsonObject) =>
    custom(apiVersion, kind, { spec: { forProvider: {} }, ...(status && { status }) });

  test('is ready once it is synced and available', () => {
    const shown = [
      { at: 1, status: statusOf(synced(1), creating(1)) },
      { at: 90, status: statusOf(synced(1), available(90)) },
    ];
    expect(decidedOver(justMade(written()), shown, 90)).toEqual([
      'progressing: not Ready yet: Creating',
      'ready: synced, ready',
    ]);
  });

  test('that was so before, too, has to stay so for 10 s, unless its conditions name the generation', () => {
    const before = statusOf(synced(-900), available(-900));
    expect(decidedOver(written(before), [{ at: 9, status: before }, { at: 10 }], 10)).toEqual([
      'progressing: synced, ready; checking that it stays so',
      'ready: synced, ready',
    ]);
    const named = (generation: number) => statusOf(of(generation, synced(-900)), of(generation, available(-900)));
    expect(
      decidedOver(
        written(named(1)),
        [
          { at: 20, status: named(1) },
          { at: 21, status: named(2) },
        ],
        21,
      ),
    ).toEqual(['progressing: waiting for the controller', 'ready: synced, ready']);
  });

  test('that takes longer than 2 min is accepted', () => {
    const shown = [{ at: 1, status: statusOf(synced(1), creating(1)) }, { at: 119 }, { at: 120 }];
    expect(decidedOver(justMade(written()), shown, 120).slice(1)).toEqual([
      'progressing: not Ready yet: Creating',
      'unchecked: still in progress: not Ready yet: Creating',
    ]);
  });

  test('that cannot be synced has 5 min', () => {
    const message = 'connect failed: cannot get terraform setup: no credentials';
    const shown = [{ at: 1, status: statusOf(refused(1), creating(1)) }, { at: 300 }, { at: 301 }];
    expect(decidedOver(justMade(written()), shown, 301)).toEqual([
      `progressing: ${message}`,
      `progressing: ${message}`,
      `failed: ReconcileError: ${kind} "web": ${message}`,
    ]);
  });

  test('whose last operation has failed has 60 s, unless the next one is under way', () => {
    const last = conditionAt('LastAsyncOperation', 'False', 'AsyncCreateFailure', 'async create failed: 403', 5);
    const shown = [{ at: 5, status: statusOf(synced(1), creating(1), last) }, { at: 64 }, { at: 65 }];
    expect(decidedOver(justMade(written()), shown, 65)).toEqual([
      'progressing: async create failed: 403',
      'progressing: async create failed: 403',
      `failed: AsyncCreateFailure: ${kind} "web": async create failed: 403`,
    ]);
    const busy = statusOf(synced(1), creating(1), last, conditionAt('AsyncOperation', 'False', 'Ongoing', '', 6));
    expect(decidedOver(justMade(written()), [{ at: 6, status: busy }, { at: 100 }], 100).at(-1)).toBe(
      'progressing: not Ready yet: Creating',
    );
  });

  test('that is paused is accepted', () => {
    const paused = conditionAt(
      'Synced',
      'False',
      'ReconcilePaused',
      'Reconciliation is paused via the pause annotation',
      1,
    );
    expect(decidedOver(justMade(written()), [{ at: 1, status: statusOf(paused) }], 1)).toEqual([
      'unchecked: paused: nothing is changed until its annotation is removed',
    ]);
  });

  test('that was not changed, or has no provider', () => {
    const status = statusOf(synced(-900), available(-900));
    expect(decidedOver(written(status), [{ at: 1, status }], 1, { changed: false })).toEqual(['ready: synced, ready']);
    expect(decidedOver(justMade(written()), [{ at: 59 }, { at: 60 }], 60)).toEqual([
      'progressing: waiting for the controller',
      'unchecked: its controller has set no status; check that it is installed',
    ]);
  });
});

describe.each(['Provider', 'Configuration', 'Function'])('a %s of Crossplane', (kind) => {
  const written = justMade(custom('pkg.crossplane.io/v1', kind, { spec: { package: 'registry.test/x:v1' } }));
  const installed = conditionAt('Installed', 'True', 'ActivePackageRevision', '', 5);

  test('is ready once it is installed and healthy', () => {
    const unhealthy = conditionAt('Healthy', 'False', 'UnhealthyPackageRevision', 'provider is starting', 5);
    const healthy = conditionAt('Healthy', 'True', 'HealthyPackageRevision', '', 30);
    const shown = [
      { at: 5, status: statusOf(installed, unhealthy) },
      { at: 30, status: statusOf(installed, healthy) },
    ];
    expect(decidedOver(written, shown, 30)).toEqual([
      'progressing: not Healthy yet: UnhealthyPackageRevision: provider is starting',
      'ready: installed, healthy',
    ]);
  });

  test('that cannot be unpacked has 2 min', () => {
    const message = 'cannot unpack package: failed to fetch package digest from remote: 404 Not Found';
    const status = statusOf(conditionAt('Installed', 'False', 'UnpackingPackage', message, 2));
    expect(decidedOver(written, [{ at: 2, status }, { at: 121 }, { at: 122 }], 122)).toEqual([
      `progressing: ${message}`,
      `progressing: ${message}`,
      `failed: UnpackingPackage: ${kind} "web": ${message}`,
    ]);
  });
});

test('a CompositeResourceDefinition is ready once it is established', () => {
  const written = justMade(custom('apiextensions.crossplane.io/v1', 'CompositeResourceDefinition'));
  const offered = conditionAt('Established', 'True', 'WatchingCompositeResource', '', 2);
  expect(decidedOver(written, [{ at: 1 }, { at: 2, status: statusOf(offered) }], 2)).toEqual([
    'progressing: waiting for the controller',
    'ready: established',
  ]);
});

test.each([
  ['apiextensions.crossplane.io/v1', 'Composition'],
  ['aws.upbound.io/v1beta1', 'ProviderConfig'],
  ['aws.m.upbound.io/v1beta1', 'ClusterProviderConfig'],
  ['pkg.crossplane.io/v1beta1', 'DeploymentRuntimeConfig'],
])('%s %s is ready when it is applied', (apiVersion, kind) => {
  expect(decidedOver(custom(apiVersion, kind), [{ at: 0 }], 0)).toEqual(['ready: applied']);
});
