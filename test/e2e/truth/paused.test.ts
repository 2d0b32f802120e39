import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';

import { at, numberAt, stringAt } from '../../../src/base/json.ts';
import { pausedByAnnotation } from '../../../src/rollout/pause.ts';
import { app, image, Stage, until } from '../../support/strategy-stage.ts';

/** Pods never change where somebody has paused a rollout, and everything is green (kubernetes/website#28884). */
let stage: Stage;

const [old, next, none] = [image('1.0.0'), image('2.0.0'), 'registry.test/pulled/ctwoc:9.9.9'];

beforeAll(async () => {
  stage = await Stage.open('rolling');
});

afterAll(async () => {
  await stage[Symbol.asyncDispose]();
});

const isPaused = async (name: string) => at(await stage.read('deployment', name), 'spec', 'paused') === true;
const updatedOf = async (name: string) => numberAt(await stage.read('deployment', name), 'status', 'updatedReplicas');

/** Of two pods one may be missing, so that a new one that never gets ready stops the rollout half-way. */
const unready = (name: string, replicas = 2) => app(name, '2.0.0', { replicas, env: { READY_DELAY: '300s' } });

describe('what somebody has paused', () => {
  test.concurrent('is refused before the first write, by whom and what to do being said; restart too', async () => {
    await stage.given('ours', app('ours', '1.0.0'));
    const paused = await stage.command('ours', 'pause');
    expect(paused.log).toContain('ours: paused; all pods of ours run its current version');
    const again = await stage.command('ours', 'pause');
    expect(again.outputs['status']).toBe('unchanged');
    expect(again.log).toMatch(
      /Nothing to do: ours is already paused; .*, paused by octocat \(https:\/\/github.com\/acme\/shop\/actions/,
    );

    const before = await stage.read('deployment', 'ours');
    for (const run of [
      () => stage.deploy('ours', app('ours', '2.0.0')),
      () => stage.deploy('ours', app('ours', '2.0.0'), { strategy: 'canary' }),
      () => stage.command('ours', 'restart'),
    ]) {
      const refused = await run();
      expect(refused.exit).toBe(1);
      expect(refused.outputs['status']).toBe('failed');
      expect(refused.log).toMatch(/Deployment "ours".* is paused by octocat \(https:\/\/github.com\/\S+\) at 2\S+Z/);
      expect(refused.log).toContain('Run the command "resume"');
    }
    const after = await stage.read('deployment', 'ours');
    expect(after.metadata.generation).toBe(before.metadata.generation);
    expect(await stage.imagesOf('ours')).toEqual([old, old]);

    const scaled = await stage.command('ours', 'scale', { replicas: '3' });
    expect(scaled.outputs['status']).toBe('scaled');
    expect(await stage.imagesOf('ours')).toEqual([old, old, old]);
    const same = await stage.deploy('ours', app('ours', '1.0.0', { replicas: 3 }));
    expect(same.exit).toBe(0);
    expect(same.log).toMatch(/warning.*"ours".* is paused by octocat/);
    expect((await stage.command('ours', 'status')).log).toContain('is paused by octocat');

    const resumed = await stage.command('ours', 'resume');
    expect(resumed.log).toMatch(/"ours".* resumed; it was paused by octocat/);
    expect((await stage.read('deployment', 'ours')).metadata.annotations).not.toHaveProperty([pausedByAnnotation]);
    expect((await stage.deploy('ours', app('ours', '2.0.0'))).outputs['status']).toBe('deployed');
    expect(await stage.imagesOf('ours')).toEqual([next, next]);
  });

  test.concurrent('with kubectl is told by its field manager, and a rollback resumes it', async () => {
    await stage.given('theirs', app('theirs', '1.0.0'));
    await stage.given('theirs', app('theirs', '2.0.0'));
    await stage.kubectl('rollout', 'pause', 'deployment/theirs');
    const refused = await stage.deploy('theirs', app('theirs', '3.0.0'));
    expect(refused.exit).toBe(1);
    expect(refused.log).toMatch(/is paused by kubectl-rollout at 2\S+Z, so its pods would not change/);

    const back = await stage.command('theirs', 'rollback');
    expect(back.outputs['status']).toBe('rolled-back');
    expect(back.log).toMatch(/"theirs".* was paused by kubectl-rollout at \S+; the rollback resumes it/);
    expect(await stage.imagesOf('theirs')).toEqual([old, old]);
    expect(await isPaused('theirs')).toBe(false);
    expect((await stage.deploy('theirs', app('theirs', '2.0.0'))).outputs['status']).toBe('deployed');
  });

  test.concurrent('half-way is refused again, also for the very version that it was paused in', async () => {
    await stage.given('half', app('half', '1.0.0'));
    await stage.apply(unready('half'));
    await until('a pod of the new version', async () => (await updatedOf('half')) === 1);
    await stage.kubectl('rollout', 'pause', 'deployment/half');
    const told = await stage.command('half', 'pause');
    expect(told.log).toMatch(/half is already paused; half at 1 of 2 pods updated, paused by kubectl-rollout/);
    const refused = await stage.deploy('half', unready('half'));
    expect(refused.exit).toBe(1);
    expect(refused.log).toMatch(/"half".* is paused by kubectl-rollout/);
    const back = await stage.command('half', 'rollback', { 'to-revision': '1' });
    expect(back.outputs['status']).toBe('rolled-back');
    expect(await stage.imagesOf('half')).toEqual([old, old]);
  });
});

describe('a manifest that says paused', () => {
  test.concurrent('is applied, and no heading says that pods run it', async () => {
    await stage.given('meant', app('meant', '1.0.0'));
    const held = app('meant', '2.0.0', { spec: { replicas: 2, paused: true } });
    const result = await stage.deploy('meant', held, { verify: '/version 200' });
    expect([result.exit, result.outputs['status']]).toEqual([0, 'paused']);
    expect(result.log).toContain(
      'meant: meant 1.0.0 → 2.0.0 applied as revision 2, but not all pods run it: Deployment "meant": paused by its manifest: 0 of 2 pods updated',
    );
    expect(result.log).toContain('the checks of "verify" were skipped');
    expect(result.summary).toContain('meant: meant 1.0.0 → 2.0.0 applied as revision 2, but not all pods run it');
    expect(await stage.imagesOf('meant')).toEqual([old, old]);

    const again = await stage.deploy('meant', held);
    expect([again.exit, again.outputs['status']]).toEqual([0, 'paused']);
    expect(again.log).toContain(
      'meant: nothing to change, meant 2.0.0 (revision 2) is applied, but not all pods run it',
    );
    expect((await stage.command('meant', 'status')).log).toContain('paused by its manifest: 0 of 2 pods updated');

    const resumed = await stage.command('meant', 'resume');
    expect(resumed.outputs['status']).toBe('resumed');
    expect(resumed.log).toContain('says "paused: true": the next deploy pauses it again');
    expect(await stage.imagesOf('meant')).toEqual([next, next]);
    for (const strategy of ['canary', 'blue-green']) {
      const refused = await stage.deploy('meant', app('meant', '3.0.0', { spec: { replicas: 2, paused: true } }), {
        strategy,
      });
      expect(refused.exit).toBe(1);
      expect(refused.log).toContain(`says "paused: true", with which the strategy "${strategy}" gets no pods`);
    }
  });

  test.concurrent('first of all has no pods, and one that does not say it any more is resumed', async () => {
    const result = await stage.deploy('first', app('first', '1.0.0', { spec: { replicas: 2, paused: true } }));
    expect([result.exit, result.outputs['status']]).toEqual([0, 'paused']);
    expect(await stage.imagesOf('first')).toEqual([]);
    expect((await stage.deploy('first', app('first', '1.0.0'))).outputs['status']).toBe('deployed');
    expect(await stage.imagesOf('first')).toEqual([old, old]);
  });
});

describe('while a run waits', () => {
  test.concurrent('its clock stands still as long as somebody has paused, and then it goes on', async () => {
    await stage.given('wait', app('wait', '1.0.0'));
    const slow = app('wait', '2.0.0', { env: { READY_DELAY: '4s' } });
    const running = stage.deploy('wait', slow, { timeout: '25s' });
    await until('a pod of the new version', async () => (await updatedOf('wait')) === 1);
    const paused = await stage.command('wait', 'pause');
    expect(paused.log).toMatch(/wait: paused; wait at [12] of 2 pods updated/);
    // Longer than the run has time for.
    const from = Date.now();
    await until('more than the time-out', () => Promise.resolve(Date.now() - from > 27_000));
    expect(await isPaused('wait')).toBe(true);
    expect((await stage.command('wait', 'resume')).outputs['status']).toBe('resumed');
    const result = await running;
    expect([result.exit, result.outputs['status']]).toEqual([0, 'deployed']);
    expect(result.log).toMatch(/still waiting \(timeout paused with \S+ left, .*paused by octocat/);
    expect(await stage.imagesOf('wait')).toEqual([next, next]);
  });

  test.concurrent('a canary takes no further step, and goes on where it was once it is resumed', async () => {
    await stage.given('steps', app('steps', '1.0.0'));
    const canary = { strategy: 'canary', 'canary-steps': '50', 'step-duration': '3s', timeout: '60s' };
    const running = stage.deploy('steps', app('steps', '2.0.0'), canary);
    await until('the candidate', async () => await stage.exists('deployment', 'steps-canary'));
    expect((await stage.command('steps', 'pause')).outputs['status']).toBe('paused');
    const from = Date.now();
    await until('more than the step', () => Promise.resolve(Date.now() - from > 12_000));
    expect(await stage.imageOf('steps')).toBe(old);
    expect(await stage.exists('deployment', 'steps-canary')).toBe(true);
    expect((await stage.command('steps', 'resume')).outputs['status']).toBe('resumed');
    const result = await running;
    expect([result.exit, result.outputs['status']]).toEqual([0, 'deployed']);
    expect(result.log).toMatch(/Deployment "steps" is paused by octocat .*: no further step begins until "resume"/);
    expect(result.log).toMatch(/Resumed after \d+s: the next step begins/);
    expect(await stage.imagesOf('steps')).toEqual([next, next]);
  });

  test.concurrent('it ends after a time of its own, and leaves what a person has stopped as it is', async () => {
    await stage.given('long', app('long', '1.0.0'));
    const running = stage.deploy('long', unready('long'), { 'pause-timeout': '5s' });
    await until('a pod of the new version', async () => (await updatedOf('long')) === 1);
    await stage.kubectl('rollout', 'pause', 'deployment/long');
    const result = await running;
    expect([result.exit, result.outputs['status']]).toEqual([1, 'failed']);
    expect(result.log).toMatch(
      /long: deploy of long 1\.0\.0 → 2\.0\.0 stopped half-way: it was paused, and is left as it is.*%0A.*1 of 2 pods updated; paused by kubectl-rollout/,
    );
    expect(JSON.parse(result.outputs['failure'] ?? '{}')).toMatchObject({ reason: 'Paused' });
    expect(await isPaused('long')).toBe(true);
    expect(await stage.imageOf('long')).toBe(next);
    // Nothing stands in the way of whoever comes next.
    await stage.kubectl('rollout', 'resume', 'deployment/long');
    expect((await stage.deploy('long', app('long', '3.0.0'))).outputs['status']).toBe('deployed');
  });
});

describe('an undo', () => {
  test.concurrent('into what somebody has paused meanwhile brings the pods back, and pauses again', async () => {
    await stage.given('back', app('back', '1.0.0'));
    const twins = [
      ...app('back', '2.0.0', { env: { READY_DELAY: '300s' } }),
      ...app('other', '1.0.0', { image: none }),
    ];
    const running = stage.deploy('back', twins);
    await until('a pod of the new version', async () => (await updatedOf('back')) === 1);
    await stage.command('back', 'pause', { workload: 'Deployment/back' });
    const owner = await pauseOwner('back');
    const result = await running;
    expect([result.exit, result.outputs['status']]).toEqual([1, 'undone']);
    expect(await stage.imagesOf('back')).toEqual([old, old]);
    expect(await isPaused('back')).toBe(true);
    expect(await pauseOwner('back')).toEqual(owner);
    expect(result.log).toMatch(/"back".* is resumed until its pods are restored/);
    expect((await stage.command('back', 'status')).log).toContain('is paused by octocat');
  });

  test.concurrent('of a rollback that had resumed pauses again', async () => {
    await stage
      .given('twice', app('twice', '1.0.0', { image: none }), { 'undo-on-failure': 'false' })
      .catch(() => undefined);
    await stage.given('twice', app('twice', '2.0.0'));
    await stage.kubectl('rollout', 'pause', 'deployment/twice');
    const owner = await pauseOwner('twice');
    const result = await stage.command('twice', 'rollback', { 'to-revision': '1' });
    expect([result.exit, result.outputs['status']]).toEqual([1, 'undone']);
    expect(await stage.imagesOf('twice')).toEqual([next, next]);
    expect(await isPaused('twice')).toBe(true);
    expect(await pauseOwner('twice')).toEqual(owner);
  });
});

async function pauseOwner(name: string): Promise<string | undefined> {
  const { metadata } = await stage.read('deployment', name);
  const list = JSON.parse(
    await stage.kubectl('get', 'deployment', name, '--show-managed-fields', '-o', 'jsonpath={.metadata.managedFields}'),
  ) as object[];
  const owner = list.find((entry) => at(entry as never, 'fieldsV1', 'f:spec', 'f:paused') !== undefined);
  return `${stringAt(owner as never, 'manager') ?? ''} ${stringAt(owner as never, 'operation') ?? ''} ${metadata.annotations?.[pausedByAnnotation] ?? ''}`;
}
