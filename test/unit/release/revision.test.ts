import { describe, expect, test } from '@jest/globals';

import { recordRevision, supersedeOlder, writeRevision } from '../../../src/release/record-revision.ts';
import {
  commitOf,
  isSameRelease,
  listAsRecorded,
  listRevisions,
  liveRevision,
  nextRevision,
  problemsOfRevisions,
} from '../../../src/release/revision.ts';
import { keyOf, type KubernetesObject } from '../../../src/kubernetes/object.ts';
import { FakeApi } from '../../support/fake-api.ts';
import { configMap, revision } from './build.ts';
import type { Outcome, Revision } from '../../../src/release/revision-shape.ts';

async function recordAll(api: FakeApi, outcomes: readonly Outcome[]): Promise<Revision[]> {
  for (const outcome of outcomes) {
    const known = await listRevisions(api, 'shop', 'web');
    await recordRevision(api, 'shop', revision(nextRevision(known), outcome), known);
  }
  return await listRevisions(api, 'shop', 'web');
}

const short = (revisions: readonly Revision[]) => revisions.map((entry) => `${entry.revision} ${entry.outcome}`);

describe('the history of a release', () => {
  test('has one live revision: the last that was good', async () => {
    const revisions = await recordAll(new FakeApi(), ['live', 'live', 'undone']);
    expect(short(revisions)).toEqual(['1 superseded', '2 live', '3 undone']);
    expect(liveRevision(revisions)?.revision).toBe(2);
  });

  test('goes back to the good one after two bad ones (kubernetes/kubernetes#49701)', async () => {
    const revisions = await recordAll(new FakeApi(), ['live', 'failed', 'failed']);
    expect(liveRevision(revisions)?.revision).toBe(1);
  });

  test('is sorted by number, not by name', async () => {
    const revisions = await recordAll(
      new FakeApi(),
      Array.from({ length: 10 }, (): Outcome => 'live'),
    );
    expect(revisions.map((entry) => entry.revision)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
    expect(nextRevision(revisions)).toBe(11);
  });

  test('keeps what was live before, so that there is something to roll back to after many failures', async () => {
    const failures = Array.from({ length: 14 }, (): Outcome => 'failed');
    const revisions = await recordAll(new FakeApi(), ['live', ...failures, 'live']);
    expect(short(revisions)[0]).toBe('1 superseded');
    expect(liveRevision(revisions)?.revision).toBe(16);
  });

  test('keeps ten, the live one among them however old it is', async () => {
    const revisions = await recordAll(new FakeApi(), ['live', ...Array.from({ length: 14 }, (): Outcome => 'failed')]);
    expect(revisions.map((entry) => entry.revision)).toEqual([1, 7, 8, 9, 10, 11, 12, 13, 14, 15]);
  });

  test('keeps the last five that were live through twelve failed deploys, and numbers go on', async () => {
    const failures = Array.from({ length: 12 }, (): Outcome => 'failed');
    const api = new FakeApi();
    const revisions = await recordAll(api, ['live', 'live', 'live', 'live', 'live', 'live', 'live', ...failures]);
    expect(short(revisions.filter(({ outcome }) => outcome !== 'failed'))).toEqual([
      '2 superseded',
      '3 superseded',
      '4 superseded',
      '5 superseded',
      '6 superseded',
      '7 live',
    ]);
    expect(revisions.length).toBe(10);
    expect(nextRevision(revisions)).toBe(20);
  });

  test('goes on without a revision that cannot be read, and does not use its number again', async () => {
    const api = new FakeApi();
    await recordAll(api, ['live', 'live']);
    const name = 'gke-rollout.web.v2';
    const secret = api.get({ apiVersion: 'v1', kind: 'Secret', namespace: 'shop', name });
    api.put({ ...secret, data: { record: 'cnViYmlzaA==' } } as KubernetesObject);
    const revisions = await listRevisions(api, 'shop', 'web');
    expect(short(revisions)).toEqual(['1 superseded', '2 unreadable']);
    expect(liveRevision(revisions)).toBeUndefined();
    expect(problemsOfRevisions(revisions)).toEqual([expect.stringContaining(`Secret "${name}"`)]);
    expect(short(await recordAll(api, ['live']))).toEqual(['1 superseded', '2 unreadable', '3 live']);
  });

  test('begins with 1', () => {
    expect(nextRevision([])).toBe(1);
  });
});

test('what is left to do after a record may meet the next run, which does the same', async () => {
  const api = new FakeApi();
  const known = await recordAll(api, ['live']);
  const tidyUp = await writeRevision(api, 'shop', revision(2, 'live'), known);
  await supersedeOlder(api, 'shop', 'web');
  await tidyUp.run();
  expect(short(await listAsRecorded(api, 'shop', 'web'))).toEqual(['1 superseded', '2 live']);
});

test('what is left to do after a record is one request for the older one, as it was read before', async () => {
  const api = new FakeApi();
  const known = await recordAll(api, ['live']);
  const tidyUp = await writeRevision(api, 'shop', revision(2, 'live'), known);
  const from = api.log.length;
  await tidyUp.run();
  expect(api.log.slice(from)).toEqual(['apply Secret/gke-rollout.web.v1']);
});

describe('a run that was killed', () => {
  test('between the record of its revision and that of the one before leaves two live ones, of which the later one stays', async () => {
    const api = new FakeApi();
    await recordAll(api, ['live']);
    await recordRevision(api, 'shop', revision(2, 'live'), []);
    expect(short(await listAsRecorded(api, 'shop', 'web'))).toEqual(['1 live', '2 live']);
    expect(short(await listRevisions(api, 'shop', 'web'))).toEqual(['1 superseded', '2 live']);
    await supersedeOlder(api, 'shop', 'web');
    expect(short(await listAsRecorded(api, 'shop', 'web'))).toEqual(['1 superseded', '2 live']);
  });

  test('before the one before was marked is made good with the next record', async () => {
    const api = new FakeApi();
    await recordAll(api, ['live']);
    await recordRevision(api, 'shop', revision(2, 'live'), []);
    await recordAll(api, ['live']);
    expect(await listAsRecorded(api, 'shop', 'web')).toMatchObject([
      { revision: 1, outcome: 'superseded' },
      { revision: 2, outcome: 'superseded' },
      { revision: 3, outcome: 'live' },
    ]);
  });

  test('drops no record that another run has made since under the same number', async () => {
    const api = new FakeApi();
    const known = await recordAll(api, ['failed', ...Array.from({ length: 9 }, (): Outcome => 'live')]);
    const tidyUp = await writeRevision(api, 'shop', revision(11, 'live'), known);
    api.objects.delete(keyOf({ apiVersion: 'v1', kind: 'Secret', namespace: 'shop', name: 'gke-rollout.web.v1' }));
    await recordRevision(api, 'shop', revision(1, 'live', { startedAt: '2026-02-02T00:00:00.000Z' }), []);
    await tidyUp.run();
    expect((await listAsRecorded(api, 'shop', 'web'))[0]).toMatchObject({ revision: 1, outcome: 'live' });
  });
});

test('a revision is the same as manifests only with the same objects and no others', () => {
  const recorded = { ...revision(1, 'live'), objects: [configMap({ a: '1' })] };
  expect(isSameRelease(recorded, [configMap({ a: '1' })])).toBe(true);
  expect(isSameRelease(recorded, [configMap({ a: '2' })])).toBe(false);
  expect(isSameRelease(recorded, [])).toBe(false);
});

describe('the commit of a revision', () => {
  const first = { revision: 1, commit: 'a'.repeat(40) };
  const all = [first, { revision: 2, commit: 'b'.repeat(40) }, { revision: 3 }] as Revision[];

  test('is its own', () => {
    expect(commitOf(all[1], all)).toBe('b'.repeat(40));
    expect(commitOf(all[2], all)).toBeUndefined();
    expect(commitOf(undefined, all)).toBeUndefined();
  });

  test('of a rollback is that of what it has brought back, whatever its own run was started from', () => {
    expect(commitOf({ restores: 1, commit: 'c'.repeat(40) }, all)).toBe(first.commit);
    expect(commitOf({ restores: 3, commit: 'c'.repeat(40) }, all)).toBeUndefined();
  });

  test('of a rollback to one that is dropped by now is what was recorded with it', () => {
    expect(commitOf({ restores: 9, commit: first.commit }, all)).toBe(first.commit);
  });
});
