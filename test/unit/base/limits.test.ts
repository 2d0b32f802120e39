import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { expect, test } from '@jest/globals';

import { amountOf, limits, sizeOf } from '../../../src/base/limits.ts';

const page = readFileSync(join(import.meta.dirname, '../../../docs/limits.md'), 'utf8');
const rows = page.split('\n').filter((line) => line.startsWith('| ') && !/^\| (?:limit for|-)/.test(line));
const cells = rows.map((row) => row.split('|').map((cell) => cell.trim()));

test('docs/limits.md states every limit as the code has it, and no other', () => {
  const stated = cells.map(([, what, amount]) => `${what ?? ''}: ${amount ?? ''}`);
  expect(stated.toSorted()).toEqual(
    Object.values(limits)
      .map((limit) => `${limit.what}: ${amountOf(limit)}`)
      .toSorted(),
  );
});

test('docs/limits.md gives a reason for each', () => {
  expect(cells.filter(([, , , reason]) => (reason ?? '').length < 20)).toEqual([]);
});

test('a size that is a little over a limit does not read like the limit', () => {
  expect(sizeOf(16 * 1024 * 1024 + 1)).toBe('16.1 MiB');
  expect(sizeOf(16 * 1024 * 1024)).toBe('16 MiB');
});
