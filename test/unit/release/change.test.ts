import { describe, expect, test } from '@jest/globals';

import { guardedChange, settle, type GuardedChange } from '../../../src/release/change.ts';
import { keyOf, refOf, type KubernetesObject, type ObjectRef } from '../../../src/kubernetes/object.ts';
import { Journal, readJournal } from '../../../src/release/journal.ts';
import { recordRevision } from '../../../src/release/record-revision.ts';
import { FakeApi, refusal } from '../../support/fake-api.ts';
import { HastyClock } from '../../support/fake-clock.ts';
import { contextOf, options } from '../commands/build.ts';
import type { BeginningChange } from '../../../src/release/context.ts';
import type { Revision } from '../../../src/release/revision-shape.ts';

/** A run that wrote revision 1 and was killed before it closed its journal; `recorded`: after it had recorded it as live. */
async function killedRun(api: FakeApi, recorded: boolean): Promise<KubernetesObject> {
  const written = api.put({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'made', namespace: 'shop' } });
  const record = {
    release: 'web',
    command: 'deploy',
    revision: 1,
    run: { holder: 'run-1' },
    startedAt: '2026-01-01T00:00:00.000Z',
    undoOnFailure: true,
    entries: [],
  };
  const journal = new Journal(api, 'shop', record);
  await journal.plan([{ ref: refOf(written), before: null, after: written, done: true }]);
  const revision: Revision = {
    release: 'web',
    revision: 1,
    outcome: 'live',
    strategy: 'rolling',
    startedAt: record.startedAt,
    finishedAt: record.startedAt,
    images: {},
    objects: [],
  };
  if (recorded) await recordRevision(api, 'shop', revision, []);
  return written;
}

async function nextRun(api: FakeApi, work: (change: GuardedChange) => Promise<string>) {
  return await guardedChange(contextOf(api, 'run-2'), options, {
    command: 'deploy',
    work,
    beforeUndo: () => Promise.resolve(),
  });
}

test('a run that was killed before its revision was live is undone by the next one', async () => {
  const api = new FakeApi();
  const written = await killedRun(api, false);
  const outcome = await nextRun(api, ({ stale }) => Promise.resolve(`stale: ${String(stale)}`));
  expect(outcome).toEqual({ state: 'done', result: 'stale: true' });
  expect(api.get(refOf(written))).toBeUndefined();
});

test('one that was killed after that is left as it is', async () => {
  const api = new FakeApi();
  const written = await killedRun(api, true);
  const outcome = await nextRun(api, () => Promise.resolve('done'));
  expect(outcome).toEqual({ state: 'done', result: 'done' });
  expect(api.get(refOf(written))).toBeDefined();
  expect(await readJournal(api, 'shop', 'web')).toBeUndefined();
});

describe('a change that has come to its end', () => {
  async function end(api: FakeApi, prepare: boolean, during: () => void = () => undefined): Promise<string[]> {
    let from = 0;
    await nextRun(api, async (change) => {
      const { journal } = change;
      await journal.plan([]);
      if (prepare) await journal.prepareClose();
      change.beside({ run: () => Promise.reject(new Error('the server refuses')), needsLock: false });
      from = api.log.length;
      during();
      return 'done';
    });
    return api.log.slice(from);
  }

  test('gives the lock back beside the deletion of its journal, where that is all there is of it', async () => {
    const api = new FakeApi();
    const from = await end(api, true);
    expect(from.toSorted()).toEqual(['delete Secret/gke-rollout.web.journal', 'replace Lease/gke-rollout.web']);
    expect(await readJournal(api, 'shop', 'web')).toBeUndefined();
  });

  test('keeps the lock until its journal is gone where there may be more of it', async () => {
    const api = new FakeApi();
    const last = (await end(api, false)).at(-1);
    expect(last).toBe('replace Lease/gke-rollout.web');
  });

  test('leaves the journal that the next run has begun meanwhile', async () => {
    const api = new FakeApi();
    const name = 'gke-rollout.web.journal';
    const ref = { apiVersion: 'v1', kind: 'Secret', namespace: 'shop', name };
    await end(api, true, () => {
      api.objects.delete(keyOf(ref));
      api.put({ apiVersion: 'v1', kind: 'Secret', metadata: { name, namespace: 'shop' }, data: {} });
    });
    expect(api.get(ref)).toBeDefined();
  });
});

