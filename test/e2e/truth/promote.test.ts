import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';

import { numberAt, objectsAt } from '../../../src/base/json.ts';
import { SteadyLoad } from '../../support/steady-load.ts';
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

/** A release with a candidate that waits, and is ready at first. */
async function waiting(stage: Stage, name: string, env: Record<string, string> = {}, inputs = {}): Promise<void> {
  await stage.given(name, app(name, '1.0.0'));
  await stage.given(name, app(name, '2.0.0', { env }), { 'auto-promote': 'false', ...inputs });
}

async function untilCrashing(stage: Stage, candidate: string): Promise<void> {
  await until(
    `${candidate} crashes`,
    async () =>
      (await stage.pods(`gke-rollout/workload=${candidate}`)).some((pod) =>
        objectsAt(pod, 'status', 'containerStatuses').some((status) => (numberAt(status, 'restartCount') ?? 0) > 1),
      ),
    150,
  );
}

/** Objects that a promotion would write, as they are. */
async function written(stage: Stage, name: string): Promise<unknown> {
  const [deployment, service] = [await stage.read('deployment', name), await stage.read('service', name)];
  return [deployment.metadata.generation, deployment['spec'], service['spec']];
}

/** A promotion that is refused, and has written nothing: the candidate waits as before. */
async function refused(stage: Stage, name: string, inputs: Record<string, string> = {}) {
  const before = await written(stage, name);
  const result = await stage.command(name, 'promote', inputs);
  expect([result.exit, result.outputs['status']]).toEqual([1, 'failed']);
  expect(await written(stage, name)).toEqual(before);
  expect(result.log).not.toMatch(/^(?:::group::Undo|Undo:)$/m);
  expect((await stage.command(name, 'status')).log).toContain('the candidate (revision 2, since ');
  return result;
}

describe('the promotion of a canary', () => {
  test.concurrent('that crashes is refused with its cause, before the first write', async () => {
    await waiting(canary, 'crash', { CRASH_AFTER: '30s' });
    await untilCrashing(canary, 'crash');
    const result = await refused(canary, 'crash');
    expect(result.log).toMatch(/crash: promotion of crash 1\.0\.0 → 2\.0\.0 failed%0A.*exit code 1/);
    expect((await canary.command('crash', 'abort')).outputs['status']).toBe('aborted');
    expect(await canary.imagesOf('crash')).toEqual([old, old]);
  });

  test.concurrent('that somebody has deleted or scaled away is refused, and an abort cleans up', async () => {
    await waiting(canary, 'gone');
    await canary.kubectl('scale', 'deployment/gone-canary', '--replicas=0');
    expect((await refused(canary, 'gone')).log).toContain('has no pods: it is scaled to 0');
    await canary.kubectl('delete', 'deployment', 'gone-canary');
    const result = await refused(canary, 'gone');
    expect(result.log).toMatch(/the candidate Deployment "gone-canary" .* no longer exists/);
    expect(result.log).toContain('Run "abort" to remove what is left of it');
    expect((await canary.command('gone', 'abort')).outputs['status']).toBe('aborted');
    expect(await canary.imagesOf('gone')).toEqual([old, old]);
    expect((await canary.deploy('gone', app('gone', '2.0.0'))).outputs['status']).toBe('deployed');
  });

  test.concurrent('that somebody has changed is refused, unless it is forced; a restart is no change', async () => {
    await waiting(canary, 'other');
    await canary.kubectl('rollout', 'restart', 'deployment/other-canary');
    await canary.kubectl('rollout', 'status', 'deployment/other-canary');
    await canary.kubectl('set', 'env', 'deployment/other-canary', 'COLOUR=red');
    const result = await refused(canary, 'other');
    expect(result.log).toContain(
      'is not what was deployed: its pod template was changed since (last written by kubectl-set',
    );
    const forced = await canary.command('other', 'promote', { force: 'true' });
    expect(forced.outputs['status']).toBe('deployed');
    expect(forced.log).toMatch(/warning.*"force: true": skipped checking that the candidate is ready/);
    expect(await canary.imagesOf('other')).toEqual([next, next]);
  });

  test.concurrent('asks the checks of its deploy again, or those that it is given', async () => {
    await waiting(canary, 'ask', { HEALTH_FAIL_AFTER: '40s' }, { verify: '/healthz 200' });
    const since = Date.now();
    await until('the candidate is not healthy any more', () => Promise.resolve(Date.now() - since > 41_000));
    const result = await refused(canary, 'ask');
    expect(JSON.parse(result.outputs['failure'] ?? '{}')).toMatchObject({ reason: 'VerificationFailed' });
    const promoted = await canary.command('ask', 'promote', { verify: '/version 200' });
    expect(promoted.outputs['status']).toBe('deployed');
    expect(await canary.imagesOf('ask')).toEqual([next, next]);
  });
});

