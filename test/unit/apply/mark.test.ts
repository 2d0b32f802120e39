import { describe, expect, test } from '@jest/globals';

import type { KubernetesObject } from '../../../src/kubernetes/object.ts';
import { manifestFrom } from '../../../src/manifests/manifest.ts';
import {
  describeMark,
  marked,
  releaseAnnotation,
  sameButMark,
  takenSince,
  withoutMark,
} from '../../../src/apply/mark.ts';
import { Ownership, type OwnershipOptions } from '../../../src/release/ownership.ts';
import { moveHistory, recordRevision } from '../../../src/release/record-revision.ts';
import { listRevisions } from '../../../src/release/revision.ts';
import { FakeApi } from '../../support/fake-api.ts';
import type { Revision } from '../../../src/release/revision-shape.ts';

const namespace = 'shop';

function config(name: string, mark?: string, annotations: Record<string, string> = {}): KubernetesObject {
  const all = { ...annotations, ...(mark === undefined ? {} : { [releaseAnnotation]: mark }) };
  return {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name, namespace, ...(Object.keys(all).length === 0 ? {} : { annotations: all }) },
  };
}

describe('a mark', () => {
  test('stands on what is applied, and not on the manifest', () => {
    const manifest = config('a', undefined, { note: 'x' });
    expect(marked(manifest, 'shop/web')).toEqual(config('a', 'shop/web', { note: 'x' }));
    expect(manifest).toEqual(config('a', undefined, { note: 'x' }));
  });

  test('is none on what releases share by its nature', () => {
    const space = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } };
    expect(marked(space, 'shop/web')).toBe(space);
  });

  test.each([
    ['alone', config('a', 'shop/web'), config('a')],
    ['beside others', config('a', 'shop/web', { note: 'x' }), config('a', undefined, { note: 'x' })],
    ['where there is none', config('a'), config('a')],
  ])('is taken off without a trace: %s', (_, object, expected) => {
    expect(withoutMark(object)).toEqual(expected);
  });

  test('alone makes no difference between two sets of owned fields', () => {
    const own = { 'f:metadata': { 'f:annotations': { [`f:${releaseAnnotation}`]: {} } }, 'f:data': { 'f:a': {} } };
    expect(sameButMark(own, { 'f:data': { 'f:a': {} } })).toBe(true);
    expect(sameButMark(own, { 'f:data': { 'f:b': {} } })).toBe(false);
    expect(sameButMark(own, { 'f:metadata': { 'f:annotations': { 'f:note': {} } }, 'f:data': { 'f:a': {} } })).toBe(
      false,
    );
  });

  test('tells that another release has taken the object since, unless it had it before', () => {
    expect(takenSince(config('a', 'shop/other'), 'shop/web')).toBe('shop/other');
    expect(takenSince(config('a', 'shop/web'), 'shop/web')).toBeUndefined();
    expect(takenSince(config('a'), 'shop/web')).toBeUndefined();
    expect(takenSince(config('a', 'shop/other'), 'shop/web', config('a', 'shop/other'))).toBeUndefined();
  });

  test('is named without the namespace where that is the same', () => {
    expect(describeMark('shop/web', 'shop')).toBe('release "web"');
    expect(describeMark('bank/web', 'shop')).toBe('release "web" of namespace "bank"');
  });
});

function revision(release: string, objects: KubernetesObject[], more: Partial<Revision> = {}): Revision {
  return {
    release,
    revision: 1,
    outcome: 'live',
    strategy: 'rolling',
    startedAt: '2026-11-01T10:00:00Z',
    finishedAt: '2026-11-01T10:01:00Z',
    images: {},
    objects,
    ...more,
  };
}

async function clusterWith(...revisions: Revision[]): Promise<FakeApi> {
  const client = new FakeApi();
  for (const each of revisions) await recordRevision(client, namespace, each, []);
  client.log.length = 0;
  return client;
}

function ownershipIn(client: FakeApi, more: Partial<OwnershipOptions> = {}): Ownership {
  return new Ownership(client, { namespace, release: 'web', ...more });
}

function refused(ownership: Ownership, ...objects: KubernetesObject[]): Promise<void> {
  return ownership.refuseOthers(objects.map((live) => ({ manifest: manifestFrom(live, 'app.yaml'), live })));
}

