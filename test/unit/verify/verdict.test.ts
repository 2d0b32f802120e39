import { describe, expect, test } from '@jest/globals';

import type { Finding } from '../../../src/verify/answer.ts';
import { parseChecks } from '../../../src/verify/parse.ts';
import { tallyOf } from '../../../src/verify/tally.ts';
import { Trial } from '../../../src/verify/trial.ts';
import { forecast, forecastShare, judgeShare, requestsNeeded, type Verdict } from '../../../src/verify/verdict.ts';
import { lost, requests, right, wrong } from '../../support/findings.ts';

/** A trial of a check that has these keys. */
function trial(keys: string, hasStable = false): Trial {
  const [check] = parseChecks(`- path: /\n${keys}`);
  if (check === undefined) throw new Error('there is a check');
  return new Trial(check, hasStable);
}

/** The verdict on all of these together, whether or not one would have come earlier. */
function verdictOf(keys: string, candidate: readonly Finding[], stable: readonly Finding[] = []): Verdict {
  const on = trial(keys, stable.length > 0);
  for (const [index, finding] of candidate.entries()) {
    const beside = stable[index];
    on.take(beside === undefined ? [finding] : [finding, beside]);
  }
  return on.verdict;
}

/** Wrong answers spread evenly over right ones: the last of every `each` is wrong. */
function spread(count: number, each: number): Finding[] {
  return Array.from({ length: count }, (_, index) => ((index + 1) % each === 0 ? wrong() : right()));
}

describe('without a limit', () => {
  test('every answer must be right', () => {
    expect(verdictOf('', requests(20))).toEqual({
      verdict: 'pass',
      message: '20 of 20 requests were answered correctly, p95 10 ms',
    });
    expect(verdictOf('', requests(20, 1))).toEqual({
      verdict: 'fail',
      message: '1 of 20 requests failed: 1 × error of the application: answered 500',
    });
  });

  test('fewer answers than asked for are no pass, and no failure', () => {
    expect(verdictOf('', requests(19))).toEqual({
      verdict: 'inconclusive',
      message: 'too few samples: 19 requests, at least 20 needed',
    });
    expect(verdictOf('', requests(19, 2))).toMatchObject({
      verdict: 'inconclusive',
      message: 'too few samples: 19 requests, 2 of them wrong, at least 20 needed',
    });
  });
});

describe('an error rate', () => {
  const keys = '  max-error-rate: 5%';

  test.each([
    ['no request at all', 0, 0, 'inconclusive'],
    ['too few requests without an error', 66, 0, 'inconclusive'],
    ['just enough requests without an error', 67, 0, 'pass'],
    ['enough requests, if none had gone wrong', 132, 1, 'inconclusive'],
    ['just enough requests with one error', 133, 1, 'pass'],
    ['the limit itself', 400, 20, 'inconclusive'],
    ['twice the limit, but of few', 60, 6, 'inconclusive'],
    ['twice the limit', 400, 40, 'fail'],
    ['few requests, all of them wrong', 3, 3, 'fail'],
  ])('of %s: %p requests, %p wrong: %s', (_, count, errors, verdict) => {
    expect(verdictOf(keys, requests(count, errors))).toMatchObject({ verdict });
  });

  test('takes more requests the lower it is, and the more go wrong', () => {
    expect(requestsNeeded({ requests: 1, maxErrorRate: 0.01 })).toBe(339);
    expect(requestsNeeded({ requests: 1, maxErrorRate: 0.01 }, 1)).toBe(676);
    expect(verdictOf('  max-error-rate: 1%', requests(500, 1))).toEqual({
      verdict: 'inconclusive',
      message: 'too few samples: 500 requests, 1 of them wrong, at least 676 needed',
    });
  });

  test('passes not before there are as many requests as the check wants', () => {
    expect(verdictOf(`${keys}\n  requests: 100`, requests(99))).toMatchObject({ verdict: 'inconclusive' });
    expect(verdictOf(`${keys}\n  requests: 100`, requests(100))).toMatchObject({ verdict: 'pass' });
  });

  test('says with what it was compared, and how sure it is', () => {
    expect(verdictOf('  max-error-rate: 1%', requests(300, 15)).message).toBe(
      '15 of 300 requests failed (more than the 1 % allowed, with 99 % confidence): 15 × error of the application: answered 500',
    );
    expect(verdictOf('  max-error-rate: 1%', requests(339)).message).toBe(
      '0 of 339 requests failed (fewer than 1 % do, with 95 % confidence), p95 10 ms',
    );
  });

  test('of a stable version without errors does not hide those of the candidate (spinnaker/kayenta#377, #799)', () => {
    const lenient = '  max-error-rate: 20%\n  requests: 400';
    const verdict = verdictOf(lenient, spread(300, 20), requests(300));
    expect(verdict).toEqual({
      verdict: 'fail',
      message:
        '15 of 300 requests failed, but only 0 of 300 of the stable version at the same time (worse, with 99 % confidence): 15 × error of the application: answered 500',
    });
    expect(verdictOf(lenient, spread(300, 20), spread(300, 20))).toMatchObject({ verdict: 'inconclusive' });
  });

  test('that is too high is no better for a stable version that is as bad, or worse', () => {
    expect(verdictOf('  max-error-rate: 1%', spread(300, 10), spread(300, 10))).toMatchObject({ verdict: 'fail' });
    expect(verdictOf('  max-error-rate: 1%', spread(300, 10), requests(300, 300))).toMatchObject({ verdict: 'fail' });
  });

  test('is shown by nothing that the stable version does', () => {
    expect(verdictOf(keys, requests(66), requests(66, 66))).toMatchObject({ verdict: 'inconclusive' });
  });

  test('needs no data of the stable version', () => {
    const silent = Array.from({ length: 67 }, () => lost);
    expect(verdictOf(keys, requests(67), silent)).toMatchObject({ verdict: 'pass' });
  });
});

