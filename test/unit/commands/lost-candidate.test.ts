import { expect, test } from '@jest/globals';

import { abort } from '../../../src/commands/abort.ts';
import type { CommandInputs } from '../../../src/commands/inputs.ts';
import { promote } from '../../../src/commands/promote.ts';
import { refOf } from '../../../src/kubernetes/object.ts';
import { readJournal } from '../../../src/release/journal.ts';
import { recordRevision } from '../../../src/release/record-revision.ts';
import { FakeApi } from '../../support/fake-api.ts';
import { HastyClock } from '../../support/fake-clock.ts';
import { configMap, journalIn, revision } from '../release/build.ts';
import { contextOf, options } from './build.ts';

const copy = configMap({ a: '2' }, { name: 'a-canary' });
const since = '2026-01-01T00:00:00.000Z';
const given = { force: false, keepOldForMs: 0, forceConflicts: false } as unknown as CommandInputs;
const inputs = { ...given, ...options };

/** Revision 3 waits by the journal, and somebody has deleted its Secret. */
async function cluster(): Promise<FakeApi> {
  const api = new FakeApi();
  await recordRevision(api, 'shop', revision(2, 'live', { objects: [configMap({ a: '1' })] }), []);
  api.put(configMap({ a: '1' }));
  const made = api.put(copy);
  const journal = journalIn(api);
  await journal.plan([{ ref: refOf(made), before: null, after: made, done: true }]);
  await journal.leaveWaiting({ revision: 3, candidates: [], constantTotal: false, since });
  return api;
}

test('an abort takes a candidate away whose record is gone, by what the journal says', async () => {
  const api = await cluster();
  const report = await abort.run({ ...contextOf(api, 'me'), clock: new HastyClock() }, inputs);
  expect(report).toMatchObject({
    status: 'aborted',
    strategy: 'canary',
    revision: 3,
    headline: 'web: the candidate (revision 3) was removed, everything is as it was before',
  });
  expect(api.get(refOf(copy))).toBeUndefined();
  expect(await readJournal(api, 'shop', 'web')).toBeUndefined();
});

test('a promotion of it says that the record is gone, and what to do', async () => {
  const api = await cluster();
  const promotion = promote.run(contextOf(api, 'me'), inputs);
  await expect(promotion).rejects.toMatchObject({
    message:
      'revision 3 of release "web" cannot be promoted: its record is gone: someone deleted the Secret "gke-rollout.web.v3"',
    hint: 'Run the command "abort" to remove the candidate, then deploy it again.',
  });
  expect(api.get(refOf(copy))).toBeDefined();
});
