import { randomBytes } from 'node:crypto';

import { describe, expect, test } from '@jest/globals';

import { deleteRecord, labelsOf, listRecords, readRecord, writeRecord } from '../../../src/release/store.ts';
import type { KubernetesObject } from '../../../src/kubernetes/object.ts';
import { FakeApi, refusal } from '../../support/fake-api.ts';

const ref = { namespace: 'shop', name: 'gke-rollout.web.journal', release: 'web' };
const labels = labelsOf('web', 'journal');
/** Random text does not get smaller by compression: some Secrets are needed for it. */
const large = (bytes: number) => ({ text: randomBytes(bytes).toString('hex') });

const names = (api: FakeApi) => [...api.objects.values()].map(({ metadata }) => metadata.name);

describe('a record', () => {
  test('is read as it was written', async () => {
    const api = new FakeApi();
    await writeRecord(api, ref, labels, { a: [1, 'ü', null] });
    expect(await readRecord(api, 'shop', ref.name)).toEqual({ a: [1, 'ü', null] });
    expect(names(api)).toEqual([ref.name]);
  });

  test('that is not there is undefined', async () => {
    expect(await readRecord(new FakeApi(), 'shop', 'none')).toBeUndefined();
  });

  test('too large for one Secret is kept in several, each small enough for the API server', async () => {
    const api = new FakeApi();
    const value = large(750_000);
    await writeRecord(api, ref, labels, value);
    expect(names(api).length).toBeGreaterThan(1);
    for (const object of api.objects.values()) expect(JSON.stringify(object).length).toBeLessThan(1_048_576);
    expect(await readRecord(api, 'shop', ref.name)).toEqual(value);
  });

  test('is the old one, whole, when the run dies before the last part of a new one', async () => {
    const api = new FakeApi();
    const old = large(750_000);
    await writeRecord(api, ref, labels, old);
    api.before = (operation, { name }) => {
      if (operation === 'apply' && name === ref.name) throw new Error('killed');
    };
    await expect(writeRecord(api, ref, labels, large(750_000))).rejects.toThrow('killed');
    api.before = () => undefined;
    expect(await readRecord(api, 'shop', ref.name)).toEqual(old);
  });

  test('that lacks a part is not read as a whole one', async () => {
    const api = new FakeApi();
    await writeRecord(api, ref, labels, large(750_000));
    const part = names(api).find((name) => name !== ref.name) ?? '';
    await api.delete({ apiVersion: 'v1', kind: 'Secret', namespace: 'shop', name: part });
    await expect(readRecord(api, 'shop', ref.name)).rejects.toThrow(/"gke-rollout.web.journal".*not complete/);
  });

  test('written again leaves no parts of the last one behind, and deleted none at all', async () => {
    const api = new FakeApi();
    await writeRecord(api, ref, labels, large(750_000));
    const first = names(api);
    await writeRecord(api, ref, labels, large(750_000));
    expect(names(api).filter((name) => first.includes(name))).toEqual([ref.name]);
    await writeRecord(api, ref, labels, 'small now');
    await deleteRecord(api, ref);
    expect(names(api)).toEqual([]);
  });

  test('of another name or release is not touched by a deletion', async () => {
    const api = new FakeApi();
    const other = { ...ref, name: 'gke-rollout.web.v1' };
    await writeRecord(api, other, labelsOf('web', 'revision'), large(750_000));
    const before = names(api);
    await writeRecord(api, ref, labels, large(750_000));
    await deleteRecord(api, ref);
    expect(names(api)).toEqual(before);
  });
});

test('records are listed by release and sort', async () => {
  const api = new FakeApi();
  await writeRecord(api, ref, labels, 'journal');
  await writeRecord(api, { ...ref, name: 'gke-rollout.web.v1' }, labelsOf('web', 'revision'), 'one');
  await writeRecord(api, { ...ref, name: 'gke-rollout.api.v1', release: 'api' }, labelsOf('api', 'revision'), 'other');
  const records = await listRecords(api, 'shop', labelsOf('web', 'revision'));
  expect(records).toEqual([{ name: 'gke-rollout.web.v1', labels: labelsOf('web', 'revision'), value: 'one' }]);
});

test('a record that cannot be read does not hide the others, and its Secret is named', async () => {
  const api = new FakeApi();
  const revisions = labelsOf('web', 'revision');
  await writeRecord(api, { ...ref, name: 'gke-rollout.web.v1' }, revisions, 'one');
  await writeRecord(api, { ...ref, name: 'gke-rollout.web.v2' }, revisions, 'two');
  const secret = api.get({ apiVersion: 'v1', kind: 'Secret', namespace: 'shop', name: 'gke-rollout.web.v2' });
  api.put({ ...secret, data: { record: 'cnViYmlzaA==' } } as KubernetesObject);
  const [one, two] = await listRecords(api, 'shop', revisions);
  expect(one).toMatchObject({ value: 'one' });
  expect(two).toEqual({
    name: 'gke-rollout.web.v2',
    labels: revisions,
    problem: expect.stringContaining('the record in Secret "gke-rollout.web.v2" cannot be read: '),
  });
});

test('a server that does not answer is no broken record', async () => {
  const api = new FakeApi();
  await writeRecord(api, { ...ref, name: 'gke-rollout.web.v1' }, labelsOf('web', 'revision'), 'x'.repeat(10));
  await writeRecord(api, { ...ref, name: 'gke-rollout.web.v1' }, labelsOf('web', 'revision'), large(750_000));
  api.before = (operation, about) => {
    if (operation === 'read') throw refusal(500, 'InternalError', about);
  };
  await expect(listRecords(api, 'shop', labelsOf('web', 'revision'))).rejects.toThrow('InternalError');
});