describe('a latency', () => {
  const keys = '  max-p95: 100ms';
  /** The last of every `each` is slow. */
  const some = (count: number, each: number) =>
    Array.from({ length: count }, (_, index) => right((index + 1) % each === 0 ? 150 : 10));

  test('is the part of the requests that is slower than the limit', () => {
    expect(verdictOf(keys, requests(67, 0, 100))).toEqual({
      verdict: 'pass',
      message:
        '67 of 67 requests were answered correctly, p95 is 100 ms; the limit is 100 ms: 0 of 67 requests had no correct response within 100 ms (fewer than 5 %, with 95 % confidence)',
    });
    expect(verdictOf(keys, requests(3, 0, 101))).toEqual({
      verdict: 'fail',
      message:
        'p95 is 101 ms; the limit is 100 ms: 3 of 3 requests had no correct response within 100 ms (more than 5 %, with 99 % confidence)',
    });
  });

  test('of fewer than 67 requests is not good yet', () => {
    expect(verdictOf(keys, requests(66, 0, 5))).toMatchObject({ verdict: 'inconclusive' });
    expect(verdictOf(keys, requests(2, 0, 500))).toMatchObject({ verdict: 'inconclusive' });
  });

  test('near the limit stays open: 4 % slow ones of 200', () => {
    expect(verdictOf(keys, some(200, 25))).toEqual({
      verdict: 'inconclusive',
      message: 'too few samples: 200 requests, 8 of them without a correct response within 100 ms, at least 384 needed',
    });
  });

  test('of a stable version that is slow too excuses nothing; one that is fast accuses', () => {
    expect(verdictOf(keys, requests(67, 0, 125), requests(67, 0, 120))).toMatchObject({ verdict: 'fail' });
    const verdict = verdictOf(`${keys}\n  requests: 500`, some(400, 25), requests(400));
    expect(verdict.verdict).toBe('fail');
    expect(verdict.message).toContain(
      '16 of 400 requests had no correct response within 100 ms, but only 0 of 400 of the stable version at the same time',
    );
  });

  test('counts a request without an answer with the time that it was given', () => {
    const findings = [...requests(54), ...Array.from({ length: 6 }, () => wrong(10, 'timeout'))];
    const { durationsMs, slow } = tallyOf(findings, { timeoutMs: 10_000, maxP95Ms: 100 });
    expect(durationsMs.filter((ms) => ms === 10_000)).toHaveLength(6);
    expect(slow).toBe(6);
  });

  test('is not met by an answer that is wrong, however fast: an error must not help', () => {
    expect(tallyOf(requests(60, 10, 1), { timeoutMs: 1000, maxP95Ms: 100 })).toMatchObject({ slow: 10 });
    expect(tallyOf(requests(60, 10, 1), { timeoutMs: 1000 }).durationsMs).toHaveLength(50);
    expect(verdictOf(`${keys}\n  max-error-rate: 60%`, requests(100, 30, 1))).toMatchObject({ verdict: 'fail' });
  });
});

