import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { expect, test } from '@jest/globals';

import { layers, outlines } from '../../script/structure/layers.ts';
import { circlesOf, importsOf } from './imports.ts';
import { parseSources, root, sourcePaths } from './sources.ts';

const imports = importsOf(parseSources());

/** 0 for the outlines, larger further down; undefined for a folder that is in no list. */
function heightOf(path: string): number | undefined {
  const [, folder = ''] = path.split('/');
  if (outlines.includes(folder)) return 0;
  const index = layers.indexOf(folder);
  return index < 0 ? undefined : index + 1;
}

test('every file of src is in a layer', () => {
  expect(sourcePaths.filter((path) => heightOf(path) === undefined)).toEqual([]);
});

test('a file imports only from its own layer and from those below it, types included', () => {
  const upwards = [...imports].flatMap(([path, targets]) =>
    targets
      .filter((target) => (heightOf(target) ?? Infinity) < (heightOf(path) ?? 0))
      .map((target) => `${path} → ${target}`),
  );
  expect(upwards).toEqual([]);
});

test('no file leads back to itself by its imports, types included', () => {
  expect(circlesOf(imports)).toEqual([]);
});

test('a circle is found, however long it is, and each is told once', () => {
  const circle = new Map([
    ['a.ts', ['b.ts', 'd.ts']],
    ['b.ts', ['c.ts']],
    ['c.ts', ['a.ts']],
    ['d.ts', []],
  ]);
  expect(circlesOf(circle)).toEqual(['a.ts → b.ts → c.ts → a.ts']);
});

test('the page about the architecture lists the layers in their order', () => {
  const page = readFileSync(join(root, 'docs/architecture.md'), 'utf8');
  const listed = [...page.matchAll(/^\| `src\/(?<layer>[a-z]+)\/` /gm)].map(({ groups }) => groups?.['layer']);
  const existing = new Set(sourcePaths.map((path) => path.split('/')[1]));
  expect(listed).toEqual(layers.filter((layer) => existing.has(layer)));
});
