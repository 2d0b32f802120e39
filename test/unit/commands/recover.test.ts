import { expect, test } from '@jest/globals';

import { recover } from '../../../src/commands/recover.ts';
import { connectionError } from '../../../src/kubernetes/errors.ts';
import { keyOf, refOf } from '../../../src/kubernetes/object.ts';
import { Journal, readJournal } from '../../../src/release/journal.ts';
import { recordRevision } from '../../../src/release/record-revision.ts';
import { listRevisions } from '../../../src/release/revision.ts';
import { FakeApi, refusal } from '../../support/fake-api.ts';
import { HastyClock } from '../../support/fake-clock.ts';
import { contextOf, options } from './build.ts';
import type { Outcome } from '../../../src/release/revision-shape.ts';

const startedAt = '2026-01-01T00:00:00.000Z';

function configMap(api: FakeApi, name: string) {
  return api.put({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, namespace: 'shop' } });
}

/** A run that made one object on its way to revision 1. */
async function cancelledRun(api: FakeApi): Promise<Journal> {
  const made = configMap(api, 'made');
  const record = { release: 'web', command: 'deploy', revision: 1, run: { holder: 'run' }, startedAt };
  const journal = new Journal(api, 'shop', { ...record, undoOnFailure: true, entries: [] });
  await journal.plan([{ ref: refOf(made), before: null, after: made, done: true }]);
  return journal;
}

async function recordAs(api: FakeApi, outcome: Outcome): Promise<void> {
  const objects = [{ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'made', namespace: 'shop' } }];
  const times = { startedAt, finishedAt: startedAt };
  const revision = { release: 'web', revision: 1, outcome, strategy: 'canary', ...times, images: {}, objects };
  await recordRevision(api, 'shop', revision, []);
}

async function historyOf(api: FakeApi): Promise<string[]> {
  const revisions = await listRevisions(api, 'shop', 'web');
  return revisions.map(({ revision, outcome, objects }) => `${revision} ${outcome}, objects: ${objects.length}`);
}

test('a cancelled run is undone, and the history tells of it', async () => {
  const api = new FakeApi();
  await cancelledRun(api);
  expect((await recover(contextOf(api, 'run'), options))?.status).toBe('undone');
  expect(await historyOf(api)).toEqual(['1 undone, objects: 0']);
});

test('an undo that has written all and cannot look at the pods any more reports what it has done', async () => {
  const api = new FakeApi();
  const managedFields = [
    {
      manager: 'gke-rollout',
      operation: 'Apply' as const,
      apiVersion: 'apps/v1',
      fieldsType: 'FieldsV1',
      fieldsV1: { 'f:spec': { 'f:replicas': {} } },
    },
  ];
  const metadata = { name: 'web', namespace: 'shop', managedFields };
  const before = api.put({ apiVersion: 'apps/v1', kind: 'Deployment', metadata, spec: { replicas: 1 } });
  const after = api.put({ ...before, spec: { replicas: 2 } });
  const record = { release: 'web', command: 'deploy', revision: 1, run: { holder: 'run' }, startedAt };
  const journal = new Journal(api, 'shop', { ...record, undoOnFailure: true, entries: [] });
  await journal.plan([{ ref: refOf(before), before, after, done: true }]);
  let isWritten = false;
  api.before = (operation, { kind }) => {
    if (kind !== 'Deployment') return;
    if (isWritten && operation === 'read') throw connectionError(new Error('read ECONNRESET'), api.server);
    if (operation !== 'read') isWritten = true;
  };
  const report = await recover(contextOf(api, 'run'), options);
  expect(report?.undo?.results.map(({ outcome }) => outcome)).toEqual(['restored']);
});

test('a run whose lock another one has had meanwhile, which has dealt with what it left, undoes nothing', async () => {
  const api = new FakeApi();
  await cancelledRun(api);
  api.before = (_, { kind }) => {
    const journal = keyOf({ apiVersion: 'v1', kind: 'Secret', namespace: 'shop', name: 'gke-rollout.web.journal' });
    if (kind === 'Lease') api.objects.delete(journal);
  };
  expect(await recover(contextOf(api, 'run'), options)).toBeUndefined();
  expect(api.get({ apiVersion: 'v1', kind: 'ConfigMap', namespace: 'shop', name: 'made' })).toBeDefined();
});

test('a cancelled run that is to be left as it is stands in the history as failed', async () => {
  const api = new FakeApi();
  await cancelledRun(api);
  expect((await recover(contextOf(api, 'run'), { ...options, undoOnFailure: false }))?.status).toBe('cancelled');
  expect(await historyOf(api)).toEqual(['1 failed, objects: 0']);
});

test.each<[boolean, string]>([
  [true, '1 undone, objects: 1'],
  [false, '1 failed, objects: 1'],
])(
  'what was recorded as waiting before the run died waits no more and keeps its objects (undo: %s)',
  async (undoOnFailure, expected) => {
    const api = new FakeApi();
    await cancelledRun(api);
    await recordAs(api, 'waiting');
    await recover(contextOf(api, 'run'), { ...options, undoOnFailure });
    expect(await historyOf(api)).toEqual([expected]);
  },
);

test('a candidate that is being taken away stays recorded as aborted', async () => {
  const api = new FakeApi();
  await cancelledRun(api);
  await recordAs(api, 'aborted');
  await recover(contextOf(api, 'run'), options);
  expect(await historyOf(api)).toEqual(['1 aborted, objects: 1']);
});

test.each([true, false])(
  'a cancelled promotion leaves the candidate waiting, in the history too (undo: %s)',
  async (undoOnFailure) => {
    const api = new FakeApi();
    const journal = await cancelledRun(api);
    await recordAs(api, 'waiting');
    await journal.leaveWaiting({ revision: 1, candidates: [], since: startedAt });
    journal.beginStep();
    const promoted = configMap(api, 'promoted');
    await journal.plan([{ ref: refOf(promoted), before: null, after: promoted, done: true }]);
    await recover(contextOf(api, 'run'), { ...options, undoOnFailure });
    expect(await historyOf(api)).toEqual(['1 waiting, objects: 1']);
    expect((await readJournal(api, 'shop', 'web'))?.record.waiting?.revision).toBe(1);
  },
);

test('what the main step of the same run could not undo is tried again, and is no last try', async () => {
  const api = new FakeApi();
  const journal = await cancelledRun(api);
  await journal.undoFailed();
  api.before = (operation, ref) => {
    if (operation === 'delete' && ref.name === 'made') throw refusal(503, 'ServiceUnavailable', ref);
  };
  const context = { ...contextOf(api, 'run'), clock: new HastyClock() };
  const report = await recover(context, { ...options, hasFailed: true });
  expect(report?.headline).toContain(
    'failed and could not be undone completely: ConfigMap "made" is left for the next run',
  );
  api.before = () => undefined;
  expect((await readJournal(api, 'shop', 'web'))?.record.undoAttempts).toBe(1);
});

test('what the main step of the same run could not undo is undone once that is possible, and it is not called cancelled', async () => {
  const api = new FakeApi();
  const journal = await cancelledRun(api);
  await journal.undoFailed();
  const report = await recover(contextOf(api, 'run'), { ...options, hasFailed: true });
  expect(report?.status).toBe('undone');
  expect(report?.headline).toBe('web: deploy failed and was undone');
});
