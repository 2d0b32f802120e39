import { describe, expect, test } from '@jest/globals';

import type { JsonObject } from '../../../../../src/base/json.ts';
import { custom, decidedOver, ownedBy } from '../../../../support/custom-resource.ts';
import { justMade } from '../../../../support/just-made.ts';
import { conditionAt, podOf, replicaSetOf, timeAt, waiting } from '../../../../support/rollout-objects.ts';

const steps = [{ setWeight: 20 }, { pause: {} }, { setWeight: 60 }, { pause: { duration: '30s' } }];
const canary = (more: JsonObject = {}) => ({ replicas: 5, strategy: { canary: { steps, ...more } } });
const written = (spec: JsonObject = canary(), status?: JsonObject) =>
  custom('argoproj.io/v1alpha1', 'Rollout', { spec, ...(status && { status }) });

/** As Argo Rollouts writes it: the generation is a string. */
function statusOf(phase: string, message: string, more: JsonObject = {}, ...conditions: JsonObject[]): JsonObject {
  const counts = { replicas: 5, updatedReplicas: 5, readyReplicas: 5, availableReplicas: 5 };
  return { observedGeneration: '2', phase, message, ...counts, conditions, ...more };
}

const before = statusOf('Healthy', '', { observedGeneration: '1' });
const updating = conditionAt('Progressing', 'True', 'ReplicaSetUpdated', 'ReplicaSet "web-22" is progressing.', 1);
const paused = (reason: string, step: number, updatedReplicas = 1) =>
  statusOf('Paused', reason, {
    updatedReplicas,
    currentStepIndex: step,
    controllerPause: true,
    pauseConditions: [{ reason, startTime: timeAt(20) }],
  });

