import { describe, expect, test } from '@jest/globals';

import type { Ahead } from '../../../src/commands/look-ahead.ts';
import type { Purpose, RollOutOptions } from '../../../src/commands/purpose.ts';
import { whenUnchanged } from '../../../src/commands/unchanged.ts';
import type { KubernetesObject } from '../../../src/kubernetes/object.ts';
import { manifestFrom } from '../../../src/manifests/manifest.ts';
import type { Revision } from '../../../src/release/revision-shape.ts';
import { Report } from '../../../src/report/report.ts';
import { custom } from '../../support/custom-resource.ts';
import { FakeApi } from '../../support/fake-api.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import {
  crashed,
  live,
  liveDeployment,
  liveJob,
  podOf,
  replicaSetOf,
  template,
  timeAt,
} from '../../support/rollout-objects.ts';
import { ScriptedCluster } from '../../support/scripted-cluster.ts';
import { contextOf, options } from './build.ts';

const deployment = liveDeployment({ replicas: 1 });
const set = replicaSetOf(deployment);
const well = podOf(set, { ready: true });
const runsAgain = { ready: true, state: { running: { startedAt: timeAt(-60) } } };
const crashing = { containers: [{ ...crashed(8, { at: -90 }), ...runsAgain }], ready: true };

/** How a deploy ends that finds the Deployment "web" as its manifest says, beside these pods. */
const deployUnchanged = async (...pods: KubernetesObject[]) => await endOf(deployment, set, ...pods);

/** How a deploy of an object ends that finds it as its manifest says, beside others. */
async function endOf(object: KubernetesObject, ...beside: KubernetesObject[]) {
  const cluster = new ScriptedCluster();
  const clock = new FakeClock();
  const context = { ...contextOf(new FakeApi(), 'me'), client: cluster.client, clock };
  cluster.put(object, ...beside);
  const manifest = manifestFrom(object, 'app.yaml');
  const served = { revision: 3, outcome: 'live', strategy: 'rolling', objects: [object] } as unknown as Revision;
  const ahead = {
    prepared: [{ manifest, live: object, predicted: object, change: 'unchanged', takeover: false, warnings: [] }],
    revisions: [served],
    leftover: { state: 'none' },
  } as unknown as Ahead;
  const purpose = { manifests: [manifest], surplus: [] } as unknown as Purpose;
  const rollOut = { ...options, strategy: 'rolling', checks: [] } as unknown as RollOutOptions;
  const ended = whenUnchanged(context, rollOut, purpose, { ahead, report: new Report(context, 'deploy', options) });
  await clock.runFor(2000);
  return { cluster, report: await ended };
}

describe('an unchanged deploy', () => {
  test('is a success where all is well', async () => {
    const { cluster, report } = await deployUnchanged(well);
    expect(report).toMatchObject({
      status: 'unchanged',
      headline: 'web: nothing to change, web 2 (revision 3) is live and healthy',
    });
    expect(cluster.requests.filter((request) => request === 'list Pod')).toHaveLength(1);
  });

  test('is none where a container keeps crashing that runs at the moment', async () => {
    const { report } = await deployUnchanged(podOf(set, crashing));
    const message =
      'Deployment "web": container "web" keeps crashing (exit code 1, 8 restarts, the last one 1m30s ago)';
    expect(report).toMatchObject({
      status: 'failed',
      headline: 'web: nothing to change, but revision 3 is not healthy',
      failure: { message, hint: 'Check the last lines of its log.', causes: [{ reason: 'CrashLoopBackOff', message }] },
      workloads: [{ state: 'failed', message }],
    });
  });

  test('is one whatever the pods of a Job with the same labels do', async () => {
    const { report } = await deployUnchanged(well, podOf(liveJob(), crashing));
    expect(report?.status).toBe('unchanged');
  });

  test('is one whatever the pods of another Deployment with the same labels do', async () => {
    const green = replicaSetOf(liveDeployment({ metadata: { name: 'web-green' } }), { name: 'web-green-22' });
    const named = { name: 'web-green-22-a', labels: { app: 'web', 'pod-template-hash': '22' } };
    const { report } = await deployUnchanged(well, podOf(green, { ...crashing, metadata: named }));
    expect(report?.status).toBe('unchanged');
  });

  test('does not count them as its own where they still end, either', async () => {
    const green = replicaSetOf(liveDeployment({ metadata: { name: 'web-green' } }), { name: 'web-green-22' });
    const metadata = {
      name: 'web-green-22-a',
      labels: { app: 'web', 'pod-template-hash': '22' },
      deletionTimestamp: timeAt(30),
    };
    const { report } = await deployUnchanged(well, podOf(green, { ready: true, metadata }));
    expect(report?.timeline.filter(({ text }) => text.includes('terminating'))).toEqual([]);
  });

  test('tells of the pods that still end, of the same look', async () => {
    const ending = podOf(set, { ready: true, metadata: { name: 'old', deletionTimestamp: timeAt(30) } });
    const { cluster, report } = await deployUnchanged(well, ending);
    expect(report?.status).toBe('unchanged');
    expect(report?.timeline.map(({ text }) => text)).toContain(
      'Deployment "web": 1 old pod is still terminating, and it may finish requests already sent to it',
    );
    expect(cluster.requests.filter((request) => request === 'list Pod')).toHaveLength(1);
  });
});

test('an unchanged deploy says so where an earlier one has not reached all pods', async () => {
  const loose = live('ReplicaSet', {
    spec: { replicas: 2, selector: { matchLabels: { app: 'web' } }, template: template('web:2') },
    status: { observedGeneration: 1, replicas: 2, availableReplicas: 2 },
  });
  const pod = (name: string, image: string) =>
    podOf(loose, { metadata: { name }, spec: { containers: [{ name: 'web', image }] }, ready: true });
  const { report } = await endOf(loose, pod('web-a', 'web:1'), pod('web-b', 'web:2'));
  expect(report).toMatchObject({
    status: 'paused',
    headline:
      'web: nothing to change, web 2 (revision 3) is applied, but not all pods run it: ReplicaSet "web": its controller replaces no pods: 1 of 2 pods updated',
  });
  const { report: whole } = await endOf(loose, pod('web-a', 'web:2'), pod('web-b', 'web:2'));
  expect(whole?.status).toBe('unchanged');
});

describe('an unchanged deploy is none where a container keeps crashing', () => {
  const crashes = 'container "web" keeps crashing (exit code 1, 8 restarts, the last one 1m30s ago)';
  const messageOf = async (object: KubernetesObject, ...beside: KubernetesObject[]) =>
    (await endOf(object, ...beside)).report?.failure?.message;

  test('of a ReplicationController, whose selector is a flat map', async () => {
    const controller = live('ReplicationController', {
      apiVersion: 'v1',
      spec: { replicas: 1, selector: { app: 'web' }, template: template() },
      status: { observedGeneration: 1, replicas: 1, availableReplicas: 1 },
    });
    expect(await messageOf(controller, podOf(controller, crashing))).toBe(`ReplicationController "web": ${crashes}`);
  });

  test('of a single Pod', async () => {
    const bare = podOf(undefined, { ...crashing, metadata: { name: 'web' } });
    expect(await messageOf(bare)).toBe(`Pod "web": ${crashes}`);
  });

  test('of a custom resource that runs pods', async () => {
    const cluster = custom('ray.io/v1', 'RayCluster', { status: { state: 'ready' } });
    expect(await messageOf(cluster, podOf(cluster, crashing))).toBe(`RayCluster "web": ${crashes}`);
    expect((await endOf(cluster, podOf(cluster, { ready: true }))).report?.status).toBe('unchanged');
  });
});
