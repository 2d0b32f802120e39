import { expect, test } from '@jest/globals';

import { jsonPieces } from '../../../src/base/json-pieces.ts';

test.each<[string, unknown]>([
  ['a map', { a: 1, b: { c: [1, 'x', null], d: {} }, e: [] }],
  ['a field that is undefined', { a: undefined, b: { c: undefined }, d: [{ e: undefined }] }],
  ['keys and texts that need escapes', { 'a"\n': 'ü😀"\\', __proto: ['\u2028'] }],
  ['a list', [1, [2, { a: 3 }], 'x']],
  ['nothing', null],
  ['a text', 'x'],
  ['an empty map', {}],
])('the pieces of %s are the text that it is otherwise', (_, value) => {
  expect([...jsonPieces(value)].join('')).toBe(JSON.stringify(value));
});

test('a long list comes in pieces of some thousand characters', () => {
  const value = { entries: Array.from({ length: 5000 }, (_, index) => ({ index, text: 'x'.repeat(100) })) };
  const pieces = [...jsonPieces(value)];
  expect(pieces.join('')).toBe(JSON.stringify(value));
  expect(pieces.length).toBeGreaterThan(5);
  expect(Math.max(...pieces.map(({ length }) => length))).toBeLessThan(70_000);
});
