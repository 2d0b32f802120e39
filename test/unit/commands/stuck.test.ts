import { expect, test } from '@jest/globals';

import { guardedChange } from '../../../src/release/change.ts';
import { refOf, type ObjectRef } from '../../../src/kubernetes/object.ts';
import { readJournal } from '../../../src/release/journal.ts';
import { recordRevision } from '../../../src/release/record-revision.ts';
import { listRevisions, remarksOnKept } from '../../../src/release/revision.ts';
import { FakeApi, refusal } from '../../support/fake-api.ts';
import { configMap } from '../release/build.ts';
import { contextOf, options } from './build.ts';

const time = '2026-01-01T00:00:00.000Z';

/** A release whose revision 1 is live, and an object of it. */
async function releaseIn(api: FakeApi) {
  const facts = { release: 'web', strategy: 'rolling', startedAt: time, finishedAt: time, images: {}, objects: [] };
  await recordRevision(api, 'shop', { ...facts, revision: 1, outcome: 'live' }, []);
  return api.put(configMap({ a: '1' }));
}

/** A run of a command that makes no revision, changes the object and fails. */
async function failingRun(api: FakeApi, holder: string, ref: ObjectRef) {
  return await guardedChange(
    contextOf(api, holder),
    { ...options, undoTimeoutMs: 500 },
    {
      command: 'scale',
      work: async ({ journal }) => {
        const before = await api.read(ref);
        if (before === undefined) throw new Error('it is not there');
        const after = api.put({ ...before, data: { a: '2' } });
        await journal.plan([{ ref, before, after, done: true }]);
        throw new Error('no');
      },
      beforeUndo: () => Promise.resolve(),
    },
  );
}

async function nextRun(api: FakeApi, holder: string): Promise<string> {
  const outcome = await guardedChange(
    contextOf(api, holder),
    { ...options, undoTimeoutMs: 500 },
    {
      command: 'deploy',
      work: () => Promise.resolve('done'),
      beforeUndo: () => Promise.resolve(),
    },
  );
  return outcome.state;
}

test('what the server will never take back is recorded as kept, and the next run goes on (helm/helm#11359)', async () => {
  const api = new FakeApi();
  const object = await releaseIn(api);
  api.before = (operation, ref) => {
    if (operation === 'replace' && ref.kind === 'ConfigMap') throw refusal(403, 'Forbidden', ref);
  };
  const outcome = await failingRun(api, 'run-1', refOf(object));
  expect(outcome).toMatchObject({
    state: 'failed',
    failure: { undo: { complete: false, results: [{ outcome: 'refused' }] } },
  });
  expect(await readJournal(api, 'shop', 'web')).toBeUndefined();
  expect(remarksOnKept(await listRevisions(api, 'shop', 'web'))).toEqual([
    expect.stringContaining('ConfigMap "a" in namespace "shop" stays as revision 1 left it'),
  ]);
  expect(await nextRun(api, 'run-2')).toBe('done');
});

test('what could not be undone now is tried by the next run, and kept when that cannot do it either', async () => {
  const api = new FakeApi();
  const object = await releaseIn(api);
  let isDown = true;
  api.before = (operation, ref) => {
    if (operation === 'replace' && ref.kind === 'ConfigMap' && isDown) throw refusal(500, 'InternalError', ref);
  };
  await failingRun(api, 'run-1', refOf(object));
  expect((await readJournal(api, 'shop', 'web'))?.record.undoAttempts).toBe(1);
  expect(await nextRun(api, 'run-2')).toBe('done');
  expect(api.get(refOf(object))).toMatchObject({ data: { a: '2' } });
  expect(remarksOnKept(await listRevisions(api, 'shop', 'web'))).toEqual([
    expect.stringContaining('tried by two runs'),
  ]);

  await failingRun(api, 'run-3', refOf(object));
  isDown = false;
  const before = api.get(refOf(object));
  expect(await nextRun(api, 'run-4')).toBe('done');
  expect(before?.metadata.uid).toBe(api.get(refOf(object))?.metadata.uid);
});