describe('the promotion of a side', () => {
  test.concurrent('whose pods crash switches nothing, and no request is lost', async () => {
    await waiting(blueGreen, 'crash', { CRASH_AFTER: '30s' });
    await untilCrashing(blueGreen, 'crash');
    const url = await blueGreen.urlOf('crash');
    await using load = new SteadyLoad(url, { perSecond: 50, maxSeconds: 120 });
    const result = await refused(blueGreen, 'crash');
    expect(result.log).toMatch(/crash: promotion of crash 1\.0\.0 → 2\.0\.0 failed%0A.*exit code 1/);
    const { lost, answers, sent } = await load.stop();
    expect(lost).toEqual({});
    expect(answers).toEqual({ '1.0.0': sent });
    expect((await blueGreen.command('crash', 'abort')).outputs['status']).toBe('aborted');
  });

  test.concurrent('that somebody has deleted or scaled away switches nothing, and no request is lost', async () => {
    await waiting(blueGreen, 'gone', {}, { verify: '/version 200' });
    await using load = new SteadyLoad(await blueGreen.urlOf('gone'), { perSecond: 50, maxSeconds: 180 });
    await blueGreen.kubectl('scale', 'deployment/gone-green', '--replicas=0');
    expect((await refused(blueGreen, 'gone')).log).toContain('has no pods: it is scaled to 0');
    await blueGreen.kubectl('delete', 'deployment', 'gone-green');
    expect((await refused(blueGreen, 'gone')).log).toContain('no longer exists: someone deleted it');
    expect((await refused(blueGreen, 'gone', { force: 'true' })).log).toContain('no longer exists');
    expect((await blueGreen.command('gone', 'abort')).outputs['status']).toBe('aborted');
    const { lost, answers, sent } = await load.stop();
    expect(lost).toEqual({});
    expect(answers).toEqual({ '1.0.0': sent });
  });

  test.concurrent('that is ready and passes its checks again switches, and no request is lost', async () => {
    await waiting(blueGreen, 'good', {}, { verify: '/version 200' });
    await using load = new SteadyLoad(await blueGreen.urlOf('good'), { perSecond: 50, maxSeconds: 120 });
    const promoted = await blueGreen.command('good', 'promote', { 'keep-old-for': '0s' });
    expect(promoted.outputs['status']).toBe('deployed');
    expect(promoted.log.match(/^(?:::group::Verify|Verify:)$/gm)).toHaveLength(2);
    expect((await load.stop()).lost).toEqual({});
    expect(await blueGreen.imagesOf('good')).toEqual([next, next]);
  });
});