test('the lock is free again after a failure, and the failure is told before that', async () => {
  const api = new FakeApi();
  const holders: unknown[] = [];
  const holder = () => {
    const lease = api.get({
      apiVersion: 'coordination.k8s.io/v1',
      kind: 'Lease',
      namespace: 'shop',
      name: 'gke-rollout.web',
    });
    return (lease?.['spec'] as { holderIdentity?: string } | undefined)?.holderIdentity;
  };
  const outcome = await guardedChange(contextOf(api, 'run-2'), options, {
    command: 'deploy',
    work: () => Promise.reject(new Error('no')),
    beforeUndo: () => Promise.resolve(),
    afterFailure: () => {
      holders.push(holder());
      return Promise.resolve();
    },
  });
  expect(outcome.state).toBe('failed');
  expect([...holders, holder()]).toEqual(['run-2', '']);
});

describe('what is told before the first write', () => {
  const told = async (task: Parameters<typeof guardedChange>[2], work: typeof guardedChange | typeof settle) => {
    const api = new FakeApi();
    const changes: BeginningChange[] = [];
    const locked: boolean[] = [];
    const lease = { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', namespace: 'shop', name: 'gke-rollout.web' };
    const context = {
      ...contextOf(api, 'run-2'),
      onChangeBegins: (change: BeginningChange) => {
        changes.push(change);
        locked.push(api.get(lease) !== undefined);
      },
    };
    if (work === settle) await settle(context, options, 'rollback');
    else await guardedChange(context, options, task);
    return { changes, locked };
  };
  const task = {
    command: 'rollback',
    work: () => Promise.resolve(),
    beforeUndo: () => Promise.resolve(),
  };

  test('is which commit runs afterwards, and before the lock is waited for', async () => {
    const runs = { commit: 'a'.repeat(40), revision: 8 };
    expect(await told({ ...task, runs }, guardedChange)).toEqual({
      changes: [{ release: 'web', namespace: 'shop', runs: { command: 'rollback', ...runs } }],
      locked: [false],
    });
  });

  test('is no commit where nothing else runs afterwards, or where only a dead run is settled', async () => {
    const without = [{ release: 'web', namespace: 'shop' }];
    expect((await told(task, guardedChange)).changes).toEqual(without);
    expect((await told(task, settle)).changes).toEqual(without);
  });
});

describe('a run whose API server goes away in the middle of its work', () => {
  const away = (ref: ObjectRef) => refusal(503, 'ServiceUnavailable', ref);

  /** Makes an object, and then finds nobody there any more. */
  async function lostInWork(api: FakeApi, gone: (operation: string, ref: ObjectRef) => boolean) {
    const context = contextOf(api, 'run-2');
    return await guardedChange(context, options, {
      command: 'deploy',
      work: async ({ journal }) => {
        const made = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'made', namespace: 'shop' } };
        await journal.plan([{ ref: refOf(made), before: null, after: null, done: false }]);
        const { object } = await api.apply(made);
        await journal.done([{ ref: refOf(made), after: object }]);
        context.limit.begin(0);
        api.before = (operation, ref) => {
          if (gone(operation, ref)) throw away(ref);
        };
        throw new Error('no');
      },
      beforeUndo: () => {
        // Nothing is left of the time: what follows is one try.
        Object.assign(context, { clock: new HastyClock() });
        return Promise.resolve();
      },
    });
  }

  test('says what it could not undo, although the journal cannot be told of it', async () => {
    const api = new FakeApi();
    const outcome = await lostInWork(api, () => true);
    expect(outcome).toMatchObject({
      state: 'failed',
      failure: { undo: { complete: false, unclosed: true, results: [{ outcome: 'failed', ref: { name: 'made' } }] } },
    });
    api.before = () => undefined;
    expect((await readJournal(api, 'shop', 'web'))?.record.entries).toHaveLength(1);
  });

  test('tells that all is back, and the journal still there, when only that cannot be closed', async () => {
    const api = new FakeApi();
    const outcome = await lostInWork(api, (_, ref) => ref.kind === 'Secret');
    expect(outcome).toMatchObject({ state: 'failed', failure: { undo: { complete: true, unclosed: true } } });
  });
});
