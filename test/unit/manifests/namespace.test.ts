import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { expect, test } from '@jest/globals';

import { assertUnique } from '../../../src/manifests/manifest.ts';
import { setNamespaces } from '../../../src/manifests/namespace.ts';
import { parseManifests } from '../../../src/manifests/read/yaml.ts';
import { deployment, manifest, problemsIn, thrownBy } from './build.ts';

/** A server that knows these kinds only. */
const isNamespaced = (_: string, kind: string) =>
  ({ Deployment: true, ConfigMap: true, ClusterRole: false, CustomResourceDefinition: false })[kind];

const definition = (scope: string) =>
  manifest({
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: 'samples.example.test' },
    spec: { group: 'example.test', scope, names: { kind: 'Sample' } },
  });
const sample = { apiVersion: 'example.test/v1', kind: 'Sample' };

test.each([
  ['an object without one gets it', { kind: 'ConfigMap' }, 'shop'],
  ['an empty one counts as none', { kind: 'ConfigMap', metadata: { name: 'a', namespace: '' } }, 'shop'],
  ['another one stays', { kind: 'ConfigMap', metadata: { name: 'a', namespace: 'other' } }, 'other'],
  ['a cluster-scoped object gets none', { kind: 'ClusterRole' }, undefined],
  [
    'a cluster-scoped object loses its own',
    { kind: 'ClusterRole', metadata: { name: 'a', namespace: 'other' } },
    undefined,
  ],
  ['an unknown kind counts as namespaced', sample, 'shop'],
])('%s', (_, object, expected) => {
  const one = manifest(object);
  setNamespaces([one], 'shop', isNamespaced);
  expect(one.object.metadata.namespace).toBe(expected);
});

test.each([
  ['Namespaced', 'shop'],
  ['Cluster', undefined],
])('a kind that a definition of the same deploy makes %s', (scope, expected) => {
  const one = manifest(sample);
  setNamespaces([one, definition(scope)], 'shop', isNamespaced);
  expect(one.object.metadata.namespace).toBe(expected);
});

test('one name in two namespaces is two objects (k8s-deploy R6)', () => {
  const text = readFileSync(join(import.meta.dirname, 'cases/two-namespaces.yaml'), 'utf8');
  const manifests = parseManifests(text, 'f.yaml');
  setNamespaces(manifests, 'shop', isNamespaced);
  expect(() => {
    assertUnique(manifests);
  }).not.toThrow();
  expect(manifests.map(({ object }) => object.metadata.namespace)).toStrictEqual(['team-a', 'team-b']);
});

test('the same object twice is refused with both places, in whatever version of its group', () => {
  const text =
    'apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\n---\napiVersion: apps/v1beta1\nkind: Deployment\nmetadata: {name: web, namespace: shop}\n';
  const manifests = parseManifests(text, 'f.yaml');
  setNamespaces(manifests, 'shop', isNamespaced);
  expect(
    thrownBy(() => {
      assertUnique(manifests);
    }),
  ).toMatchObject({
    message: 'Deployment "web" in namespace "shop" is defined twice: at f.yaml:1 and at f.yaml:5',
    location: { file: 'f.yaml', line: 5 },
  });
});

test('several doubles come together', () => {
  const error = thrownBy(() => {
    assertUnique([deployment([], 'a'), deployment([], 'a'), deployment([], 'b'), deployment([], 'b')]);
  });
  expect(problemsIn(error)).toHaveLength(2);
});
