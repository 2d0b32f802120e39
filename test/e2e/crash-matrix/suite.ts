import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';

import { ApiServer } from '../../support/api-server.ts';
import { figure } from '../../support/figure.ts';
import { shareOf } from '../../support/share.ts';
import type { Scenario } from './scenarios.ts';
import { pointsOf, referenceOf, walk, type PointResult, type Reference } from './walk.ts';

/** Whoever waits for all points of a strategy needs patience; a share of them is soon done. */
const patienceMs = 3_600_000;

/** The tests of one strategy: each scenario with each of its follow-ups, killed at each of its writes. */
export function crashMatrix(strategy: string, scenarios: readonly Scenario[]): void {
  let api: ApiServer;
  const results: PointResult[] = [];

  beforeAll(async () => {
    api = await ApiServer.ofTests();
  });

  afterAll(() => {
    api.close();
    const good = results.filter(({ problems }) => problems.length === 0);
    figure(`crash-points-${strategy}`, results.length);
    figure(`crash-ended-fully-new-${strategy}`, good.filter(({ ended }) => ended === 'to').length);
    figure(`crash-ended-as-before-${strategy}`, good.filter(({ ended }) => ended === 'from').length);
    figure(`crash-whole-percent-${strategy}`, ((100 * good.length) / Math.max(1, results.length)).toFixed(1));
  });

  const chosen = shareOf(scenarios, ({ name }) => `${strategy} ${name}`, 1);
  describe.each(chosen)(`${strategy}: killed at any of its writes, $name`, (scenario) => {
    let reference: Promise<Reference> | undefined;

    test.concurrent.each(scenario.followUps)(
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
}
