import { gzipSync } from 'node:zlib';

import { describe, expect, test } from '@jest/globals';

import type { KubernetesObject } from '../../../src/kubernetes/object.ts';
import { lookAtJournal, readJournal } from '../../../src/release/journal.ts';
import { recordRevision } from '../../../src/release/record-revision.ts';
import { listRevisions, nextRevision } from '../../../src/release/revision.ts';
import { labelsOf } from '../../../src/release/store.ts';
import { FakeApi } from '../../support/fake-api.ts';
import { packedData, recordData } from '../../support/stored-record.ts';
import { configMap } from './build.ts';
import type { Revision } from '../../../src/release/revision-shape.ts';
import { cpuTimeOf, SQUARE_MS } from '../../support/cpu-time.ts';

/** Whoever may write Secrets in the namespace can put anything into a record. */

const secret = (name: string, labels: Record<string, string>, data: Record<string, string>): KubernetesObject => ({
  apiVersion: 'v1',
  kind: 'Secret',
  metadata: { name, namespace: 'shop', labels },
  type: 'gke-rollout/record',
  data,
});

const object = configMap({ a: '1' });
const ref = { apiVersion: 'v1', kind: 'ConfigMap', namespace: 'shop', name: 'a' };
const entry = { ref, before: object, after: null, done: false };
const journal = {
  release: 'web',
  command: 'deploy',
  run: { holder: 'run-1' },
  startedAt: '2026-01-01T00:00:00.000Z',
  undoOnFailure: true,
  entries: [entry],
};
const revision: Revision = {
  release: 'web',
  revision: 2,
  outcome: 'live',
  strategy: 'rolling',
  startedAt: '2026-01-01T00:00:00.000Z',
  finishedAt: '2026-01-01T00:01:00.000Z',
  images: {},
  objects: [object],
};

const withRef = (more: object) => ({ ...journal, entries: [{ ...entry, ref: { ...ref, ...more } }] });
const waiting = { revision: 2, step: 0, candidates: [ref], since: '2026-01-01T00:00:00.000Z' };

describe('a journal that is none', () => {
  test.each<[string, unknown, RegExp]>([
    ['null', null, /it is not a map/],
    ['an empty map', {}, /"release" is missing/],
    ['a list', [], /it is not a map/],
    ['a number', 5, /it is not a map/],
    ['of another release', { ...journal, release: 'api' }, /it is the journal of another release/],
    ['without its run', { ...journal, run: undefined }, /"run" is not a map/],
    ['with a run without a holder', { ...journal, run: {} }, /"run.holder" is missing/],
    ['with a run of several lines', { ...journal, run: { holder: 'a', url: 'a\n::error::b' } }, /"run.url"/],
    ['without entries', { ...journal, entries: undefined }, /"entries" is not a list/],
    ['with an entry that is null', { ...journal, entries: [null] }, /"entries\[0\]" is not a map/],
    ['with an entry of `200 null`', { ...journal, entries: [{ ...entry, before: [] }] }, /"entries\[0\].before"/],
    [
      'with an entry without "after"',
      { ...journal, entries: [{ ref, before: null, done: true }] },
      /"entries\[0\].after"/,
    ],
    [
      'about two objects',
      { ...journal, entries: [{ ...entry, before: configMap({}, { name: 'b' }) }] },
      /another object/,
    ],
    ['with a name that leads elsewhere', withRef({ name: '../../x' }), /"entries\[0\].ref.name" is not the name/],
    ['with a namespace that leads elsewhere', withRef({ namespace: 'a/b' }), /is not the name of a namespace/],
    ['with a kind that is none', withRef({ kind: 'a/b' }), /is not the name of a kind/],
    ['with an apiVersion that is none', withRef({ apiVersion: '../v1' }), /is not an apiVersion/],
    ['with a step that is none', { ...journal, entries: [{ ...entry, step: -1 }] }, /"entries\[0\].step"/],
    ['with a revision that is none', { ...journal, revision: 1.5 }, /"revision" is not a whole number/],
    ['with a revision as text', { ...journal, revision: '2' }, /"revision" is not a whole number/],
    ['with a candidate that is none', { ...journal, waiting: { ...waiting, candidates: ['web'] } }, /candidates\[0\]/],
    [
      'with candidates that are none',
      { ...journal, waiting: { ...waiting, candidates: {} } },
      /candidates" is not a list/,
    ],
    ['with an undo that is no number', { ...journal, undoAttempts: 'many' }, /"undoAttempts"/],
    ['begun at no time', { ...journal, startedAt: 'soon' }, /"startedAt" is not a time/],
  ])('%s is told with its Secret, and what to do', async (_, value, problem) => {
    const api = new FakeApi();
    api.put(secret('gke-rollout.web.journal', labelsOf('web', 'journal'), recordData(value)));
    const reading = readJournal(api, 'shop', 'web');
    await expect(reading).rejects.toThrow(problem);
    await expect(reading).rejects.toMatchObject({
      message: expect.stringMatching(
        /^the record in Secret "gke-rollout.web.journal" of namespace "shop" cannot be read: /,
      ),
      hint: expect.stringContaining('kubectl delete secret gke-rollout.web.journal -n shop'),
    });
    expect((await lookAtJournal(api, 'shop', 'web')).problem).toMatch(problem);
  });

  test('is told apart from one that is whole', async () => {
    const api = new FakeApi();
    const whole = { ...journal, waiting, temporary: [ref], replaced: 1, undoAttempts: 1, revision: 2 };
    api.put(secret('gke-rollout.web.journal', labelsOf('web', 'journal'), recordData({ ...whole, later: 'field' })));
    expect((await readJournal(api, 'shop', 'web'))?.record).toEqual(whole);
  });
});

