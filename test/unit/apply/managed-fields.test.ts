import { describe, expect, test } from '@jest/globals';

import {
  extractOwned,
  isPredecessor,
  listShape,
  owns,
  restoreEntries,
  sameEntries,
  unionFields,
} from '../../../src/apply/managed-fields.ts';
import { configMap, fields, objectOf, owner, updater } from '../release/build.ts';

const deployment = objectOf('apps/v1', 'Deployment', {
  spec: {
    replicas: 3,
    paused: false,
    template: {
      spec: {
        containers: [
          { name: 'web', image: 'web:1', args: ['a', 'b'], ports: [{ containerPort: 80, protocol: 'TCP', name: 'x' }] },
          { name: 'proxy', image: 'proxy:1' },
        ],
      },
    },
  },
});

describe('the part of an object that a manager owns', () => {
  test('has the fields of the entry and no others', () => {
    expect(extractOwned(deployment, owner(fields('spec', 'replicas')))).toEqual({ spec: { replicas: 3 } });
  });

  test('has of a keyed list the entries that are owned, and of these the owned fields', () => {
    const entry = owner({
      'f:spec': {
        'f:template': {
          'f:spec': { 'f:containers': { 'k:{"name":"web"}': { '.': {}, 'f:name': {}, 'f:image': {} } } },
        },
      },
    });
    expect(extractOwned(deployment, entry)).toEqual({
      spec: { template: { spec: { containers: [{ name: 'web', image: 'web:1' }] } } },
    });
  });

  test('has members of a set by their value', () => {
    const object = objectOf('v1', 'Pod', {}, {});
    object.metadata.finalizers = ['a/x', 'b/y'];
    const entry = owner({ 'f:metadata': { 'f:finalizers': { 'v:"b/y"': {} } } });
    expect(extractOwned(object, entry)).toEqual({ metadata: { finalizers: ['b/y'] } });
  });

  test('has an empty map where only the map itself is owned', () => {
    expect(extractOwned(configMap({ a: '1' }), owner({ 'f:data': { '.': {} } }))).toEqual({ data: {} });
  });

  test('lacks what is owned but not there', () => {
    expect(extractOwned(configMap({}), owner(fields('data', 'gone')))).toEqual({ data: {} });
  });
});

describe('who owns what', () => {
  test('an entry owns a field and the maps around it', () => {
    const entry = owner(fields('spec', 'replicas'));
    expect(owns(entry, ['spec'])).toBe(true);
    expect(owns(entry, ['spec', 'replicas'])).toBe(true);
    expect(owns(entry, ['spec', 'paused'])).toBe(false);
  });

  test.each([
    ['kubectl-client-side-apply', true],
    ['kubectl-create', true],
    ['before-first-apply', true],
    ['kubectl-edit', false],
    ['kubectl-set', false],
    ['kubectl-rollout', false],
    ['helm', false],
  ])('a first writer is our predecessor, who changes or manages by another tool is not: %s', (manager, expected) => {
    expect(isPredecessor(updater(manager, fields('data', 'a')))).toBe(expected);
  });

  test('whoever owns the annotation of kubectl apply is our predecessor, by any name (kubernetes/kubernetes#99003)', () => {
    const annotation = fields('metadata', 'annotations', 'kubectl.kubernetes.io/last-applied-configuration');
    expect(isPredecessor(updater('ci-bot', annotation))).toBe(true);
    expect(isPredecessor(updater('ci-bot', annotation, { operation: 'Apply' }))).toBe(false);
  });

  test('what stands in a subresource has no predecessor', () => {
    expect(isPredecessor(updater('kubectl-create', {}, { subresource: 'status' }))).toBe(false);
  });
});

test('the union of two trees has the fields of both', () => {
  expect(unionFields(fields('data', 'a'), fields('data', 'b'))).toEqual({ 'f:data': { 'f:a': {}, 'f:b': {} } });
});

test('lists are known by the keys that any manager shows', () => {
  const shape = listShape([
    owner({ 'f:spec': { 'f:ports': { 'k:{"port":80,"protocol":"TCP"}': {} } } }),
    owner({ 'f:metadata': { 'f:finalizers': { 'v:"a"': {} } } }),
  ]);
  expect(shape.fields.get('spec')?.fields.get('ports')?.keys).toEqual(['port', 'protocol']);
  expect(shape.fields.get('metadata')?.fields.get('finalizers')?.set).toBe(true);
});

describe('the owners after an undo', () => {
  const mine = ['gke-rollout'];
  const at = (...managedFields: ReturnType<typeof owner>[]) => configMap({}, { managedFields });

  test('are those of before where nobody has written since', () => {
    const before = at(owner(fields('data', 'a')), updater('helm', fields('data', 'b')));
    const after = at(owner(unionFields(fields('data', 'a'), fields('data', 'b'))));
    expect(restoreEntries(before, after, after, mine)).toEqual(before.metadata.managedFields);
  });

  test('keep what another manager has got since', () => {
    const before = at(owner(fields('data', 'a')));
    const after = at(owner(fields('data', 'b')));
    const live = at(owner(fields('data', 'b')), updater('somebody', fields('data', 'c')));
    expect(restoreEntries(before, after, live, mine)).toEqual([
      owner(fields('data', 'a')),
      updater('somebody', fields('data', 'c')),
    ]);
  });

  test('have no entry of ours where there was none', () => {
    const after = at(owner(fields('data', 'b')));
    expect(restoreEntries(at(), after, after, mine)).toEqual([]);
  });

  test('have a predecessor again that a killed run had taken over', () => {
    const before = at(updater('kubectl-client-side-apply', fields('data', 'a')));
    const predicted = at(owner(fields('data', 'a')), updater('kubectl-client-side-apply', fields('data', 'a')));
    const live = at(owner(fields('data', 'a')));
    expect(restoreEntries(before, predicted, live, mine)).toEqual(before.metadata.managedFields);
  });

  test('have the status of now', () => {
    const status = (...path: string[]) =>
      updater('kube-controller-manager', fields('status', ...path), { subresource: 'status' });
    const [before, later] = [at(status('replicas')), at(status('currentRevision'))];
    expect(restoreEntries(before, later, later, mine)).toEqual(later.metadata.managedFields);
  });
});

test('owners are the same whenever they wrote', () => {
  const early = owner(fields('data', 'a'), { time: '2026-01-01T00:00:00Z' });
  const late = owner(fields('data', 'a'), { time: '2026-02-02T00:00:00Z' });
  expect(sameEntries([early], [late])).toBe(true);
  expect(sameEntries([early], [owner(fields('data', 'b'))])).toBe(false);
  expect(sameEntries([early], [])).toBe(false);
});
