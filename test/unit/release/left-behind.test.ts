import { describe, expect, test } from '@jest/globals';

import type { JsonObject } from '../../../src/base/json.ts';
import { keyOf, refOf, type KubernetesObject } from '../../../src/kubernetes/object.ts';
import { describeLeft, formerRefs, isLeft, leftBehind } from '../../../src/release/left-behind.ts';
import { Ownership } from '../../../src/release/ownership.ts';
import { recordRevision } from '../../../src/release/record-revision.ts';
import { FakeApi, refusal } from '../../support/fake-api.ts';
import { configMap, fields, objectOf, owner, updater } from './build.ts';
import type { Revision } from '../../../src/release/revision-shape.ts';

function revision(number: number, objects: KubernetesObject[], more: Partial<Revision> = {}): Revision {
  return {
    release: 'web',
    revision: number,
    outcome: 'superseded',
    strategy: 'rolling',
    startedAt: '2026-01-01T00:00:00.000Z',
    finishedAt: '2026-01-01T00:01:00.000Z',
    images: {},
    objects,
    ...more,
  };
}

const named = (name: string) => configMap({ a: '1' }, { name, managedFields: [owner(fields('data', 'a'))] });
const names = (refs: readonly { name: string }[]) => refs.map(({ name }) => name);

describe('what earlier revisions had', () => {
  test('counts whichever of them had it, and what they had been told of', () => {
    const revisions = [
      revision(3, [named('a'), named('b')]),
      revision(4, [named('a'), named('c')], { outcome: 'failed', left: [refOf(named('older'))] }),
      revision(5, [named('a')], { outcome: 'live' }),
    ];
    expect(names(formerRefs(revisions, [refOf(named('a'))]))).toEqual(['b', 'older', 'c']);
  });

  test('counts a workload under both names that it has run by', () => {
    const web = objectOf('apps/v1', 'Deployment', {}, { name: 'web' });
    const serving = { [keyOf(refOf(web))]: 'web-green' };
    expect(names(formerRefs([revision(1, [web], { serving })], []))).toEqual(['web', 'web-green']);
    expect(formerRefs([revision(1, [web], { serving })], [refOf(web)])).toEqual([]);
  });
});

describe('what is left', () => {
  test('is there, ours, and in no other release', async () => {
    const api = new FakeApi();
    for (const name of ['there', 'moved']) api.put(named(name));
    api.put(configMap({ a: '1' }, { name: 'theirs', managedFields: [updater('kubectl-create', fields('data', 'a'))] }));
    await recordRevision(api, 'shop', revision(1, [named('moved')], { release: 'other', outcome: 'live' }), []);
    const ownership = new Ownership(api, { namespace: 'shop', release: 'web' });
    const revisions = [revision(1, ['there', 'gone', 'moved', 'theirs', 'hidden'].map(named))];
    api.before = (operation, ref) => {
      if (operation === 'read' && ref.name === 'hidden') throw refusal(403, 'Forbidden', ref);
    };
    const { there, recorded } = await leftBehind(api, ownership, revisions, []);
    expect(names(there)).toEqual(['there']);
    expect(names(recorded)).toEqual(['there', 'hidden']);
  });

  const ours = { managedFields: [owner(fields('spec'))] };
  const ended = (kind: string, status: JsonObject, more = {}) => objectOf('v1', kind, { status }, { ...ours, ...more });
  const done = { conditions: [{ type: 'Complete', status: 'True' }] };
  const controlled = { ownerReferences: [{ apiVersion: 'v1', kind: 'X', name: 'x', uid: 'u', controller: true }] };
  test.each<[string, KubernetesObject, boolean]>([
    ['a Job that has ended', ended('Job', done), false],
    ['a Job that runs', ended('Job', { active: 1 }), true],
    ['a pod that has ended', ended('Pod', { phase: 'Succeeded' }), false],
    ['a pod that runs', ended('Pod', { phase: 'Running' }), true],
    ['what a controller keeps', ended('ConfigMap', {}, controlled), false],
    ['anything else', ended('ConfigMap', {}), true],
  ])('%s: %#', (_, object, is) => {
    expect(isLeft(object)).toBe(is);
  });
});

describe('what is said of it', () => {
  test('is one sentence with the command that removes it', () => {
    expect(describeLeft([], 'shop')).toEqual([]);
    const elsewhere = { ...refOf(named('b')), namespace: 'other' };
    const [text] = describeLeft([refOf(named('a')), elsewhere], 'shop');
    expect(text).toContain('ConfigMap "a", ConfigMap "b" in namespace "other" are from an earlier revision');
    expect(text).toContain(
      '"kubectl delete --namespace shop configmap/a" and "kubectl delete --namespace other configmap/b"',
    );
  });

  test('does not grow without end', () => {
    const many = Array.from({ length: 25 }, (_, index) => refOf(named(`c${index}`)));
    expect(describeLeft(many, 'shop')[0]).toContain(' and 5 more are');
  });
});
