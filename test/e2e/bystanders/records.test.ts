import { describe, expect, test } from '@jest/globals';

import { configMap, deployment } from '../../support/objects.ts';
import { app, image, Stage, until } from '../../support/strategy-stage.ts';

test('a rollback names what came in between and stays, and "prune" removes it', async () => {
  await using stage = await Stage.open('rolling');
  await stage.given('shop', [configMap('flags', { a: '1' })]);
  await stage.given('shop', [configMap('flags', { a: '2' }), configMap('between', { a: '1' })]);
  await stage.given('shop', [configMap('flags', { a: '3' })]);
  const back = await stage.command('shop', 'rollback', { 'to-revision': '1' });
  expect([back.exit, back.log]).toEqual([0, expect.stringContaining('ConfigMap "between" in namespace') as unknown]);
  expect(back.log).toContain('is not in revision 1 and was kept; "prune: true" removes it');
  expect(await stage.exists('configmap', 'between')).toBe(true);

  await stage.given('shop', [configMap('flags', { a: '5' })]);
  const pruned = await stage.command('shop', 'rollback', { 'to-revision': '1', prune: 'true' });
  expect(pruned.exit).toBe(0);
  expect(await stage.exists('configmap', 'between')).toBe(false);
  expect(await stage.exists('configmap', 'flags')).toBe(true);
});

test('there is a revision to go back to after ten deploys that have failed', async () => {
  await using stage = await Stage.open('rolling');
  await stage.given('shop', [configMap('flags', { a: '1' })]);
  await stage.given('shop', [configMap('flags', { a: '2' })]);
  const broken = deployment('web', { image: image('1.0.0'), env: { NEVER_READY: 'true' } });
  for (let count = 0; count < 10; count += 1) {
    const result = await stage.deploy('shop', [broken, configMap('flags', { a: '3' })], { timeout: '1s' });
    expect(result.exit).toBe(1);
  }
  const back = await stage.command('shop', 'rollback');
  expect([back.exit, back.outputs['status']]).toEqual([0, 'rolled-back']);
  expect((await stage.read('configmap', 'flags'))['data']).toEqual({ a: '1' });
});

test('a copy of config that no side reads any more is removed, and not before', async () => {
  await using stage = await Stage.open('blue-green');
  const reading = { pod: { volumes: [{ name: 'flags', configMap: { name: 'flags' } }] } };
  const isThere = async (version: string, options = {}) => {
    await stage.given('web', [...app('web', version, options), configMap('flags', { a: '1' })]);
    return await stage.exists('configmap', 'flags-green');
  };
  expect(await isThere('1.0.0', reading)).toBe(false);
  expect(await isThere('2.0.0', reading)).toBe(true);
  // The green side may have its turn again by a rollback.
  expect(await isThere('3.0.0')).toBe(true);
  expect(await isThere('1.0.0')).toBe(false);
});

/** A candidate that serves, and that its failed run was told to leave as it is. */
async function withLeftCandidate(stage: Stage): Promise<void> {
  await stage.given('web', app('web', '1.0.0'));
  const failed = await stage.deploy('web', app('web', '2.0.0'), { verify: '/version 404', 'undo-on-failure': 'false' });
  if (failed.exit !== 1) throw new Error(`it was not to go well: ${failed.log}`);
  await until('the candidate serves', async () => (await stage.endpoints('web')).length > 2);
}

const served = async (stage: Stage) => [await stage.imagesOf('web'), (await stage.endpoints('web')).length];

describe('a candidate that a failed run was told to leave serves no longer than until the next run:', () => {
  const old = [[image('1.0.0'), image('1.0.0')], 2];

  test.concurrent.each([
    ['a deploy of what is live', '1.0.0', {}, old],
    ['a rolling deploy', '3.0.0', { strategy: 'rolling', 'step-duration': '' }, [[image('3.0.0'), image('3.0.0')], 2]],
    ['a canary', '3.0.0', {}, [[image('3.0.0'), image('3.0.0')], 2]],
  ])('%s', async (_name, version, inputs, expected) => {
    await using stage = await Stage.open('canary');
    await withLeftCandidate(stage);
    const next = await stage.deploy('web', app('web', version), inputs);
    expect([next.exit, next.outputs['status']]).toEqual([0, 'deployed']);
    expect(await served(stage)).toEqual(expected);
    expect(await stage.exists('deployment', 'web-canary')).toBe(false);
  });

  // What is live is where it goes, not one further (helm/helm#1796).
  test.concurrent('a rollback', async () => {
    await using stage = await Stage.open('canary');
    await stage.given('web', app('web', '3.0.0'));
    await withLeftCandidate(stage);
    expect((await stage.command('web', 'status')).log).toContain(
      'Deployment "web-canary" is left over from an earlier canary',
    );
    const back = await stage.command('web', 'rollback');
    expect([back.exit, back.outputs['status']]).toEqual([0, 'rolled-back']);
    expect(await served(stage)).toEqual(old);
    expect(await stage.exists('deployment', 'web-canary')).toBe(false);
  });
});
