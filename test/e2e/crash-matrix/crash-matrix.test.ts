import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';

import { ApiServer } from '../../support/api-server.ts';
import { figure } from '../../support/figure.ts';
import { deployScenarios } from './scenarios.ts';
import { pointsOf, referenceOf, walk, type PointResult, type Reference } from './walk.ts';

/** Whoever waits for all points of a scenario needs patience; a share of them is soon done. */
const patienceMs = 1_800_000;

let api: ApiServer;

beforeAll(async () => {
  api = await ApiServer.ofTests();
});

afterAll(() => {
  api.close();
});

describe.each(['rolling'])('a %s deploy that is killed at any of its writes', (strategy) => {
  const results: PointResult[] = [];

  describe.each(deployScenarios(strategy))('$name', (scenario) => {
    let reference: Promise<Reference> | undefined;

    test.each(scenario.followUps)(
      'ends fully new or exactly as before, whole and in order, after $name',
      async (followUp) => {
        reference ??= referenceOf(api, scenario);
        const points = pointsOf(await reference, `${strategy} ${scenario.name} ${followUp.name}`);
        const found = await walk(api, scenario, followUp, await reference, points);
        results.push(...found);
        expect(found.flatMap(({ problems }) => problems)).toEqual([]);
      },
      patienceMs,
    );
  });

  afterAll(() => {
    const good = results.filter(({ problems }) => problems.length === 0);
    figure(`crash-points-${strategy}`, results.length);
    figure(`crash-ended-fully-new-${strategy}`, good.filter(({ ended }) => ended === 'to').length);
    figure(`crash-ended-as-before-${strategy}`, good.filter(({ ended }) => ended === 'from').length);
    figure(`crash-whole-percent-${strategy}`, ((100 * good.length) / Math.max(1, results.length)).toFixed(1));
  });
});
