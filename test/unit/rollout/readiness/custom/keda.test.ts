import { describe, expect, test } from '@jest/globals';

import type { JsonObject } from '../../../../../src/base/json.ts';
import type { KubernetesObject } from '../../../../../src/kubernetes/object.ts';
import { custom, decidedOver, ownedBy } from '../../../../support/custom-resource.ts';
import { justMade } from '../../../../support/just-made.ts';
import { live, timeAt } from '../../../../support/rollout-objects.ts';

/** KEDA writes neither times nor generations. */
const conditionOf = (type: string, status: string, reason = '', message = ''): JsonObject => ({
  ...{ type, status },
  ...(reason === '' ? {} : { reason, message }),
});
const rest = [conditionOf('Active', 'Unknown'), conditionOf('Fallback', 'Unknown')];
const unpaused = conditionOf('Paused', 'Unknown');
const initial = { conditions: [conditionOf('Ready', 'Unknown'), ...rest, unpaused] };
const silent = 'unchecked: its controller has set no status; check that it is installed';

describe('a ScaledObject', () => {
  const written = (status?: JsonObject) =>
    custom('keda.sh/v1alpha1', 'ScaledObject', {
      spec: { scaleTargetRef: { name: 'web' }, maxReplicaCount: 9, triggers: [{ type: 'prometheus' }] },
      ...(status && { status }),
    });
  const statusOf = (ready: JsonObject, more: JsonObject = {}) => ({
    hpaName: 'keda-hpa-web',
    scaleTargetKind: 'apps/v1.Deployment',
    ...more,
    conditions: [ready, ...rest, unpaused],
  });
  const good = conditionOf(
    'Ready',
    'True',
    'ScaledObjectReady',
    'ScaledObject is defined correctly and is ready for scaling',
  );
  const missing = conditionOf(
    'Ready',
    'False',
    'ScaledObjectCheckFailed',
    'ScaledObject doesn\'t have correct scaleTargetRef specification: deployments.apps "web" not found',
  );
  const noMetrics = conditionOf('Ready', 'False', 'HPAMetricsUnavailable', 'HPA cannot read metrics');
  const autoscaler = (owner: KubernetesObject, name = 'web', target = 'web') =>
    ownedBy(
      owner,
      live('HorizontalPodAutoscaler', {
        apiVersion: 'autoscaling/v2',
        metadata: { name: `keda-hpa-${name}` },
        spec: { scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: target }, maxReplicas: 9 },
      }),
    );

  test('whose status is written again at every poll is ready once its controller has had time to look', () => {
    const polled = (at: number) => ({ at, status: statusOf(good, { lastActiveTime: timeAt(at) }) });
    const object = written(statusOf(good));
    const shown = [{ at: 0, beside: [autoscaler(object)] }, ...[3, 6, 9, 12].map(polled)];
    expect(decidedOver(object, shown, 12)).toEqual([
      ...Array.from({ length: 4 }, () => 'progressing: ready to scale; checking that it stays so'),
      'ready: ready to scale',
    ]);
  });

  test('is ready once it is checked and its autoscaler is there', () => {
    const object = justMade(written());
    const shown = [
      { at: 1, status: initial },
      { at: 2, status: statusOf(good, { hpaName: '' }) },
      { at: 3, status: statusOf(good) },
      { at: 4, beside: [autoscaler(object, 'web', 'old')] },
      { at: 5, beside: [autoscaler(object)] },
    ];
    expect(decidedOver(object, shown, 5)).toEqual([
      'progressing: not Ready yet',
      'progressing: its HorizontalPodAutoscaler is not made yet',
      'progressing: HorizontalPodAutoscaler "keda-hpa-web" is not there yet',
      'progressing: HorizontalPodAutoscaler "keda-hpa-web" still scales "old"',
      'ready: ready to scale',
    ]);
  });

  test('that was ready before, too, has to stay so for 10 s', () => {
    const object = written(statusOf(good));
    const shown = [{ at: 0, status: statusOf(good), beside: [autoscaler(object)] }, { at: 9 }, { at: 10 }];
    expect(decidedOver(object, shown, 10).slice(1)).toEqual([
      'progressing: ready to scale; checking that it stays so',
      'ready: ready to scale',
    ]);
  });

  test('whose target comes later is not failed before 60 s', () => {
    const object = justMade(written());
    const failing = 'ScaledObject doesn\'t have correct scaleTargetRef specification: deployments.apps "web" not found';
    const late = [{ at: 2, status: statusOf(missing) }, { at: 61 }, { at: 62 }];
    expect(decidedOver(object, late, 62)).toEqual([
      `progressing: ${failing}`,
      `progressing: ${failing}`,
      `failed: ScaledObjectCheckFailed: ScaledObject "web": ${failing}`,
    ]);
    const found = [
      { at: 2, status: statusOf(missing) },
      { at: 61, status: statusOf(good), beside: [autoscaler(object)] },
    ];
    expect(decidedOver(object, found, 61).at(-1)).toBe('ready: ready to scale');
  });

  test('whose check failed before the write is given time to be looked at again', () => {
    const before = statusOf(missing);
    const shown = [{ at: 29, status: before }, { at: 30 }, { at: 89 }, { at: 90 }];
    expect(decidedOver(written(before), shown, 90).map((text) => text.split(':')[0])).toEqual([
      'progressing',
      'progressing',
      'progressing',
      'failed',
    ]);
  });

  test('that gets no metrics while pods are replaced is awaited (argo-cd#28522)', () => {
    const object = written(statusOf(good));
    const beside = [autoscaler(object)];
    const shown = [
      { at: 1, status: statusOf(noMetrics), beside },
      { at: 31, status: statusOf(noMetrics) },
      { at: 32, status: statusOf(good) },
    ];
    expect(decidedOver(object, shown, 32)).toEqual([
      'progressing: not Ready yet: HPAMetricsUnavailable: HPA cannot read metrics',
      'progressing: not Ready yet: HPAMetricsUnavailable: HPA cannot read metrics',
      'ready: ready to scale',
    ]);
  });

  test('that gets no metrics for 2 min is accepted', () => {
    const shown = [{ at: 1, status: statusOf(noMetrics) }, { at: 119 }, { at: 120 }];
    expect(decidedOver(justMade(written()), shown, 120).slice(1)).toEqual([
      'progressing: not Ready yet: HPAMetricsUnavailable: HPA cannot read metrics',
      'unchecked: it does not scale yet: not Ready yet: HPAMetricsUnavailable: HPA cannot read metrics',
    ]);
  });

  test('that is paused is accepted once that has stayed so', () => {
    const status = {
      conditions: [good, ...rest, conditionOf('Paused', 'True', 'ScaledObjectPaused', 'ScaledObject is paused')],
    };
    expect(decidedOver(written(), [{ at: 1, status }, { at: 11 }], 11)).toEqual([
      'progressing: paused: it does not scale until its annotation is removed; checking that it stays so',
      'unchecked: paused: it does not scale until its annotation is removed',
    ]);
  });

  test('that was not changed, or has no controller', () => {
    const object = written(statusOf(good));
    const shown = [{ at: 1, status: statusOf(good), beside: [autoscaler(object)] }];
    expect(decidedOver(object, shown, 1, { changed: false }).at(-1)).toBe('ready: ready to scale');
    expect(decidedOver(justMade(written()), [{ at: 59 }, { at: 60 }], 60)).toEqual([
      'progressing: waiting for the controller',
      silent,
    ]);
  });
});

