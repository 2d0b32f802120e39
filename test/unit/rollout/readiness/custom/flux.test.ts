import { describe, expect, test } from '@jest/globals';

import type { JsonObject } from '../../../../../src/base/json.ts';
import { custom, decidedOver } from '../../../../support/custom-resource.ts';
import { justMade } from '../../../../support/just-made.ts';
import { conditionAt } from '../../../../support/rollout-objects.ts';

const of = (generation: number, condition: JsonObject) => ({ ...condition, observedGeneration: generation });
const statusOf = (observedGeneration: number, ...conditions: JsonObject[]) => ({ observedGeneration, conditions });

describe.each([
  ['helm.toolkit.fluxcd.io/v2', 'HelmRelease'],
  ['kustomize.toolkit.fluxcd.io/v1', 'Kustomization'],
  ['source.toolkit.fluxcd.io/v1', 'GitRepository'],
])('%s %s of Flux', (apiVersion, kind) => {
  const written = (status?: JsonObject, spec: JsonObject = {}) =>
    custom(apiVersion, kind, { spec: { interval: '5m', ...spec }, ...(status && { status }) });
  const ready = (generation: number, seconds: number) =>
    of(generation, conditionAt('Ready', 'True', 'Succeeded', 'reconciled', seconds));

  test('is ready once it says so of this generation', () => {
    const before = statusOf(1, ready(1, -900));
    const busy = statusOf(
      1,
      of(2, conditionAt('Reconciling', 'True', 'Progressing', 'Running upgrade action', 2)),
      of(2, conditionAt('Ready', 'Unknown', 'Progressing', 'Running upgrade action', 2)),
    );
    const shown = [
      { at: 1, status: before },
      { at: 2, status: busy },
      { at: 30, status: statusOf(2, ready(2, 30)) },
    ];
    expect(decidedOver(written(before), shown, 30)).toEqual([
      'progressing: waiting for the controller',
      'progressing: not Ready yet: Progressing: Running upgrade action',
      'ready: ready',
    ]);
  });

  test('is awaited from its first moment on', () => {
    const shown = [
      { at: 0, status: { observedGeneration: -1 } },
      {
        at: 5,
        status: statusOf(
          1,
          of(1, conditionAt('Ready', 'False', 'DependencyNotReady', 'dependency "shop/db" is not ready', 5)),
        ),
      },
      { at: 90, status: statusOf(1, ready(1, 90)) },
    ];
    expect(decidedOver(justMade(written()), shown, 90)).toEqual([
      'progressing: waiting for the controller',
      'progressing: not Ready yet: DependencyNotReady: dependency "shop/db" is not ready',
      'ready: ready',
    ]);
  });

  test('that is stalled for this generation has failed, and not by that of before', () => {
    const stalled = (generation: number, seconds: number) =>
      statusOf(
        generation,
        of(
          generation,
          conditionAt('Stalled', 'True', 'RetriesExceeded', 'Failed to install after 1 attempt(s)', seconds),
        ),
        of(generation, conditionAt('Ready', 'False', 'InstallFailed', 'Helm install failed: timed out', seconds)),
      );
    const before = stalled(1, -900);
    expect(
      decidedOver(
        written(before),
        [
          { at: 1, status: before },
          { at: 40, status: stalled(2, 40) },
        ],
        40,
      ),
    ).toEqual([
      'progressing: waiting for the controller',
      `failed: RetriesExceeded: ${kind} "web": Failed to install after 1 attempt(s)`,
    ]);
  });

  test('that is suspended is accepted, and one that was not changed is judged as it is', () => {
    expect(decidedOver(written(undefined, { suspend: true }), [{ at: 0 }], 0)).toEqual([
      'unchecked: suspended: Flux leaves it as it is',
    ]);
    const status = statusOf(2, ready(2, -900));
    expect(decidedOver(written(status), [{ at: 1, status }], 1, { changed: false })).toEqual(['ready: ready']);
  });

  test('without a controller is accepted after a minute', () => {
    expect(decidedOver(justMade(written()), [{ at: 59 }, { at: 60 }], 60)).toEqual([
      'progressing: waiting for the controller',
      'unchecked: its controller has set no status; check that it is installed',
    ]);
  });
});

test('a HelmRepository of type oci never gets a status, and is ready when it is applied', () => {
  const object = custom('source.toolkit.fluxcd.io/v1', 'HelmRepository', { spec: { type: 'oci' } });
  expect(decidedOver(justMade(object), [{ at: 0 }], 0)).toEqual(['ready: applied']);
});