describe('an Argo Rollout', () => {
  test('is ready when its controller has seen the change and calls it Healthy (argoproj/argo-rollouts#4672)', () => {
    const shown = [
      { at: 1, status: before },
      { at: 2, status: statusOf('Progressing', 'more replicas need to be updated', { updatedReplicas: 1 }, updating) },
      {
        at: 40,
        status: statusOf('Progressing', 'waiting for all steps to complete', { updatedReplicas: 5 }, updating),
      },
      { at: 50, status: statusOf('Healthy', '') },
    ];
    expect(decidedOver(written(canary(), before), shown, 50)).toEqual([
      'progressing: waiting for the controller',
      'progressing: 1 of 5 pods updated: more replicas need to be updated',
      'progressing: 5 of 5 pods updated: waiting for all steps to complete',
      'ready: 5 pods available',
    ]);
  });

  test('that waits at a step for somebody is accepted as held back, instead of running out of time', () => {
    expect(decidedOver(written(), [{ at: 20, status: paused('CanaryPauseStep', 1) }], 21).at(-1)).toBe(
      'unchecked: paused at step 2 of 4: 1 of 5 pods updated; promote it to continue',
    );
  });

  test('that pauses for a short while by itself is awaited', () => {
    const shown = [
      { at: 20, status: paused('CanaryPauseStep', 3, 3) },
      { at: 60, status: statusOf('Healthy', '') },
    ];
    expect(decidedOver(written(), shown, 60)).toEqual([
      'progressing: pauses for 30s at step 4 of 4: 3 of 5 pods updated',
      'ready: 5 pods available',
    ]);
  });

  test.each([
    [300, 'progressing: pauses for 5m at step 1 of 1: 1 of 5 pods updated'],
    ['5m', 'progressing: pauses for 5m at step 1 of 1: 1 of 5 pods updated'],
    ['301', 'unchecked: pauses for 5m1s at step 1 of 1: 1 of 5 pods updated'],
    ['1h30m', 'unchecked: pauses for 1h30m at step 1 of 1: 1 of 5 pods updated'],
    ['soon', 'unchecked: paused at step 1 of 1: 1 of 5 pods updated; promote it to continue'],
  ])('with a pause of %j', (duration, expected) => {
    const spec = canary({ steps: [{ pause: { duration } }] });
    expect(decidedOver(written(spec), [{ at: 9, status: paused('CanaryPauseStep', 0) }], 9)).toEqual([expected]);
  });

  test('of the strategy blueGreen waits for its promotion, or promotes itself', () => {
    const blueGreen = (more: JsonObject) => ({
      replicas: 5,
      strategy: { blueGreen: { activeService: 'web', ...more } },
    });
    const shown = [{ at: 20, status: paused('BlueGreenPause', 0, 5) }];
    expect(decidedOver(written(blueGreen({})), shown, 20)).toEqual([
      'unchecked: paused before its active Service switches: 5 of 5 pods updated; promote it to continue',
    ]);
    expect(decidedOver(written(blueGreen({ autoPromotionSeconds: 60 })), shown, 20)).toEqual([
      'progressing: pauses for 1m before its active Service switches: 5 of 5 pods updated',
    ]);
  });

  test('that is paused in its spec, or by its analysis, is accepted, and one that resumes is awaited', () => {
    const last = (spec: JsonObject, status: JsonObject) => decidedOver(written(spec), [{ at: 9, status }], 9).at(-1);
    expect(last({ ...canary(), paused: true }, statusOf('Paused', 'manually paused', { updatedReplicas: 0 }))).toBe(
      'unchecked: paused in its spec: 0 of 5 pods updated; set spec.paused to false to continue',
    );
    expect(last(canary(), paused('InconclusiveAnalysisRun', 2, 3))).toBe(
      'unchecked: paused since its analysis is inconclusive: 3 of 5 pods updated; promote it to continue',
    );
    expect(last(canary(), { ...paused('CanaryPauseStep', 1), pauseConditions: [] })).toBe('progressing: resuming');
  });

  test('has failed when it is aborted after the write, and not by an abort of before', () => {
    const aborted = (seconds: number) =>
      conditionAt(
        'Progressing',
        'False',
        'RolloutAborted',
        'Rollout aborted update to revision 4: metric "errors" assessed Failed',
        seconds,
      );
    const old = statusOf(
      'Degraded',
      'RolloutAborted: Rollout aborted update to revision 3',
      { observedGeneration: '1' },
      aborted(-600),
    );
    const shown = [
      { at: 1, status: old },
      { at: 2, status: statusOf('Progressing', 'more replicas need to be updated', { updatedReplicas: 1 }, updating) },
      { at: 90, status: statusOf('Degraded', 'RolloutAborted: Rollout aborted update to revision 4', {}, aborted(90)) },
    ];
    expect(decidedOver(written(canary(), old), shown, 90)).toEqual([
      'progressing: waiting for the controller',
      'progressing: 1 of 5 pods updated: more replicas need to be updated',
      'failed: RolloutAborted: Rollout "web": Rollout aborted update to revision 4: metric "errors" assessed Failed',
    ]);
  });

  test('with an invalid spec has failed at once', () => {
    const message =
      'The Rollout "web" is invalid: spec.strategy.canary.stableService: Invalid value: "nope": service "nope" not found';
    const status = statusOf(
      'Degraded',
      `InvalidSpec: ${message}`,
      {},
      conditionAt('InvalidSpec', 'True', 'InvalidSpec', message, 1),
    );
    expect(decidedOver(written(canary(), before), [{ at: 1, status }], 1)).toEqual([
      `failed: InvalidSpec: Rollout "web": ${message}`,
    ]);
  });

  test('that is Degraded has 10 s to get over it', () => {
    const status = statusOf(
      'Degraded',
      'ProgressDeadlineExceeded: ReplicaSet "web-22" has timed out progressing.',
      {},
      conditionAt('Progressing', 'False', 'ProgressDeadlineExceeded', '', 5),
    );
    const shown = [{ at: 5, status }, { at: 14 }, { at: 15 }];
    expect(decidedOver(written(), shown, 15)).toEqual([
      'progressing: ProgressDeadlineExceeded: ReplicaSet "web-22" has timed out progressing.',
      'progressing: ProgressDeadlineExceeded: ReplicaSet "web-22" has timed out progressing.',
      'failed: ProgressDeadlineExceeded: Rollout "web": ProgressDeadlineExceeded: ReplicaSet "web-22" has timed out progressing.',
    ]);
  });

  test('that takes its pods from a Deployment waits until its controller has seen that one', () => {
    const rollout = written({ ...canary(), workloadRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'web' } });
    const annotations = { 'rollout.argoproj.io/workload-generation': '7' };
    const referring = { ...rollout, metadata: { ...rollout.metadata, annotations } };
    const shown = [
      { at: 1, status: statusOf('Healthy', '', { workloadObservedGeneration: '6' }) },
      { at: 2, status: statusOf('Healthy', '', { workloadObservedGeneration: '7' }) },
    ];
    expect(decidedOver(referring, shown, 2)).toEqual([
      'progressing: waiting for the controller to see the Deployment it refers to',
      'ready: 5 pods available',
    ]);
  });

  test('fails by its pods, which its ReplicaSets own', () => {
    const rollout = written();
    const set = ownedBy(rollout, replicaSetOf(rollout));
    const pod = podOf(set, {
      metadata: { creationTimestamp: timeAt(2) },
      containers: [waiting('InvalidImageName', 'bad image')],
    });
    const status = statusOf('Progressing', 'more replicas need to be updated', { updatedReplicas: 1 }, updating);
    expect(decidedOver(rollout, [{ at: 3, status, beside: [set, pod] }], 3).at(-1)).toMatch(
      /^failed: InvalidImageName: Rollout "web": container "web": /,
    );
  });

  test('that was not changed is judged as it is', () => {
    const [paused2, healthy] = [paused('CanaryPauseStep', 1), statusOf('Healthy', '')].map((status) =>
      decidedOver(written(canary(), status), [{ at: 1, status }], 1, { changed: false }),
    );
    expect(paused2).toEqual(['unchecked: paused at step 2 of 4: 1 of 5 pods updated; promote it to continue']);
    expect(healthy).toEqual(['ready: 5 pods available']);
  });

  test('without a controller is accepted after a minute', () => {
    expect(decidedOver(justMade(written()), [{ at: 1 }, { at: 59 }, { at: 60 }], 60)).toEqual([
      'progressing: waiting for the controller',
      'progressing: waiting for the controller',
      'unchecked: its controller has set no status; check that it is installed',
    ]);
  });
});
