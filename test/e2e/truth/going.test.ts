import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';

import { kubectl } from '../../support/kubectl.ts';
import { configMap, deployment } from '../../support/objects.ts';
import { app, image, Stage } from '../../support/strategy-stage.ts';

/** An object whose deletion was asked for and that a finalizer holds up is not there (helm/helm#12000). */

const finalizer = 'example.com/hold';
const missing = 'registry.test/pulled/ctwoc:9.9.9';

let stage: Stage;

beforeAll(async () => {
  stage = await Stage.open('rolling');
});

afterAll(async () => {
  await stage[Symbol.asyncDispose]();
});

function held(object: object): object {
  const { metadata } = object as { metadata: object };
  return { ...object, metadata: { ...metadata, finalizers: [finalizer] } };
}

async function hold(kind: string, name: string): Promise<void> {
  await stage.patch(kind, name, { metadata: { finalizers: [finalizer] } });
}

async function letGo(kind: string, name: string): Promise<void> {
  await stage.patch(kind, name, { metadata: { finalizers: null } });
  await stage.kubectl('wait', '--for=delete', `${kind}/${name}`, '--timeout=30s');
}

async function remove(kind: string, name: string): Promise<void> {
  await stage.kubectl('delete', kind, name, '--wait=false');
}

describe('what is going is not there', () => {
  test.each([
    ['configmap', 'config'],
    ['deployment', 'web'],
  ])('for a deploy that would change nothing: a %s', async (kind, name) => {
    const release = `${name}-same`;
    const objects = [deployment(`${release}-web`), configMap(`${release}-config`, { a: '1' })];
    await stage.given(release, objects);
    await hold(kind, `${release}-${name}`);
    await remove(kind, `${release}-${name}`);
    const same = await stage.deploy(release, objects);
    expect(same.exit).toBe(1);
    expect(same.summary).not.toContain('✅');
    expect(same.outputs['failure']).toContain('has been terminating since');
    expect(same.outputs['failure']).toContain(`held up by finalizer \\"${finalizer}\\"`);

    await letGo(kind, `${release}-${name}`);
    const next = await stage.deploy(release, objects);
    expect(next.outputs['status']).toBe('deployed');
    expect(await stage.exists(kind, `${release}-${name}`)).toBe(true);
  });

  test('for scale and restart', async () => {
    await stage.given('acts', [deployment('acts')]);
    await hold('deployment', 'acts');
    await remove('deployment', 'acts');
    for (const inputs of [
      { command: 'scale', replicas: '1' },
      { command: 'scale', replicas: '2' },
      { command: 'restart' },
    ]) {
      const result = await stage.run('acts', inputs);
      expect(result.exit).toBe(1);
      expect(result.log).toContain(`held up by finalizer "${finalizer}"`);
    }
    await letGo('deployment', 'acts');
  });
});

test('an undo does not call deleted what a finalizer holds up, and the next deploy goes on', async () => {
  await stage.given('undo', [deployment('undo')]);
  const bad = [deployment('undo', { image: missing }), held(configMap('undo-new', { a: '1' }))];
  const failed = await stage.deploy('undo', bad, { 'undo-timeout': '20s' });
  expect(failed.outputs['status']).toBe('failed');
  expect(failed.exit).toBe(1);
  expect(failed.summary).not.toContain('everything is as it was before');
  expect(failed.summary.split('\n')[0]).toMatch(/failed and was undone, but ConfigMap .* has been terminating since/);
  expect(await stage.imageOf('undo')).toBe(image('1.0.0'));
  expect(await stage.exists('configmap', 'undo-new')).toBe(true);

  // Nothing is left to undo: what does not need the name goes on, what does is told who holds it.
  const other = await stage.deploy('undo', [deployment('undo', { image: image('2.0.0') })]);
  expect(other.outputs['status']).toBe('deployed');
  expect(await stage.imageOf('undo')).toBe(image('2.0.0'));
  const same = await stage.deploy('undo', [deployment('undo'), configMap('undo-new', { a: '1' })]);
  expect(same.exit).toBe(1);
  expect(same.outputs['failure']).toContain('has been terminating since');
  await letGo('configmap', 'undo-new');
  const last = await stage.deploy('undo', [deployment('undo'), configMap('undo-new', { a: '1' })]);
  expect(last.outputs['status']).toBe('deployed');
});

test('an abort says that the candidate is not gone, and no later command gets stuck', async () => {
  const canary = { strategy: 'canary', 'step-duration': '1s', 'auto-promote': 'false' };
  await stage.given('abort', app('abort', '1.0.0'));
  await stage.given('abort', app('abort', '2.0.0'), canary);
  await hold('deployment', 'abort-canary');
  const aborted = await stage.command('abort', 'abort', { timeout: '20s' });
  expect(aborted.exit).toBe(1);
  expect(aborted.summary.split('\n')[0]).toContain('has been terminating since');
  expect(aborted.summary).not.toContain('✅');
  expect((await stage.command('abort', 'scale', { replicas: 'abort=1' })).outputs['status']).toBe('scaled');
  await letGo('deployment', 'abort-canary');
  const next = await stage.deploy('abort', app('abort', '2.0.0'));
  expect(next.outputs['status']).toBe('deployed');
  expect(await stage.exists('deployment', 'abort-canary')).toBe(false);
});

test('a rollback with prune does not call removed what a finalizer holds up', async () => {
  await stage.given('prune', [deployment('prune')]);
  const env = { GREETING: 'x' };
  await stage.given('prune', [deployment('prune', { env }), held(configMap('prune-extra', { a: '1' }))]);
  const back = await stage.command('prune', 'rollback', { prune: 'true', timeout: '20s' });
  expect(back.exit).toBe(1);
  expect(back.summary.split('\n')[0]).toMatch(
    /rolled back to revision 1 in \S+ \(now revision 3\), but ConfigMap .* has been terminating since/,
  );
  expect(back.log).not.toMatch(/prune-extra.* removed/);
  await letGo('configmap', 'prune-extra');
  expect((await stage.deploy('prune', [deployment('prune')])).exit).toBe(0);
});

test('a namespace that is going takes nothing in, and says what holds it', async () => {
  const own = await Stage.open('rolling');
  await own.apply([held(configMap('holder', { a: '1' }))]);
  await own.given('late', [configMap('late', { a: '1' })]);
  await kubectl(['delete', 'namespace', own.namespace, '--wait=false']);
  const result = await own.deploy('late', [configMap('late', { a: '1' })]);
  expect(result.exit).toBe(1);
  expect(result.outputs['failure']).toMatch(/Namespace .* has been terminating since/);
  await own.patch('configmap', 'holder', { metadata: { finalizers: null } });
});
