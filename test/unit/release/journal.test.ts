import { expect, test } from '@jest/globals';

import { refOf } from '../../../src/kubernetes/object.ts';
import { readJournal, stepsBackwards } from '../../../src/release/journal.ts';
import { FakeApi } from '../../support/fake-api.ts';
import { configMap, journalIn } from './build.ts';

const before = configMap({ a: '1' });
const predicted = configMap({ a: '2' });
const entry = { ref: refOf(before), before, after: predicted, done: false };

test('the next run finds what a killed one had planned, and who it was', async () => {
  const api = new FakeApi();
  await journalIn(api).plan([entry]);
  const found = await readJournal(api, 'shop', 'web');
  expect(found?.record).toMatchObject({ command: 'deploy', run: { holder: 'run-1' }, undoOnFailure: true });
  expect(found?.record.entries).toEqual([entry]);
});

test('what was written replaces what was planned, and what was there before stays', async () => {
  const api = new FakeApi();
  const journal = journalIn(api);
  await journal.plan([entry]);
  const after = configMap({ a: '2', defaulted: 'x' });
  await journal.done([{ ref: entry.ref, after }]);
  expect((await readJournal(api, 'shop', 'web'))?.record.entries).toEqual([{ ...entry, after, done: true }]);
});

test('a layer of many objects costs one write before and one after', async () => {
  const api = new FakeApi();
  const journal = journalIn(api);
  const entries = Array.from({ length: 200 }, (_, index) => {
    const object = configMap({}, { name: `c${index}` });
    return { ref: refOf(object), before: null, after: object, done: false };
  });
  await journal.plan(entries);
  await journal.done(entries.map(({ ref, after }) => ({ ref, after })));
  expect(api.log.filter((line) => /^(create|apply)/.test(line))).toHaveLength(2);
});

test('a closed journal is gone', async () => {
  const api = new FakeApi();
  const journal = journalIn(api);
  await journal.plan([entry]);
  await journal.close();
  expect(await readJournal(api, 'shop', 'web')).toBeUndefined();
  expect(api.objects.size).toBe(0);
});

test('steps are undone in reverse, and what an earlier step did to the same object is undone on its own', async () => {
  const api = new FakeApi();
  const journal = journalIn(api);
  await journal.plan([{ ...entry, done: true }]);
  journal.beginStep();
  const again = configMap({ a: '3' });
  await journal.plan([{ ref: entry.ref, before: predicted, after: again, done: false }]);
  await journal.done([{ ref: entry.ref, after: again }]);
  const record = (await readJournal(api, 'shop', 'web'))?.record;
  const steps = stepsBackwards(record?.entries ?? []);
  expect(steps.map(({ step, entries }) => [step, entries.map(({ before: was }) => was?.['data'])])).toEqual([
    [1, [{ a: '2' }]],
    [0, [{ a: '1' }]],
  ]);
});

test('a candidate that waits keeps its steps; what comes after it is undone without it', async () => {
  const api = new FakeApi();
  const journal = journalIn(api);
  await journal.plan([entry]);
  await journal.leaveWaiting({ revision: 2, candidates: [], since: '2026-01-01T00:00:00Z' });
  const later = await readJournal(api, 'shop', 'web');
  later?.beginStep();
  await later?.plan([{ ...entry, before: predicted }]);
  const { waiting, entries = [] } = (await readJournal(api, 'shop', 'web'))?.record ?? {};
  expect(stepsBackwards(entries, (waiting?.step ?? 0) + 1)).toHaveLength(1);
  await later?.accept();
  expect((await readJournal(api, 'shop', 'web'))?.record).toMatchObject({ waiting: { revision: 2 }, entries: [entry] });
});
