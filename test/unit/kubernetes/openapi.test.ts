import { expect, test } from '@jest/globals';

import { status } from '../../support/scripted-server.ts';
import { clientOf } from './clients.ts';

const document = {
  components: {
    schemas: {
      'io.k8s.api.apps.v1.Deployment': {
        type: 'object',
        'x-kubernetes-group-version-kind': [{ group: 'apps', version: 'v1', kind: 'Deployment' }],
        properties: {
          spec: { description: 'What is wanted.', allOf: [{ $ref: '#/components/schemas/Spec' }], default: {} },
        },
      },
      Spec: {
        type: 'object',
        description: 'Spec in general.',
        properties: {
          replicas: { type: 'integer', format: 'int32', description: 'How many.' },
          containers: { type: 'array', items: { allOf: [{ $ref: '#/components/schemas/Container' }] } },
          labels: { type: 'object', additionalProperties: { type: 'string' } },
        },
      },
      Container: { type: 'object', description: 'One container.', properties: { image: { type: 'string' } } },
    },
  },
};

const serving = () =>
  clientOf(({ path }) => (path === '/openapi/v3/apis/apps/v1' ? { json: document } : status(404, '')));

test.each<[(string | number)[], object]>([
  [['spec', 'replicas'], { path: 'spec.replicas', type: 'int32', description: 'How many.' }],
  [['spec'], { type: 'object', description: 'What is wanted.' }],
  [['spec', 'containers', 3, 'image'], { path: 'spec.containers[3].image', type: 'string', siblings: ['image'] }],
  [['spec', 'containers'], { type: '[]object' }],
  [['spec', 'labels', 'any.key/x'], { type: 'string' }],
  [['spec', 'replcas'], { type: '', siblings: ['replicas', 'containers', 'labels'] }],
])('explains %j', async (path, documentation) => {
  await using fixture = await serving();
  await expect(fixture.client.explain('apps/v1', 'Deployment', path)).resolves.toMatchObject(documentation);
});

test('the document of a group and version is fetched once', async () => {
  await using fixture = await serving();
  await Promise.all(['a', 'b', 'c'].map((field) => fixture.client.explain('apps/v1', 'Deployment', [field])));
  expect(fixture.received()).toHaveLength(1);
});

test('a server without documentation is no error', async () => {
  await using fixture = await serving();
  await expect(fixture.client.explain('example.com/v1', 'Thing', ['spec'])).resolves.toBeUndefined();
  await expect(fixture.client.explain('apps/v1', 'Thing', ['spec'])).resolves.toBeUndefined();
});
