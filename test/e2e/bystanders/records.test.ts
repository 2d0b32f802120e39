import { expect, test } from '@jest/globals';

import { configMap, deployment } from '../../support/objects.ts';
import { app, image, Stage } from '../../support/strategy-stage.ts';

test('a rollback names what came in between and stays, and "prune" removes it', async () => {
  await using stage = await Stage.open('rolling');
  await stage.given('shop', [configMap('flags', { a: '1' })]);
  await stage.given('shop', [configMap('flags', { a: '2' }), configMap('between', { a: '1' })]);
  await stage.given('shop', [configMap('flags', { a: '3' })]);
  const back = await stage.command('shop', 'rollback', { 'to-revision': '1' });
  expect([back.exit, back.log]).toEqual([0, expect.stringContaining('ConfigMap "between" in namespace') as unknown]);
  expect(back.log).toContain('is not in revision 1 and was left; "prune: true" removes it');
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

test('a copy of config that no side reads any more is named, and not before', async () => {
  await using stage = await Stage.open('blue-green');
  const reading = { pod: { volumes: [{ name: 'flags', configMap: { name: 'flags' } }] } };
  const stray = 'ConfigMap "flags-green" is of an earlier canary or blue-green deploy, and nothing uses it any more';
  await stage.given('web', [...app('web', '1.0.0', reading), configMap('flags', { a: '1' })]);
  const turns = [
    await stage.given('web', [...app('web', '2.0.0', reading), configMap('flags', { a: '1' })]),
    await stage.given('web', [...app('web', '3.0.0'), configMap('flags', { a: '1' })]),
    await stage.given('web', [...app('web', '1.0.0'), configMap('flags', { a: '1' })]),
  ];
  expect(await stage.exists('configmap', 'flags-green')).toBe(true);
  expect(turns.map(({ log }) => log.includes(stray))).toEqual([false, false, true]);
  expect(turns.filter(({ log }) => log.includes('of an earlier canary or blue-green'))).toHaveLength(1);
});
