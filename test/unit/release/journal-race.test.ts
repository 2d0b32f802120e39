import { expect, test } from '@jest/globals';

import { refOf } from '../../../src/kubernetes/object.ts';
import { readJournal, type Journal } from '../../../src/release/journal.ts';
import { RecordTaken, secretRef } from '../../../src/release/store.ts';
import { FakeApi, refusal } from '../../support/fake-api.ts';
import { configMap, journalIn } from './build.ts';

/** Two runs that believe both that a release is theirs: what the one has written, the other does not write over. */

const secret = secretRef('shop', 'gke-rollout.web.journal');
const entryOf = (name: string) => {
  const object = configMap({}, { name });
  return { ref: refOf(object), before: null, after: object, done: false };
};

async function namesIn(api: FakeApi): Promise<string[] | undefined> {
  return (await readJournal(api, 'shop', 'web'))?.record.entries.map(({ ref }) => ref.name);
}

async function opened(api: FakeApi): Promise<Journal> {
  const journal = await readJournal(api, 'shop', 'web');
  if (journal === undefined) throw new Error('there is no journal');
  return journal;
}

test('a run that begins does not write over the journal of one that has begun meanwhile, and does not close it', async () => {
  const api = new FakeApi();
  const late = journalIn(api);
  await journalIn(api).plan([entryOf('theirs')]);
  await expect(late.plan([entryOf('ours')])).rejects.toThrow(RecordTaken);
  await late.close();
  expect(await namesIn(api)).toEqual(['theirs']);
});

test('a run that was stopped while another undid its journal neither writes it again nor closes that of the other', async () => {
  const api = new FakeApi();
  const stopped = journalIn(api);
  await stopped.plan([entryOf('a'), entryOf('b')]);
  const other = await opened(api);
  await other.undoFailed();
  await expect(stopped.done([{ ref: entryOf('a').ref, after: configMap({}, { name: 'a' }) }])).rejects.toThrow(
    /Secret "gke-rollout.web.journal" in namespace "shop" was written by another run and is left as it is/,
  );
  await expect(stopped.close()).rejects.toThrow(RecordTaken);
  expect((await opened(api)).record.undoAttempts).toBe(1);
});

test('a run whose journal another one has closed, and which has begun its own since, leaves that alone', async () => {
  const api = new FakeApi();
  const stopped = journalIn(api);
  await stopped.plan([entryOf('a')]);
  await (await opened(api)).close();
  await journalIn(api).plan([entryOf('theirs')]);
  await expect(stopped.plan([entryOf('b')])).rejects.toThrow(RecordTaken);
  await expect(stopped.close()).rejects.toThrow(RecordTaken);
  expect(await namesIn(api)).toEqual(['theirs']);
});

test('a write whose answer got lost is our own, the first one and later ones', async () => {
  const api = new FakeApi();
  const journal = journalIn(api);
  for (const name of ['a', 'b']) {
    // It has had its effect, and what is repeated meets it.
    let isLost = false;
    const put = api.put.bind(api);
    api.put = (object) => {
      const stored = put(object);
      if (!isLost) {
        isLost = true;
        throw refusal(409, name === 'a' ? 'AlreadyExists' : 'Conflict', secret);
      }
      return stored;
    };
    await journal.plan([entryOf(name)]);
    api.put = put;
  }
  await journal.plan([entryOf('c')]);
  expect(await namesIn(api)).toEqual(['a', 'b', 'c']);
});

test('labels that somebody has changed meanwhile are in the way of no write and no end', async () => {
  const api = new FakeApi();
  const journal = journalIn(api);
  const label = () => {
    const found = api.get(secret);
    if (found !== undefined) api.put({ ...found, metadata: { ...found.metadata, labels: { team: 'a' } } });
  };
  await journal.plan([entryOf('a')]);
  label();
  await journal.plan([entryOf('b')]);
  expect(await namesIn(api)).toEqual(['a', 'b']);
  label();
  await journal.close();
  expect(api.get(secret)).toBeUndefined();
});

test('a conflict on the way to the end is looked at, and the journal goes all the same', async () => {
  const api = new FakeApi();
  const journal = journalIn(api);
  await journal.plan([entryOf('a')]);
  let conflicts = 3;
  api.before = (operation, ref) => {
    if (operation !== 'delete' || ref.kind !== 'Secret' || conflicts === 0) return;
    conflicts -= 1;
    throw refusal(409, 'Conflict', ref);
  };
  await journal.close();
  expect(api.get(secret)).toBeUndefined();
});

test('a journal whose last write was refused after it had taken effect is closed too', async () => {
  const api = new FakeApi();
  const journal = journalIn(api);
  const put = api.put.bind(api);
  api.put = (object) => {
    put(object);
    throw refusal(500, 'InternalError', secret);
  };
  await expect(journal.plan([entryOf('a')])).rejects.toThrow('InternalError');
  api.put = put;
  await journal.close();
  expect(api.get(secret)).toBeUndefined();
});

test('a journal that somebody has deleted is written again', async () => {
  const api = new FakeApi();
  const journal = journalIn(api);
  await journal.plan([entryOf('a')]);
  await api.delete(secret);
  await journal.plan([entryOf('b')]);
  expect(await namesIn(api)).toEqual(['a', 'b']);
  await api.delete(secret);
  await journal.close();
});
