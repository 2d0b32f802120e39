import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';

import { app, image, Stage, until } from '../../support/strategy-stage.ts';

const [old, next] = [image('1.0.0'), image('2.0.0')];

let canary: Stage;
let blueGreen: Stage;

beforeAll(async () => {
  [canary, blueGreen] = await Promise.all([Stage.open('canary'), Stage.open('blue-green')]);
});

afterAll(async () => {
  await Promise.all([canary[Symbol.asyncDispose](), blueGreen[Symbol.asyncDispose]()]);
});

const waits = { 'auto-promote': 'false' };

describe('where what serves has been scaled since the candidate was made', () => {
  test.concurrent('blue-green switches to as many pods as serve, and a rollback brings as many back', async () => {
    await blueGreen.given('web', app('web', '1.0.0'));
    await blueGreen.given('web', app('web', '2.0.0'), waits);
    await blueGreen.kubectl('scale', 'deployment/web', '--replicas=4');
    await blueGreen.kubectl('rollout', 'status', 'deployment/web');

    const promoted = await blueGreen.command('web', 'promote');
    expect([promoted.exit, await blueGreen.imagesOf('web')]).toEqual([0, [next, next, next, next]]);
    expect(await blueGreen.endpoints('web')).toHaveLength(4);
    expect(promoted.summary).toMatch(/web-green gets 4 pods instead of 2[^]*web sends all requests to the new side/);

    const scaled = await blueGreen.command('web', 'scale', { replicas: '3' });
    expect([scaled.outputs['status'], scaled.log]).toEqual(['scaled', expect.any(String)]);
    const back = await blueGreen.command('web', 'rollback');
    expect([back.exit, await blueGreen.imagesOf('web')]).toEqual([0, [old, old, old]]);
    expect(await blueGreen.endpoints('web')).toHaveLength(3);
  });

  test.concurrent('a canary is promoted to that number; where nobody has scaled, to that of the manifest', async () => {
    await canary.given('web', app('web', '1.0.0'));
    await canary.given('web', app('web', '2.0.0'), waits);
    await canary.kubectl('scale', 'deployment/web', '--replicas=4');
    expect((await canary.command('web', 'promote')).exit).toBe(0);
    expect(await canary.imagesOf('web')).toEqual([next, next, next, next]);

    await canary.given('web', app('web', '1.0.0', { replicas: 1 }), waits);
    expect((await canary.command('web', 'promote')).exit).toBe(0);
    expect(await canary.imagesOf('web')).toEqual([old]);
  });

  test.concurrent('each step of a canary counts the pods that there are when it begins', async () => {
    await canary.given('step', app('step', '1.0.0', { replicas: 1 }));
    const inputs = { 'canary-steps': '50,51', 'step-duration': '8s' };
    const run = canary.deploy('step', app('step', '2.0.0', { replicas: 1 }), inputs);
    await until('the candidate has come', () => canary.exists('deployment', 'step-canary'));
    await canary.kubectl('scale', 'deployment/step', '--replicas=3');
    const { exit, summary } = await run;
    expect(summary).toContain('step: 3 of 6 pods are the candidate');
    expect([exit, await canary.imagesOf('step')]).toEqual([0, [next, next, next]]);
  });

  test.concurrent(
    '"constant-total" gives back the places that it took, also where no manifest says how many',
    async () => {
      const open = (version: string) => app('open', version, { spec: { replicas: undefined } });
      await canary.given('open', open('1.0.0'));
      await canary.kubectl('scale', 'deployment/open', '--replicas=3');
      await canary.kubectl('rollout', 'status', 'deployment/open');
      await canary.given('open', open('2.0.0'), { ...waits, 'constant-total': 'true', 'canary-steps': '50' });
      expect([await canary.replicasOf('open'), await canary.replicasOf('open-canary')]).toEqual([1, 2]);
      expect((await canary.command('open', 'promote')).exit).toBe(0);
      expect(await canary.imagesOf('open')).toEqual([next, next, next]);
    },
  );
});
