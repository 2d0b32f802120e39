import { expect, test } from '@jest/globals';

import { formatReference, parseReference, sameRepository } from '../../../src/manifests/reference.ts';

const digest = `sha256:${'a'.repeat(64)}`;

test.each([
  ['nginx', 'docker.io', 'library/nginx', undefined, undefined],
  ['nginx:1.27', 'docker.io', 'library/nginx', '1.27', undefined],
  ['me/app', 'docker.io', 'me/app', undefined, undefined],
  ['docker.io/nginx', 'docker.io', 'library/nginx', undefined, undefined],
  ['index.docker.io/library/nginx:1', 'docker.io', 'library/nginx', '1', undefined],
  ['localhost/app', 'localhost', 'app', undefined, undefined],
  ['localhost:5000/app', 'localhost:5000', 'app', undefined, undefined],
  ['registry.test:5000/team/app:v1', 'registry.test:5000', 'team/app', 'v1', undefined],
  ['[::1]:5000/app:v1', '[::1]:5000', 'app', 'v1', undefined],
  ['Registry.test/app', 'Registry.test', 'app', undefined, undefined],
  [`europe-docker.pkg.dev/p/r/app@${digest}`, 'europe-docker.pkg.dev', 'p/r/app', undefined, digest],
  [`r.test/app:v1@${digest}`, 'r.test', 'app', 'v1', digest],
  ['r.test/a-b__c.d/e--f:V_1.2-x', 'r.test', 'a-b__c.d/e--f', 'V_1.2-x', undefined],
])('%s is taken apart and put together again', (text, registry, repository, tag, version) => {
  const reference = parseReference(text);
  expect(reference).toMatchObject({ registry, repository });
  expect([reference.tag, reference.digest]).toStrictEqual([tag, version]);
  expect(formatReference(reference)).toBe(text);
});

test.each([
  '',
  ' ',
  'nginx:',
  'nginx@',
  'nginx:1:2',
  'nginx:-1',
  `nginx:${'a'.repeat(129)}`,
  'nginx@sha256:12',
  `nginx@${digest}@${digest}`,
  'UPPER',
  'r.test/Upper',
  'r.test//app',
  'r.test/app/',
  '/app',
  'a..b',
  'a___b',
  '-a',
  'a b',
  '${IMAGE}',
  'https://r.test/app',
])('"%s" is refused', (text) => {
  expect(() => parseReference(text)).toThrow('is not an image reference');
});

test.each([
  ['nginx', 'docker.io/library/nginx:1', true],
  ['index.docker.io/nginx', 'nginx', true],
  ['nginx', 'nginxinc', false],
  ['r.test/nginx', 'nginx', false],
  ['r.test:5000/a', 'r.test/a', false],
  ['r.test/a', 'r.test/a/b', false],
])('%s and %s: same repository is %s', (left, right, expected) => {
  expect(sameRepository(parseReference(left), parseReference(right))).toBe(expected);
});
