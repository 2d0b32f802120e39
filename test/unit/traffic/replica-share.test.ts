import { describe, expect, test } from '@jest/globals';

import { addedShare, constantShare, podShare } from '../../../src/traffic/replica-share.ts';

describe('a candidate beside the stable pods', () => {
  test.each([
    [3, 25, 1],
    [4, 20, 1],
    [1, 5, 1],
    [10, 25, 3],
    [3, 50, 3],
    [20, 10, 2],
    [1, 90, 9],
  ])('of %i stable pods at %i %% has %i', (stable, percent, candidate) => {
    expect(addedShare(stable, percent)).toEqual({ candidate, stable });
  });
});

describe('a candidate in the place of stable pods', () => {
  test.each([
    [4, 25, 1, 3],
    [10, 90, 9, 1],
    // Others have none of the candidate here (argo-rollouts N=2, w=75 with maxSurge 0).
    [2, 75, 1, 1],
    [5, 90, 4, 1],
    [10, 95, 9, 1],
    [3, 1, 1, 2],
    [1, 50, 1, 1],
  ])('of %i pods at %i %% has %i, and leaves %i', (total, percent, candidate, stable) => {
    expect(constantShare(total, percent)).toEqual({ candidate, stable });
  });
});

test('the share that pods have is their part of all', () => {
  expect(podShare({ candidate: 1, stable: 3 })).toBe(25);
});
