import { beforeEach, describe, expect, test } from '@jest/globals';

import { abort } from '../../../src/commands/abort.ts';
import { messageOf } from '../../../src/base/errors.ts';
import type { CommandInputs } from '../../../src/commands/inputs.ts';
import { promote } from '../../../src/commands/promote.ts';
import { refOf, type KubernetesObject } from '../../../src/kubernetes/object.ts';
import { readJournal } from '../../../src/release/journal.ts';
import { recordRevision, setOutcome } from '../../../src/release/record-revision.ts';
import { HastyClock } from '../../support/fake-clock.ts';
import { configMap, journalIn, revision } from '../release/build.ts';
import { contextOf, options, OwningApi } from './build.ts';

const given = { force: true, keepOldForMs: 60_000, forceConflicts: false } as unknown as CommandInputs;
const inputs = { ...given, ...options };
const since = '2026-01-01T00:00:00.000Z';
const copy = configMap({ a: '2' }, { name: 'a-canary' });
const secret = { apiVersion: 'v1', kind: 'Secret', namespace: 'shop', name: 'gke-rollout.web.journal' };

describe('a candidate that has changed until the lock was free', () => {
  let api: OwningApi;
  const context = () => ({ ...contextOf(api, 'me'), clock: new HastyClock() });
  const waiting = async () => (await readJournal(api, 'shop', 'web'))?.record.waiting?.revision;
  const isThere = () => api.get(refOf(copy)) !== undefined;

  /** The journal of a deploy as another run has written it, which waits or not. */
  const journalOf = async (number: number, waits: boolean): Promise<KubernetesObject> => {
    const journal = journalIn(api);
    journal.record.revision = number;
    await journal.plan([{ ref: refOf(copy), before: null, after: api.get(refOf(copy)) ?? null, done: true }]);
    if (waits) await journal.leaveWaiting({ revision: number, candidates: [], constantTotal: false, since });
    const written = api.get(secret);
    api.objects.delete([...api.objects].find(([, object]) => object === written)?.[0] ?? '');
    if (written === undefined) throw new Error('no journal was written');
    return written;
  };
  const meanwhile = (journal: KubernetesObject | undefined) => {
    api.before = (operation, ref) => {
      if (operation !== 'create' || ref.kind !== 'Lease') return;
      api.before = () => undefined;
      api.objects.delete([...api.objects].find(([, { metadata }]) => metadata.name === secret.name)?.[0] ?? '');
      if (journal !== undefined) api.put(journal);
    };
  };

  beforeEach(async () => {
    api = new OwningApi();
    await recordRevision(api, 'shop', revision(2, 'live', { objects: [configMap({ a: '1' })] }), []);
    for (const number of [7, 8])
      await recordRevision(
        api,
        'shop',
        revision(number, 'waiting', { strategy: 'canary', objects: [configMap({ a: String(number) })] }),
        [],
      );
    api.put(configMap({ a: '1' }));
    api.put(copy);
  });

  test.each([
    ['abort', abort],
    ['promote', promote],
  ] as const)('is not what %s acts on: both are named, and the other one goes on waiting', async (name, command) => {
    const [seven, eight] = [await journalOf(7, true), await journalOf(8, true)];
    api.put(seven);
    meanwhile(eight);
    const run = command.run(context(), inputs).then(
      ({ failure }) => failure?.message,
      (error: unknown) => messageOf(error),
    );
    expect(await run).toBe(
      `the candidate of release "web" is now revision 8, but this "${name}" was started for revision 7`,
    );
    expect([await waiting(), isThere()]).toEqual([8, true]);
  });

  test('is not said to be removed where it has become live', async () => {
    api.put(await journalOf(7, true));
    await setOutcome(api, 'shop', 'web', 8, 'live');
    meanwhile(undefined);
    await expect(abort.run(context(), inputs)).rejects.toThrow(
      'revision 7 of release "web" is no longer waiting for approval',
    );
    expect(isThere()).toBe(true);
  });

  test('is aborted where it is that of the deploy that was under way', async () => {
    const [underWay, ended] = [await journalOf(7, false), await journalOf(7, true)];
    api.put(underWay);
    meanwhile(ended);
    const report = await abort.run(context(), inputs);
    expect(report).toMatchObject({ status: 'aborted', revision: 7 });
    expect([await waiting(), isThere()]).toEqual([undefined, false]);
  });

  test('is left where it is of another deploy than the one that was under way', async () => {
    const [underWay, other] = [await journalOf(7, false), await journalOf(8, true)];
    api.put(underWay);
    meanwhile(other);
    await expect(abort.run(context(), inputs)).rejects.toThrow(
      'the candidate of release "web" is now revision 8, but this "abort" was started for revision 7',
    );
    expect([await waiting(), isThere()]).toEqual([8, true]);
  });

  test('has been undone with its deploy, which was killed: the abort says so', async () => {
    api.put(await journalOf(9, false));
    const report = await abort.run(context(), inputs);
    expect(report).toMatchObject({
      status: 'aborted',
      headline: 'web: what an interrupted "deploy" had left was removed',
      undo: { complete: true },
    });
    expect(isThere()).toBe(false);
  });
});