describe('ownership', () => {
  test('goes by the mark, without asking for records', async () => {
    const client = await clusterWith();
    const ownership = ownershipIn(client);
    expect(await ownership.otherOwner(config('a', 'shop/web'))).toBeUndefined();
    expect(client.log).toEqual([]);
    expect(await ownership.otherOwner(config('a', 'shop/other'))).toEqual({ mark: 'shop/other' });
    expect(await ownership.otherOwner(config('a', 'bank/web'))).toEqual({ mark: 'bank/web' });
  });

  test('goes by the records where there is no mark, and ours count first', async () => {
    const both = config('both');
    const client = await clusterWith(revision('web', [both]), revision('other', [both, config('theirs')]));
    const ownership = ownershipIn(client);
    expect(await ownership.otherOwner(both)).toBeUndefined();
    expect((await ownership.otherOwner(config('theirs')))?.mark).toBe('shop/other');
    expect(await ownership.otherOwner(config('nobodys'))).toBeUndefined();
    expect((await ownership.otherUser(both))?.mark).toBe('shop/other');
  });

  test('of what ours has recorded is written with the next change, and not for its own sake', async () => {
    const client = await clusterWith(revision('web', [config('ours')]));
    const ownership = ownershipIn(client);
    expect(await ownership.needsMark(config('ours'))).toBe(false);
    expect(await ownership.needsMark(config('nobodys'))).toBe(true);
    expect(await ownership.needsMark(config('ours', 'shop/web'))).toBe(false);
    expect(await ownership.needsMark(config('ours', 'shop/other'))).toBe(true);
  });

  test('of one object in another release is an error that names it, its revision and the input', async () => {
    const client = await clusterWith(revision('other', [], { revision: 1 }));
    const error: unknown = await refused(ownershipIn(client), config('a', 'shop/other'), config('b')).catch(
      (reason: unknown) => reason,
    );
    expect(error).toMatchObject({
      message: 'ConfigMap "a" in namespace "shop" belongs to release "other" (revision 1 of 2026-11-01T10:01:00Z)',
      hint: expect.stringContaining('take-from-release: other'),
      location: { file: 'app.yaml' },
    });
  });

  test('of most objects in one other release is taken for a renamed release, which may be adopted', async () => {
    const objects = [config('a', 'shop/old'), config('b', 'shop/old'), config('c')];
    const client = await clusterWith(revision('old', []));
    await expect(refused(ownershipIn(client), ...objects)).rejects.toMatchObject({
      message: expect.stringContaining('2 of the 3 objects to deploy belong to release "old"'),
      hint: expect.stringContaining('adopt-release: old'),
    });
    const elsewhere = objects.slice(0, 2).map(({ metadata }) => config(metadata.name, 'bank/old'));
    await expect(refused(ownershipIn(client), ...elsewhere)).rejects.toMatchObject({
      hint: 'To move the objects without their history, set "take-from-release: bank/old".',
    });
  });

  test('may change by the inputs, from the named release alone', async () => {
    const client = await clusterWith();
    await expect(refused(ownershipIn(client, { takeFrom: 'old' }), config('a', 'shop/old'))).resolves.toBeUndefined();
    await expect(refused(ownershipIn(client, { adopt: 'old' }), config('a', 'shop/old'))).resolves.toBeUndefined();
    await expect(refused(ownershipIn(client, { takeFrom: 'bank/x' }), config('a', 'bank/x'))).resolves.toBeUndefined();
    await expect(refused(ownershipIn(client, { takeFrom: 'old' }), config('a', 'shop/third'))).rejects.toThrow('third');
  });

  test('of what the release had under its former name stays its own', async () => {
    const client = await clusterWith(revision('web', [], { formerly: ['old'] }));
    expect(await ownershipIn(client).otherOwner(config('a', 'shop/old'))).toBeUndefined();
  });
});

test('a history that is moved has all its revisions under the new name and none under the old one, also after a kill half-way', async () => {
  const old = [
    revision('old', [config('a')], { outcome: 'superseded' }),
    revision('old', [config('a')], { revision: 2 }),
  ];
  const client = await clusterWith(...old);
  let writes = 0;
  client.before = (operation) => {
    if (!['create', 'delete'].includes(operation)) return;
    writes += 1;
    if (writes === 3) throw new Error('killed');
  };
  const move = async () => {
    const left = await listRevisions(client, namespace, 'old');
    await moveHistory(client, namespace, left, { from: 'old', to: 'web' });
  };
  await expect(move()).rejects.toThrow('killed');
  expect((await listRevisions(client, namespace, 'web')).length).toBe(2);
  await move();
  expect(await listRevisions(client, namespace, 'old')).toEqual([]);
  const moved = await listRevisions(client, namespace, 'web');
  expect(moved.map(({ revision: number, outcome, formerly }) => ({ number, outcome, formerly }))).toEqual([
    { number: 1, outcome: 'superseded', formerly: ['old'] },
    { number: 2, outcome: 'live', formerly: ['old'] },
  ]);
});
