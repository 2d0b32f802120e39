import { expect, test } from '@jest/globals';

import { Pace, sleepTelling } from '../../../src/base/pace.ts';
import { FakeClock } from '../../support/fake-clock.ts';

test('a wait says that it goes on after the first minute, and then every 30 s', () => {
  const pace = new Pace(0);
  const due = [0, 30, 59, 60, 61, 89, 90, 119, 120].filter((second) => pace.isDue(second * 1000));
  expect(due).toEqual([60, 90, 120]);
});

test('a pause tells how much of it is left', async () => {
  const clock = new FakeClock();
  const told: number[] = [];
  let isOver = false;
  void sleepTelling(clock, 135_000, new AbortController().signal, (left) => told.push(left)).then(() => {
    isOver = true;
  });
  await clock.runFor(134_000);
  expect(told).toEqual([75_000, 45_000, 15_000]);
  expect(isOver).toBe(false);
  await clock.runFor(2000);
  expect(isOver).toBe(true);
});

test('a pause ends when it is aborted', async () => {
  const clock = new FakeClock();
  const end = new AbortController();
  const pause = sleepTelling(clock, 90_000, end.signal, () => undefined);
  end.abort(new Error('cancelled'));
  await expect(pause).rejects.toThrow('cancelled');
});
