import { describe, expect, test } from '@jest/globals';

import { compare, evidenceOfWorse, nothingCompared } from '../../../src/verify/comparison.ts';
import {
  evidenceAbove,
  evidenceBelow,
  isAlarm,
  isPass,
  logSum,
  requestsToFail,
  requestsToPass,
  typicallyToFail,
  typicallyToPass,
  type Counts,
} from '../../../src/verify/evidence.ts';
import { p95 } from '../../../src/verify/percentile.ts';
import { isInEffect, isOff, typicallyForShare } from '../../../src/verify/share-evidence.ts';

describe('how many requests a limit takes', () => {
  test.each([
    [0.05, [67, 133, 175, 214, 251, 286]],
    [0.01, [339, 676, 886, 1083, 1268, 1445]],
    [0.001, [3404, 6779, 8883, 10_858, 12_719, 14_492]],
  ])('%p: to pass with 0, 1, 2, … bad ones', (limit, needed) => {
    expect(needed.map((_, bad) => requestsToPass(limit, bad))).toEqual(needed);
    for (const [bad, requests] of needed.entries()) {
      expect(isPass(evidenceBelow({ bad, requests }, limit))).toBe(true);
      expect(isPass(evidenceBelow({ bad, requests: requests - 1 }, limit))).toBe(false);
    }
  });

  test('to fail, and what is typical', () => {
    expect([0.05, 0.01, 0.001].map((limit) => requestsToFail(limit))).toEqual([3, 2, 2]);
    expect(typicallyToPass(0.01)).toBe(886);
    expect(typicallyToFail(0.01)).toBe(1600);
  });

  test.each([0.0001, 0.3, 0.7, 0.99])('also at %p', (limit) => {
    const requests = requestsToPass(limit);
    expect(isPass(evidenceBelow({ bad: 0, requests }, limit))).toBe(true);
    const all = requestsToFail(limit);
    expect(isAlarm(evidenceAbove({ bad: all, requests: all }, limit))).toBe(true);
  });
});

describe('evidence', () => {
  test('of nothing is none', () => {
    const none = { bad: 0, requests: 0 };
    expect([evidenceAbove(none, 0.01), evidenceBelow(none, 0.01)].map(Math.abs)).toEqual([
      expect.closeTo(0, 10),
      expect.closeTo(0, 10),
    ]);
  });

  test('does not overflow', () => {
    const many = { bad: 2_000_000, requests: 10_000_000 };
    expect(isAlarm(evidenceAbove(many, 0.01))).toBe(true);
    expect(isPass(evidenceBelow(many, 0.01))).toBe(false);
    expect(isPass(evidenceBelow({ bad: 1000, requests: 10_000_000 }, 0.01))).toBe(true);
    expect(Number.isFinite(evidenceAbove(many, 0.01))).toBe(true);
  });

  test('is the exact likelihood ratio: two of ten at 10 %', () => {
    const ratio = (rate: number) => (rate / 0.1) ** 2 * ((1 - rate) / 0.9) ** 8;
    expect(Math.exp(evidenceBelow({ bad: 2, requests: 10 }, 0.1))).toBeCloseTo(
      0.2 * (ratio(0.01) + ratio(0.025) + ratio(0.05)),
      10,
    );
    const worse = [0.15, 0.2, 0.3, 0.5].map(ratio);
    expect(Math.exp(evidenceAbove({ bad: 2, requests: 10 }, 0.1))).toBeCloseTo(
      worse.reduce((sum, one) => sum + one) / 4,
      10,
    );
  });

  test('adds up in the domain of logarithms', () => {
    expect(logSum([Math.log(2), Math.log(3)])).toBeCloseTo(Math.log(5), 12);
    expect(logSum([-Infinity, -Infinity])).toBe(-Infinity);
    expect(logSum([1000, 1000])).toBeCloseTo(1000 + Math.LN2, 9);
  });
});

describe('beside the stable version', () => {
  /** The evidence of so many equal intervals. */
  const after = (times: number, candidate: Counts, stable: Counts) => {
    let comparison = nothingCompared;
    for (let count = 0; count < times; count += 1) comparison = compare(comparison, candidate, stable);
    return evidenceOfWorse(comparison);
  };
  const of20 = (bad: number): Counts => ({ bad, requests: 20 });

  test('errors show against a side without any (spinnaker/kayenta#377, #799)', () => {
    expect(isAlarm(after(5, of20(1), of20(0)))).toBe(false);
    expect(isAlarm(after(10, of20(1), of20(0)))).toBe(true);
  });

  test('there is no evidence where both are alike, where the candidate is better, and where nobody fails', () => {
    expect(after(50, of20(2), of20(2))).toBeLessThan(0);
    expect(after(50, of20(0), of20(1))).toBeLessThan(0);
    expect(after(50, of20(0), of20(0))).toBeCloseTo(0, 10);
    expect(after(50, of20(20), of20(20))).toBeCloseTo(0, 10);
    expect(after(50, { bad: 0, requests: 0 }, of20(20))).toBeCloseTo(0, 10);
  });

  test('is the noncentral hypergeometric ratio: one of one against none of one', () => {
    const ratios = [1.5, 2, 3, 5, 10].map((odds) => (2 * odds) / (1 + odds));
    const mean = ratios.reduce((sum, one) => sum + one) / 5;
    expect(Math.exp(after(1, { bad: 1, requests: 1 }, { bad: 0, requests: 1 }))).toBeCloseTo(mean, 10);
  });
});

describe('a share', () => {
  const quarter = { wanted: 0.25, tolerance: 0.05, former: 0 };

  test.each([
    ['exactly as wanted, of many', 250, 750, 0, quarter, 'in effect'],
    ['exactly as wanted, of few', 50, 150, 0, quarter, 'open'],
    ['none at all', 0, 60, 0, quarter, 'off'],
    ['all of it', 8, 0, 0, quarter, 'off'],
    ['twice as much', 200, 200, 0, quarter, 'off'],
    ['at the edge of what is tolerated', 300, 700, 0, quarter, 'open'],
    ['as wanted, but for answers of nobody knows whom', 250, 650, 100, quarter, 'open'],
    ['as wanted, and as before', 100, 900, 0, { wanted: 0.1, tolerance: 0.05, former: 0.1 }, 'in effect'],
    ['too near to the former one', 110, 890, 0, { wanted: 0.12, tolerance: 0.05, former: 0.1 }, 'open'],
    ['of next to nothing', 30, 970, 0, { wanted: 0.03, tolerance: 0.05, former: 0 }, 'in effect'],
    ['of next to nothing, without any', 0, 1000, 0, { wanted: 0.03, tolerance: 0.05, former: 0 }, 'open'],
  ])('that is %s', (_, candidate, stable, unknown, share, expected) => {
    const seen = { candidate, stable, unknown };
    const state = isOff(seen, share) ? 'off' : isInEffect(seen, share) ? 'in effect' : 'open';
    expect(state).toBe(expected);
  });

  test('takes so many requests', () => {
    const typically = [0.1, 0.25, 0.5].map((wanted) => typicallyForShare({ wanted, tolerance: 0.05, former: 0 }));
    expect(typically).toEqual([381, 665, 811]);
  });
});

describe('the 95th percentile', () => {
  test('is the sample that 95 % of them do not exceed', () => {
    const hundred = Array.from({ length: 100 }, (_, index) => 100 - index);
    expect(p95(hundred)).toBe(95);
    expect(p95(hundred.slice(0, 20))).toBe(99);
    expect(p95([7])).toBe(7);
    expect(p95([])).toBeUndefined();
  });
});
