import { describe, expect, test } from '@jest/globals';

import { addedShare, constantShare, podShare } from '../../../src/traffic/replica-share.ts';

describe('pods on top of the stable ones', () => {
  test.each([
    [1, 5, 1],
    [3, 25, 1],
    [3, 50, 3],
    [5, 25, 2],
    [10, 25, 3],
    [20, 10, 2],
    [2, 75, 6],
    [1, 99, 99],
  ])('for %i stable ones and %i %% are %i, and no stable one goes', (stable, percent, candidate) => {
    expect(addedShare(stable, percent)).toEqual({ candidate, stable });
  });
});

describe('with a constant total', () => {
  test('two pods at 75 % keep one of each (argo-rollouts source, setWeight 75 with two replicas)', () => {
    expect(constantShare(2, 75)).toEqual({ candidate: 1, stable: 1 });
  });

  test('both versions always keep one pod, and from two pods on the total stays', () => {
    const wrong: string[] = [];
    for (let total = 1; total <= 30; total += 1) {
      for (let percent = 1; percent <= 99; percent += 1) {
        const { candidate, stable } = constantShare(total, percent);
        const isRight = candidate >= 1 && stable >= 1 && candidate + stable === Math.max(2, total);
        if (!isRight) wrong.push(`${total} pods at ${percent} %: ${candidate} + ${stable}`);
      }
    }
    expect(wrong).toEqual([]);
  });

  test('the share is as near to the wanted one as whole pods allow', () => {
    expect(constantShare(10, 25)).toEqual({ candidate: 3, stable: 7 });
    expect(constantShare(4, 50)).toEqual({ candidate: 2, stable: 2 });
  });
});

test('the share of the pods is in percent', () => {
  expect(podShare({ candidate: 1, stable: 3 })).toBe(25);
});
