import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { expect, test } from '@jest/globals';

import { holdersOfClient, writersOf } from './cluster-access.ts';
import { checkSources, pathOf, root } from './sources.ts';

const { files, checker } = checkSources();

/** Files that still have a client elsewhere today: entries may go, none may come. */
const stillHolding: readonly string[] = [
  'src/strategies/blue-green/apart.ts',
  'src/strategies/blue-green/blue-green.ts',
  'src/strategies/blue-green/bring-in.ts',
  'src/strategies/blue-green/pins.ts',
  'src/strategies/blue-green/state.ts',
  'src/strategies/blue-green/switch-over.ts',
  'src/strategies/blue-green/switches.ts',
  'src/strategies/bystanders.ts',
  'src/strategies/canary/bring-in.ts',
  'src/strategies/canary/canary.ts',
  'src/strategies/canary/neighbours.ts',
  'src/strategies/canary/promote.ts',
  'src/strategies/canary/relief.ts',
  'src/strategies/canary/room.ts',
  'src/strategies/index.ts',
  'src/strategies/outside.ts',
  'src/strategies/rolling.ts',
  'src/strategies/service-moves.ts',
  'src/strategies/shared-claims.ts',
];

/** The rows of the table below a heading: a file and the reason beside it. */
function listedBelow(heading: string): { path: string; reason: string }[] {
  const page = readFileSync(join(root, 'docs/architecture.md'), 'utf8');
  const [, section = ''] = page.split(`\n### ${heading}\n`);
  const [own = ''] = section.split(/\n#{2,3} /);
  return [...own.matchAll(/^\| `(?<path>src\/[^`]+)` +\|(?<reason>[^\n]*)\|$/gm)].map(({ groups }) => ({
    path: groups?.['path'] ?? '',
    reason: groups?.['reason']?.trim() ?? '',
  }));
}

test('the cluster is written to only from the places that the page about the architecture lists', () => {
  const listed = [...listedBelow('Writes of the journal'), ...listedBelow('Writes outside of the journal')];
  expect(writersOf(files, checker)).toEqual([...new Set(listed.map(({ path }) => path))].sort());
});

test('every write outside of the journal has its reason beside it', () => {
  const listed = listedBelow('Writes outside of the journal');
  expect(listed).not.toEqual([]);
  expect(listed.filter(({ reason }) => reason.length < 40)).toEqual([]);
});

test('strategies have no client but in what they look with', () => {
  const strategies = files.filter((file) => pathOf(file).startsWith('src/strategies/'));
  expect(holdersOfClient(strategies, checker)).toEqual(stillHolding.toSorted());
});
