import { expect, test } from '@jest/globals';

import { figure } from '../support/figure.ts';
import { functionsOf, optionalSpreads, type FunctionSize } from './functions.ts';
import { parseSources } from './sources.ts';

const files = parseSources();
const functions = functionsOf(files);

/** There the way through the action is told: in functions that fit on a screen, with no bags of parameters. */
const told = functions.filter(({ name }) => /^src\/(?:commands|plan|strategies)\//.test(name));
const mostLines = 60;
const mostParameters = 5;

/** Those that are longer than that today, with their lines: entries may go and get smaller, none may come. */
const stillLonger: Readonly<Record<string, number>> = {
  'src/commands/rollback.ts goTo': 80,
};

/** Those that have more parameters than that today, with their number. */
const stillMore: Readonly<Record<string, number>> = {};

function sizesBeyond(most: number, sizeOf: (one: FunctionSize) => number): Record<string, number> {
  return Object.fromEntries(told.filter((one) => sizeOf(one) > most).map((one) => [one.name, sizeOf(one)]));
}

/** What breaks a rule, but for what still may; and what may although it does not any more. */
function against(found: Readonly<Record<string, number>>, allowed: Readonly<Record<string, number>>): string[] {
  return [
    ...Object.entries(found)
      .filter(([name, size]) => size > (allowed[name] ?? 0))
      .map(([name, size]) => `${name}: ${size}`),
    ...Object.keys(allowed)
      .filter((name) => !(name in found))
      .map((name) => `${name} keeps to the rule: take its entry away`),
  ];
}

test(`no function in commands, plan and strategies has more than ${mostLines} lines`, () => {
  expect(
    against(
      sizesBeyond(mostLines, ({ lines }) => lines),
      stillLonger,
    ),
  ).toEqual([]);
});

test(`no function in commands, plan and strategies has more than ${mostParameters} parameters`, () => {
  expect(
    against(
      sizesBeyond(mostParameters, ({ parameters }) => parameters),
      stillMore,
    ),
  ).toEqual([]);
});

test('the figures are told', () => {
  const longest = functions.toSorted((left, right) => right.lines - left.lines)[0];
  const lines = files.reduce((sum, file) => sum + file.getLineStarts().length - 1, 0);
  figure('src-lines', lines);
  figure('longest-function', `${longest?.name.split(' ').join(':') ?? ''} ${longest?.lines ?? 0}`);
  figure('functions-with-five-or-more-parameters', functions.filter(({ parameters }) => parameters >= 5).length);
  figure('optional-spreads', optionalSpreads(files));
  expect(lines).toBeGreaterThan(0);
  expect(longest?.lines).toBeGreaterThan(1);
});