describe('a ScaledJob', () => {
  const written = (status?: JsonObject) =>
    custom('keda.sh/v1alpha1', 'ScaledJob', { spec: { jobTargetRef: {} }, ...(status && { status }) });
  const good = {
    conditions: [
      conditionOf('Ready', 'True', 'ScaledJobReady', 'ScaledJob is defined correctly and is ready to scaling'),
      ...rest,
    ],
  };
  const bad = {
    conditions: [
      conditionOf('Ready', 'False', 'ScaledJobCheckFailed', 'Failed to ensure ScaledJob is correctly created'),
      ...rest,
    ],
  };

  test('is ready once it is checked', () => {
    expect(
      decidedOver(
        justMade(written()),
        [
          { at: 1, status: initial },
          { at: 2, status: good },
        ],
        2,
      ),
    ).toEqual(['progressing: not Ready yet', 'ready: ready']);
  });

  test('whose check fails has 60 s', () => {
    expect(decidedOver(justMade(written()), [{ at: 2, status: bad }, { at: 61 }, { at: 62 }], 62)).toEqual([
      'progressing: Failed to ensure ScaledJob is correctly created',
      'progressing: Failed to ensure ScaledJob is correctly created',
      'failed: ScaledJobCheckFailed: ScaledJob "web": Failed to ensure ScaledJob is correctly created',
    ]);
  });

  test('that was ready before has to stay so; that was not changed is ready', () => {
    expect(decidedOver(written(good), [{ at: 9, status: good }, { at: 10 }], 10)).toEqual([
      'progressing: ready; checking that it stays so',
      'ready: ready',
    ]);
    expect(decidedOver(written(good), [{ at: 1, status: good }], 1, { changed: false })).toEqual(['ready: ready']);
  });
});

test.each(['TriggerAuthentication', 'ClusterTriggerAuthentication'])('a %s is ready when it is applied', (kind) => {
  expect(decidedOver(custom('keda.sh/v1alpha1', kind), [{ at: 0 }], 0)).toEqual(['ready: applied']);
});