describe('a side that somebody has switched to by hand', () => {
  /** Returns once the Service sends its requests to both pods of that side, and to no other. */
  async function switchTo(name: string, side: 'blue' | 'green'): Promise<void> {
    await blueGreen.patch('service', name, { spec: { selector: { 'gke-rollout/track': side } } });
    await until(`${name} leads to ${side}`, async () => {
      const pods = await blueGreen.pods(`app=${name},gke-rollout/track=${side}`);
      const names = pods.map(({ metadata }) => metadata.name).sort();
      return names.length === 2 && (await blueGreen.endpoints(name)).join() === names.join();
    });
  }

  test.concurrent(
    'while it is kept for a rollback keeps its pods: the run says so and fails, and no request is lost',
    async () => {
      await blueGreen.given('kept', app('kept', '1.0.0'));
      await using load = new SteadyLoad(await blueGreen.urlOf('kept'), { perSecond: 50, maxSeconds: 240 });
      const deploying = blueGreen.deploy('kept', app('kept', '2.0.0'), { 'keep-old-for': '30s' });
      await until(
        'the new version is live',
        async () =>
          (await blueGreen.kubectl('get', 'secrets', '-l', 'gke-rollout/outcome=live', '-o', 'name')).includes(
            'gke-rollout.kept.v2',
          ),
        120,
      );
      await switchTo('kept', 'blue');
      const result = await deploying;
      expect([result.exit, result.outputs['status']]).toEqual([1, 'failed']);
      expect(result.log).toContain('Service "kept" sends its requests to kept again, so kept keeps its pods');
      expect(result.summary).toContain('applied as revision 2, but Service');
      expect(await blueGreen.replicasOf('kept')).toBe(2);
      expect(await blueGreen.endpoints('kept')).toHaveLength(2);
      expect((await load.stop()).lost).toEqual({});
      expect((await blueGreen.deploy('kept', app('kept', '3.0.0'))).outputs['status']).toBe('deployed');
    },
  );

  test.concurrent('while it waits is not removed by an abort or another deploy, and no request is lost', async () => {
    await waiting(blueGreen, 'hand');
    await using load = new SteadyLoad(await blueGreen.urlOf('hand'), { perSecond: 50, maxSeconds: 240 });
    await switchTo('hand', 'green');
    for (const remove of [
      () => blueGreen.command('hand', 'abort'),
      () => blueGreen.deploy('hand', app('hand', '3.0.0')),
    ]) {
      const result = await remove();
      expect([result.exit, result.outputs['status']]).toEqual([1, 'failed']);
      expect(result.log).toMatch(
        /Service "hand" in namespace ".*" sends its requests only to the candidate of revision 2 \(hand-green\)/,
      );
      expect(await blueGreen.endpoints('hand')).toHaveLength(2);
    }
    await switchTo('hand', 'blue');
    expect((await blueGreen.command('hand', 'abort')).outputs['status']).toBe('aborted');
    expect((await load.stop()).lost).toEqual({});
    expect(await blueGreen.imagesOf('hand')).toEqual([old, old]);
  });

  test.concurrent('while it waits is promoted after a look all the same, and the old side goes', async () => {
    await waiting(blueGreen, 'ahead');
    await using load = new SteadyLoad(await blueGreen.urlOf('ahead'), { perSecond: 50, maxSeconds: 180 });
    await switchTo('ahead', 'green');
    const promoted = await blueGreen.command('ahead', 'promote', { 'keep-old-for': '0s' });
    expect(promoted.outputs['status']).toBe('deployed');
    expect((await load.stop()).lost).toEqual({});
    expect(await blueGreen.replicasOf('ahead')).toBe(0);
    expect(await blueGreen.imagesOf('ahead')).toEqual([next, next]);
  });
});

describe('a candidate that waits when another deploy comes', () => {
  test('is taken away for it; when that one fails, the undo does not say that all is as it was', async () => {
    await waiting(canary, 'replaced');
    const failed = await canary.deploy('replaced', app('replaced', '3.0.0', { command: ['/no-such-program'] }), {
      'auto-promote': 'true',
    });
    expect(failed.outputs['status']).toBe('undone');
    expect(failed.summary.split('\n')[0]).toContain('but the candidate that was waiting before (revision 2) is gone');
    expect(failed.summary).not.toContain('everything that this run changed is as it was');
    expect(failed.summary).toContain('deploy it again if you still want it');
    expect(await canary.exists('deployment', 'replaced-canary')).toBe(false);
    expect(await canary.imagesOf('replaced')).toEqual([old, old]);

    // An undo of the next one has nothing to say of it.
    const again = await canary.deploy('replaced', app('replaced', '3.0.0', { command: ['/no-such-program'] }));
    expect(again.outputs['status']).toBe('undone');
    expect(again.summary).toContain('everything that this run changed is as it was before');
  });
});
