import { expect, test } from '@jest/globals';

import { contentOf } from '../../../src/apply/comparison.ts';
import { simulateTakeover } from '../../../src/apply/simulate.ts';
import { configMap, fields, objectOf, owner, updater } from '../release/build.ts';

const kubectl = (...path: string[]) => updater('kubectl-client-side-apply', fields(...path));

test('a field that kubectl apply had set and the manifest lacks goes away (kubernetes/kubernetes#99003)', () => {
  const live = configMap({ a: '1', b: '2' }, { managedFields: [kubectl('data', 'a'), kubectl('data', 'b')] });
  expect(simulateTakeover(live, configMap({ a: '9' }))['data']).toEqual({ a: '9' });
});

test('a field of another manager, or of nobody, stays', () => {
  const managedFields = [kubectl('data', 'a'), updater('operator', fields('data', 'b'))];
  const live = configMap({ a: '1', b: '2', c: '3' }, { managedFields });
  expect(simulateTakeover(live, configMap({}))['data']).toEqual({ b: '2', c: '3' });
});

test('a field that somebody else owns as well stays', () => {
  const live = configMap(
    { a: '1' },
    { managedFields: [kubectl('data', 'a'), updater('operator', fields('data', 'a'))] },
  );
  expect(simulateTakeover(live, configMap({}))['data']).toEqual({ a: '1' });
});

test('entries of a keyed list are matched by key, and go as a whole', () => {
  const port = (port: number, protocol: string) => ({
    [`k:${JSON.stringify({ port, protocol })}`]: { '.': {}, 'f:port': {}, 'f:protocol': {}, 'f:name': {} },
  });
  const live = objectOf(
    'v1',
    'Service',
    {
      spec: {
        ports: [
          { name: 'dns', port: 53, protocol: 'UDP' },
          { name: 'http', port: 80, protocol: 'TCP', nodePort: 30001 },
        ],
      },
    },
    {
      managedFields: [
        updater('kubectl-create', { 'f:spec': { 'f:ports': { ...port(53, 'UDP'), ...port(80, 'TCP') } } }),
      ],
    },
  );
  const wanted = objectOf('v1', 'Service', {
    spec: {
      ports: [
        { name: 'dns', port: 53, protocol: 'TCP' },
        { name: 'web', port: 80 },
      ],
    },
  });
  expect(contentOf(simulateTakeover(live, wanted))['spec']).toEqual({
    ports: [
      { name: 'web', port: 80, nodePort: 30001 },
      { name: 'dns', port: 53, protocol: 'TCP' },
    ],
  });
});

test('what the server chose stays, so that it is not taken for a change', () => {
  const live = objectOf(
    'v1',
    'Service',
    { spec: { clusterIP: '10.0.0.1', type: 'ClusterIP' } },
    { managedFields: [owner(fields('spec', 'type'))] },
  );
  expect(simulateTakeover(live, objectOf('v1', 'Service', { spec: { type: 'NodePort' } }))['spec']).toEqual({
    clusterIP: '10.0.0.1',
    type: 'NodePort',
  });
});
