import { describe, expect, test } from '@jest/globals';

import { recentCrash } from '../../../src/rollout/recent-crash.ts';
import { crashed, podOf, start, timeAt } from '../../support/rollout-objects.ts';

/** A pod whose container runs again since its last end, which was `seconds` after the start. */
const runsAgain = (restarts: number, seconds: number) =>
  podOf(undefined, {
    ready: true,
    containers: [
      { ...crashed(restarts, { at: seconds }), ready: true, state: { running: { startedAt: timeAt(seconds) } } },
    ],
  });

describe('what runs when it is looked at', () => {
  test.each([
    ['has not crashed', [podOf(undefined, { ready: true })], 5, undefined],
    [
      'has crashed twice in the last ten minutes',
      [runsAgain(2, 0)],
      500,
      'container "web" keeps crashing (exit code 1, 2 restarts), last 8m20s ago',
    ],
    ['has crashed twice long ago', [runsAgain(2, 0)], 700, undefined],
    [
      'has crashed once a moment ago',
      [runsAgain(1, 0)],
      20,
      'container "web" keeps crashing (exit code 1, 1 restart), last 20s ago',
    ],
    ['has crashed once at its start', [runsAgain(1, 0)], 90, undefined],
  ])('%s', (_, pods, seconds, expected) => {
    expect(recentCrash(pods, start + seconds * 1000)?.message).toBe(expected);
  });
});