describe('a Secret that holds no record', () => {
  const small = gzipSync('{}');
  const deep = `${'['.repeat(5000)}${']'.repeat(5000)}`;
  test.each<[string, Record<string, string>, RegExp]>([
    ['is empty', {}, /"data.parts" is not JSON/],
    ['has parts that are null', recordData({}, { names: null }), /"data.parts.names" is not a list/],
    ['names parts that are no names', recordData({}, { names: [1] }), /"data.parts.names\[0\]" is not a string/],
    ["names somebody else's Secrets", recordData({}, { names: ['database-password'] }), /not parts of it/],
    ['names more than there can be', recordData({}, { names: Array.from({ length: 101 }, String) }), /more than 100/],
    ['has another digest', recordData({}, { digest: '000000000000' }), /is not complete/],
    ['is not compressed', packedData(Buffer.from('{}')), /cannot be unpacked/],
    ['is broken off', packedData(small.subarray(0, small.length - 9)), /cannot be unpacked/],
    ['is no JSON', packedData(gzipSync('{"a": secret')), /"data.record" is not JSON$/],
    ['is nested without end', packedData(gzipSync(deep)), /nested more than 200 deep/],
    ['is of a newer version', recordData(journal, { format: 2 }), /was written by a newer version of this action/],
  ])('%s', async (_, data, problem) => {
    const api = new FakeApi();
    api.put(secret('gke-rollout.web.journal', labelsOf('web', 'journal'), data));
    await expect(readJournal(api, 'shop', 'web')).rejects.toThrow(problem);
  });

  test.each<[string, Buffer, RegExp]>([
    ['a gigabyte of blanks', Buffer.alloc(1_000_000_000, ' '), /unpacks to more than 67108864 bytes/],
    ['millions of lists', Buffer.from(`[${'[],'.repeat(20_000_000)}0]`), /has more than 8000000 values/],
  ])('unpacks to %s, in bearable time and memory', async (_, content, problem) => {
    const api = new FakeApi();
    api.put(secret('gke-rollout.web.journal', labelsOf('web', 'journal'), packedData(gzipSync(content, { level: 1 }))));
    const before = process.memoryUsage().heapUsed;
    const took = await cpuTimeOf(() => expect(readJournal(api, 'shop', 'web')).rejects.toThrow(problem));
    expect(took).toBeLessThan(SQUARE_MS);
    expect(process.memoryUsage().heapUsed - before).toBeLessThan(200_000_000);
  });
});

