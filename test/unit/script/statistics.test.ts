import { describe, expect, test } from '@jest/globals';

import { median, percentile, ratioOf } from '../../../script/bench/statistics.ts';

describe('the median', () => {
  test.each([
    [[3, 1, 2], 2],
    [[4, 1, 3, 2], 2.5],
    [[7], 7],
    [[], 0],
  ])('of %j is %d', (values, expected) => {
    expect(median(values)).toBe(expected);
  });
});

describe('a percentile', () => {
  const twenty = Array.from({ length: 20 }, (_, index) => 20 - index);

  test.each([
    [95, twenty, 19],
    [100, twenty, 20],
    [50, twenty, 10],
    [95, [5, 9], 9],
    [0, [5, 9], 5],
    [95, [], 0],
  ])('%d of %j is the nearest rank, %d', (percent, values, expected) => {
    expect(percentile(values, percent)).toBe(expected);
  });
});

test('a ratio is taken pair by pair, so that a slow moment of the machine counts in both', () => {
  expect(ratioOf([1, 10, 3], [2, 20, 3])).toEqual({ median: 0.5, least: 0.5, most: 1 });
});

test('a ratio leaves out what has no partner', () => {
  expect(ratioOf([1, 10, 3], [2])).toEqual({ median: 0.5, least: 0.5, most: 0.5 });
});
