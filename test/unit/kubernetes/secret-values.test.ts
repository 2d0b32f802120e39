import { describe, expect, test } from '@jest/globals';

import type { JsonObject } from '../../../src/base/json.ts';
import { objectsIn, secretsOf, valuesOf } from '../../../src/kubernetes/secret-values.ts';

const base64 = (text: string) => Buffer.from(text).toString('base64');

function secret(fields: JsonObject): JsonObject {
  return { apiVersion: 'v1', kind: 'Secret', metadata: { name: 's', namespace: 'shop' }, ...fields };
}

function pod(container: JsonObject): JsonObject {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'web', labels: { commit: '0123456789abcdef0123456789abcdef' } },
    spec: { containers: [{ name: 'web', image: 'registry.test/web:1.4.2-b20261129a', ...container }] },
  };
}

const variable = (name: string, value: string | number) => pod({ env: [{ name, value }] });

describe('what is secret in a Secret', () => {
  test('is each value of one line and each line of longer ones, as text and in base64', () => {
    const key = '-----BEGIN KEY-----\nabcdefgh\nijklmnop\n-----END KEY-----\n';
    const found = secretsOf(
      secret({ data: { a: base64('hunter22'), key: base64(key) }, stringData: { c: 'correct horse' } }),
    );
    expect(found).toEqual(
      expect.arrayContaining(['hunter22', base64('hunter22'), 'abcdefgh', 'ijklmnop', base64(key), 'correct horse']),
    );
    expect(found).not.toContain('-----BEGIN KEY-----');
  });

  test.each<[string, JsonObject]>([
    ['a number', { stringData: { pin: 48151623 } }],
    ['a number in data', { data: { pin: 48151623 } }],
    ['a list in place of the map', { data: ['48151623'] }],
    ['a list of maps', { data: [{ name: 'pin', value: '48151623' }] }],
    ['a text in place of the map', { stringData: '48151623' }],
    ['a map in place of a value', { stringData: { pin: { nested: '48151623' } } }],
    ['not base64', { data: { pin: '48151623' } }],
    [
      'what kubectl has applied before',
      {
        metadata: {
          name: 's',
          annotations: {
            'kubectl.kubernetes.io/last-applied-configuration': JSON.stringify(
              secret({ stringData: { pin: '48151623' } }),
            ),
          },
        },
      },
    ],
    ['a setting in a file', { stringData: { '.env': 'export PIN="48151623"\nB=1' } }],
    ['a value of JSON', { data: { json: base64('{"a":{"pin":"48151623"}}') } }],
    ['the password of an address', { stringData: { url: 'postgres://app:48151623@db/shop' } }],
  ])('%s', (_, fields) => {
    expect(secretsOf(secret(fields))).toContain('48151623');
  });

  test('leaves out what would turn harmless output into ***', () => {
    const stringData = {
      stage: 'prod',
      on: 'true',
      port: '8080',
      wait: '30s',
      host: 'localhost',
      json: '{\n  "a": 1\n}\n',
    };
    expect(secretsOf(secret({ stringData }))).toEqual(['"a": 1']);
  });

  test('counts with four or five characters when it is no word and no number', () => {
    expect(secretsOf(secret({ stringData: { a: 'x7!q', b: 'blue', c: '1234', d: 'x7!' } }))).toEqual(['x7!q']);
  });

  test('is not what the object is called', () => {
    expect(secretsOf({ ...secret({ stringData: { user: 'storefront' } }), metadata: { name: 'storefront' } })).toEqual(
      [],
    );
  });

  test('is nothing in other objects, nor in the records of this action', () => {
    expect(
      secretsOf({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'c' }, data: { a: 'hunter22' } }),
    ).toEqual([]);
    expect(secretsOf(secret({ type: 'gke-rollout/record', data: { record: base64('hunter22') } }))).toEqual([]);
  });
});

describe('what is secret among variables', () => {
  test.each([
    ['DB_PASSWORD', 'hunter22'],
    ['API_KEY', 'abcdefgh'],
    ['STRIPE', 'sk_live_4eC39HqLyjWDarjtT1zdp7dc'],
    ['DATABASE_URL', 'postgres://app:hunter22@db/shop'],
    ['PIN', 48151623],
  ])('%s', (name, value) => {
    expect(secretsOf(variable(name, value))).toContain(String(value));
  });

  test.each([
    ['LOG_LEVEL', 'information'],
    ['AUTH_URL', 'https://auth.shop.test/login'],
    ['TOKEN_TTL', '15 minutes'],
    ['COMMIT', '0123456789abcdef0123456789abcdef'],
    ['VERSION', '1.4.2-b20261129a'],
    ['API_HOST', 'api-1234.shop-5678.svc.cluster.local'],
  ])('not %s', (name, value) => {
    expect(secretsOf(variable(name, value))).toEqual([]);
  });

  test('an argument that is called like one', () => {
    expect(secretsOf(pod({ args: ['--db-password=hunter22', '--port=8080'] }))).toEqual(['hunter22']);
  });

  test('a variable that has its value in its name, and variables as a map', () => {
    expect(secretsOf(pod({ env: [{ name: 'TOKEN=hunter22' }] }))).toEqual(['hunter22']);
    expect(secretsOf(pod({ env: { TOKEN: 'hunter22' } }))).toEqual(['hunter22']);
  });
});

test('the words of the server must repeat no variable, but words and numbers', () => {
  const env = [
    { name: 'GREETING', value: 'Hello, dear people!' },
    { name: 'LEVEL', value: 'debug' },
    { name: 'PORT', value: '8080' },
  ];
  expect(valuesOf(pod({ env }))).toEqual(['Hello, dear people!']);
});

test('the objects of a record are found, however deep', () => {
  const inside = secret({ stringData: { a: 'hunter22' } });
  const record = { objects: [inside], steps: [{ entries: [{ before: null, after: { object: pod({}) } }] }], run: 'x' };
  expect(objectsIn(record)).toEqual([inside, pod({})]);
  expect(objectsIn(null)).toEqual([]);
});
