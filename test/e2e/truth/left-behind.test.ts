import { expect, test } from '@jest/globals';

import { autoscaler, configMap, deployment, service } from '../../support/objects.ts';
import { app, Stage } from '../../support/strategy-stage.ts';

const job = (name: string) => ({
  apiVersion: 'batch/v1',
  kind: 'Job',
  metadata: { name },
  spec: {
    template: {
      spec: {
        restartPolicy: 'Never',
        containers: [{ name: 'once', image: 'registry.test/ctwoc:1.0.0', args: ['job'] }],
      },
    },
  },
});

const left = /^::warning.*no longer in the manifests.*$/m;

test('what the manifests have no more is named at every deploy, until it is gone', async () => {
  await using stage = await Stage.open('rolling');
  const web = deployment('web');
  await stage.given('shop', [web, deployment('worker'), configMap('old', { a: '1' }), configMap('flags', { a: '1' })]);
  const flags = (a: string) => [web, configMap('flags', { a })];
  const second = await stage.deploy('shop', flags('1'));
  expect(second.exit).toBe(0);
  const text = left.exec(second.log)?.[0] ?? '';
  expect(text).toContain('Deployment "worker"');
  expect(text).toContain('ConfigMap "old"');
  expect(text).toContain(`kubectl delete --namespace ${stage.namespace}`);
  expect(text).not.toContain('"web"');
  expect(second.summary).toContain('no longer in the manifests');
  // Also where nothing else is to be done, and by any revision that comes later.
  const same = await stage.deploy('shop', flags('1'));
  expect(same.outputs['status']).toBe('unchanged');
  expect(left.exec(same.log)?.[0]).toBe(text);
  // The record of the first revision is not needed for it.
  await stage.kubectl('delete', 'secret', 'gke-rollout.shop.v1');
  expect(left.exec((await stage.deploy('shop', flags('2'))).log)?.[0]).toBe(text);
  await stage.kubectl('delete', 'deployment', 'worker');
  const fourth = await stage.deploy('shop', flags('3'));
  expect(left.exec(fourth.log)?.[0]).toContain('ConfigMap "old"');
  expect(left.exec(fourth.log)?.[0]).not.toContain('worker');
  await stage.kubectl('delete', 'configmap', 'old');
  expect((await stage.deploy('shop', flags('4'))).log).not.toMatch(left);
});

test('a finished Job, what belongs to another release by now, and what somebody has made anew are not', async () => {
  await using stage = await Stage.open('rolling');
  await stage.given('shop', [
    job('migrate'),
    configMap('moved', { a: '1' }),
    configMap('anew', { a: '1' }),
    service('web'),
  ]);
  await stage.kubectl('wait', 'job/migrate', '--for=condition=Complete', '--timeout=60s');
  await stage.kubectl('delete', 'configmap', 'anew', 'moved');
  await stage.given('other', [configMap('moved', { a: '1' })]);
  await stage.kubectl('create', 'configmap', 'anew');
  expect((await stage.deploy('shop', [service('web')])).log).not.toMatch(left);
});

test('nor are the sides of a blue-green deploy and what comes with them', async () => {
  await using stage = await Stage.open('blue-green');
  const versions = ['1.0.0', '2.0.0', '1.0.0'];
  for (const version of versions) {
    const result = await stage.deploy('web', [...app('web', version), autoscaler('web')]);
    expect(result.exit).toBe(0);
    expect(result.log).not.toMatch(left);
  }
  // The workload itself is, on both of its sides.
  const gone = await stage.deploy('web', [service('other')]);
  expect(left.exec(gone.log)?.[0]).toContain('Deployment "web"');
  expect(left.exec(gone.log)?.[0]).toContain('Deployment "web-green"');
});
