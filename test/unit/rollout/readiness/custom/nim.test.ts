import { describe, expect, test } from '@jest/globals';

import type { JsonObject } from '../../../../../src/base/json.ts';
import type { KubernetesObject } from '../../../../../src/kubernetes/object.ts';
import { judge } from '../../../../../src/rollout/readiness/index.ts';
import { custom, decidedOver, ownedBy } from '../../../../support/custom-resource.ts';
import { conditionAt, factsOf, liveDeployment, liveJob, timeAt } from '../../../../support/rollout-objects.ts';

describe('a NIMService', () => {
  const service = (status?: JsonObject) => custom('apps.nvidia.com/v1alpha1', 'NIMService', status && { status });
  const status = (state: string, ready: JsonObject, failed: JsonObject): JsonObject => ({
    state,
    conditions: [ready, failed],
  });
  const well = status(
    'Ready',
    conditionAt('Ready', 'True', 'Ready', 'deployment "web" successfully rolled out', -3000),
    conditionAt('Failed', 'False', 'Ready', '', -3000),
  );
  const notReady = (reason: string, message: string, at: number) =>
    status(
      'NotReady',
      conditionAt('Ready', 'False', reason, message, at),
      conditionAt('Failed', 'False', 'Ready', message, -3000),
    );
  const broken = (reason: string, message: string, at: number) =>
    status(
      'Failed',
      conditionAt('Ready', 'False', 'Failed', '', at),
      conditionAt('Failed', 'True', reason, message, at),
    );

  function workload(owner: KubernetesObject, available: number, movedAt: number): KubernetesObject {
    const conditions = [conditionAt('Progressing', 'True', 'ReplicaSetUpdated', '', movedAt)];
    const metadata = { creationTimestamp: timeAt(-3600) };
    return ownedBy(owner, liveDeployment({ replicas: 2, available, conditions, metadata }));
  }

  test('is ready by its Deployment and its state; a cache that is not ready yet is waited for', () => {
    const written = service(well);
    const shown = [
      { at: 1, beside: [workload(written, 1, 1)] },
      { at: 2, status: notReady('NIMCacheNotReady', 'NIMCache llm not ready', 2) },
      { at: 60, beside: [workload(written, 2, 60)] },
      { at: 61, status: well },
    ];
    expect(decidedOver(written, shown, 64)).toEqual([
      'progressing: Deployment "web": 1 of 2 pods available',
      'progressing: Deployment "web": 1 of 2 pods available',
      'progressing: not Ready yet: NIMCacheNotReady: NIMCache llm not ready',
      'progressing: its state is Ready; checking that it stays so',
      'ready: its state is Ready',
    ]);
  });

  test('without a trace of its operator counts after 15 s', () => {
    const written = service(well);
    const shown = [{ at: 0, beside: [workload(written, 2, -3000)] }];
    expect(decidedOver(written, shown, 14).at(-1)).toBe('progressing: its state is Ready; checking that it stays so');
    expect(decidedOver(written, shown, 15).at(-1)).toBe('ready: its state is Ready');
  });

  test.each([
    ['NIMCacheFailed', 'no space left', 30],
    ['NIMCacheNotFound', 'NIMCache llm not found', 60],
  ])('has failed when it says so, with %s, for its time', (reason, message, seconds) => {
    const shown = [{ at: 2, status: broken(reason, message, 2) }];
    expect(decidedOver(service(well), shown, 1 + seconds).at(-1)).toBe(`progressing: ${message}`);
    expect(decidedOver(service(well), shown, 2 + seconds).at(-1)).toBe(
      `failed: ${reason}: NIMService "web": ${message}`,
    );
  });

  test('that had failed before the write has 60 s', () => {
    const written = service(broken('NIMCacheFailed', 'no space left', -300));
    expect(decidedOver(written, [{ at: 0 }], 59).at(-1)).toBe('progressing: no space left');
    expect(decidedOver(written, [{ at: 0 }], 60).at(-1)).toBe(
      'failed: NIMCacheFailed: NIMService "web": no space left',
    );
    const healed = [{ at: 0 }, { at: 5, status: notReady('NotReady', 'waiting for pods', 5) }];
    expect(decidedOver(written, healed, 90).at(-1)).toBe('progressing: not Ready yet: NotReady: waiting for pods');
  });

  test('is waited for while it has no status; one that was not changed is ready at once', () => {
    expect(decidedOver(service(), [{ at: 1 }], 1)).toEqual(['progressing: waiting for the controller']);
    expect(decidedOver(service(well), [{ at: 0 }], 0, { changed: false })).toEqual(['ready: its state is Ready']);
    expect(judge(service(well), factsOf(service(well)))).toMatchObject({ state: 'ready' });
  });
});

describe('a NIMCache', () => {
  const cache = (status?: JsonObject) => custom('apps.nvidia.com/v1alpha1', 'NIMCache', status && { status });
  const done = {
    state: 'Ready',
    conditions: [conditionAt('NIM_CACHE_JOB_COMPLETED', 'True', 'JobCompleted', '', 90)],
  };
  const broken = {
    state: 'Failed',
    conditions: [conditionAt('NIM_CACHE_JOB_COMPLETED', 'False', 'JobFailed', 'The Job to cache NIM has failed', 20)],
  };
  const download = (owner: KubernetesObject, status: JsonObject, conditions: JsonObject[] = []) =>
    ownedBy(owner, liveJob({ metadata: { name: 'web-job' }, status: { ...status, conditions } }));

  test('is ready once its Job has loaded the model; a pod of it that fails is not the end (its state says Failed then)', () => {
    const written = cache();
    const complete = conditionAt('Complete', 'True');
    const shown = [
      { at: 1, status: { state: 'PVC-Created' } },
      { at: 2, status: { state: 'InProgress' }, beside: [download(written, { active: 1 })] },
      { at: 20, status: broken, beside: [download(written, { active: 1, failed: 1 })] },
      { at: 90, status: done, beside: [download(written, { active: 0, succeeded: 1, failed: 1 }, [complete])] },
    ];
    expect(decidedOver(written, shown, 100)).toEqual([
      'progressing: its state is PVC-Created',
      'progressing: Job "web-job": 0 of 1 pod completed, 1 running',
      'progressing: Job "web-job": 0 of 1 pod completed, 1 running, 1 pod failed',
      'progressing: its state is Ready; checking that it stays so',
      'ready: its state is Ready',
    ]);
  });

  test('has failed when its Job has', () => {
    const written = cache();
    const failure = conditionAt(
      'Failed',
      'True',
      'BackoffLimitExceeded',
      'Job has reached the specified backoff limit',
    );
    const shown = [{ at: 90, status: broken, beside: [download(written, { active: 0, failed: 6 }, [failure])] }];
    expect(decidedOver(written, shown, 90)).toEqual([
      'failed: BackoffLimitExceeded: NIMCache "web": Job "web-job": failed: Job has reached the specified backoff limit',
    ]);
  });

  test('whose Job is not to be seen has failed once it has said so for 60 s', () => {
    const until = (end: number) => decidedOver(cache(), [{ at: 20, status: broken }], end).at(-1);
    expect(until(79)).toBe('progressing: The Job to cache NIM has failed');
    expect(until(80)).toBe('failed: JobFailed: NIMCache "web": The Job to cache NIM has failed');
  });

  test('that was not changed is ready at once', () => {
    expect(decidedOver(cache(done), [{ at: 0 }], 0, { changed: false })).toEqual(['ready: its state is Ready']);
  });
});
