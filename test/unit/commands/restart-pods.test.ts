import { expect, test } from '@jest/globals';

import { LowCapacity } from '../../../src/capacity/capacity.ts';
import { refuseRestartWithoutRoom } from '../../../src/commands/restart-pods.ts';
import { FakeApi } from '../../support/fake-api.ts';
import { live, liveDeployment, ownedBy } from '../../support/rollout-objects.ts';
import { nodeOf, podOn, templateWith } from '../capacity/build.ts';
import { contextOf } from './build.ts';

const gpu = { 'nvidia.com/gpu': '1' };

/** A Deployment with one pod, which has the only GPU. */
function fullPool(strategy: object) {
  const api = new FakeApi();
  const set = live('ReplicaSet', { metadata: { name: 'model-abc' } });
  const labels = { app: 'model', 'pod-template-hash': 'abc' };
  api.put(nodeOf('a', gpu));
  api.put(podOn('a', templateWith(gpu, {}, labels), { ...ownedBy(set), namespace: 'shop' }));
  const spec = { template: templateWith(gpu, {}, { app: 'model' }), strategy: { ...strategy } };
  const model = api.put(liveDeployment({ metadata: { name: 'model', namespace: 'shop' }, replicas: 1, spec }));
  return { api, restart: () => refuseRestartWithoutRoom(contextOf(api, 'run-1'), 'shop', [model]) };
}

test('a restart is refused where a new pod would wait for ever for the device of an old one', async () => {
  const { api, restart } = fullPool({ rollingUpdate: { maxSurge: 1, maxUnavailable: 0 } });
  await expect(restart()).rejects.toEqual(
    new LowCapacity(
      'rolling update of Deployment "model" needs 1 more pod with 1 nvidia.com/gpu each, but there is no capacity: 1 matching node, 0 free nvidia.com/gpu',
      {
        hint: 'Deploy it with "maxSurge: 0" and "maxUnavailable: 1" in the Deployment to replace pods one at a time, or free up or add nodes. With 1 replica, nothing serves from then on until the new pod is ready.',
      },
    ),
  );
  expect(api.log.filter((line) => /^(apply|create|replace)/.test(line))).toEqual([]);
});

test('one that replaces its pods in place is restarted', async () => {
  await expect(fullPool({ rollingUpdate: { maxSurge: 0, maxUnavailable: 1 } }).restart()).resolves.toBeUndefined();
});
