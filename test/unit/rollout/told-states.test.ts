import { describe, expect, test } from '@jest/globals';

import { ToldStates } from '../../../src/rollout/told-states.ts';

/** What is told of states that are looked at every half a second, each for so many looks. */
function toldOf(
  states: readonly (readonly [text: string, looks: number, why?: 'end' | { trouble: string }])[],
): string[] {
  const told = new ToldStates();
  const lines: string[] = [];
  let now = 0;
  for (const [text, looks, why] of states) {
    for (let look = 0; look < looks; look += 1) {
      if (told.isDue(text, now, why)) lines.push(`${now} ${text}`);
      now += 500;
    }
  }
  return lines;
}

describe('states of an object', () => {
  test('are told once each, the first one at once', () => {
    expect(
      toldOf([
        ['0 of 3', 20],
        ['1 of 3', 20],
        ['3 of 3', 20],
      ]),
    ).toEqual(['0 0 of 3', '10000 1 of 3', '20000 3 of 3']);
  });

  test('that come and go within a second leave one line, of the last', () => {
    expect(
      toldOf([
        ['0 of 3', 1],
        ['1 of 3', 1],
        ['2 of 3', 2],
      ]),
    ).toEqual(['0 0 of 3', '1000 2 of 3']);
  });

  test('that are back within a second are not told at all', () => {
    expect(
      toldOf([
        ['2 of 3', 10],
        ['1 of 3', 0],
        ['2 of 3', 1],
      ]),
    ).toEqual(['0 2 of 3']);
    expect(
      toldOf([
        ['2 of 3', 1],
        ['1 of 3', 1],
        ['2 of 3', 20],
      ]),
    ).toEqual(['0 2 of 3']);
  });

  test('that go up and down are not told over and over, but where they have come to stay', () => {
    const upAndDown = Array.from({ length: 10 }, () => [['1 of 3', 4] as const, ['2 of 3', 4] as const]).flat();
    expect(toldOf(upAndDown)).toEqual(['0 1 of 3', '2000 2 of 3']);
    expect(toldOf([...upAndDown, ['1 of 3', 20]])).toEqual(['0 1 of 3', '2000 2 of 3', '45000 1 of 3']);
  });

  test('that are a trouble, or the end, are told at once', () => {
    expect(
      toldOf([
        ['0 of 3', 1],
        ['0 of 3; the quota is used up', 1, { trouble: 'the quota is used up' }],
        ['ready', 1, 'end'],
      ]),
    ).toEqual(['0 0 of 3', '500 0 of 3; the quota is used up', '1000 ready']);
  });

  test('with a trouble that has been told are told only where they last, whatever its counts', () => {
    const crash = { trouble: 'container "web" ends with exit code #' };
    expect(
      toldOf([
        ['2 of 3', 4],
        ['1 of 3; keeps crashing (1 restarts)', 4, crash],
        ['0 of 3; keeps crashing (2 restarts)', 4, crash],
        ['1 of 3; keeps crashing (2 restarts)', 4, crash],
        ['0 of 3; keeps crashing (3 restarts)', 20, crash],
      ]),
    ).toEqual(['0 2 of 3', '2000 1 of 3; keeps crashing (1 restarts)', '13000 0 of 3; keeps crashing (3 restarts)']);
  });
});
