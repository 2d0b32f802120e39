import { describe, expect, test } from '@jest/globals';

import { figure } from '../../support/figure.ts';
import { SteadyLoad, totalOf } from '../../support/steady-load.ts';
import { abrupt, lossesOf, rounds, Stage, versionsNow, type Version } from './stage.ts';

const patienceMs = 1_800_000;

/** One candidate pod beside three stable ones. */
const share = 0.25;
/** The share of 2 s of requests is that near with a certainty that is as good as one (3.6 standard deviations). */
const tolerance = 0.05;
const watchMs = 2000;

const inputs = { strategy: 'canary', 'canary-steps': '25', 'step-duration': '1s', 'auto-promote': 'false' };

/** Which share of the answers a version gives, beside the one other that is to answer. */
async function measuredShare(load: SteadyLoad, candidate: Version, stable: Version): Promise<number> {
  const from = Date.now();
  await load.reaches(from + watchMs);
  const { answers } = load.sentBetween(from, from + watchMs);
  expect(Object.keys(answers).sort()).toEqual([candidate, stable].sort());
  return (answers[candidate] ?? 0) / totalOf(answers);
}

describe('a canary under load', () => {
  test(
    'gets its share, and its promotion loses no request and leaves the new version alone',
    async () => {
      await using stage = await Stage.open('promoted');
      await using load = new SteadyLoad(await stage.address('LoadBalancer'));
      const count = rounds('promotions', 10);
      const shares: number[] = [];
      let stable: Version = '1.0.0';
      for (let round = 1; round <= count; round += 1) {
        const candidate: Version = stable === '1.0.0' ? '2.0.0' : '1.0.0';
        expect(await versionsNow(load)).toEqual([stable]);
        expect((await stage.deploy(candidate, inputs)).outputs['status']).toBe('waiting');
        const measured = await measuredShare(load, candidate, stable);
        expect(Math.abs(measured - share)).toBeLessThan(tolerance);
        shares.push(measured);
        expect((await stage.run({ command: 'promote' })).outputs['status']).toBe('deployed');
        expect(await versionsNow(load)).toEqual([candidate]);
        stable = candidate;
      }
      expect(await lossesOf(load, 'promotions', count)).toEqual([]);
      const worst = shares.reduce((most, one) => Math.max(most, Math.abs(one - share)), 0);
      figure('switching-canary-share-off-by-percentage-points', (100 * worst).toFixed(1));
    },
    patienceMs,
  );

  test(
    'that is aborted loses no request, and nobody is answered by its version any more',
    async () => {
      await using stage = await Stage.open('aborted');
      await using load = new SteadyLoad(await stage.address('ClusterIP'));
      const count = rounds('aborts', 10);
      for (let round = 1; round <= count; round += 1) {
        expect(await versionsNow(load)).toEqual(['1.0.0']);
        expect((await stage.deploy('2.0.0', inputs)).outputs['status']).toBe('waiting');
        await measuredShare(load, '2.0.0', '1.0.0');
        expect((await stage.run({ command: 'abort' })).outputs['status']).toBe('aborted');
        expect(await versionsNow(load)).toEqual(['1.0.0']);
      }
      expect(await lossesOf(load, 'aborts', count)).toEqual([]);
    },
    patienceMs,
  );

  test(
    'loses no request of pods that end at once either, when it is promoted and when it is aborted',
    async () => {
      await using stage = await Stage.open('abrupt', {
        filesOf: (version) => ({ 'app.yaml': abrupt('abrupt', version) }),
      });
      await using load = new SteadyLoad(await stage.address('ClusterIP'));
      const count = rounds('abrupt', 6);
      let stable: Version = '1.0.0';
      for (let round = 1; round <= count; round += 1) {
        const candidate: Version = stable === '1.0.0' ? '2.0.0' : '1.0.0';
        expect((await stage.deploy(candidate, inputs)).outputs['status']).toBe('waiting');
        expect((await stage.run({ command: 'abort' })).outputs['status']).toBe('aborted');
        expect(await versionsNow(load)).toEqual([stable]);
        expect((await stage.deploy(candidate, inputs)).outputs['status']).toBe('waiting');
        expect((await stage.run({ command: 'promote' })).outputs['status']).toBe('deployed');
        expect(await versionsNow(load)).toEqual([candidate]);
        stable = candidate;
      }
      expect(await lossesOf(load, 'abrupt-promotions-and-aborts', 2 * count)).toEqual([]);
    },
    patienceMs,
  );
});
