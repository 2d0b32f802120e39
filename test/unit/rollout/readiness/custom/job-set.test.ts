import { describe, expect, test } from '@jest/globals';

import type { JsonObject } from '../../../../../src/base/json.ts';
import { custom, decidedOver } from '../../../../support/custom-resource.ts';
import { conditionAt } from '../../../../support/rollout-objects.ts';

const spec = {
  replicatedJobs: [
    { name: 'driver', replicas: 1 },
    { name: 'workers', replicas: 4 },
  ],
};
const jobSet = (status?: JsonObject, more: JsonObject = {}) =>
  custom('jobset.x-k8s.io/v1alpha2', 'JobSet', { spec: { ...spec, ...more }, ...(status && { status }) });

function running(ready: number, succeeded = 0, restarts = 0): JsonObject {
  const counts = (name: string, good: number) => ({
    name,
    ready: good,
    succeeded,
    failed: 0,
    active: good,
    suspended: 0,
  });
  return { restarts, replicatedJobsStatus: [counts('driver', 1), counts('workers', ready)] };
}

const failure = (reason: string, message: string): JsonObject => ({
  ...running(0),
  terminalState: 'Failed',
  conditions: [conditionAt('Failed', 'True', reason, message, 60)],
});

describe('a JobSet', () => {
  test('is ready once it is completed, and tells its jobs and its restarts until then', () => {
    const done = { terminalState: 'Completed', conditions: [conditionAt('Completed', 'True', 'AllJobsCompleted')] };
    const shown = [
      { at: 0 },
      { at: 2, status: running(2) },
      { at: 30, status: running(4) },
      { at: 60, status: running(1, 0, 1) },
      { at: 61, status: running(1, 0, 2) },
      { at: 90, status: { ...running(0, 1, 2), ...done } },
    ];
    expect(decidedOver(jobSet(), shown, 90)).toEqual([
      'progressing: waiting for the controller',
      'progressing: driver: 1 of 1 ready, 0 completed; workers: 2 of 4 ready, 0 completed',
      'progressing: driver: 1 of 1 ready, 0 completed; workers: 4 of 4 ready, 0 completed',
      'progressing: driver: 1 of 1 ready, 0 completed; workers: 1 of 4 ready, 0 completed; restarted once',
      'progressing: driver: 1 of 1 ready, 0 completed; workers: 1 of 4 ready, 0 completed; restarted 2 times',
      'ready: completed',
    ]);
  });

  test.each([
    ['FailedJobs', 'jobset failed due to one or more job failures (first failed job: web-workers-1)'],
    ['ReachedMaxRestarts', 'jobset failed due to reaching max number of restarts (first failed job: web-workers-1)'],
    ['FailJobSetFailurePolicyAction', 'jobset failed due to FailJobSet action (first failed job: web-driver-0)'],
  ])('has failed for good with %s', (reason, message) => {
    const shown = [
      { at: 2, status: running(4) },
      { at: 60, status: failure(reason, message) },
    ];
    expect(decidedOver(jobSet(), shown, 60).at(-1)).toBe(`failed: ${reason}: JobSet "web": ${message}`);
  });

  test('that had failed before the write stays so: it is not run again', () => {
    expect(decidedOver(jobSet(failure('FailedJobs', 'job web-workers-1 failed')), [{ at: 0 }], 0)).toEqual([
      'failed: FailedJobs: JobSet "web": job web-workers-1 failed',
    ]);
  });

  test('that is suspended is accepted', () => {
    expect(decidedOver(jobSet(undefined, { suspend: true }), [{ at: 0 }], 0)).toEqual(['unchecked: it is suspended']);
  });

  test('in a queue is accepted once it has waited there for 15 s, and awaited once it is admitted', () => {
    const plain = jobSet(undefined, { suspend: true });
    const labels = { 'kueue.x-k8s.io/queue-name': 'gpus' };
    const written = { ...plain, metadata: { ...plain.metadata, labels } };
    expect(decidedOver(written, [{ at: 0 }], 14).at(-1)).toBe(
      'progressing: waiting in queue "gpus"; checking that it stays so',
    );
    expect(decidedOver(written, [{ at: 0 }], 15).at(-1)).toBe('unchecked: waiting in queue "gpus"');
  });

  test('that was not changed is judged as it is', () => {
    const done = {
      terminalState: 'Completed',
      conditions: [conditionAt('Completed', 'True', 'AllJobsCompleted', '', -300)],
    };
    expect(decidedOver(jobSet(done), [{ at: 0 }], 0, { changed: false })).toEqual(['ready: completed']);
  });
});
