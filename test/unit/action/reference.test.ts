import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { describe, expect, test } from '@jest/globals';
import { load } from 'js-yaml';

import { reference } from '../../../script/reference/reference.ts';
import { inputTable, type InputDefinition } from '../../../src/action/input-table.ts';
import { outputTable } from '../../../src/action/output-table.ts';
import { readInputs } from '../../../src/action/inputs.ts';
import { commandNames } from '../../../src/commands/index.ts';
import { strategyNames } from '../../../src/strategies/traits.ts';

interface ActionYml {
  description: string;
  inputs: Record<string, { description: string; required: boolean; default?: unknown }>;
  outputs: Record<string, { description: string }>;
  runs: Record<string, string>;
}

const action = load(readFileSync(join(import.meta.dirname, '../../../action.yml'), 'utf8')) as ActionYml;
const inputs: [string, InputDefinition][] = Object.entries(inputTable);

/** What must stand beside an input that is only a part of something. */
const cluster = { INPUT_CLUSTER: 'bootcamp', INPUT_LOCATION: 'us-central1' };
const company: Partial<Record<string, Record<string, string>>> = {
  cluster,
  location: cluster,
  project: cluster,
  endpoint: cluster,
  'fleet-membership': { INPUT_ENDPOINT: 'connect-gateway' },
  'workload-identity-provider': cluster,
  'service-account': {
    ...cluster,
    'INPUT_WORKLOAD-IDENTITY-PROVIDER': inputTable['workload-identity-provider'].example,
  },
  'credentials-json': cluster,
  'access-token': cluster,
  'quota-project': cluster,
  'session-affinity-services': { 'INPUT_SESSION-AFFINITY': 'client-ip' },
  'session-affinity-timeout': { 'INPUT_SESSION-AFFINITY': 'client-ip' },
  'universe-domain': cluster,
  'export-kubeconfig': cluster,
};

describe('what is written about inputs and outputs', () => {
  test('action.yml and the pages of inputs, outputs and rules are what script/docs makes of the tables', async () => {
    for (const { path, text } of await reference())
      expect({ path, text: readFileSync(path, 'utf8') }).toEqual({ path, text });
  });

  test('the README names the strategies and commands that there are, and no others', () => {
    const readme = readFileSync(join(import.meta.dirname, '../../../README.md'), 'utf8');
    const { strategies, commands } =
      /^This version has the strategies (?<strategies>[^.]+) and the commands (?<commands>[^.]+)\./m.exec(readme)
        ?.groups ?? {};
    const named = (text = '') => [...text.matchAll(/`(?<name>[a-z-]+)`/g)].map(({ groups }) => groups?.['name']);
    expect(named(strategies)).toEqual(strategyNames);
    expect(named(commands)).toEqual(commandNames);
  });

  test('action.yml declares all of them, and defaults as text', () => {
    expect(Object.keys(action.inputs)).toEqual(Object.keys(inputTable));
    expect(Object.keys(action.outputs)).toEqual(Object.keys(outputTable));
    for (const [id, definition] of inputs)
      expect(action.inputs[id]?.default).toBe(definition.default ?? definition.runnerDefault);
  });

  test('the defaults that the runner sets are accepted as they stand', () => {
    const defaults = inputs.map(([id, definition]) => [`INPUT_${id.toUpperCase()}`, definition.default ?? ''] as const);
    expect(readInputs({ ...Object.fromEntries(defaults), INPUT_MANIFESTS: 'a/' }).command).toBe('deploy');
  });

  test.each(inputs)('the example of %s is accepted', (id, { example, commands, strategies, type }) => {
    const value = load(`value: ${example}`) as { value: string | number | boolean };
    const command = id === 'command' ? String(value.value) : (commands?.[0] ?? 'status');
    const env = {
      INPUT_COMMAND: command,
      ...(command === 'deploy' ? { INPUT_MANIFESTS: 'a/' } : {}),
      ...(strategies === undefined ? {} : { INPUT_STRATEGY: strategies[0] }),
      ...company[id],
      [`INPUT_${id.toUpperCase()}`]: String(value.value),
    };
    expect(() => readInputs(env)).not.toThrow();
    expect(example.startsWith('|\n')).toBe(type === 'lines' || type === 'text');
  });

  test('no description holds an expression, which the runner would evaluate (kent8192/reinhardt-web#4554)', () => {
    const texts = [...Object.values(action.inputs), ...Object.values(action.outputs)].map(
      ({ description }) => description,
    );
    expect(texts.length).toBeGreaterThan(20);
    expect(texts.filter((text) => text.includes('${{'))).toEqual([]);
  });

  test('main and post are one bundle on Node 24', () => {
    expect(action.runs).toEqual({ using: 'node24', main: 'dist/index.js', post: 'dist/post.js' });
  });
});
