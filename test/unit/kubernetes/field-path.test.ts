import { describe, expect, test } from '@jest/globals';

import { formatFieldPath, parseFieldPath } from '../../../src/kubernetes/field-path.ts';

const object = {
  metadata: { finalizers: ['a', 'b.c/d'], annotations: { 'a.b/c': '1' } },
  data: { 'app.yaml': 'x', app: 'y', 'a.b.c': 'z' },
  spec: {
    containers: [
      { name: 'side', image: 'x' },
      { name: 'we]b', image: 'y' },
    ],
    ports: [{ containerPort: 80, protocol: 'UDP' }, { containerPort: 80 }],
  },
};

describe('a field path of the API server', () => {
  test.each([
    [
      'spec.template.spec.containers[0].ports[1].containerPort',
      ['spec', 'template', 'spec', 'containers', 0, 'ports', 1, 'containerPort'],
    ],
    ['metadata.annotations[a.b/c]', ['metadata', 'annotations', 'a.b/c']],
    ['.spec.containers[name="side"].image', ['spec', 'containers', 0, 'image']],
    ['.spec.containers[name="we]b"].image', ['spec', 'containers', 1, 'image']],
    ['.metadata.finalizers[="b.c/d"]', ['metadata', 'finalizers', 1]],
    ['.data.a.b.c', ['data', 'a.b.c']],
    ['.data.app', ['data', 'app']],
    ['data[app.yaml]', ['data', 'app.yaml']],
    ['[]', ['']],
  ])('%s is read', (text, path) => {
    expect(parseFieldPath(text, object)).toEqual(path);
  });

  test('ends at the list when no entry has the keys', () => {
    expect(parseFieldPath('.spec.containers[name="gone"].image', object)).toEqual(['spec', 'containers']);
  });

  test('finds an entry by the keys that the manifest has when the server filled the other in', () => {
    expect(parseFieldPath('.spec.ports[containerPort=80,protocol="TCP"].hostPort', object)).toEqual([
      'spec',
      'ports',
      1,
      'hostPort',
    ]);
  });

  test('takes no key from the prototype of a map', () => {
    expect(parseFieldPath('.data.constructor.name', object)).toEqual(['data', 'constructor', 'name']);
  });
});

test.each([
  [['spec', 'containers', 0, 'image'], 'spec.containers[0].image'],
  [['metadata', 'annotations', 'a.b/c'], 'metadata.annotations[a.b/c]'],
])('a path is written as the server writes it', (path, text) => {
  expect(formatFieldPath(path)).toBe(text);
});
