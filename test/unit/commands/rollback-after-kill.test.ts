import { beforeEach, describe, expect, test } from '@jest/globals';

import type { CommandInputs } from '../../../src/commands/inputs.ts';
import { rollback } from '../../../src/commands/rollback.ts';
import { status } from '../../../src/commands/status.ts';
import { refOf } from '../../../src/kubernetes/object.ts';
import { guardedChange } from '../../../src/release/change.ts';
import { readJournal } from '../../../src/release/journal.ts';
import { recordRevision, setOutcome } from '../../../src/release/record-revision.ts';
import { listRevisions } from '../../../src/release/revision.ts';
import { HastyClock } from '../../support/fake-clock.ts';
import { configMap, fields, journalIn, owner, revision } from '../release/build.ts';
import { contextOf, options, OwningApi } from './build.ts';

const given = { forceConflicts: false, keepOldForMs: 60_000, replicas: [], prune: false, restartOnConfig: true };
const inputs = { ...(given as unknown as CommandInputs), ...options };

const version = (a: string) => configMap({ a }, { managedFields: [owner(fields('data', 'a'))] });

describe('a rollback without a number after a deploy that was killed', () => {
  let api: OwningApi;
  const context = () => ({ ...contextOf(api, 'me'), clock: new HastyClock() });
  const isLive = () => api.get(refOf(version('')))?.['data'];

  /** Revision 2 is live, and a deploy of revision 3 has written this much. */
  beforeEach(async () => {
    api = new OwningApi();
    await recordRevision(api, 'shop', revision(1, 'superseded', { objects: [configMap({ a: '1' })] }), []);
    await recordRevision(api, 'shop', revision(2, 'live', { objects: [configMap({ a: '2' })] }), []);
    const before = api.put(version('2'));
    const journal = journalIn(api);
    journal.record.revision = 3;
    await journal.plan([{ ref: refOf(before), before, after: null, done: false }]);
    await journal.done([{ ref: refOf(before), after: api.put(version('3')) }]);
  });

  test('ends at the live revision, as status says', async () => {
    const { health } = await status.run(context(), { release: 'web', namespace: 'shop' });
    expect(health?.rollback).toMatchObject({ revision: 2 });
    const report = await rollback.run(context(), inputs);
    expect(isLive()).toEqual({ a: '2' });
    expect(report).toMatchObject({
      status: 'rolled-back',
      revision: 2,
      headline: 'web: undid the interrupted "deploy"; revision 2 is live and healthy again',
    });
    expect((await listRevisions(api, 'shop', 'web')).map(({ outcome }) => outcome)).toEqual(['superseded', 'live']);
  });

  test('goes on to where a rollback that was killed was to go, as status says', async () => {
    const journal = await readJournal(api, 'shop', 'web');
    if (journal === undefined) throw new Error('there is no journal');
    journal.record.command = 'rollback';
    await journal.plan([]);
    const { health } = await status.run(context(), { release: 'web', namespace: 'shop' });
    expect(health?.rollback).toMatchObject({ revision: 1 });
    const report = await rollback.run(context(), inputs);
    expect(isLive()).toEqual({ a: '1' });
    expect(report.headline).toContain('rolled back to revision 1');
  });

  test('takes nothing back that another run has deployed while it waited for the lock', async () => {
    await rollback.run(context(), inputs);
    const deployed = async () => {
      await setOutcome(api, 'shop', 'web', 2, 'superseded');
      await recordRevision(api, 'shop', revision(4, 'live', { objects: [configMap({ a: '4' })] }), []);
    };
    const reading = api.list.bind(api);
    let looks = 0;
    api.list = async (...args) => {
      const found = await reading(...args);
      looks += 1;
      if (looks === 1)
        await guardedChange(contextOf(api, 'other'), options, {
          command: 'deploy',
          work: deployed,
          beforeUndo: () => Promise.resolve(),
        });
      return found;
    };
    const report = await rollback.run(context(), inputs);
    expect(report.failure?.message).toBe(
      'revision 4 of release "web" became live after this rollback to revision 1 was started',
    );
    expect(isLive()).toEqual({ a: '2' });
  });

  test('goes further back the second time', async () => {
    await rollback.run(context(), inputs);
    expect((await rollback.run(context(), inputs)).headline).toContain('rolled back to revision 1');
    expect(isLive()).toEqual({ a: '1' });
  });
});
