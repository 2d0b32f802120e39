import { expect, test } from '@jest/globals';

import { figure } from '../../support/figure.ts';
import { SteadyLoad } from '../../support/steady-load.ts';
import { waitUntil } from '../../cluster/run.ts';
import { lossesOf, ownSides, rounds, Stage, versionsNow, type Version } from './stage.ts';

const patienceMs = 1_800_000;

/** How long both versions may answer at a switch: one write, which nodes follow within a second. */
const mixedLimitMs = 1500;

test(
  'blue-green switches under load lose no request, and before and after each of them one version answers alone',
  async () => {
    await using stage = await Stage.open('switched');
    await using load = new SteadyLoad(await stage.address('LoadBalancer'));
    const count = rounds('blue-green', 20);
    const mixedMs: number[] = [];
    let old: Version = '1.0.0';
    for (let round = 1; round <= count; round += 1) {
      const next: Version = old === '1.0.0' ? '2.0.0' : '1.0.0';
      expect(await versionsNow(load)).toEqual([old]);
      const from = Date.now();
      const result = await stage.deploy(next, { strategy: 'blue-green', 'keep-old-for': '0s' });
      expect(result.outputs['status']).toBe('deployed');
      expect(await versionsNow(load)).toEqual([next]);
      // Until the first answer of the new version only the old one has answered, and soon after only the new one.
      const { first = Infinity } = load.spanOf(next, from) ?? {};
      const { last = 0 } = load.spanOf(old, from) ?? {};
      mixedMs.push(Math.max(0, last - first));
      old = next;
    }
    const losses = await lossesOf(load, 'blue-green', count);
    figure('switching-blue-green-both-answer-at-most-ms', Math.max(...mixedMs));
    expect(losses).toEqual([]);
    expect(Math.max(...mixedMs)).toBeLessThanOrEqual(mixedLimitMs);
  },
  patienceMs,
);

test(
  'a rollback while the old side stays is a switch back, and loses no request either',
  async () => {
    await using stage = await Stage.open('back', { inputs: { strategy: 'blue-green' } });
    await using load = new SteadyLoad(await stage.address('ClusterIP'));
    // It goes on for a while after its switch, without the lock.
    const deploying = stage.deploy('2.0.0', { strategy: 'blue-green', 'keep-old-for': '45s' });
    await waitUntil('the new side serves', 120_000, async () => (await versionsNow(load)).join() === '2.0.0');
    const from = performance.now();
    const back = await stage.run({ command: 'rollback', 'keep-old-for': '0s' });
    figure('switching-rollback-while-old-side-stays-s', (performance.now() - from) / 1000);
    expect(back.outputs['status']).toBe('rolled-back');
    // Its pods had stayed: none is made for the way back.
    expect(back.log).not.toMatch(/0 of \d pods (updated|available)/);
    expect(await versionsNow(load)).toEqual(['1.0.0']);
    const deployed = await deploying;
    expect(deployed.outputs['status']).toBe('deployed');
    expect(deployed.log).toContain('superseded by another run');
    expect(await versionsNow(load)).toEqual(['1.0.0']);
    expect(await lossesOf(load, 'blue-green-rollback', 1)).toEqual([]);
  },
  patienceMs,
);

test(
  'a switch behind a load balancer that takes new endpoints late and drops old ones at once loses none (ingress-gce#638)',
  async () => {
    const annotations = { 'harness.test/neg-lag': '3s', 'gke-rollout/settle': '8s' };
    await using stage = await Stage.open('lagging', { annotations });
    await using load = new SteadyLoad(await stage.address('LoadBalancer'));
    for (const version of ['2.0.0', '1.0.0'] as const) {
      const result = await stage.deploy(version, { strategy: 'blue-green', 'keep-old-for': '0s' });
      expect(result.outputs['status']).toBe('deployed');
      expect(result.log).toContain('both sides serve for 8 s');
      expect(await versionsNow(load)).toEqual([version]);
    }
    expect(await lossesOf(load, 'blue-green-lagging', 2)).toEqual([]);
  },
  patienceMs,
);

test(
  "two sides of the user's own take turns under load without a loss, behind such a load balancer too",
  async () => {
    const annotations = { 'harness.test/neg-lag': '3s', 'gke-rollout/settle': '8s' };
    const inputs = (version: Version) => ({ strategy: 'blue-green', 'keep-old-for': '0s', 'image-tag': version });
    await using stage = await Stage.open('own', {
      inputs: inputs('1.0.0'),
      filesOf: (version) => ownSides('own', version, annotations),
    });
    await using load = new SteadyLoad(await stage.address('LoadBalancer'));
    for (const version of ['2.0.0', '1.0.0'] as const) {
      expect((await stage.deploy(version, inputs(version))).outputs['status']).toBe('deployed');
      expect(await versionsNow(load)).toEqual([version]);
    }
    expect(await lossesOf(load, 'blue-green-own-sides', 2)).toEqual([]);
  },
  patienceMs,
);
