import { expect, test } from '@jest/globals';

import { withSuffix } from '../../../src/base/shorten.ts';

test('a name that fits is not changed', () => {
  expect(withSuffix('web', '-green', 63)).toBe('web-green');
  expect(withSuffix('w'.repeat(57), '-green', 63)).toBe(`${'w'.repeat(57)}-green`);
});

test('a longer one keeps its beginning and its suffix, and is the same every time', () => {
  const name = withSuffix(`${'w'.repeat(53)}-one`, '-preview', 63);
  expect(name).toMatch(/^w{46}-[0-9a-f]{8}-preview$/);
  expect(withSuffix(`${'w'.repeat(53)}-one`, '-preview', 63)).toBe(name);
  expect(withSuffix(`${'w'.repeat(53)}-two`, '-preview', 63)).not.toBe(name);
});

test('it has no two separators in a row', () => {
  expect(withSuffix(`${'w'.repeat(44)}-.${'x'.repeat(20)}`, '-preview', 63)).toMatch(/^w{44}-[0-9a-f]{8}-preview$/);
});
