import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { expect, test } from '@jest/globals';
import ts from 'typescript';

import { layers, outlines } from '../../script/structure/layers.ts';
import { circlesOf, importsOf, loadsLate, waitsAtTop } from './imports.ts';
import { parseSources, pathOf, root, sourcePaths } from './sources.ts';

const sources = parseSources();
const imports = importsOf(sources);

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

// An undo may come when the folder of the action is gone or its disk is full: docs/adr/0002-one-bundle.md.
test('no file loads another one late: the whole program is there before the first write', () => {
  expect(sources.filter(loadsLate).map(pathOf)).toEqual([]);
});

test.each([
  ["const { a } = await import('./a.ts');", true],
  ['const a = await import(name);', true],
  ["const a = require('./a.js');", true],
  ["const require = createRequire('/');", true],
  ["type A = import('./a.ts').A;", false],
  ["import { a } from './a.ts';", false],
])('whether "%s" loads late: %s', (text, late) => {
  expect(loadsLate(ts.createSourceFile('src/x.ts', text, ts.ScriptTarget.Latest, true))).toBe(late);
});

// One would make all modules above it asynchronous, which the bundler cannot merge: docs/adr/0002-one-bundle.md.
test('no file waits at its top', () => {
  expect(sources.filter(waitsAtTop).map(pathOf)).toEqual([]);
});

test.each([
  ['await a();', true],
  ['export const a = b ? await c() : 1;', true],
  ['for await (const a of b) c(a);', true],
  ['async function a() { await b(); }', false],
  ['const a = async () => { for await (const c of b) d(c); };', false],
])('whether "%s" waits at the top: %s', (text, waits) => {
  expect(waitsAtTop(ts.createSourceFile('src/x.ts', text, ts.ScriptTarget.Latest, true))).toBe(waits);
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
