import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

import { describe, expect, test } from '@jest/globals';

import { licenseFile, packageFolders, packagesOf } from '../../../script/packaging/licenses.ts';
import { objectAt, type Json } from '../../../src/base/json.ts';

const root = join(import.meta.dirname, '../../..');

/** Sentences in a package's code that are long enough to be its own; a single word may be one of HTTP. */
function textsOf(folder: string): Set<string> {
  const files = readdirSync(join(root, folder), { recursive: true, withFileTypes: true }).filter(
    (entry) =>
      entry.isFile() &&
      /\.[cm]?js$/.test(entry.name) &&
      !entry.parentPath.slice(join(root, folder).length).includes('node_modules'),
  );
  const literals = /'(?<single>[^'\\\n]{20,200})'|"(?<double>[^"\\\n]{20,200})"/g;
  return new Set(
    files
      .flatMap((entry) =>
        [...readFileSync(join(entry.parentPath, entry.name), 'utf8').matchAll(literals)].map(
          ({ groups }) => groups?.['single'] ?? groups?.['double'] ?? '',
        ),
      )
      .filter((text) => text.includes(' ')),
  );
}

/** The packages of which at least two texts that no other package has stand in the code of `dist/`, however it was made. */
function recognized(): string[] {
  const code = readdirSync(join(root, 'dist'))
    .filter((file) => file.endsWith('.js'))
    .map((file) => readFileSync(join(root, 'dist', file), 'utf8'))
    .join('\n');
  const lock = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')) as Json;
  const folders = Object.entries(objectAt(lock, 'packages'))
    .filter(([path, entry]) => path !== '' && objectAt(entry)['dev'] !== true && !/\/node-[\w-]+$/.test(path))
    .map(([path]) => path)
    .filter((path) => existsSync(join(root, path)));
  const texts = folders.map((folder) => ({ folder, texts: textsOf(folder) }));
  const owners = new Map<string, number>();
  for (const text of texts.flatMap((each) => [...each.texts])) owners.set(text, (owners.get(text) ?? 0) + 1);
  return texts
    .filter((each) => [...each.texts].filter((text) => owners.get(text) === 1 && code.includes(text)).length >= 2)
    .map(({ folder }) => folder.slice(folder.lastIndexOf('node_modules/') + 'node_modules/'.length));
}

describe('dist/licenses.txt', () => {
  const text = readFileSync(join(root, 'dist/licenses.txt'), 'utf8');

  test('names every package that can be recognized in the code of dist/', () => {
    const found = recognized();
    expect(found).toEqual(expect.arrayContaining(['js-yaml']));
    expect(packagesOf(text)).toEqual(expect.arrayContaining(found));
  });

  test('has the terms of each', () => {
    const parts = text.split(/^=+\n/m).slice(1);
    expect(parts.length).toBeGreaterThan(10);
    expect(parts).toHaveLength(packagesOf(text).length);
    for (const part of parts) expect(part).toMatch(/copyright|licensor/i);
  });
});

test('the packages of a bundle are those of its modules, wherever they lie, and what these carry within', () => {
  const sources = [
    '../node_modules/undici/lib/api/readable.js',
    '.././node_modules/undici/index.js',
    '../node_modules/@actions/core/lib/core.js',
    '../node_modules/@actions/core/node_modules/@actions/exec/lib/exec.js',
    '.././node_modules/jsonpath-plus/dist/index-node-esm.js',
    '../src/main.ts',
    '../webpack/bootstrap',
    'external node-commonjs "node:fs"',
  ];
  expect(packageFolders(sources)).toEqual([
    'node_modules/@actions/core',
    'node_modules/@actions/core/node_modules/@actions/exec',
    'node_modules/@jsep-plugin/assignment',
    'node_modules/@jsep-plugin/regex',
    'node_modules/jsep',
    'node_modules/jsonpath-plus',
    'node_modules/undici',
  ]);
});

test('the file of licenses names its packages again', () => {
  const packages = [
    { name: '@a/b', version: '1.0.0', license: 'MIT', texts: ['first ======', 'notice'] },
    { name: 'c', version: '2.0.0', license: '(MIT OR CC0-1.0)', texts: ['second\n===\nthird'] },
  ];
  expect(packagesOf(licenseFile(packages))).toEqual(['@a/b', 'c']);
});
