import { describe, expect, test } from '@jest/globals';

import type { KubernetesObject, ManagedFieldsEntry } from '../../../src/kubernetes/object.ts';
import { contentOf } from '../../../src/apply/comparison.ts';
import { restore } from '../../../src/release/restore.ts';
import { configMap, fields, objectOf, owner, updater } from './build.ts';

const ours = [owner(fields('data', 'a'))];
const somebody = (...path: string[]) => updater('somebody', fields(...path));

function restored(before: KubernetesObject, after: KubernetesObject, live: KubernetesObject) {
  const plan = restore(before, after, live);
  return { content: contentOf(plan.state === 'changed' ? plan.object : live), conflicts: plan.conflicts };
}

const map = (data: Record<string, string>, managedFields: ManagedFieldsEntry[] = ours) =>
  configMap(data, { managedFields });

describe('a field that the run', () => {
  test('changed goes back', () => {
    const { content } = restored(map({ a: '1' }), map({ a: '2' }), map({ a: '2' }));
    expect(content['data']).toEqual({ a: '1' });
  });

  test('added goes away', () => {
    const { content } = restored(map({ a: '1' }), map({ a: '1', b: '2' }), map({ a: '1', b: '2' }));
    expect(content['data']).toEqual({ a: '1' });
  });

  test('removed comes back', () => {
    const { content } = restored(map({ a: '1', b: '2' }), map({ a: '1' }), map({ a: '1' }));
    expect(content['data']).toEqual({ a: '1', b: '2' });
  });

  test('did not touch keeps what somebody made of it meanwhile', () => {
    const live = map({ a: '2', other: 'new' }, [...ours, somebody('data', 'other')]);
    const { content, conflicts } = restored(map({ a: '1', other: 'old' }), map({ a: '2', other: 'old' }), live);
    expect(content['data']).toEqual({ a: '1', other: 'new' });
    expect(conflicts).toEqual([]);
  });

  test('changed and somebody else changed again stays, and is named', () => {
    const live = map({ a: '3', b: '2' }, [...ours, somebody('data', 'a')]);
    const { content, conflicts } = restored(map({ a: '1', b: '1' }), map({ a: '2', b: '2' }), live);
    expect(content['data']).toEqual({ a: '3', b: '1' });
    expect(conflicts).toEqual(['data.a']);
  });

  test('changed and somebody else removed stays away, and is named', () => {
    const { content, conflicts } = restored(map({ a: '1', b: '1' }), map({ a: '2', b: '1' }), map({ b: '1' }));
    expect(content['data']).toEqual({ b: '1' });
    expect(conflicts).toEqual(['data.a']);
  });

  test('wrote with a value that the server chose anew is still its own', () => {
    const service = (spec: Record<string, string | number>) =>
      objectOf('v1', 'Service', { spec }, { managedFields: [owner(fields('spec', 'type'))] });
    const before = service({ type: 'ClusterIP' });
    const predicted = service({ type: 'NodePort', nodePort: 30001 });
    const live = service({ type: 'NodePort', nodePort: 30002 });
    expect(restored(before, predicted, live)).toMatchObject({
      content: { spec: { type: 'ClusterIP' } },
      conflicts: [],
    });
  });

  test('wrote is nobody’s once all ownership was wiped: another value is somebody’s', () => {
    const { conflicts } = restored(map({ a: '1' }), map({ a: '2' }), map({ a: '3' }, []));
    expect(conflicts).toEqual(['data.a']);
  });
});

describe('a list', () => {
  const containers = { 'k:{"name":"web"}': { 'f:image': {} }, 'k:{"name":"side"}': {} };
  const pod = (list: { name: string; image: string }[], more: ManagedFieldsEntry[] = []) =>
    objectOf(
      'v1',
      'Pod',
      { spec: { containers: list } },
      { managedFields: [owner({ 'f:spec': { 'f:containers': containers } }), ...more] },
    );
  const web = (image: string) => ({ name: 'web', image });
  const side = { name: 'side', image: 'side:1' };

  test('with keys keeps the entry that somebody else has added', () => {
    const byMesh = updater('mesh', { 'f:spec': { 'f:containers': { 'k:{"name":"mesh"}': { '.': {} } } } });
    const live = pod([web('web:2'), { name: 'mesh', image: 'mesh:1' }], [byMesh]);
    const { content } = restored(pod([web('web:1'), side]), pod([web('web:2')]), live);
    expect(content['spec']).toEqual({ containers: [web('web:1'), side, { name: 'mesh', image: 'mesh:1' }] });
  });

  test('with keys names the entry whose field somebody else has changed', () => {
    const byHand = updater('kubectl-edit', { 'f:spec': { 'f:containers': { 'k:{"name":"web"}': { 'f:image': {} } } } });
    const { conflicts } = restored(pod([web('web:1')]), pod([web('web:2')]), pod([web('web:3')], [byHand]));
    expect(conflicts).toHaveLength(1);
    expect(conflicts[0]).toContain('web');
  });

  test('without keys is one value', () => {
    const job = (...args: string[]) =>
      objectOf('v1', 'Job', { args }, { managedFields: [owner({}), somebody('args')] });
    expect(restored(job('a'), job('b'), job('b', 'c'))).toMatchObject({
      content: { args: ['b', 'c'] },
      conflicts: ['args'],
    });
  });
});

describe('what controllers and the server own', () => {
  test('does not count as a change: revision, generation, status', () => {
    const at = (revision: string, replicas: number): KubernetesObject => ({
      ...configMap({ a: '1' }, { managedFields: ours, annotations: { 'deployment.kubernetes.io/revision': revision } }),
      status: { replicas },
    });
    expect(restore(at('1', 1), at('1', 1), at('3', 2)).state).toBe('untouched');
  });

  test('stays as it is in what is written', () => {
    const at = (revision: string, a: string, resourceVersion: string) => {
      const object = configMap(
        { a },
        { managedFields: ours, annotations: { 'deployment.kubernetes.io/revision': revision } },
      );
      object.metadata.resourceVersion = resourceVersion;
      return object;
    };
    const plan = restore(at('1', '1', '10'), at('1', '2', '11'), at('2', '2', '12'));
    expect(plan).toMatchObject({
      state: 'changed',
      object: {
        data: { a: '1' },
        metadata: { resourceVersion: '12', annotations: { 'deployment.kubernetes.io/revision': '2' } },
      },
    });
  });

  test('replicas that an autoscaler has set meanwhile stay (kubernetes/kubernetes#25238)', () => {
    const at = (image: string, replicas: number, more: ManagedFieldsEntry[] = []) =>
      objectOf(
        'apps/v1',
        'Deployment',
        { spec: { replicas, image } },
        { managedFields: [owner(fields('spec', 'image')), ...more] },
      );
    const scaler = updater('kube-controller-manager', fields('spec', 'replicas'), { subresource: 'scale' });
    expect(restored(at('1', 2), at('2', 2), at('2', 9, [scaler]))).toMatchObject({
      content: { spec: { replicas: 9, image: '1' } },
      conflicts: [],
    });
  });
});

test('an object that is as it was needs no write', () => {
  expect(restore(map({ a: '1' }), map({ a: '2' }), map({ a: '1' })).state).toBe('untouched');
});

test('ownership alone is reason enough to write', () => {
  const taken = map({ a: '1' }, [owner({ 'f:data': { 'f:a': {}, 'f:b': {} } })]);
  expect(restore(map({ a: '1' }), taken, taken)).toMatchObject({ state: 'changed', managedFields: ours });
});
