import { expect, test } from '@jest/globals';

import { refOf } from '../../../src/kubernetes/object.ts';
import { applyLayer } from '../../../src/apply/apply.ts';
import { readJournal } from '../../../src/release/journal.ts';
import { FakeApi, refusal } from '../../support/fake-api.ts';
import { frozen } from '../../support/frozen.ts';
import { configMap, fields, journalIn, manifestOf, updater } from '../release/build.ts';
import type { Prepared } from '../../../src/apply/prepared.ts';

function prepared(name: string, change: Prepared['change'] = 'created'): Prepared {
  const manifest = manifestOf(configMap({ a: '1' }, { name }));
  return { manifest, live: undefined, predicted: manifest.object, change, takeover: false, warnings: [] };
}

test('the journal is in the cluster before the first object is written', async () => {
  const api = new FakeApi();
  await applyLayer(api, [prepared('one'), prepared('two')], journalIn(api), false);
  const writes = api.log.filter((line) => /^(create|apply)/.test(line));
  expect(writes[0]).toBe('create Secret/gke-rollout.web.journal');
  expect(writes.slice(1, 3)).toEqual(['apply ConfigMap/one', 'apply ConfigMap/two']);
});

test('what was written before another object was refused stands in the journal as done', async () => {
  const api = new FakeApi();
  api.before = (operation, ref) => {
    if (operation === 'apply' && ref.name === 'two') throw refusal(403, 'Forbidden', ref);
  };
  await expect(applyLayer(api, [prepared('one'), prepared('two')], journalIn(api), false)).rejects.toThrow('"two"');
  const entries = (await readJournal(api, 'shop', 'web'))?.record.entries ?? [];
  expect(entries.map(({ ref, done }) => [ref.name, done])).toEqual([
    ['one', true],
    ['two', false],
  ]);
});

test('a refusal names the line of the manifest', async () => {
  const api = new FakeApi();
  api.before = (operation, ref) => {
    const causes = [{ field: 'data.a', message: 'is wrong' }];
    if (operation === 'apply' && ref.kind === 'ConfigMap') throw refusal(422, 'Invalid', ref, { details: { causes } });
  };
  const error: unknown = await applyLayer(api, [prepared('one')], journalIn(api), false).catch(
    (reason: unknown) => reason,
  );
  expect(error).toMatchObject({ location: { file: 'data.a.yaml' } });
});

test('nothing is written when nothing is to be changed', async () => {
  const api = new FakeApi();
  const entry = prepared('one', 'unchanged');
  expect((await applyLayer(api, [entry], journalIn(api), false)).size).toBe(0);
  expect(api.get(refOf(entry.manifest.object))).toBeUndefined();
  expect(api.log).toEqual([]);
});

test('a conflict at a quota that counts the objects is no reason to give up', async () => {
  const api = new FakeApi();
  let conflicts = 5;
  api.before = (operation, ref) => {
    if (operation !== 'apply' || conflicts === 0) return;
    conflicts -= 1;
    throw refusal(409, 'Conflict', ref, { message: 'Operation cannot be fulfilled on resourcequotas "q"' });
  };
  const entry = prepared('one');
  await applyLayer(api, [entry], journalIn(api), false);
  expect(api.get(refOf(entry.manifest.object))).toBeDefined();
});

test('a guard on what was read holds for what a takeover has made of it, and what was prepared stays as it is', async () => {
  const api = new FakeApi();
  const managedFields = [updater('kubectl-client-side-apply', fields('data', 'a'))];
  const live = api.put(configMap({ a: '1' }, { name: 'one', managedFields }));
  const { resourceVersion = '' } = live.metadata;
  const applied: (string | undefined)[] = [];
  Object.assign(api, {
    patch: () => Promise.resolve({ object: api.put(live), warnings: [] }),
    apply: (object: typeof live) => {
      if (object.kind === 'ConfigMap') applied.push(object.metadata.resourceVersion);
      return Promise.resolve({ object, warnings: [] });
    },
  });
  const wanted = configMap({ a: '2' }, { name: 'one' });
  const manifest = manifestOf({ ...wanted, metadata: { ...wanted.metadata, resourceVersion } });
  const entry: Prepared = frozen({
    manifest,
    live,
    predicted: manifest.object,
    change: 'configured',
    takeover: true,
    warnings: [],
  });
  const results = await applyLayer(api, [entry], journalIn(api), false);
  expect([...results.keys()]).toEqual([entry]);
  // The dry run and the apply.
  const taken = api.get(refOf(live))?.metadata.resourceVersion;
  expect(taken).not.toBe(resourceVersion);
  expect(applied).toEqual([taken, taken]);
});
