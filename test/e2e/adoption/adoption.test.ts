import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';

import { ApiServer } from '../../support/api-server.ts';
import { figure } from '../../support/figure.ts';
import { shareOf } from '../../support/share.ts';
import { image, Stage } from '../../support/strategy-stage.ts';
import { manifestsOf, moves, type Move } from './moves.ts';
import { origins, type Origin } from './origins.ts';
import type { Scene } from './scene.ts';

/** Whoever made the objects and whatever the action is asked for: it works, or leaves all of it as it was. */

/** How many points a run of everything takes. */
const fewPoints = 8;
const patienceMs = 600_000;

interface Point {
  name: string;
  move: Move;
  origin: Origin;
  time: 'first' | 'later';
  end: 'success' | 'failure';
}

const points = moves.flatMap((move) =>
  origins.flatMap((origin) =>
    move.times.flatMap((time) =>
      move.ends.map((end): Point => ({
        name: `${move.name}, ${origin.name}, ${time}, ${end}`,
        move,
        origin,
        time,
        end,
      })),
    ),
  ),
);
const chosen = shareOf(points, ({ name }) => name, fewPoints);

let api: ApiServer;
let tried = 0;
let right = 0;

beforeAll(async () => {
  api = await ApiServer.ofTests();
});

afterAll(() => {
  api.close();
  figure('adoption-points', tried);
  figure('adoption-wrong', tried - right);
});

async function sceneOf(stage: Stage, { move, origin, time, end }: Point): Promise<Scene> {
  const decided = origin.conflictsWith === undefined ? {} : { 'force-conflicts': 'true' };
  const made = (move.made ?? move.manifests ?? ((container: string) => manifestsOf({}, container)))(image('1.0.0'));
  await origin.make(stage, made);
  for (const { kind, metadata } of made)
    if (kind === 'Deployment')
      await stage.kubectl('rollout', 'status', `deployment/${metadata.name}`, '--timeout=120s');
  const isLater = time === 'later';
  if (isLater) await stage.given('web', manifestsOf(move, image('2.0.0')), { ...move.inputs, ...decided });
  return { stage, api, origin, version: isLater ? 2 : 1, isLater, fails: end === 'failure', decided };
}

describe('objects of any origin', () => {
  test.concurrent.each(chosen)(
    '$name',
    async (point) => {
      tried += 1;
      await using stage = await Stage.open(point.move.strategy);
      expect(await point.move.act(await sceneOf(stage, point))).toEqual([]);
      right += 1;
    },
    patienceMs,
  );
});
