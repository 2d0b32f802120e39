import { describe, expect, test } from '@jest/globals';

import { kubectl } from '../../support/kubectl.ts';
import { configMap, deployment, service } from '../../support/objects.ts';
import { image, Stage, type Inputs } from '../../support/strategy-stage.ts';
import type { Content } from '../../support/workspace.ts';

/** Everything in the namespace that a run could have left, with its version. */
async function stateOf(stage: Stage): Promise<string> {
  const kinds = 'configmaps,secrets,deployments,services,leases';
  const columns = 'custom-columns=KIND:.kind,NAME:.metadata.name,VERSION:.metadata.resourceVersion';
  return await kubectl(['-n', stage.namespace, 'get', kinds, '-o', columns, '--no-headers']);
}

/** The data of an object as the server has it: names of keys that JavaScript knows itself would be lost in comparisons. */
async function dataOf(stage: Stage, kind: string, name: string, field = 'data'): Promise<string> {
  return await stage.kubectl('get', kind, name, '-o', `jsonpath={.${field}}`);
}

const yaml = (data: string) => `apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: odd\ndata:\n${data}\n`;
const good = { 'app.yaml': [configMap('app', { a: '1' }), service('web')] };

interface Careless {
  name: string;
  files?: Record<string, Content>;
  inputs?: Inputs;
  /** What the error says. */
  says: string;
  /** Where it stands, as the annotation has it. */
  at?: string;
}

const careless: Careless[] = [
  {
    name: 'items of a List that are none',
    files: { 'odd.yaml': 'apiVersion: v1\nkind: List\nitems: 5\n' },
    says: 'items of a List in "odd.yaml" must be a list',
    at: 'file=odd.yaml,line=3',
  },
  {
    name: 'UTF-16',
    files: { 'odd.yaml': Buffer.from(`\ufeff${yaml('  a: b')}`, 'utf16le') },
    says: '"odd.yaml" is UTF-16',
    at: 'file=odd.yaml',
  },
  {
    name: 'Latin-1',
    files: { 'odd.yaml': Buffer.from(yaml('  a: café'), 'latin1') },
    says: '"odd.yaml" is not UTF-8 text: it has the byte 0xe9',
    at: 'file=odd.yaml,line=6',
  },
  {
    name: '!!binary',
    files: { 'odd.yaml': yaml('  a: !!binary aGVsbG8=') },
    says: 'Remove the tag',
    at: 'file=odd.yaml,line=6',
  },
  {
    name: 'half of a letter',
    files: { 'odd.yaml': yaml('  a: "\\ud83d"') },
    says: 'data.a of ConfigMap "odd" has half a character',
    at: 'file=odd.yaml,line=6',
  },
  {
    name: 'a file with "=" in its name',
    files: { 'k=v.txt': 'x' },
    inputs: { configmaps: 'odd=k=v.txt' },
    says: 'For the file "k=v.txt" give the key as well',
  },
  {
    name: 'headers and times of checks',
    inputs: {
      verify: [
        '- path: /',
        '  headers:',
        '    Transfer-Encoding: chunked',
        '    "X-A": "a\\r\\nX-B: b"',
        '- path: /',
        '  timeout: 2m',
        '- path: /',
        '  max-p95: 30s',
      ].join('\n'),
    },
    says: 'line 6 of the input "verify": one request can take 120 s, and all waits of the run together 60 s',
  },
];

describe('what cannot work is an error before anything has changed', () => {
  test.each(careless.map((one) => [one.name, one] as const))('%s', async (_, { files, inputs, says, at }) => {
    await using stage = await Stage.open('rolling');
    const before = await stateOf(stage);
    const result = await stage.run('app', { ...inputs }, { ...good, ...files });
    expect({ exit: result.exit, status: result.outputs['status'] }).toEqual({ exit: 1, status: 'failed' });
    expect(result.log).toContain(says);
    expect(result.log).toContain(`::error title=gke-rollout${at === undefined ? '' : `,${at}`}`);
    expect(result.log).not.toMatch(/TypeError|ERR_|\bat .*\.[jt]s:\d+/);
    expect(await stateOf(stage)).toBe(before);
  });

  test('and all that is wrong with the checks is said at once, each with its line', async () => {
    await using stage = await Stage.open('rolling');
    const { inputs } = careless.at(-1) ?? {};
    const { log } = await stage.run('app', { ...inputs }, good);
    for (const says of [
      'line 2 of the input "verify": the header "Transfer-Encoding" belongs to the connection',
      'line 2 of the input "verify": the value of the header "X-A" has a line break',
      'line 8 of the input "verify": "max-p95" is longer than the 10 s',
    ])
      expect(log).toContain(says);
  });
});

test('keys that every object of JavaScript inherits are deployed, undone and rolled back like all others', async () => {
  await using stage = await Stage.open('rolling');
  const config = {
    configmaps: 'odd=__proto__=v.txt,constructor=v.txt,toString=bytes',
    secrets: 'hidden=__proto__=v.txt',
    manifests: 'app.yaml',
  };
  const files = (value: string, more: readonly object[] = []): Record<string, Content> => ({
    'v.txt': value,
    bytes: Buffer.from([0xff, 0xfe, 0x61, 0]),
    'app.yaml': [configMap('app', JSON.parse(`{"__proto__":"${value}"}`) as Record<string, string>), ...more],
  });
  const stands = async (value: string) => {
    expect(JSON.parse(await dataOf(stage, 'configmap', 'odd'))).toEqual(
      JSON.parse(`{"__proto__":"${value}","constructor":"${value}"}`),
    );
    expect(await dataOf(stage, 'configmap', 'odd')).toContain(`"__proto__":"${value}"`);
    expect(await dataOf(stage, 'configmap', 'odd', 'binaryData')).toBe('{"toString":"//5hAA=="}');
    expect(await dataOf(stage, 'secret', 'hidden')).toBe(`{"__proto__":"${Buffer.from(value).toString('base64')}"}`);
    expect(await dataOf(stage, 'configmap', 'app')).toBe(`{"__proto__":"${value}"}`);
  };

  expect((await stage.run('odd', config, files('first'))).outputs['status']).toBe('deployed');
  await stands('first');

  const broken = deployment('web', { image: image('9.9.9').replace('/ctwoc', '/pulled/ctwoc') });
  const failed = await stage.run('odd', { ...config, timeout: '20s' }, files('bad', [broken]));
  expect(failed.outputs['status']).toBe('undone');
  await stands('first');

  expect((await stage.run('odd', config, files('second'))).outputs['status']).toBe('deployed');
  await stands('second');
  expect((await stage.command('odd', 'rollback')).outputs['status']).toBe('rolled-back');
  await stands('first');
});
