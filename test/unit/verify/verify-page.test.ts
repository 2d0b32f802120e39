import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { describe, expect, test } from '@jest/globals';

import {
  falseAlarm,
  falsePass,
  requestsToFail,
  requestsToPass,
  typicallyToFail,
  typicallyToPass,
} from '../../../src/verify/evidence.ts';
import { parseChecks } from '../../../src/verify/parse.ts';
import { typicallyForShare } from '../../../src/verify/share-evidence.ts';
import { mostRequests } from '../../../src/verify/trial.ts';

const page = readFileSync(join(import.meta.dirname, '../../../docs/verify.md'), 'utf8');

/** The cells of the rows below the table head that begins so. */
function rowsOf(head: string): string[][] {
  const lines = page.split('\n');
  const start = lines.findIndex((line) => line.startsWith(head));
  const rows = lines.slice(start + 2);
  return rows
    .slice(
      0,
      rows.findIndex((line) => !line.startsWith('|')),
    )
    .map((line) => line.split(/(?<!\\)\|/).map((cell) => cell.trim()))
    .map((cells) => cells.slice(1, -1));
}

/** `2995` → `2,995`. */
const grouped = (value: number) => value.toLocaleString('en');

describe('docs/verify.md', () => {
  const short = rowsOf('| example').flatMap(([cell = '']) =>
    [...cell.matchAll(/`([^`]+)`/g)].map(([, text]) => text ?? ''),
  );

  test.each(short)('has an example in the short form that parses: %s', (example) => {
    expect(parseChecks(example)).toHaveLength(1);
  });

  const mapped = rowsOf('| key').map(([key = '', , cell = '']) => ({
    key,
    example: /^`(.+)`$/.exec(cell)?.[1] ?? cell,
  }));

  test.each(mapped)('has an example of $key that parses: $example', ({ example }) => {
    const entries = example.startsWith('{')
      ? [`response-headers: ${example}`]
      : example.split('`, `').filter((entry) => !entry.startsWith('path:'));
    const path = /(?:^|, `)(path: [^`]+)/.exec(example)?.[1] ?? 'path: /x';
    const target = entries.some((entry) => entry.startsWith('url:')) ? [] : [path];
    const more = [
      ...(entries.some((entry) => entry.startsWith('share:')) ? ['version: header:X-Version'] : []),
      ...(entries.some((entry) => entry.startsWith('send:')) ? ['method: POST'] : []),
    ];
    const lines = [...target, ...entries, ...more].map((line) => `  ${line}`).join('\n');
    expect(parseChecks(`-${lines.slice(1)}`)).toHaveLength(1);
  });

  const blocks = [...page.matchAll(/^( *)verify: \|\n((?:\1 +.*\n|\n)+)/gm)].map(([, , text]) => text ?? '');

  test('has whole inputs that parse', () => {
    expect(blocks.map((text) => parseChecks(text).length)).toEqual([2, 3]);
  });

  test('states the bounds of the code', () => {
    expect(page).toContain(`**α = ${100 * falseAlarm} %**`);
    expect(page).toContain(`**β = ${100 * falsePass} %**`);
    expect(page).toContain(`or ${grouped(mostRequests)} of them`);
  });

  const limits = rowsOf('| limit');

  test('has a table of limits', () => {
    expect(limits).toHaveLength(3);
  });

  test.each(limits)('states how many requests a limit of %s takes', (cell, ...numbers) => {
    const limit = Number(cell.replace(' %', '')) / 100;
    const counts = [
      ...[0, 1, 2, 3, 4, 5].map((bad) => requestsToPass(limit, bad)),
      typicallyToPass(limit),
      requestsToFail(limit),
      typicallyToFail(limit),
    ];
    expect(numbers).toEqual(counts.map(grouped));
  });

  test('states how many requests a share takes', () => {
    const of = (wanted: number, tolerance = 0.05) => typicallyForShare({ wanted, tolerance, former: 0 });
    expect(page).toContain(`10 % takes about ${of(0.1)} requests, 25 % ${of(0.25)}, 50 % ${of(0.5)}`);
    expect(of(0.25, 0.1) / of(0.25)).toBeCloseTo(0.25, 1);
  });

  test('states what a check without a limit lets pass', () => {
    const clean = 0.99 ** 20;
    expect(page).toContain(
      `with 1 % errors passes in ${Math.round(100 * (clean + (1 - clean) * clean))} % of the runs`,
    );
  });
});
