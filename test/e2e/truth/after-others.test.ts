import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';

import { kubectl, testKubeconfig } from '../../support/kubectl.ts';
import { configMap, deployment } from '../../support/objects.ts';
import { Step } from '../../support/step.ts';
import { app, image, Stage, until } from '../../support/strategy-stage.ts';
import { createWorkspace, removeWorkspace } from '../../support/workspace.ts';

/** What another run has left or done before a command had the lock, or while it kept an old side. */

let rolling: Stage;
let blueGreen: Stage;
const volumes: string[] = [];

beforeAll(async () => {
  [rolling, blueGreen] = await Promise.all([Stage.open('rolling'), Stage.open('blue-green')]);
});

afterAll(async () => {
  await Promise.all([rolling[Symbol.asyncDispose](), blueGreen[Symbol.asyncDispose]()]);
  for (const name of volumes) await kubectl(['delete', 'persistentvolume', name, '--ignore-not-found', '--wait=false']);
});

/** A deploy of these objects that is killed once its image is in the Deployment; nothing of it becomes ready. */
async function killedDeploy(name: string, version: string): Promise<void> {
  const broken = deployment(name, { replicas: 2, image: image(version), env: { NEVER_READY: 'true' } });
  const workspace = createWorkspace({ 'app.yaml': [broken] });
  const where = { kubeconfig: testKubeconfig(), namespace: rolling.namespace, release: name };
  const step = new Step({ ...where, manifests: '.', timeout: '5m' }, { workspace });
  const running = step.main();
  await until(`${version} is written`, async () => (await rolling.imageOf(name)) === image(version));
  step.signal('SIGKILL');
  await running;
  step.dispose();
  removeWorkspace(workspace);
}

const web = (name: string, version: string) => deployment(name, { replicas: 2, image: image(version) });

describe('after a deploy that was killed', () => {
  test.each([
    ['scale', { replicas: 'after-scale=3' }, 'scaled'],
    ['restart', {}, 'restarted'],
  ] as const)('%s goes by what its undo has brought back', async (command, inputs, status) => {
    const name = `after-${command}`;
    await rolling.given(name, [web(name, '1.0.0')]);
    await killedDeploy(name, '2.0.0');
    const result = await rolling.command(name, command, inputs);
    expect(result.outputs['status']).toBe(status);
    expect(await rolling.imageOf(name)).toBe(image('1.0.0'));
    expect(new Set(await rolling.imagesOf(name))).toEqual(new Set([image('1.0.0')]));
    expect((await rolling.command(name, 'status')).outputs['healthy']).toBe('true');
  });

  test('a rollback ends at the live revision, as status says, and the second one goes further back', async () => {
    await rolling.given('back', [web('back', '1.0.0')]);
    await rolling.given('back', [web('back', '2.0.0')]);
    await killedDeploy('back', '3.0.0');
    expect((await rolling.command('back', 'status')).log).toContain('"rollback" would go to revision 2');
    const first = await rolling.command('back', 'rollback');
    expect(first.outputs).toMatchObject({ status: 'rolled-back', revision: '2' });
    expect(first.summary).toContain('undid the interrupted "deploy"; revision 2 is live and healthy again');
    expect(new Set(await rolling.imagesOf('back'))).toEqual(new Set([image('2.0.0')]));
    expect((await rolling.command('back', 'rollback')).outputs['status']).toBe('rolled-back');
    expect(new Set(await rolling.imagesOf('back'))).toEqual(new Set([image('1.0.0')]));
  });

  test('an abort says what it has undone', async () => {
    await rolling.given('abort', [web('abort', '1.0.0')]);
    await killedDeploy('abort', '2.0.0');
    const result = await rolling.command('abort', 'abort');
    expect(result.outputs['status']).toBe('aborted');
    expect(result.summary).toContain('what an interrupted "deploy" had left was removed');
    expect(await rolling.imageOf('abort')).toBe(image('1.0.0'));
  });
});

test('a rollback with prune removes config, keeps a claim, and says how the claim goes', async () => {
  const storage = `${rolling.namespace}-uploads`;
  const volume = {
    apiVersion: 'v1',
    kind: 'PersistentVolume',
    metadata: { name: storage },
    spec: {
      storageClassName: storage,
      capacity: { storage: '1Gi' },
      accessModes: ['ReadWriteOnce'],
      hostPath: { path: `/tmp/${storage}` },
    },
  };
  await kubectl(['apply', '-f', '-'], JSON.stringify(volume));
  volumes.push(storage);
  const claim = {
    apiVersion: 'v1',
    kind: 'PersistentVolumeClaim',
    metadata: { name: 'uploads' },
    spec: {
      storageClassName: storage,
      accessModes: ['ReadWriteOnce'],
      resources: { requests: { storage: '1Gi' } },
    },
  };
  const config = (value: string) => configMap('data', { value });
  await rolling.given('data', [config('1')]);
  await rolling.given('data', [config('2'), configMap('data-extra', { a: '1' }), claim]);
  const result = await rolling.command('data', 'rollback', { prune: 'true' });
  expect(result.outputs['status']).toBe('rolled-back');
  expect(await rolling.exists('configmap', 'data-extra')).toBe(false);
  expect(await rolling.exists('persistentvolumeclaim', 'uploads')).toBe(true);
  expect(result.log).toContain(
    `is not in revision 1 and was kept, because it may hold data. If it is not needed, remove it with "kubectl delete --namespace ${rolling.namespace} persistentvolumeclaim/uploads".`,
  );
});

test('an old side whose time is over is left to the candidate that a later deploy has brought up there', async () => {
  await blueGreen.given('side', app('side', '1.0.0'));
  const keeping = blueGreen.deploy('side', app('side', '2.0.0'), { 'keep-old-for': '60s' });
  await until(
    'the new version is live',
    async () =>
      (await blueGreen.kubectl('get', 'secrets', '-l', 'gke-rollout/outcome=live', '-o', 'name')).includes(
        'gke-rollout.side.v2',
      ),
    120,
  );
  const next = await blueGreen.deploy('side', app('side', '3.0.0'), { 'auto-promote': 'false' });
  expect(next.outputs['status']).toBe('waiting');
  const result = await keeping;
  expect(result.outputs['status']).toBe('deployed');
  expect(result.log).toContain('side stays: the waiting candidate (revision 3) runs there now');
  expect([await blueGreen.replicasOf('side'), await blueGreen.imageOf('side')]).toEqual([2, image('3.0.0')]);
  const promoted = await blueGreen.command('side', 'promote', { 'keep-old-for': '0s' });
  expect(promoted.outputs['status']).toBe('deployed');
  expect(await blueGreen.imagesOf('side')).toEqual([image('3.0.0'), image('3.0.0')]);
});
