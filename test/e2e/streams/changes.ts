import { expect } from '@jest/globals';

import { Scene, type Ended } from './scene.ts';

/** Something that takes pods away from which a client streams. */
export interface Change {
  title: string;
  /** With the numbers that the run asked for; throws where it asked for others, or for none. */
  run: () => Promise<Ended>;
}

const killed =
  '::warning title=gke-rollout,file=app.yaml,line=12,col=5::Deployment "llm": a terminating pod is killed after 30 s (the default), which cuts requests of up to 1m: set';

/** At the pod template of the manifest, which has a `preStop` hook of 5 s. */
export const graceAsked = `${killed} "terminationGracePeriodSeconds: 65" in its pod template (preStop of 5 s + 1m)`;

const graceAskedWithoutHook = `${killed} "terminationGracePeriodSeconds: 60" in its pod template`;

const keepOldForAsked = (value: string) =>
  `::warning title=gke-rollout::"keep-old-for: ${value}" removes the old side while it may still answer requests of up to 1m, which then have only its grace period: set "keep-old-for: 60s"`;

const canary = { inputs: { 'canary-steps': '50', 'auto-promote': 'false' } };

export const rolling: Change = {
  title: 'a rolling update',
  run: async () => {
    await using scene = await Scene.open('rolling');
    const { told, advice } = await scene.advised();
    expect(told).toEqual([graceAsked]);
    expect((await scene.deploy('1.0.0', advice)).told).toEqual([]);
    await scene.streamFrom('1.0.0');
    expect((await scene.deploy('2.0.0', advice)).told).toEqual([]);
    return inTheirPods(await scene.end('rolling'));
  },
};

/** The others: by the strategies that this action brings. */
export const switches: readonly Change[] = [
  {
    title: 'a canary and its promotion',
    run: async () => {
      await using scene = await Scene.open('canary', canary);
      const { told, advice } = await scene.advised();
      expect(told).toEqual([graceAsked]);
      await scene.deploy('1.0.0', advice);
      await scene.streamFrom('1.0.0');
      expect(await scene.deploy('2.0.0', advice)).toMatchObject({ told: [], status: 'waiting' });
      await scene.streamFrom('2.0.0');
      expect((await scene.command('promote')).status).toBe('deployed');
      return inTheirPods(await scene.end('promotion'));
    },
  },
  {
    title: 'a promotion of pods without a "preStop" hook, which are replaced behind the candidate\'s back',
    run: async () => {
      await using scene = await Scene.open('canary', { ...canary, preStop: 0 });
      const { told, advice } = await scene.advised();
      expect(told).toEqual([graceAskedWithoutHook]);
      await scene.deploy('1.0.0', advice);
      await scene.streamFrom('1.0.0');
      expect(await scene.deploy('2.0.0', advice)).toMatchObject({ told: [], status: 'waiting' });
      await scene.streamFrom('2.0.0');
      const promoted = await scene.command('promote');
      expect(promoted.status).toBe('deployed');
      expect(promoted.log).toContain('llm-canary (2 pods) takes all requests while the stable pods');
      return inTheirPods(await scene.end('promotion-without-hook'));
    },
  },
  {
    title: 'a canary that is aborted',
    run: async () => {
      await using scene = await Scene.open('canary', canary);
      const { told, advice } = await scene.advised();
      expect(told).toEqual([graceAsked]);
      await scene.deploy('1.0.0', advice);
      expect(await scene.deploy('2.0.0', advice)).toMatchObject({ told: [], status: 'waiting' });
      await scene.streamFrom('2.0.0');
      expect((await scene.command('abort')).status).toBe('aborted');
      return inTheirPods(await scene.end('abort'));
    },
  },
  {
    title: 'a blue-green switch and the removal of the old side',
    run: async () => {
      await using scene = await Scene.open('blue-green', { inputs: { 'keep-old-for': '10s' } });
      const { told, advice } = await scene.advised();
      expect(told).toEqual([graceAsked, keepOldForAsked('10s')]);
      await scene.deploy('1.0.0', advice);
      await scene.streamFrom('1.0.0');
      const switched = await scene.deploy('2.0.0', advice);
      expect(switched.told).toEqual([]);
      expect(switched.log).toContain('Deployment "llm" scaled to 0');
      const end = await scene.end('blue-green');
      expect(end.across).toBeGreaterThan(0);
      return end;
    },
  },
  {
    title: 'the removal of an old side at once, with its grace period alone',
    run: async () => {
      await using scene = await Scene.open('blue-green', { inputs: { 'keep-old-for': '0s' } });
      const { told, advice } = await scene.advised();
      expect(told).toEqual([graceAsked, keepOldForAsked('0s')]);
      const graceAlone = { grace: advice.grace ?? 0 };
      await scene.deploy('1.0.0', graceAlone);
      await scene.streamFrom('1.0.0');
      const switched = await scene.deploy('2.0.0', graceAlone);
      expect(switched.told).toEqual([keepOldForAsked('0s')]);
      expect(switched.log).toContain('Deployment "llm" scaled to 0');
      return inTheirPods(await scene.end('removal'));
    },
  },
];

/** Else nothing has been tried. */
function inTheirPods(end: Ended): Ended {
  expect(end.held).toBeGreaterThan(0);
  return end;
}