describe('a trial', () => {
  const statesOf = (keys: string, findings: readonly Finding[]) => {
    const on = trial(keys);
    return findings.map((finding) => {
      const state = on.take([finding]);
      if (state === 'alarm') on.afterAlarm();
      return state;
    });
  };

  test('is decided by the request that shows enough', () => {
    const states = statesOf('  max-error-rate: 5%', requests(67));
    expect(states.slice(0, 66).every((state) => state === 'open')).toBe(true);
    expect(states.at(-1)).toBe('decided');
  });

  test('fails when an alarm goes on, and not by what one bad moment has shown', () => {
    const bad = requests(3, 3);
    expect(statesOf('  max-error-rate: 5%', [...bad, wrong()])).toEqual(['open', 'open', 'alarm', 'decided']);
    expect(statesOf('  max-error-rate: 5%', [...bad, ...requests(150)]).filter((state) => state !== 'open')).toEqual([
      'alarm',
    ]);
  });

  test('without a limit has one more round after one with wrong answers', () => {
    const moved = (findings: Finding[]) =>
      statesOf('', findings).flatMap((state, at) => (state === 'open' ? [] : [at]));
    expect(moved([...requests(20, 1), ...requests(20)])).toEqual([19, 39]);
    expect(statesOf('', [...requests(20, 1), ...requests(20, 1)]).at(-1)).toBe('decided');
  });

  test('takes requests that were lost on the way for nothing at all, and tells them', () => {
    const findings = [...requests(10), lost];
    expect(verdictOf('', findings)).toEqual({
      verdict: 'inconclusive',
      message:
        'too few samples: 10 requests, at least 20 needed; 1 more were lost on the way and do not count: the API server is overloaded',
    });
    const many = Array.from({ length: 500 }, () => lost);
    expect(verdictOf('  max-error-rate: 5%', [...many, ...requests(66)])).toMatchObject({ verdict: 'inconclusive' });
    expect(verdictOf('  max-error-rate: 5%', [...many, ...requests(3, 3)])).toMatchObject({ verdict: 'fail' });
    expect(verdictOf('  max-p95: 100ms', many)).toMatchObject({ verdict: 'inconclusive' });
  });

  test('wants as many as it takes at least', () => {
    const on = trial('  max-error-rate: 1%');
    expect(on.wanted).toBe(339);
    on.take([right()]);
    expect(on.wanted).toBe(338);
    on.take([wrong()]);
    expect(on.wanted).toBe(674);
    on.take([lost]);
    expect(on.wanted).toBe(674);
  });
});

describe('how long it takes is said beforehand', () => {
  test.each([
    [{ requests: 20 }, undefined],
    [
      { requests: 339, maxErrorRate: 0.01 },
      'to show at most 1 % failing, it takes at least 339 requests to pass (about 886 at 0.3 %), and at least 2 to fail (about 1600 at 2 %)',
    ],
    [
      { requests: 500, maxP95Ms: 300 },
      'to show at most 5 % taking longer than 300 ms, it takes at least 500 requests to pass (about 500 at 1.5 %), and at least 3 to fail (about 290 at 10 %)',
    ],
  ])('%j', (check, text) => {
    expect(forecast(check)).toBe(text);
  });

  test('for a share', () => {
    expect(forecastShare({ wanted: 0.25, tolerance: 0.05, former: 0.1 })).toMatch(
      /^measuring a share of 25 % ± 5 takes about \d+ requests; the share before was 10 %$/,
    );
  });
});

describe('a share', () => {
  test.each([
    [0, 60, 'fail', '0 % of 60 requests reached the candidate, expected: 25 % ± 5'],
    [250, 750, 'pass', '25 % of 1000 requests reached the candidate, expected: 25 %'],
    [0, 0, 'inconclusive', 'too few samples for the share: 0 % of 0 requests reached the candidate, expected: 25 %'],
  ])('of %p answers of the candidate beside %p: %s', (candidate, stable, verdict, message) => {
    const share = { wanted: 0.25, tolerance: 0.05, former: 0 };
    expect(judgeShare({ candidate, stable, unknown: 0 }, share)).toEqual({ verdict, message });
  });
});
