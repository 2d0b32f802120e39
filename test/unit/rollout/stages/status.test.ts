import { expect, test } from '@jest/globals';

import { lookAt } from '../../../../src/rollout/look.ts';
import { FakeClock } from '../../../support/fake-clock.ts';
import {
  conditionAt,
  eventObject,
  liveDeployment,
  podOf,
  replicaSetOf,
  start,
  template,
  timeAt,
  waiting,
} from '../../../support/rollout-objects.ts';
import { ScriptedCluster } from '../../../support/scripted-cluster.ts';

const deployment = liveDeployment({ replicas: 2, updated: 2, available: 0 });
const set = replicaSetOf(deployment);
const placed = conditionAt('PodScheduled', 'True');

test('one look says where each pod is, and how far', async () => {
  const cluster = new ScriptedCluster();
  const loading = podOf(set, {
    metadata: { name: 'web-a', uid: 'a' },
    conditions: [placed],
    containers: [{ name: 'web', ready: false, started: true, state: { running: { startedAt: timeAt(-180) } } }],
  });
  const pulling = podOf(set, {
    metadata: { name: 'web-b', uid: 'b' },
    conditions: [placed],
    containers: [waiting('ContainerCreating')],
  });
  const pull = eventObject(pulling, 'Pulling', 'Pulling image "registry.test/web:2"', { type: 'Normal', first: -60 });
  cluster.put(deployment, set, loading, pulling, pull);
  cluster.client.logs = () =>
    Promise.resolve('Loading safetensors checkpoint shards: 40% Completed | 2/5 [00:04<00:06,  2.1s/it]\n');
  const { seen } = await lookAt(cluster.client, [deployment], new FakeClock());
  expect(seen[0]?.verdict).toEqual({
    state: 'progressing',
    message:
      '0 of 2 pods available; pod web-a: container "web" has been loading weights for 3m: 40 %, 2 of 5 shards; pod web-b: pulling image "registry.test/web:2" for 1m',
  });
});

test('a log that cannot be read is no error', async () => {
  const cluster = new ScriptedCluster();
  const pod = podOf(set, {
    conditions: [placed],
    containers: [{ name: 'web', ready: false, started: true, state: { running: { startedAt: timeAt(-180) } } }],
  });
  cluster.put(deployment, set, pod);
  cluster.client.logs = () => Promise.reject(new Error('no log'));
  const { seen } = await lookAt(cluster.client, [deployment], new FakeClock());
  expect(seen[0]?.verdict).toMatchObject({
    message: '0 of 2 pods available; pod web-22-a: container "web" has been running for 3m, but is not ready yet',
  });
});

test('one look knows an autoscaler at work, so that nothing is missing but time', async () => {
  const cluster = new ScriptedCluster();
  const refused = conditionAt(
    'PodScheduled',
    'False',
    'Unschedulable',
    '0/3 nodes are available: 3 Insufficient x.',
    -60,
  );
  const pod = podOf(set, { conditions: [refused] });
  cluster.put(deployment, set, pod, eventObject(pod, 'TriggeredScaleUp', 'pod triggered it', { type: 'Normal' }));
  const { seen } = await lookAt(cluster.client, [deployment], new FakeClock());
  expect(seen[0]).toMatchObject({
    verdict: {
      state: 'progressing',
      message:
        '0 of 2 pods available; pod cannot be scheduled: not enough x (0 of 3 nodes fit); the autoscaler is adding a node',
    },
    patience: { since: start - 60_000 },
  });
});

test('one look asks for the events of claims where pods have some', async () => {
  const asked: (string | undefined)[] = [];
  const cluster = new ScriptedCluster();
  const list = cluster.client.list.bind(cluster.client);
  cluster.client.list = async (resource, options, signal) => {
    if (resource.kind === 'Event') asked.push(options.fieldSelector);
    return await list(resource, options, signal);
  };
  const warnings = ['type=Warning'];
  const normal = ['Killing', 'Pulling', 'Pulled', 'TriggeredScaleUp', 'NotTriggerScaleUp'].map(
    (reason) => `type=Normal,reason=${reason}`,
  );
  await lookAt(cluster.client, [deployment], new FakeClock());
  expect(asked.splice(0)).toEqual([...warnings, ...normal]);
  const volumes = [{ name: 'data', persistentVolumeClaim: { claimName: 'data' } }];
  const withClaim = liveDeployment({ spec: { template: template('registry.test/web:2', { volumes }) } });
  await lookAt(cluster.client, [withClaim], new FakeClock());
  expect(asked).toEqual([...warnings, ...normal, 'type=Normal,involvedObject.kind=PersistentVolumeClaim']);
});
