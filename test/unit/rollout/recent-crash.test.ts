import { describe, expect, test } from '@jest/globals';

import type { JsonObject } from '../../../src/base/json.ts';
import { recentCrash } from '../../../src/rollout/recent-crash.ts';
import { crashed, podOf, start, timeAt } from '../../support/rollout-objects.ts';

/** A container that runs again since its last end, which was `seconds` after the start. */
const again = (restarts: number, seconds: number): JsonObject => ({
  ...crashed(restarts, { at: seconds }),
  ready: true,
  state: { running: { startedAt: timeAt(seconds) } },
});

const runsAgain = (restarts: number, seconds: number) =>
  podOf(undefined, { ready: true, containers: [again(restarts, seconds)] });

/** A pod whose first init container does so: a native sidecar, or one that has work to do. */
const runsFirst = (spec: JsonObject) =>
  podOf(undefined, {
    ready: true,
    spec: { initContainers: [{ name: 'web', ...spec }] },
    status: { initContainerStatuses: [again(2, 0)] },
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
    [
      'has a sidecar that has crashed twice',
      [runsFirst({ restartPolicy: 'Always' })],
      60,
      'sidecar container "web" keeps crashing (exit code 1, 2 restarts), last 1m ago',
    ],
    ['has an init container that has crashed twice', [runsFirst({})], 60, undefined],
    ['has crashed once at its start', [runsAgain(1, 0)], 90, undefined],
  ])('%s', (_, pods, seconds, expected) => {
    expect(recentCrash(pods, start + seconds * 1000)?.message).toBe(expected);
  });
});
