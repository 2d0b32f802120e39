import { expect, test } from '@jest/globals';

import { bringBackBeside } from '../../../src/commands/sealed-config.ts';
import { keyOf, refOf } from '../../../src/kubernetes/object.ts';
import { configReferences } from '../../../src/manifests/config-references.ts';
import { configMap, manifestOf, objectOf } from '../release/build.ts';

const reader = () => {
  const envFrom = [{ configMapRef: { name: 'read' } }, { configMapRef: { name: 'other' } }];
  return objectOf('apps/v1', 'Deployment', {
    spec: { template: { spec: { containers: [{ name: 'web', envFrom }] } } },
  });
};

test('config that cannot be changed comes back under another name, which the pods read', () => {
  const [sealed, unread, workload] = [configMap({}, { name: 'read' }), configMap({}, { name: 'unread' }), reader()];
  const keys = new Set([sealed, unread].map((object) => keyOf(refOf(object))));
  const beside = bringBackBeside(
    [sealed, unread, workload].map((object) => manifestOf(object)),
    keys,
    3,
  );
  expect(beside).toEqual([{ kind: 'ConfigMap', from: 'read', to: 'read-r3' }]);
  expect([sealed, unread].map(({ metadata }) => metadata.name)).toEqual(['read-r3', 'unread']);
  expect(configReferences(workload).map(({ name }) => name)).toEqual(['read-r3', 'other']);
});

test('all stays as it is where all can be changed', () => {
  const [config, workload] = [configMap({}, { name: 'read' }), reader()];
  expect(
    bringBackBeside(
      [config, workload].map((object) => manifestOf(object)),
      new Set(),
      3,
    ),
  ).toEqual([]);
  expect(workload).toEqual(reader());
});
