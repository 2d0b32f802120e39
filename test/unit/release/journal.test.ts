import { expect, test } from '@jest/globals';

import { refOf } from '../../../src/kubernetes/object.ts';
import { readJournal } from '../../../src/release/journal.ts';
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
  expect(api.log.filter((line) => line.startsWith('apply'))).toHaveLength(2);
});

test('a closed journal is gone', async () => {
  const api = new FakeApi();
  const journal = journalIn(api);
  await journal.plan([entry]);
  await journal.close();
  expect(await readJournal(api, 'shop', 'web')).toBeUndefined();
  expect(api.objects.size).toBe(0);
});
