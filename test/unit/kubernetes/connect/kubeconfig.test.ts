import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { describe, expect, test } from '@jest/globals';

import type { JsonObject } from '../../../../src/base/json.ts';
import { chooseContext, readKubeconfig } from '../../../../src/kubernetes/connect/kubeconfig.ts';

function folder(files: Record<string, JsonObject | string>): string {
  const path = mkdtempSync(join(tmpdir(), 'kubeconfig-'));
  for (const [name, content] of Object.entries(files)) {
    writeFileSync(join(path, name), typeof content === 'string' ? content : JSON.stringify(content));
  }
  return path;
}

function config(server: string, more: JsonObject = {}): JsonObject {
  return { clusters: [{ name: 'one', cluster: { server } }], contexts: [{ name: 'here' }], ...more };
}

describe('several kubeconfigs', () => {
  test('are merged so that the first entry of a name counts, and a file that is not there is skipped', () => {
    const cwd = folder({
      a: config('https://a', { users: [] }),
      b: config('https://b', { users: [{ name: 'bob' }], 'current-context': 'here' }),
    });
    const merged = readKubeconfig('missing:a:b', cwd);
    expect(merged.clusters).toEqual([{ name: 'one', cluster: { server: 'https://a' } }]);
    expect(merged.users).toEqual([{ name: 'bob' }]);
    expect(merged.currentContext).toBe('here');
  });

  test('none of which exists are an error that names them', () => {
    expect(() => readKubeconfig('x:y', '/nowhere')).toThrow('there is no kubeconfig at "/nowhere/x", "/nowhere/y"');
  });
});

describe('a kubeconfig in base64', () => {
  const text = 'clusters:\n  - name: one\n    cluster: {server: "https://203.0.113.7"}\ncontexts: [{name: here}]\n';
  const encoded = Buffer.from(text).toString('base64');

  test.each([
    ['as it is', encoded],
    ['wrapped', encoded.replaceAll(/.{76}/g, '$&\n')],
    ['wrapped by Windows', encoded.replaceAll(/.{76}/g, '$&\r\n')],
    ['of a JSON text', Buffer.from(JSON.stringify(config('https://203.0.113.7'))).toString('base64')],
    ['with a byte order mark', Buffer.from(`\ufeff${text}`).toString('base64')],
  ])('is decoded, %s', (_, source) => {
    expect(readKubeconfig(source, '/').clusters).toEqual([{ name: 'one', cluster: { server: 'https://203.0.113.7' } }]);
  });

  test('of something else is told, and nothing of it is printed', () => {
    const source = Buffer.from(Array.from({ length: 900 }, (_, index) => index * 7)).toString('base64');
    expect(() => readKubeconfig(source, '/')).toThrow(
      /^the input "kubeconfig" is neither a path nor a kubeconfig in base64$/,
    );
  });

  test('is not seen in a path, even a long one', () => {
    const path = `${'deploy/'.repeat(12)}kubeconfig`;
    const cwd = mkdtempSync(join(tmpdir(), 'kubeconfig-'));
    mkdirSync(join(cwd, 'deploy/'.repeat(12)), { recursive: true });
    writeFileSync(join(cwd, path), text);
    expect(readKubeconfig(path, cwd).currentContext).toBe('');
    expect(() => readKubeconfig('home/runner/work/kubeconfig', '/')).toThrow('there is no kubeconfig at');
  });
});

test('paths are relative to the file they stand in; the name of a plugin is looked up in PATH', () => {
  const user = (command: string) => ({ 'client-key': 'my.key', tokenFile: '/abs/token', exec: { command } });
  const cwd = folder({
    a: {
      clusters: [{ name: 'c', cluster: { 'certificate-authority': 'ca.crt' } }],
      users: [
        { name: 'u', user: user('./bin/plugin') },
        { name: 'v', user: user('plugin') },
      ],
    },
  });
  const { clusters, users } = readKubeconfig('a', cwd);
  expect(clusters[0]).toMatchObject({ cluster: { 'certificate-authority': join(cwd, 'ca.crt') } });
  expect(users[0]).toMatchObject({
    user: { 'client-key': join(cwd, 'my.key'), tokenFile: '/abs/token', exec: { command: join(cwd, 'bin/plugin') } },
  });
  expect(users[1]).toMatchObject({ user: { exec: { command: 'plugin' } } });
});

test('text that is no YAML is refused with its line and without its content', () => {
  const text = 'users:\n- name: a\n  user: {token: secret\n- b';
  expect(() => readKubeconfig(text, '/')).toThrow(/the input "kubeconfig" is not valid YAML in line \d/);
  expect(() => readKubeconfig(text, '/')).not.toThrow(/secret/);
});

test('text that is no map is refused', () => {
  expect(() => readKubeconfig('- a\n- b\n', '/')).toThrow('is not a kubeconfig');
});

describe('the context', () => {
  const of = (names: string[], currentContext = '') => ({
    clusters: [],
    users: [],
    contexts: names.map((name) => ({ name })),
    currentContext,
  });

  test('is the wanted one, else the current one', () => {
    expect(chooseContext(of(['a', 'b'], 'b'), 'a')).toBe('a');
    expect(chooseContext(of(['a', 'b'], 'b'), undefined)).toBe('b');
  });

  test('that is not there is answered with those that are', () => {
    const wrong = () => chooseContext(of(['production', 'staging']), 'prodution');
    expect(wrong).toThrow('the kubeconfig has no context "prodution"; it has "production", "staging"');
    expect(wrong).toThrow(expect.objectContaining({ hint: 'Did you mean "production"?' }));
  });

  test('must be named where there is no current one', () => {
    expect(() => chooseContext(of(['a']), undefined)).toThrow('the kubeconfig has no current context; it has "a"');
  });
});
