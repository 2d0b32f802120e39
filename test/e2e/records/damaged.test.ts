import { gzipSync } from 'node:zlib';

import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';

import { packedData, recordData, valueIn } from '../../support/stored-record.ts';
import { configMap } from '../../support/objects.ts';
import { Stage } from '../../support/strategy-stage.ts';

/** Records that somebody has damaged: one sentence says which and what to do, and all else goes on. */

let stage: Stage;

beforeAll(async () => {
  stage = await Stage.open('rolling');
});

afterAll(async () => {
  await stage[Symbol.asyncDispose]();
});

async function damage(secret: string, data: Record<string, string | null>): Promise<void> {
  await stage.patch('secret', secret, { data });
}

/** The journal of a run that has died, as somebody makes it who may write Secrets. */
async function plant(release: string, data: Record<string, string>): Promise<void> {
  const labels = {
    'app.kubernetes.io/managed-by': 'gke-rollout',
    'gke-rollout/release': release,
    'gke-rollout/record': 'journal',
  };
  const metadata = { name: `gke-rollout.${release}.journal`, labels };
  await stage.applyAs('mallory', [{ apiVersion: 'v1', kind: 'Secret', metadata, type: 'gke-rollout/record', data }]);
}

const dataOf = async (name: string) => (await stage.read('configmap', name))['data'];

describe('a revision that cannot be read', () => {
  test('is told, keeps its number, and is in the way of nothing else', async () => {
    for (const value of ['1', '2', '3']) await stage.given('damaged', [configMap('damaged', { value })]);
    await damage('gke-rollout.damaged.v3', { record: 'cnViYmlzaA==' });
    await damage('gke-rollout.damaged.v1', recordData([]));

    const status = await stage.command('damaged', 'status');
    expect(status.exit).toBe(0);
    for (const number of [1, 3]) {
      expect(status.log).toMatch(
        new RegExp(
          `the record in Secret "gke-rollout.damaged.v${number}" of namespace "${stage.namespace}" cannot be read`,
        ),
      );
    }

    const refused = await stage.command('damaged', 'rollback', { 'to-revision': '1' });
    expect(refused.exit).toBe(1);
    expect(refused.log).toContain('revision 1 of release "damaged" has no recorded objects');
    expect(await dataOf('damaged')).toEqual({ value: '3' });

    const back = await stage.command('damaged', 'rollback', { 'to-revision': '2' });
    expect(back.log).toContain('damaged: ConfigMap "damaged" changed, rolled back to revision 2 in ');
    expect(back.outputs['revision']).toBe('4');
    expect(await dataOf('damaged')).toEqual({ value: '2' });

    const next = await stage.deploy('damaged', [configMap('damaged', { value: '5' })]);
    expect(next.outputs['revision']).toBe('5');
  });

  test('and whose labels are gone, so that it is found no more, is not written over', async () => {
    await stage.given('unlabelled', [configMap('unlabelled', { value: '1' })]);
    await stage.given('unlabelled', [configMap('unlabelled', { value: '2' })]);
    await stage.kubectl('label', 'secret', 'gke-rollout.unlabelled.v2', 'gke-rollout/record-');
    const before = await stage.read('secret', 'gke-rollout.unlabelled.v2');
    const next = await stage.deploy('unlabelled', [configMap('unlabelled', { value: '3' })]);
    expect(next.outputs['revision']).toBe('3');
    expect((await stage.read('secret', 'gke-rollout.unlabelled.v2'))['data']).toEqual(before['data']);
  });
});

describe('a journal that cannot be read', () => {
  test.each<[string, Record<string, string>, string]>([
    ['null', recordData(null), 'it is not a map'],
    ['without its run', recordData({ release: 'journal', command: 'deploy', entries: [] }), '"run"'],
    ['of a newer version', recordData({}, { format: 9 }), 'was written by a newer version of this action'],
    ['a bomb', packedData(gzipSync(Buffer.alloc(700_000_000))), 'unpacks to more than 67108864 bytes'],
  ])('is not followed and not believed to be none: %s', async (_, data, problem) => {
    await stage.given('journal', [configMap('journal', { value: '1' })]);
    await plant('journal', data);
    const secret = `the record in Secret "gke-rollout.journal.journal" of namespace "${stage.namespace}" cannot be read: `;
    const status = await stage.command('journal', 'status');
    expect(status.exit).toBe(0);
    expect(status.log).toContain(secret);

    const refused = await stage.deploy('journal', [configMap('journal', { value: '2' })]);
    expect(refused.exit).toBe(1);
    expect(refused.log).toContain(secret);
    expect(refused.log).toContain(problem);
    expect(refused.log).toContain(`kubectl delete secret gke-rollout.journal.journal -n ${stage.namespace}`);
    expect(await dataOf('journal')).toEqual({ value: '1' });

    await stage.kubectl('delete', 'secret', 'gke-rollout.journal.journal');
    await stage.given('journal', [configMap('journal', { value: '1' })]);
  });
});

test('a record that an earlier version has written is read as ever', async () => {
  await stage.given('earlier', [configMap('earlier', { value: '1' })]);
  const secret = await stage.read('secret', 'gke-rollout.earlier.v1');
  // Then nothing said how it is written.
  const old = recordData(valueIn(secret));
  await stage.kubectl('delete', 'secret', 'gke-rollout.earlier.v1');
  const { labels } = secret.metadata;
  const metadata = { name: 'gke-rollout.earlier.v1', labels };
  await stage.applyAs('gke-rollout', [{ apiVersion: 'v1', kind: 'Secret', metadata, type: secret['type'], data: old }]);
  await stage.given('earlier', [configMap('earlier', { value: '2' })]);
  const back = await stage.command('earlier', 'rollback');
  expect(back.log).toContain('earlier: ConfigMap "earlier" changed, rolled back to revision 1 in ');
  expect(await dataOf('earlier')).toEqual({ value: '1' });
});
