import { expect, test } from '@jest/globals';

import { refOf } from '../../../src/kubernetes/object.ts';
import { Ownership } from '../../../src/release/ownership.ts';
import { contentOf, valueOf } from '../../../src/release/record-content.ts';
import { recordRevision } from '../../../src/release/record-revision.ts';
import { growthOf } from '../../support/cpu-time.ts';
import { FakeApi } from '../../support/fake-api.ts';
import { configMap, journalIn, revision } from './build.ts';

/** Far from the 4 of what grows with the release, and from the 16 of what grows with its square. */
const most = 9;

const objects = (count: number) =>
  Array.from({ length: count }, (_, index) => configMap({ text: `text ${index} `.repeat(20) }, { name: `c${index}` }));

test('what the journal takes grows with the number of objects', async () => {
  const growth = await growthOf((count) => {
    const entries = objects(count).map((after) => ({ ref: refOf(after), before: null, after, done: false }));
    const journal = journalIn(new FakeApi());
    return async () => {
      await journal.plan(entries);
      await journal.done(entries.map(({ ref, after }) => ({ ref, after })));
    };
  }, 600);
  expect(growth).toBeLessThan(most);
});

test('whose the objects of a release are is answered in a time that grows with their number', async () => {
  const growth = await growthOf((count) => {
    const live = objects(count);
    const api = new FakeApi();
    return async () => {
      await recordRevision(api, 'shop', revision(1, 'live', { objects: live }), []);
      const ownership = new Ownership(api, { namespace: 'shop', release: 'web' });
      const marked = await Promise.all(live.map((object) => ownership.needsMark(object)));
      expect(marked).not.toContain(true);
    };
  }, 500);
  expect(growth).toBeLessThan(most);
});

test('a record of megabytes is packed and unpacked beside the event loop, so that the lock is renewed meanwhile', async () => {
  const value = { objects: objects(8_000) };
  let turns = 0;
  let isOver = false;
  const turn = () => {
    turns += 1;
    if (!isOver) setTimeout(turn, 1);
  };
  setTimeout(turn, 1);
  const { head, parts } = await contentOf('x', value);
  isOver = true;
  expect(turns).toBeGreaterThan(15);
  const secret = { apiVersion: 'v1', kind: 'Secret', metadata: { name: 'x' }, data: head };
  const read = await valueOf(secret, (name) => Promise.resolve({ ...secret, data: parts.get(name) ?? {} }));
  expect(JSON.stringify(read)).toBe(JSON.stringify(value));
});
