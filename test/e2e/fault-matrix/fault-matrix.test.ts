import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';

import { ApiServer } from '../../support/api-server.ts';
import { figure } from '../../support/figure.ts';
import { Turns } from '../crash-matrix/turns.ts';
import { actionsOf, type Strategy } from './actions.ts';
import { nameOf, placesOfMatrix } from './matrix.ts';
import { referenceOf, tryPoint, type PointResult, type Reference } from './point.ts';

/** Whoever waits for the whole matrix needs patience; a share of it is soon done. */
const patienceMs = 36_000_000;
/** Points under way at once: most of a point is waiting. */
const turns = new Turns(Number(process.env['TEST_AT_ONCE'] ?? '4'));

let api: ApiServer;
const results: PointResult[] = [];
const references = new Map<string, Promise<Reference>>();

beforeAll(async () => {
  api = await ApiServer.ofTests();
});

afterAll(() => {
  api.close();
  const ended = (wanted: PointResult['ended']) => results.filter((result) => result.ended === wanted).length;
  figure('fault-points', results.length);
  figure('fault-survived', ended('survived'));
  figure('fault-undone', ended('undone'));
  figure('fault-wrong', ended('wrong'));
  figure('fault-longest-overrun-s', Math.max(0, ...results.map(({ overrunSeconds }) => overrunSeconds)).toFixed(0));
});

/** What an undisturbed run leaves, found once for each action. */
async function referenceFor(strategy: Strategy, name: string): Promise<Reference> {
  const actions = actionsOf(strategy);
  const action = actions.find((one) => one.name === name && one.fails !== true) ?? actions[0];
  if (action === undefined) throw new Error(`there are no actions with ${strategy}`);
  const key = `${strategy} ${action.name}`;
  const found = references.get(key) ?? referenceOf(api, action);
  references.set(key, found);
  return await found;
}

describe('a fault between the action and the API server', () => {
  const places = placesOfMatrix().map((place) => ({ ...place, name: nameOf(place) }));

  test.concurrent.each(places)(
    'leaves the old version or the new one as the run says, in order and in time: $name',
    async (place) => {
      await turns.take(async () => {
        const result = await tryPoint(api, place, await referenceFor(place.strategy, place.action.name));
        results.push(result);
        expect(result.problems.length === 0 ? '' : `${result.problems.join('\n')}\n${result.log}`).toBe('');
      });
    },
    patienceMs,
  );
});
