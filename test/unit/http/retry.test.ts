import { describe, expect, test } from '@jest/globals';

import { pauseMs, retry, retryAfterOf, type Passing, type RetryOptions } from '../../../src/http/retry.ts';
import { FakeClock, HastyClock } from '../../support/fake-clock.ts';

const pace = { firstMs: 100, lastMs: 1000 };

/** What passes and ends in `error` when it is given up. */
function passing(error: string, more: Partial<Passing<string>> = {}): Passing<string> {
  return {
    state: 'passing',
    giveUp: () => {
      throw new Error(error);
    },
    ...more,
  };
}

/** Tries what passes so many times before it is done, and says how. */
async function tried(failures: readonly Partial<Passing<string>>[], more: Partial<RetryOptions> = {}) {
  const clock = new HastyClock();
  let count = 0;
  const result = await retry<string>(
    () => {
      count += 1;
      const failure = failures[count - 1];
      return Promise.resolve(
        failure === undefined ? { state: 'done', result: 'fine' } : passing(`failure ${count}`, failure),
      );
    },
    { clock, pace, random: () => 0.5, ...more },
  ).catch((error: unknown) => String(error));
  return { result, count, pauses: clock.sleeps };
}

describe('what passes', () => {
  test('is tried again with pauses that double up to the longest', async () => {
    expect(await tried(Array.from({ length: 7 }, () => ({})))).toEqual({
      result: 'fine',
      count: 8,
      pauses: [100, 200, 400, 800, 1000, 1000, 1000],
    });
  });

  test('is never tried again sooner than the server asks, and no sooner than usual if that is less', async () => {
    const { pauses } = await tried([{ retryAfterMs: 3000 }, { retryAfterMs: 0 }, { retryAfterMs: 1 }]);
    expect(pauses).toEqual([3000, 200, 400]);
  });

  test('is given up with the last attempt: what then counts is the last failure', async () => {
    expect(await tried([{}, {}, {}], { attempts: 2 })).toEqual({ result: 'Error: failure 2', count: 2, pauses: [100] });
  });

  test('may end in an answer all the same', async () => {
    const { result } = await tried([{ giveUp: () => 'refused' }], { attempts: 1 });
    expect(result).toBe('refused');
  });

  test('is given up at once when the next attempt would begin too late, and not slept for', async () => {
    const until = new HastyClock().now() + 299;
    expect(await tried([{ until }, { until }], {})).toEqual({
      result: 'Error: failure 2',
      count: 2,
      pauses: [100],
    });
    expect(await tried([{ until: until + 1 }, { until: until + 1 }])).toMatchObject({ result: 'fine' });
  });

  test('has only so much time when a Retry-After would take it beyond', async () => {
    const until = new HastyClock().now() + 5000;
    expect(await tried([{ until, retryAfterMs: 6000 }])).toMatchObject({ count: 1, pauses: [] });
  });
});

describe('what can be mended', () => {
  test('is mended behind the pause, and not where no attempt follows', async () => {
    const order: string[] = [];
    const clock = new HastyClock();
    const attempt = () => {
      order.push(`attempt, ${clock.sleeps.length} pauses before`);
      const mend = () => {
        order.push(`mended, ${clock.sleeps.length} pauses before`);
        return Promise.resolve();
      };
      return Promise.resolve(passing('no', { mend }));
    };
    await expect(retry(attempt, { clock, pace, attempts: 2 })).rejects.toThrow('no');
    expect(order).toEqual(['attempt, 0 pauses before', 'mended, 1 pauses before', 'attempt, 1 pauses before']);
  });

  test('needs no pause when that was all, whatever the server asks for', async () => {
    const { result, pauses } = await tried([{ atOnce: true, retryAfterMs: 9000 }, {}]);
    expect(result).toBe('fine');
    expect(pauses).toEqual([200]);
  });

  test('fails with the reason for which it cannot be mended', async () => {
    const mend = () => Promise.reject(new Error('no credentials'));
    expect(await tried([{ mend }])).toMatchObject({ result: 'Error: no credentials', count: 1 });
  });
});

test('what fails for good is thrown as it is, without a second attempt', async () => {
  const clock = new HastyClock();
  await expect(retry(() => Promise.reject(new Error('for good')), { clock, pace })).rejects.toThrow('for good');
  expect(clock.sleeps).toEqual([]);
});

test('a pause ends with the run', async () => {
  const clock = new FakeClock();
  const run = new AbortController();
  let count = 0;
  const attempt = () => Promise.resolve(passing(`failure ${(count += 1)}`));
  const result = retry(attempt, { clock, pace, signal: run.signal }).catch((error: unknown) => error);
  await clock.runFor(50);
  run.abort(new Error('cancelled'));
  expect(await result).toEqual(new Error('cancelled'));
  expect(count).toBe(1);
});

test('pauses are spread from half of the pace to one and a half', () => {
  expect([0, 0.25, 0.999].map((random) => Math.round(pauseMs(pace, 3, () => random)))).toEqual([200, 300, 600]);
  for (let count = 1; count < 50; count += 1) {
    const pause = pauseMs(pace, count);
    expect(pause).toBeGreaterThanOrEqual(50);
    expect(pause).toBeLessThan(1500);
  }
});

describe('a Retry-After', () => {
  const clock = new HastyClock();
  const inSeconds = (seconds: number) => new Date(clock.now() + seconds * 1000).toUTCString();

  test.each<[string, Record<string, string | string[]>, number | undefined]>([
    ['in seconds', { 'retry-after': '120' }, 120_000],
    ['of zero', { 'retry-after': '0' }, 0],
    ['with spaces around', { 'retry-after': ' 5 ' }, 5000],
    ['that is a date, by our clock when the server does not tell its own', { 'retry-after': inSeconds(9) }, 9000],
    [
      'that is a date, by the clock of the server when it tells it',
      { 'retry-after': inSeconds(609), date: inSeconds(600) },
      9000,
    ],
    ['that has passed', { 'retry-after': inSeconds(-60) }, 0],
    ['below zero', { 'retry-after': '-5' }, undefined],
    ['with a fraction', { 'retry-after': '1.5' }, undefined],
    ['in words', { 'retry-after': 'soon' }, undefined],
    ['with nothing in it', { 'retry-after': '' }, undefined],
    ['given twice', { 'retry-after': ['1', '2'] }, undefined],
    ['that is missing', {}, undefined],
  ])('%s', (_, headers, expected) => {
    expect(retryAfterOf(headers, clock)).toBe(expected);
  });
});
