import { describe, expect, test } from '@jest/globals';

import {
  excessAtLeast,
  p95,
  samplesForP95,
  samplesForShare,
  samplesToRuleOut,
  shareTolerance,
  wilsonLower,
  wilsonUpper,
} from '../../../src/traffic/statistics.ts';

describe('the number of requests that a claim takes', () => {
  test.each([
    [0.05, 59],
    [0.02, 149],
    [0.01, 299],
    [0.005, 598],
    [0.001, 2995],
  ])('to rule out an error rate of %p it takes %p requests without an error', (rate, needed) => {
    expect(samplesToRuleOut(rate)).toBe(needed);
    expect((1 - rate) ** needed).toBeLessThanOrEqual(0.05);
    expect((1 - rate) ** (needed - 1)).toBeGreaterThan(0.05);
  });

  test('of nothing can be shown by no number, and everything by one', () => {
    expect(samplesToRuleOut(0)).toBe(Infinity);
    expect(samplesToRuleOut(1)).toBe(1);
  });

  test('the largest of 59 samples is at least the 95th percentile with 95 % confidence', () => {
    expect(samplesForP95).toBe(59);
  });

  test.each([
    [10, 139],
    [50, 385],
    [25, 289],
  ])('a share of %p %% within 5 points takes %p requests', (share, needed) => {
    expect(samplesForShare(share)).toBe(needed);
  });
});

describe('the bounds of an error rate', () => {
  test.each([
    [0, 20, 0, 0.1192],
    [1, 100, 0.0025, 0.0436],
    [5, 300, 0.0083, 0.0335],
    [3, 60, 0.0202, 0.1187],
    [20, 20, 0.8808, 1],
  ])('%p errors in %p requests are from %p to %p', (errors, requests, lower, upper) => {
    expect(wilsonLower(errors, requests)).toBeCloseTo(lower, 3);
    expect(wilsonUpper(errors, requests)).toBeCloseTo(upper, 3);
  });

  test('are everything when nothing was seen', () => {
    expect([wilsonLower(0, 0), wilsonUpper(0, 0)]).toEqual([0, 1]);
  });
});

describe('the excess over another error rate', () => {
  test('counts against a side without any error (spinnaker/kayenta#799)', () => {
    expect(excessAtLeast({ errors: 15, requests: 300 }, { errors: 0, requests: 300 })).toBeGreaterThan(0.02);
  });

  test('is none where chance explains the difference', () => {
    expect(excessAtLeast({ errors: 2, requests: 60 }, { errors: 0, requests: 60 })).toBe(0);
    expect(excessAtLeast({ errors: 15, requests: 300 }, { errors: 12, requests: 300 })).toBe(0);
  });

  test('is none for the better side, and none without data', () => {
    expect(excessAtLeast({ errors: 0, requests: 300 }, { errors: 30, requests: 300 })).toBe(0);
    expect(excessAtLeast({ errors: 30, requests: 300 }, { errors: 0, requests: 0 })).toBe(0);
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

describe('the tolerance of a share', () => {
  test('is five points or three standard deviations, whichever is more', () => {
    expect(shareTolerance(25, 400, 5)).toBeCloseTo(6.495, 2);
    expect(shareTolerance(25, 10_000, 5)).toBe(5);
    expect(shareTolerance(25, 10_000, 2)).toBe(2);
  });
});
