import { randomBytes } from 'node:crypto';

import { describe, expect, test } from '@jest/globals';

import type { Json } from '../../../src/base/json.ts';
import {
  deleteRecord,
  labelsOf,
  listRecords,
  readRecord,
  secretRef,
  versionOf,
  writeRecord,
  type RecordRef,
} from '../../../src/release/store.ts';
import type { KubernetesObject } from '../../../src/kubernetes/object.ts';
import { FakeApi, refusal } from '../../support/fake-api.ts';

const ref = { namespace: 'shop', name: 'gke-rollout.web.journal', release: 'web' };
const labels = labelsOf('web', 'journal');
/** Random text does not get smaller by compression: some Secrets are needed for it. */
const large = (bytes: number) => ({ text: randomBytes(bytes).toString('hex') });

const asIs = (value: Json) => value;
const never = () => false;

/** What is there of a record. */
function versionIn(api: FakeApi, { namespace, name }: RecordRef) {
  const there = api.get(secretRef(namespace, name));
  return there === undefined ? undefined : versionOf(there);
}

/** Writes by whoever has read what is there. */
async function put(api: FakeApi, record: RecordRef, its: Record<string, string>, value: Json) {
  return await writeRecord(api, record, its, value, { version: versionIn(api, record), isOurs: never });
}

async function read(api: FakeApi, name: string) {
  return (await readRecord(api, 'shop', name, asIs))?.value;
}

const names = (api: FakeApi) => [...api.objects.values()].map(({ metadata }) => metadata.name);

describe('a record', () => {
  test('is read as it was written', async () => {
    const api = new FakeApi();
    await put(api, ref, labels, { a: [1, 'ü', null] });
    expect(await read(api, ref.name)).toEqual({ a: [1, 'ü', null] });
    expect(names(api)).toEqual([ref.name]);
  });

  test('that is not there is undefined', async () => {
    expect(await read(new FakeApi(), 'none')).toBeUndefined();
  });

  test('too large for one Secret is kept in several, each small enough for the API server', async () => {
    const api = new FakeApi();
    const value = large(750_000);
    await put(api, ref, labels, value);
    expect(names(api).length).toBeGreaterThan(1);
    for (const object of api.objects.values()) expect(JSON.stringify(object).length).toBeLessThan(1_048_576);
    expect(await read(api, ref.name)).toEqual(value);
  });

  test('is the old one, whole, when the run dies before the last part of a new one', async () => {
    const api = new FakeApi();
    const old = large(750_000);
    await put(api, ref, labels, old);
    api.before = (operation, { name }) => {
      if (operation === 'apply' && name === ref.name) throw new Error('killed');
    };
    await expect(put(api, ref, labels, large(750_000))).rejects.toThrow('killed');
    api.before = () => undefined;
    expect(await read(api, ref.name)).toEqual(old);
  });

  test('that lacks a part is not read as a whole one', async () => {
    const api = new FakeApi();
    await put(api, ref, labels, large(750_000));
    const part = names(api).find((name) => name !== ref.name) ?? '';
    await api.delete({ apiVersion: 'v1', kind: 'Secret', namespace: 'shop', name: part });
    await expect(read(api, ref.name)).rejects.toThrow(/"gke-rollout.web.journal".*not complete/);
  });

  test('written again leaves no parts of the last one behind, and deleted none at all', async () => {
    const api = new FakeApi();
    await put(api, ref, labels, large(750_000));
    const first = names(api);
    await put(api, ref, labels, large(750_000));
    expect(names(api).filter((name) => first.includes(name))).toEqual([ref.name]);
    await put(api, ref, labels, 'small now');
    await deleteRecord(api, ref, { version: versionIn(api, ref), isOurs: never });
    expect(names(api)).toEqual([]);
  });

  test('of another name or release is not touched by a deletion', async () => {
    const api = new FakeApi();
    const other = { ...ref, name: 'gke-rollout.web.v1' };
    await put(api, other, labelsOf('web', 'revision'), large(750_000));
    const before = names(api);
    await put(api, ref, labels, large(750_000));
    await deleteRecord(api, ref, { version: versionIn(api, ref), isOurs: never });
    expect(names(api)).toEqual(before);
  });
});

test('records are listed by release and sort', async () => {
  const api = new FakeApi();
  await put(api, ref, labels, 'journal');
  await put(api, { ...ref, name: 'gke-rollout.web.v1' }, labelsOf('web', 'revision'), 'one');
  await put(api, { ...ref, name: 'gke-rollout.api.v1', release: 'api' }, labelsOf('api', 'revision'), 'other');
  const records = await listRecords(api, 'shop', labelsOf('web', 'revision'), asIs);
  expect(records).toMatchObject([{ name: 'gke-rollout.web.v1', labels: labelsOf('web', 'revision'), value: 'one' }]);
});

test('a record that cannot be read does not hide the others, and its Secret is named', async () => {
  const api = new FakeApi();
  const revisions = labelsOf('web', 'revision');
  await put(api, { ...ref, name: 'gke-rollout.web.v1' }, revisions, 'one');
  await put(api, { ...ref, name: 'gke-rollout.web.v2' }, revisions, 'two');
  const secret = api.get({ apiVersion: 'v1', kind: 'Secret', namespace: 'shop', name: 'gke-rollout.web.v2' });
  api.put({ ...secret, data: { record: 'cnViYmlzaA==' } } as KubernetesObject);
  const [one, two] = await listRecords(api, 'shop', revisions, asIs);
  expect(one).toMatchObject({ value: 'one' });
  expect(two).toEqual({
    name: 'gke-rollout.web.v2',
    labels: revisions,
    problem: expect.stringContaining('the record in Secret "gke-rollout.web.v2" of namespace "shop" cannot be read: '),
  });
});

test('a server that does not answer is no broken record', async () => {
  const api = new FakeApi();
  await put(api, { ...ref, name: 'gke-rollout.web.v1' }, labelsOf('web', 'revision'), 'x'.repeat(10));
  await put(api, { ...ref, name: 'gke-rollout.web.v1' }, labelsOf('web', 'revision'), large(750_000));
  api.before = (operation, about) => {
    if (operation === 'read') throw refusal(500, 'InternalError', about);
  };
  await expect(listRecords(api, 'shop', labelsOf('web', 'revision'), asIs)).rejects.toThrow('InternalError');
});