describe('a revision that is none', () => {
  const name = 'gke-rollout.web.v2';
  test.each<[string, unknown, RegExp]>([
    ['null', null, /it is not a map/],
    ['an empty map', {}, /"release" is missing/],
    ['of another release', { ...revision, release: 'api' }, /"release" is not "web"/],
    ['of another number', { ...revision, revision: 7 }, /"revision" is not 2/],
    ['with an outcome that there is not', { ...revision, outcome: 'fine' }, /"outcome" is not one of live/],
    ['without objects', { ...revision, objects: undefined }, /"objects" is not a list/],
    [
      'with an object without a name',
      { ...revision, objects: [{ ...object, metadata: {} }] },
      /objects\[0\].metadata.name/,
    ],
    ['with labels that are none', { ...revision, objects: [configMap({}, { labels: 5 as never })] }, /metadata.labels/],
    [
      'with owners of fields that are none',
      { ...revision, objects: [configMap({}, { managedFields: [5] as never })] },
      /managedFields\[0\]/,
    ],
    ['with images that are none', { ...revision, images: { a: {} } }, /"images.a" is not a string/],
    ['that restores none', { ...revision, restores: 0 }, /"restores"/],
    ['with names of workloads that are paths', { ...revision, serving: { a: '../b' } }, /"serving.a"/],
  ])('%s is left out, and the others are there', async (_, value, problem) => {
    const api = new FakeApi();
    await recordRevision(api, 'shop', { ...revision, revision: 1 }, []);
    api.put(secret(name, labelsOf('web', 'revision'), recordData(value)));
    const revisions = await listRevisions(api, 'shop', 'web');
    expect(revisions.map((one) => [one.revision, one.outcome])).toEqual([
      [1, 'live'],
      [2, 'unreadable'],
    ]);
    expect(revisions[1]?.problem).toMatch(problem);
    expect(revisions[1]?.problem).toContain(`Secret "${name}" of namespace "shop"`);
    expect(nextRevision(revisions)).toBe(3);
  });

  test.each([
    'web.v2',
    'gke-rollout.web.v0',
    'gke-rollout.web.v02',
    'gke-rollout.web.v99999999999',
    'gke-rollout.web.v2.x',
  ])('called %s takes no number', async (odd) => {
    const api = new FakeApi();
    await recordRevision(api, 'shop', { ...revision, revision: 1 }, []);
    api.put(secret(odd, labelsOf('web', 'revision'), recordData(revision)));
    const revisions = await listRevisions(api, 'shop', 'web');
    expect(nextRevision(revisions)).toBe(2);
    expect(revisions.map(({ problem }) => problem)).toContainEqual(expect.stringContaining(`Secret "${odd}"`));
  });

  test('of the highest number that there is says why no other can follow', async () => {
    const api = new FakeApi();
    api.put(secret('gke-rollout.web.v2147483647', labelsOf('web', 'revision'), recordData(null)));
    const revisions = await listRevisions(api, 'shop', 'web');
    expect(() => nextRevision(revisions)).toThrow(/revision 2147483647 has the highest possible number/);
  });

  test('without its labels is not written over', async () => {
    const api = new FakeApi();
    api.put(secret('gke-rollout.web.v1', {}, recordData(null)));
    await expect(recordRevision(api, 'shop', { ...revision, revision: 1 }, [])).rejects.toThrow(
      /Secret "gke-rollout.web.v1".*written by another run/,
    );
  });

  test('read back has every field that was written', async () => {
    const api = new FakeApi();
    const full: Revision = {
      ...revision,
      restores: 1,
      commit: 'c',
      run: 'https://github.com/a/b/actions/runs/1',
      actor: 'octocat',
      images: { 'apps/Deployment/shop/web/web': 'web:1' },
      serving: { 'apps/Deployment/shop/web': 'web-green' },
      idle: [object],
      left: [ref],
      retiring: { refs: [ref], until: '2026-01-01T00:02:00.000Z' },
      kept: [{ ref, reason: 'a policy says no', fields: ['data.a'] }],
      configKey: 'key',
      restartOnConfig: false,
      await: 'Widget.example.com never',
      formerly: ['old'],
    };
    await recordRevision(api, 'shop', full, []);
    expect(await listRevisions(api, 'shop', 'web')).toEqual([full]);
  });
});
