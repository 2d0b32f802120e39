import { describe, expect, test } from '@jest/globals';

import { rollbackWorkload } from '../../../src/commands/rollback-workload.ts';
import type { KubernetesObject } from '../../../src/kubernetes/object.ts';
import { Report } from '../../../src/report/report.ts';
import type { RunReport } from '../../../src/report/run-report.ts';
import { FakeApi } from '../../support/fake-api.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import {
  crashed,
  liveDeployment,
  liveStatefulSet,
  ownedBy,
  podOf,
  replicaSetOf,
  template,
  timeAt,
} from '../../support/rollout-objects.ts';
import { contextOf, options } from './build.ts';

/** What a rollback of a workload to its current version (#2) says. */
async function rollBack(
  workload: KubernetesObject,
  { replicas = [], pods = [] }: { replicas?: readonly string[]; pods?: readonly KubernetesObject[] } = {},
): Promise<RunReport> {
  const api = new FakeApi();
  for (const object of [workload, keeperOf(workload), ...pods]) api.put(object);
  const context = { ...contextOf(api, 'a test'), clock: new FakeClock() };
  const task = { workload, toRevision: '2', replicas, revisions: [], givenRules: [] };
  return await rollbackWorkload(context, { ...options, ...more }, task, new Report(context, 'rollback', options));
}

const more = { timeoutMs: 200, onLowCapacity: 'fail', keepOldForMs: 0, longestRequestMs: 0 } as const;

/** Of the current version. */
function keeperOf(workload: KubernetesObject): KubernetesObject {
  if (workload.kind === 'Deployment') {
    const set = replicaSetOf(workload);
    return {
      ...set,
      metadata: { ...set.metadata, annotations: { 'deployment.kubernetes.io/revision': '2' } },
    };
  }
  const metadata = { name: 'web-2', namespace: 'shop', ...ownedBy(workload) };
  const data = { spec: { template: { ...template(), $patch: 'replace' } } };
  return { apiVersion: 'apps/v1', kind: 'ControllerRevision', metadata, data, revision: 2 };
}

describe('a rollback of a workload to what it already runs', () => {
  test('changes nothing where it is healthy', async () => {
    expect(await rollBack(liveDeployment())).toMatchObject({
      status: 'unchanged',
      headline: 'Nothing to do: Deployment/web already runs ReplicaSet #2, and it is healthy',
    });
  });

  test('is no success where a container keeps crashing that runs at the moment', async () => {
    const runsAgain = { ready: true, state: { running: { startedAt: timeAt(-60) } } };
    const containers = [{ ...crashed(8, { at: -90 }), ...runsAgain }];
    const workload = liveDeployment({ replicas: 1 });
    const pod = podOf(replicaSetOf(workload), { containers, ready: true });
    const message =
      'Deployment "web": container "web" keeps crashing (exit code 1, 8 restarts, the last one 1m30s ago)';
    expect(await rollBack(workload, { pods: [pod] })).toMatchObject({
      status: 'failed',
      headline: 'Nothing to do: Deployment/web already runs ReplicaSet #2, but it is not healthy',
      failure: { message, causes: [{ reason: 'CrashLoopBackOff', message }] },
      workloads: [{ state: 'failed', message }],
    });
  });

  test('does not call what is scaled to 0 healthy, but says that it has no pods', async () => {
    expect(await rollBack(liveDeployment({ replicas: 0 }))).toMatchObject({
      status: 'unchanged',
      headline:
        'Nothing to do: Deployment/web already runs ReplicaSet #2; Deployment "web" is scaled to 0 and has no pods',
    });
  });

  test.each([
    ['OnDelete', { type: 'OnDelete' }, 'its update strategy is OnDelete: 0 of 3 pods updated'],
    [
      'a partition',
      { type: 'RollingUpdate', rollingUpdate: { partition: 3 } },
      'its partition is 3: 0 of 3 pods updated',
    ],
  ])('does not call it healthy where %s keeps all pods from it', async (_, updateStrategy, held) => {
    const status = { currentRevision: 'web-1', updatedReplicas: 0 };
    expect(await rollBack(liveStatefulSet({ spec: { updateStrategy }, status }))).toMatchObject({
      status: 'paused',
      headline: `Nothing to do: StatefulSet/web already runs ControllerRevision #2, but not all pods run it: StatefulSet "web": ${held}`,
    });
  });

  test('goes on where "replicas" asks for another number of pods', async () => {
    await expect(rollBack(liveDeployment(), { replicas: ['db=5'] })).rejects.toThrow(
      'the input "replicas" has "db=5", but there are Deployment/web',
    );
  });
});
