import { afterAll, describe, expect, test } from '@jest/globals';

import { figure } from '../../support/figure.ts';
import { deployScenarios } from './scenarios.ts';
import { pointsOf, referenceOf, walk, type PointResult, type Reference } from './walk.ts';

/** Whoever waits for all points of a scenario needs patience; a share of them is soon done. */
const patienceMs = 1_200_000;

describe.each(['rolling'])('a %s deploy that is killed at any of its writes', (strategy) => {
  const results: PointResult[] = [];

  describe.each(deployScenarios(strategy))('$name', (scenario) => {
    let reference: Promise<Reference> | undefined;

    test.each(scenario.followUps)(
      'ends fully new or exactly as before, whole and in order, after $name',
      async (followUp) => {
        reference ??= referenceOf(scenario);
        const points = pointsOf(await reference, `${strategy} ${scenario.name} ${followUp.name}`);
        const found = await walk(scenario, followUp, await reference, points);
        results.push(...found);
        expect(found.flatMap(({ problems }) => problems)).toEqual([]);
      },
      patienceMs,
    );
  });

  afterAll(() => {
    const good = results.filter(({ problems }) => problems.length === 0);
    figure(`crash-points-${strategy}`, results.length);
    for (const ended of ['from', 'to'] as const) {
      const name = ended === 'from' ? 'as-before' : 'fully-new';
      figure(`crash-${name}-${strategy}`, good.filter((result) => result.ended === ended).length);
    }
    figure(`crash-consistent-percent-${strategy}`, ((100 * good.length) / Math.max(1, results.length)).toFixed(1));
  });
});
