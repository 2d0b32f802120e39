import { describe, expect, test } from '@jest/globals';

import { renewalTime, Renewing } from '../../../src/http/renewing.ts';
import { FakeClock } from '../../support/fake-clock.ts';

const seconds = 1000;

test.each<[string, number, number]>([
  ['an hour', 3600, 3540],
  ['five minutes', 300, 240],
  ['two minutes', 120, 90],
  ['20 seconds', 20, 15],
  ['nothing', 0, 0],
  ['less than nothing', -5, -5],
])('what lives for %s is renewed in time, but not at once (upload-cloud-storage#364)', (_, lifetime, renewed) => {
  expect(renewalTime(0, lifetime * seconds)).toBe(renewed * seconds);
});

/** Tokens of five minutes, counted from 1; `fail` makes the next question fail. */
function tokens(lifetimeMs: number | undefined) {
  const clock = new FakeClock();
  const state = { asked: 0, fail: false };
  const renewing = new Renewing(async () => {
    await clock.sleep(10);
    state.asked += 1;
    if (state.fail) throw new Error('no answer');
    return { token: state.asked, ...(lifetimeMs === undefined ? {} : { expiresAt: clock.now() + lifetimeMs }) };
  }, clock);
  const get = async () => {
    const all = Promise.all([renewing.get(), renewing.get(), renewing.get()]);
    all.catch(() => undefined);
    await clock.runFor(20);
    return (await all).map(({ token }) => token);
  };
  return { clock, state, renewing, get };
}

describe('what expires', () => {
  test('is asked for once by many at the same time, and again ahead of its end', async () => {
    const { clock, state, get } = tokens(300 * seconds);
    expect(await get()).toEqual([1, 1, 1]);
    await clock.runFor(239 * seconds);
    expect(await get()).toEqual([1, 1, 1]);
    await clock.runFor(seconds);
    expect(await get()).toEqual([2, 2, 2]);
    expect(state.asked).toBe(2);
  });

  test('serves on while renewing it fails and it is still good, asked for now and then', async () => {
    const { clock, state, get } = tokens(300 * seconds);
    await get();
    state.fail = true;
    await clock.runFor(250 * seconds);
    expect(await get()).toEqual([1, 1, 1]);
    expect(await get()).toEqual([1, 1, 1]);
    expect(state.asked).toBe(2);
    await clock.runFor(10 * seconds);
    expect(await get()).toEqual([1, 1, 1]);
    expect(state.asked).toBe(3);
    await clock.runFor(40 * seconds);
    await expect(get()).rejects.toThrow('no answer');
    state.fail = false;
    expect(await get()).toEqual([5, 5, 5]);
  });

  test('is replaced once when several were refused the same', async () => {
    const { clock, state, renewing } = tokens(300 * seconds);
    const replace = async (refused: Promise<{ token: number }>) => {
      const value = await refused;
      const all = Promise.all([renewing.replace(value), renewing.replace(value)]);
      await clock.runFor(20);
      const later = await renewing.replace(value);
      return [...(await all), later].map(({ token }) => token);
    };
    const first = renewing.get();
    await clock.runFor(20);
    expect(await replace(first)).toEqual([2, 2, 2]);
    expect(state.asked).toBe(2);
  });

  test('and has no end known serves until it is refused', async () => {
    const { clock, get } = tokens(undefined);
    await get();
    await clock.runFor(86_400 * seconds);
    expect(await get()).toEqual([1, 1, 1]);
  });
});
