import { describe, expect, test } from '@jest/globals';

import type { Json, Path } from '../../../src/base/json.ts';
import { isSecretPlace, tellsSecret, withoutSecrets } from '../../../src/base/without-secrets.ts';

describe('a value without its secrets', () => {
  test.each<[string, Json, Json]>([
    ['by its key', { password: 'a', port: 1 }, { password: '***', port: 1 }],
    ['in something that is called so', { credentials: { a: ['b'] } }, { credentials: { a: ['***'] } }],
    ['by the name beside it', [{ name: 'TOKEN', value: 'a' }], [{ name: 'TOKEN', value: '***' }]],
    ['by the flag before it', ['--token', 'a', '--port', '1'], ['--token', '***', '--port', '1']],
    ['by the flag with it', ['--password=a', '--port=1'], ['***', '--port=1']],
    ['by its form', { url: 'https://a:b@c/' }, { url: '***' }],
    ['of a variable that is no word', { env: [{ name: 'A', value: 'x.y/z' }] }, { env: [{ name: 'A', value: '***' }] }],
    [
      'under a name of JavaScript',
      JSON.parse('{"__proto__": {"password": "a"}}') as Json,
      JSON.parse('{"__proto__": {"password": "***"}}') as Json,
    ],
  ])('%s', (_, value, expected) => {
    expect(withoutSecrets(value)).toEqual(expected);
  });

  test.each<[string, Json]>([
    ['the key of a taint', [{ key: 'nvidia.com/gpu', operator: 'Exists' }]],
    [
      'where a variable is taken from',
      { env: [{ name: 'A', valueFrom: { secretKeyRef: { name: 'db', key: 'url' } } }] },
    ],
    ['a volume', { secret: { secretName: 'tls', items: [{ key: 'tls.crt', path: 'crt' }] } }],
    ['a switch', { automountServiceAccountToken: false }],
    ['a name', { name: 'token-server' }],
  ])('is as it was: %s', (_, value) => {
    expect(withoutSecrets(value)).toEqual(value);
  });
});

test.each([
  ['--password=a', true],
  ['sh -c "export API_TOKEN=a; run"', true],
  ['run --token a', true],
  ['"client_secret": "a"', true],
  ['Authorization: Bearer a', true],
  ['--auth-mode=rbac --token-file /run/t', false],
  ['listen 8080;', false],
])('whether "%s" tells a secret: %s', (text, expected) => {
  expect(tellsSecret(text)).toBe(expected);
});

test.each<[Path, boolean]>([
  [['spec', 'password'], true],
  [['data', 'api-key'], true],
  [['spec', 'secret'], true],
  [['spec', 'containers', 'auth', 'env', 'TOKEN'], true],
  [['spec', 'containers', 'auth', 'image'], false],
  [['spec', 'volumes', 'tls', 'secret', 'secretName'], false],
  [['spec', 'imagePullSecrets', 'registry-token'], false],
])('whether %j is the place of a secret: %s', (path, expected) => {
  expect(isSecretPlace(path)).toBe(expected);
});
