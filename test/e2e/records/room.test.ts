import { randomBytes } from 'node:crypto';

import { afterAll, beforeAll, expect, test } from '@jest/globals';

import { isObject } from '../../../src/base/json.ts';
import { configMap } from '../../support/objects.ts';
import { recordData, valueIn } from '../../support/stored-record.ts';
import { Stage, until } from '../../support/strategy-stage.ts';

/** Many records, large ones, and no place for them. */

let stage: Stage;

beforeAll(async () => {
  stage = await Stage.open('rolling');
});

afterAll(async () => {
  await stage[Symbol.asyncDispose]();
});

async function recordsOf(release: string): Promise<string[]> {
  const names = await stage.kubectl('get', 'secrets', '-l', `gke-rollout/release=${release}`, '-o', 'name');
  return names.split('\n').filter((name) => name !== '');
}

test('fifty revisions are told, gone back to, and grow no more', async () => {
  await stage.given('fifty', [configMap('fifty', { value: '1' })]);
  const first = await stage.read('secret', 'gke-rollout.fifty.v1');
  const value = valueIn(first);
  if (!isObject(value)) throw new Error('there is no revision');
  const others = Array.from({ length: 49 }, (_, index) => {
    const revision = index + 2;
    const outcome = revision === 50 ? 'live' : 'failed';
    const labels = { ...first.metadata.labels, 'gke-rollout/outcome': outcome };
    return {
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name: `gke-rollout.fifty.v${revision}`, labels },
      type: first['type'],
      data: recordData({ ...value, revision, outcome }),
    };
  });
  await stage.applyAs('test', others);
  const status = await stage.command('fifty', 'status');
  expect(status.exit).toBe(0);
  expect(status.outputs['revision']).toBe('50');
  expect(status.log.match(/revision \d+: failed/g)).toHaveLength(48);

  const next = await stage.deploy('fifty', [configMap('fifty', { value: '2' })]);
  expect(next.outputs['revision']).toBe('51');
  expect(await recordsOf('fifty')).toHaveLength(10);
  const back = await stage.command('fifty', 'rollback');
  expect(back.outputs).toMatchObject({ status: 'rolled-back', revision: '52' });
  expect((await stage.read('configmap', 'fifty'))['data']).toEqual({ value: '1' });
});

test('a quota without a place for the records is told before anything is written', async () => {
  await stage.given('full', [configMap('full', { value: '1' })]);
  const used = (await stage.kubectl('get', 'secrets', '-o', 'name')).trim().split('\n').length;
  await stage.kubectl('create', 'quota', 'full', `--hard=count/secrets=${used + 1}`);
  await until('the quota is counted', async () => {
    const text = await stage.kubectl('get', 'quota', 'full', '-o', 'jsonpath={.status.used}');
    return text.includes(String(used));
  });
  const refused = await stage.deploy('full', [configMap('full', { value: '2' }), configMap('more', {})]);
  await stage.kubectl('delete', 'quota', 'full');
  expect(refused.exit).toBe(1);
  expect(refused.log).toMatch(
    /no room for the record of revision 2 of release "full" .* the ResourceQuota "full" allows \d+ Secrets/,
  );
  expect((await stage.read('configmap', 'full'))['data']).toEqual({ value: '1' });
  expect(await stage.exists('configmap', 'more')).toBe(false);
  expect(await recordsOf('full')).toEqual(['secret/gke-rollout.full.v1']);
  await stage.given('full', [configMap('full', { value: '2' })]);
});

test('a thousand objects and megabytes that do not get smaller are recorded, gone back to, and leave no parts', async () => {
  const large = () => randomBytes(500_000).toString('hex');
  const small = Array.from({ length: 1000 }, (_, index) => configMap(`small-${index}`, { index: String(index) }));
  const version = (value: string) => [
    configMap('large-1', { value }),
    configMap('large-2', { value: large() }),
    ...small,
  ];
  const timeout = { timeout: '280s' };
  const first = large().slice(0, 900_000);
  await stage.given('large', version(first), timeout);
  await stage.given('large', version(large().slice(0, 900_000)), timeout);
  const count = (await recordsOf('large')).length;
  expect(count).toBeGreaterThan(2);
  const back = await stage.command('large', 'rollback', timeout);
  expect(back.outputs['status']).toBe('rolled-back');
  expect((await stage.read('configmap', 'large-1'))['data']).toEqual({ value: first });
  expect(await stage.exists('secret', 'gke-rollout.large.journal')).toBe(false);
  const left = (await recordsOf('large')).filter((name) => name.includes('.journal.'));
  expect(left).toEqual([]);
});
