import { describe, expect, test } from '@jest/globals';

import { podsNeeded } from '../../../src/strategies/numbers.ts';

describe('how many pods a new version needs to take all requests', () => {
  test.each([
    ['as its manifest says, where nobody has scaled what serves', { meant: 2, then: 6, now: 6 }, 2],
    ['as many as serve, where somebody has scaled that since', { meant: 2, then: 2, now: 6 }, 6],
    ['fewer, too', { meant: 6, then: 6, now: 2 }, 2],
    ['as many as serve, where no manifest says', { meant: undefined, then: 3, now: 3 }, 3],
    [
      'as many as serve under an autoscaler, whatever the manifest says',
      { meant: 2, then: 6, now: 6, isScaled: true },
      6,
    ],
    ['never fewer than serve, where it is not known what served then', { meant: 2, then: undefined, now: 6 }, 6],
    ['as meant, where what serves is scaled to nothing', { meant: 2, then: 2, now: 0 }, 2],
    ['as meant, where nothing serves', { meant: 2, then: undefined, now: undefined }, 2],
    ['one, where nobody knows', { meant: undefined, then: undefined, now: undefined }, 1],
  ])('%s', (_, demand, wanted) => {
    expect(podsNeeded(demand)).toBe(wanted);
  });
});
