import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';

import { at, stringAt } from '../../../src/base/json.ts';
import { autoscaler, configMap, deployment } from '../../support/objects.ts';
import { app, image, Stage } from '../../support/strategy-stage.ts';

let stage: Stage;

beforeAll(async () => {
  stage = await Stage.open('blue-green');
});

afterAll(async () => {
  await stage[Symbol.asyncDispose]();
});

describe('blue-green', () => {
  test('takes turns: a first deploy in one go, then green, then blue, and a rollback is a switch back', async () => {
    const first = await stage.run('turn', {}, { 'app.yaml': app('turn', '1.0.0') });
    expect(first.exit).toBe(0);
    expect(first.log).toContain('no version is serving yet');
    expect(await stage.selectorOf('turn')).toEqual({ app: 'turn', 'gke-rollout/track': 'blue' });

    const second = await stage.run('turn', {}, { 'app.yaml': app('turn', '2.0.0') });
    expect(second.outputs).toMatchObject({ status: 'deployed', revision: '2' });
    expect(await stage.selectorOf('turn')).toEqual({ app: 'turn', 'gke-rollout/track': 'green' });
    expect([await stage.imageOf('turn-green'), await stage.replicasOf('turn-green')]).toEqual([image('2.0.0'), 2]);
    expect([await stage.imageOf('turn'), await stage.replicasOf('turn')]).toEqual([image('1.0.0'), 0]);
    expect(await stage.exists('service', 'turn-preview')).toBe(false);
    expect(second.summary).toContain('`registry.test/ctwoc:1.0.0` → `2.0.0`');

    const same = await stage.run('turn', {}, { 'app.yaml': app('turn', '2.0.0') });
    expect(same.outputs['status']).toBe('unchanged');

    const third = await stage.run('turn', {}, { 'app.yaml': app('turn', '3.0.0') });
    expect(third.outputs).toMatchObject({ status: 'deployed', revision: '3' });
    expect(await stage.selectorOf('turn')).toEqual({ app: 'turn', 'gke-rollout/track': 'blue' });
    expect([await stage.imageOf('turn'), await stage.replicasOf('turn'), await stage.replicasOf('turn-green')]).toEqual(
      [image('3.0.0'), 2, 0],
    );

    const scaled = await stage.run('turn', { command: 'scale', replicas: 'turn=3' });
    expect(scaled.exit).toBe(0);
    const back = await stage.run('turn', { command: 'rollback', 'keep-old-for': '0s' });
    expect(back.outputs).toMatchObject({ status: 'rolled-back', revision: '4' });
    expect(await stage.selectorOf('turn')).toEqual({ app: 'turn', 'gke-rollout/track': 'green' });
    expect([await stage.imageOf('turn-green'), await stage.replicasOf('turn-green')]).toEqual([image('2.0.0'), 3]);
  });

  test('adopts what rolling deploys or kubectl have brought in, without a restart', async () => {
    await stage.run('adopt', { strategy: 'rolling', 'keep-old-for': '' }, { 'app.yaml': app('adopt', '1.0.0') });
    const before = await stage.read('deployment', 'adopt');
    const result = await stage.run('adopt', {}, { 'app.yaml': app('adopt', '2.0.0') });
    expect(result.exit).toBe(0);
    expect(await stage.selectorOf('adopt')).toEqual({ 'as.gke-rollout/app': 'adopt', 'gke-rollout/track': 'green' });
    expect(at(await stage.read('deployment', 'adopt'), 'spec', 'template')).toEqual(at(before, 'spec', 'template'));
  });

  test('left waiting sends no request to the candidate, which the preview Service reaches; then it is promoted', async () => {
    await stage.run('wait', {}, { 'app.yaml': app('wait', '1.0.0') });
    const result = await stage.run('wait', { 'auto-promote': 'false' }, { 'app.yaml': app('wait', '2.0.0') });
    expect(result.outputs['status']).toBe('waiting');
    expect(await stage.selectorOf('wait')).toEqual({ app: 'wait', 'gke-rollout/track': 'blue' });
    expect(await stage.selectorOf('wait-preview')).toEqual({ app: 'wait', 'gke-rollout/track': 'green' });
    const promoted = await stage.run('wait', { command: 'promote', 'keep-old-for': '0s' });
    expect(promoted.outputs).toMatchObject({ status: 'deployed', revision: '2' });
    expect(await stage.selectorOf('wait')).toEqual({ app: 'wait', 'gke-rollout/track': 'green' });
    expect(await stage.exists('service', 'wait-preview')).toBe(false);
  });

  test('left waiting and aborted leaves everything as it was', async () => {
    await stage.run('abort', { strategy: 'rolling', 'keep-old-for': '' }, { 'app.yaml': app('abort', '1.0.0') });
    await stage.run('abort', { 'auto-promote': 'false' }, { 'app.yaml': app('abort', '2.0.0') });
    const result = await stage.run('abort', { command: 'abort' });
    expect(result.outputs['status']).toBe('aborted');
    expect(await stage.selectorOf('abort')).toEqual({ app: 'abort' });
    expect(await stage.exists('deployment', 'abort-green')).toBe(false);
    expect(await stage.exists('service', 'abort-preview')).toBe(false);
  });

  test('with a candidate that never gets ready moves nothing', async () => {
    await stage.run('sick', {}, { 'app.yaml': app('sick', '1.0.0') });
    const result = await stage.run('sick', {}, { 'app.yaml': app('sick', '9.9.9') });
    expect(result.outputs['status']).toBe('undone');
    expect(result.log).toContain('registry.test/ctwoc:9.9.9');
    expect(result.summary).toMatch(/Deployment `sick` \| 2 pods run ctwoc:1\.0\.0 \| +\| serves as before/);
    expect(result.summary).toMatch(/Deployment `sick-green` \| +\| `ctwoc:9\.9\.9`, 2 pods \| \*\*failed\*\* \|/);
    expect(result.summary).toContain('; users still get sick 1.0.0');
    // Only what has pods is a workload.
    expect(result.summary).not.toMatch(/Service `sick-preview` \| +\|/);
    expect(await stage.selectorOf('sick')).toEqual({ app: 'sick', 'gke-rollout/track': 'blue' });
    expect(await stage.exists('deployment', 'sick-green')).toBe(false);
  });

  test('has config of its own on each side, and a rollback brings it back (argo-rollouts#1297)', async () => {
    const files = (value: string) => ({
      'app.yaml': [
        ...app('config', '1.0.0', { replicas: 1, envFrom: [{ configMapRef: { name: 'config' } }] }),
        configMap('config', { GREETING: value }),
      ],
    });
    await stage.run('config', {}, files('one'));
    const second = await stage.run('config', {}, files('two'));
    expect(second.outputs['status']).toBe('deployed');
    const data = async (name: string) => stringAt(await stage.read('cm', name), 'data', 'GREETING');
    expect([await data('config'), await data('config-green')]).toEqual(['one', 'two']);
    await stage.run('config', {}, files('three'));
    expect([await data('config'), await data('config-green')]).toEqual(['three', 'two']);
    await stage.run('config', { command: 'rollback', 'keep-old-for': '0s' });
    expect(await stage.selectorOf('config')).toEqual({ app: 'config', 'gke-rollout/track': 'green' });
    expect(await data('config-green')).toBe('two');
  });

  test('takes its autoscaler along', async () => {
    const files = (version: string) => ({ 'app.yaml': [...app('scaler', version), autoscaler('scaler')] });
    await stage.run('scaler', {}, files('1.0.0'));
    await stage.run('scaler', {}, files('2.0.0'));
    const target = at(await stage.read('hpa', 'scaler'), 'spec', 'scaleTargetRef', 'name');
    expect(target).toBe('scaler-green');
    const same = await stage.run('scaler', {}, files('2.0.0'));
    expect(same.outputs['status']).toBe('unchanged');
  });

  test('goes on from green where somebody has applied the original Service, or deleted it, with an autoscaler', async () => {
    const files = (version: string) => [...app('lost', version, { spec: { replicas: undefined } }), autoscaler('lost')];
    await stage.given('lost', files('1.0.0'));
    await stage.given('lost', files('2.0.0'));
    expect([await stage.imageOf('lost-green'), await stage.replicasOf('lost')]).toEqual([image('2.0.0'), 0]);

    await stage.kubectl(
      'patch',
      'service',
      'lost',
      '--type=json',
      '-p',
      JSON.stringify([{ op: 'replace', path: '/spec/selector', value: { app: 'lost' } }]),
    );
    expect((await stage.deploy('lost', files('3.0.0'))).outputs['status']).toBe('deployed');
    expect(await stage.selectorOf('lost')).toEqual({ app: 'lost', 'gke-rollout/track': 'blue' });
    expect([await stage.imageOf('lost'), await stage.replicasOf('lost-green')]).toEqual([image('3.0.0'), 0]);
    expect(await stage.endpoints('lost')).not.toEqual([]);

    await stage.given('lost', files('1.0.0'));
    await stage.kubectl('delete', 'service', 'lost');
    expect((await stage.command('lost', 'rollback', { 'keep-old-for': '0s' })).outputs['status']).toBe('rolled-back');
    // What somebody has deleted is brought back first, with the version that is live.
    const { 'gke-rollout/track': side } = await stage.selectorOf('lost');
    expect(await stage.imageOf(side === 'green' ? 'lost-green' : 'lost')).toBe(image('1.0.0'));
    expect(await stage.endpoints('lost')).not.toEqual([]);
  });

  test('does not go with another strategy afterwards, and says how to leave', async () => {
    await stage.run('leave', {}, { 'app.yaml': app('leave', '1.0.0', { replicas: 1 }) });
    const result = await stage.run(
      'leave',
      { strategy: 'rolling', 'keep-old-for': '' },
      { 'app.yaml': app('leave', '2.0.0') },
    );
    expect(result.exit).toBe(1);
    expect(result.log).toContain('Service "leave" sends its requests to the blue side of a blue-green deploy');
  });

  test('rolls what is beside it and has no Service, also where an autoscaler or its config has a say', async () => {
    const reads = { envFrom: [{ configMapRef: { name: 'beside' } }] };
    const objects = (version: string, replicas: number) => [
      ...app('beside', version),
      configMap('beside', { VERSION: version }),
      deployment('beside-scaled', { image: image(version), replicas: 2 }),
      autoscaler('beside-scaled'),
      deployment('beside-reads', { image: image(version), replicas, ...reads }),
    ];
    await stage.given('beside', objects('1.0.0', 1));
    const inputs = { 'restart-on-config': 'false' };
    expect((await stage.deploy('beside', objects('2.0.0', 3), inputs)).outputs['status']).toBe('deployed');
    expect(await stage.imageOf('beside-scaled')).toBe(image('2.0.0'));
    expect(await stage.imageOf('beside-reads')).toBe(image('2.0.0'));
    expect(await stage.replicasOf('beside-reads')).toBe(3);
  });
});
