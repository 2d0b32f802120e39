import { afterAll, describe, expect, test } from '@jest/globals';

import { figure } from '../../support/figure.ts';
import { shareOf } from '../../support/share.ts';
import { graceAsked, rolling, switches } from './changes.ts';
import { Scene } from './scene.ts';

/** A client streams for a minute each time, as those of model servers do, through all that takes pods away. */

describe('with the numbers that the run asks for', () => {
  const total = { begun: 0, cut: 0 };

  afterAll(() => {
    figure('streams-begun', total.begun);
    figure('streams-cut', total.cut);
  });

  test.concurrent.each([rolling, ...shareOf(switches, ({ title }) => title)])(
    'no stream is cut by $title',
    async ({ run }) => {
      const { begun, cut } = await run();
      total.begun += begun;
      total.cut += cut.length;
      expect(cut).toEqual([]);
    },
  );
});

test.concurrent('without them a rolling update cuts streams, as the run had said', async () => {
  await using scene = await Scene.open('rolling');
  expect((await scene.deploy('1.0.0')).told).toEqual([graceAsked]);
  await scene.streamFrom('1.0.0');
  expect((await scene.deploy('2.0.0')).told).toEqual([graceAsked]);
  const { cut } = await scene.end('without-advice');
  expect(cut.length).toBeGreaterThan(0);
  expect(cut.filter(({ version }) => version !== '1.0.0')).toEqual([]);
});
