import { describe, expect, test } from '@jest/globals';

import type { Finding, Problem } from '../../../src/traffic/answer.ts';
import { tallyOf, type Tally } from '../../../src/traffic/tally.ts';
import { judge, judgeShare, samplesNeeded } from '../../../src/traffic/verdict.ts';

/** So many requests, of which some went wrong; all of them took `durationMs`. */
function tally(requests: number, errors = 0, durationMs = 10, problem: Problem = 'server-error'): Tally {
  const findings = Array.from({ length: requests }, (_, index): Finding =>
    index < errors ? { state: 'wrong', problem, message: 'answered 500', durationMs } : { state: 'right', durationMs },
  );
  return tallyOf(findings, 10_000);
}

describe('without a claim', () => {
  const check = { requests: 20 };

  test('every answer must be right', () => {
    expect(judge(check, tally(20))).toEqual({
      verdict: 'pass',
      message: '20 of 20 requests were answered right, p95 10 ms',
    });
    expect(judge(check, tally(20, 1))).toEqual({
      verdict: 'fail',
      message: '1 of 20 requests went wrong: 1 × error of the application: answered 500',
    });
  });

  test('fewer answers than asked for are no pass', () => {
    expect(judge(check, tally(19))).toEqual({
      verdict: 'inconclusive',
      message: 'too few samples: 19 requests, it takes 20',
    });
  });
});

describe('an error rate', () => {
  const check = { requests: 59, maxErrorRate: 0.05 };

  test.each([
    ['no request at all', 0, 0, 'inconclusive'],
    ['too few requests without an error', 58, 0, 'inconclusive'],
    ['just enough requests without an error', 59, 0, 'pass'],
    ['errors that chance explains', 60, 3, 'pass'],
    ['errors that chance does not explain', 60, 8, 'fail'],
    ['few requests, all of them wrong', 5, 5, 'fail'],
  ])('of %s: %p requests, %p wrong: %s', (_, requests, errors, verdict) => {
    expect(judge(check, tally(requests, errors))).toMatchObject({ verdict });
  });

  test('takes more requests the lower it is', () => {
    expect(samplesNeeded({ requests: 1, maxErrorRate: 0.01 })).toBe(299);
    expect(judge({ requests: 1, maxErrorRate: 0.01 }, tally(298))).toMatchObject({ verdict: 'inconclusive' });
  });

  test('says with what it was compared', () => {
    expect(judge({ requests: 300, maxErrorRate: 0.01 }, tally(300, 15)).message).toBe(
      '15 of 300 requests went wrong (at least 3.3 % go wrong, allowed are 1 %): 15 × error of the application: answered 500',
    );
  });

  test('of a stable version without errors does not hide those of the candidate (spinnaker/kayenta#377, #799)', () => {
    const lenient = { requests: 300, maxErrorRate: 0.2 };
    const verdict = judge(lenient, tally(300, 15), tally(300, 0));
    expect(verdict.verdict).toBe('fail');
    expect(verdict.message).toContain('but only 0 of 300 of the stable version at the same time');
    expect(judge(lenient, tally(300, 15), tally(300, 14))).toMatchObject({ verdict: 'pass' });
  });

  test('that is too high is no better for a stable version that is as bad', () => {
    expect(judge({ requests: 300, maxErrorRate: 0.01 }, tally(300, 30), tally(300, 30))).toMatchObject({
      verdict: 'fail',
    });
  });

  test('needs no data of the stable version', () => {
    expect(judge(check, tally(100), tally(0))).toMatchObject({ verdict: 'pass' });
  });
});

describe('a latency', () => {
  const check = { requests: 59, maxP95Ms: 100 };

  test('may be as high as the limit', () => {
    expect(judge(check, tally(59, 0, 100))).toMatchObject({ verdict: 'pass' });
    expect(judge(check, tally(59, 0, 101))).toEqual({ verdict: 'fail', message: 'p95 is 101 ms, allowed are 100 ms' });
  });

  test('may be 1.25 times that of the stable version, at the same time', () => {
    expect(judge(check, tally(59, 0, 125), tally(59, 0, 100))).toMatchObject({ verdict: 'pass' });
    expect(judge(check, tally(59, 0, 126), tally(59, 0, 100))).toEqual({
      verdict: 'fail',
      message: 'p95 is 126 ms, allowed are 125 ms, the stable version has 100 ms',
    });
  });

  test('is not excused by a stable version of which too little is known', () => {
    expect(judge(check, tally(59, 0, 125), tally(58, 0, 100))).toMatchObject({ verdict: 'fail' });
  });

  test('of fewer than 59 requests is neither good nor bad', () => {
    expect(judge(check, tally(58, 0, 5))).toMatchObject({ verdict: 'inconclusive' });
    expect(judge(check, tally(58, 0, 500))).toMatchObject({ verdict: 'inconclusive' });
  });

  test('counts a request without an answer with the time that it was given', () => {
    const { durationsMs } = tally(60, 6, 10, 'timeout');
    expect(durationsMs.filter((ms) => ms === 10_000)).toHaveLength(6);
    expect(judge({ ...check, maxErrorRate: 0.5 }, tally(60, 6, 10, 'timeout')).message).toContain('p95 is 10 s');
  });

  test('of fast errors is none', () => {
    expect(tally(60, 10, 1).durationsMs).toHaveLength(50);
  });
});

test('requests that were lost on the way to the application count for nothing, and are told', () => {
  const findings: Finding[] = [
    ...Array.from({ length: 10 }, (): Finding => ({ state: 'right', durationMs: 1 })),
    { state: 'lost', message: 'the API server is overloaded' },
  ];
  expect(judge({ requests: 20 }, tallyOf(findings, 1000))).toEqual({
    verdict: 'inconclusive',
    message: 'too few samples: 10 requests, it takes 20; 1 more were lost: the API server is overloaded',
  });
});

describe('a share', () => {
  test.each([
    [25, 25, 400, 'pass'],
    [31, 25, 400, 'pass'],
    [32, 25, 400, 'fail'],
    [18, 25, 400, 'fail'],
    [25, 25, 288, 'inconclusive'],
    [13, 10, 139, 'pass'],
    [25, 10, 139, 'fail'],
  ])('of %p %% where %p %% are wanted, of %p requests: %s', (measured, wanted, requests, verdict) => {
    expect(judgeShare(measured, wanted, requests, 5)).toMatchObject({ verdict });
  });
});
