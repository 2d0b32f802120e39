import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';

import { at, numberAt, stringAt } from '../../../src/base/json.ts';
import { createNamespace, deleteNamespace, kubectl, kubectlJson, testKubeconfig } from '../../support/kubectl.ts';
import { configMap, deployment, service } from '../../support/objects.ts';
import { runStep, type StepResult } from '../../support/step.ts';
import { createWorkspace, removeWorkspace } from '../../support/workspace.ts';

let namespace: string;
const workspaces: string[] = [];

beforeAll(async () => {
  namespace = await createNamespace('blue-green');
});

afterEach(() => {
  for (const folder of workspaces.splice(0)) removeWorkspace(folder);
});

afterAll(async () => {
  await deleteNamespace(namespace);
});

type Files = Record<string, string | readonly object[]>;

async function run(release: string, inputs: Record<string, string>, files: Files = {}): Promise<StepResult> {
  const workspace = createWorkspace(files);
  workspaces.push(workspace);
  const isDeploy = inputs['command'] === undefined;
  return await runStep(
    {
      kubeconfig: testKubeconfig(),
      namespace,
      release,
      ...(inputs['command'] === 'status' ? {} : { timeout: '60s' }),
      ...(isDeploy ? { manifests: '.', strategy: 'blue-green', 'keep-old-for': '0s' } : {}),
      ...inputs,
    },
    { workspace },
  );
}

function image(version: string): string {
  return `registry.test/ctwoc:${version}`;
}

function app(name: string, version: string, options: Parameters<typeof deployment>[1] = {}): object[] {
  return [deployment(name, { replicas: 2, image: image(version), ...options }), service(name)];
}

async function deploymentOf(name: string) {
  return await kubectlJson(['get', 'deployment', name, '-n', namespace]);
}

async function imageOf(name: string): Promise<string | undefined> {
  return stringAt(await deploymentOf(name), 'spec', 'template', 'spec', 'containers', 0, 'image');
}

async function replicasOf(name: string): Promise<number | undefined> {
  return numberAt(await deploymentOf(name), 'spec', 'replicas');
}

async function selectorOf(name: string) {
  return at(await kubectlJson(['get', 'service', name, '-n', namespace]), 'spec', 'selector');
}

async function exists(kind: string, name: string): Promise<boolean> {
  return (await kubectl(['get', kind, name, '-n', namespace, '--ignore-not-found', '-o', 'name'])) !== '';
}

describe('blue-green', () => {
  test('takes turns: a first deploy in one go, then green, then blue, and a rollback is a switch back', async () => {
    const first = await run('turn', {}, { 'app.yaml': app('turn', '1.0.0') });
    expect(first.exit).toBe(0);
    expect(first.log).toContain('there is no version that serves yet');
    expect(await selectorOf('turn')).toEqual({ app: 'turn', 'gke-rollout/track': 'blue' });

    const second = await run('turn', {}, { 'app.yaml': app('turn', '2.0.0') });
    expect(second.outputs).toMatchObject({ status: 'deployed', revision: '2' });
    expect(await selectorOf('turn')).toEqual({ app: 'turn', 'gke-rollout/track': 'green' });
    expect([await imageOf('turn-green'), await replicasOf('turn-green')]).toEqual([image('2.0.0'), 2]);
    expect([await imageOf('turn'), await replicasOf('turn')]).toEqual([image('1.0.0'), 0]);
    expect(await exists('service', 'turn-preview')).toBe(false);
    expect(second.summary).toContain('`registry.test/ctwoc:1.0.0` → `2.0.0`');

    const same = await run('turn', {}, { 'app.yaml': app('turn', '2.0.0') });
    expect(same.outputs['status']).toBe('unchanged');

    const third = await run('turn', {}, { 'app.yaml': app('turn', '3.0.0') });
    expect(third.outputs).toMatchObject({ status: 'deployed', revision: '3' });
    expect(await selectorOf('turn')).toEqual({ app: 'turn', 'gke-rollout/track': 'blue' });
    expect([await imageOf('turn'), await replicasOf('turn'), await replicasOf('turn-green')]).toEqual([
      image('3.0.0'),
      2,
      0,
    ]);

    const scaled = await run('turn', { command: 'scale', replicas: 'turn=3' });
    expect(scaled.exit).toBe(0);
    const back = await run('turn', { command: 'rollback', 'keep-old-for': '0s' });
    expect(back.outputs).toMatchObject({ status: 'rolled-back', revision: '4' });
    expect(await selectorOf('turn')).toEqual({ app: 'turn', 'gke-rollout/track': 'green' });
    expect([await imageOf('turn-green'), await replicasOf('turn-green')]).toEqual([image('2.0.0'), 3]);
  });

  test('adopts what rolling deploys or kubectl have brought in, without a restart', async () => {
    await run('adopt', { strategy: 'rolling', 'keep-old-for': '' }, { 'app.yaml': app('adopt', '1.0.0') });
    const before = await deploymentOf('adopt');
    const result = await run('adopt', {}, { 'app.yaml': app('adopt', '2.0.0') });
    expect(result.exit).toBe(0);
    expect(await selectorOf('adopt')).toEqual({ app: 'adopt', 'gke-rollout/track': 'green' });
    expect(at(await deploymentOf('adopt'), 'spec', 'template')).toEqual(at(before, 'spec', 'template'));
  });

  test('left waiting sends no request to the candidate, which the preview Service reaches; then it is promoted', async () => {
    await run('wait', {}, { 'app.yaml': app('wait', '1.0.0') });
    const result = await run('wait', { 'auto-promote': 'false' }, { 'app.yaml': app('wait', '2.0.0') });
    expect(result.outputs['status']).toBe('waiting');
    expect(await selectorOf('wait')).toEqual({ app: 'wait', 'gke-rollout/track': 'blue' });
    expect(await selectorOf('wait-preview')).toEqual({ app: 'wait', 'gke-rollout/track': 'green' });
    const promoted = await run('wait', { command: 'promote', 'keep-old-for': '0s' });
    expect(promoted.outputs).toMatchObject({ status: 'deployed', revision: '2' });
    expect(await selectorOf('wait')).toEqual({ app: 'wait', 'gke-rollout/track': 'green' });
    expect(await exists('service', 'wait-preview')).toBe(false);
  });

  test('left waiting and aborted leaves everything as it was', async () => {
    await run('abort', { strategy: 'rolling', 'keep-old-for': '' }, { 'app.yaml': app('abort', '1.0.0') });
    await run('abort', { 'auto-promote': 'false' }, { 'app.yaml': app('abort', '2.0.0') });
    const result = await run('abort', { command: 'abort' });
    expect(result.outputs['status']).toBe('aborted');
    expect(await selectorOf('abort')).toEqual({ app: 'abort' });
    expect(await exists('deployment', 'abort-green')).toBe(false);
    expect(await exists('service', 'abort-preview')).toBe(false);
  });

  test('with a candidate that never gets ready moves nothing', async () => {
    await run('sick', {}, { 'app.yaml': app('sick', '1.0.0') });
    const result = await run('sick', {}, { 'app.yaml': app('sick', '9.9.9') });
    expect(result.outputs['status']).toBe('undone');
    expect(result.log).toContain('registry.test/ctwoc:9.9.9');
    expect(await selectorOf('sick')).toEqual({ app: 'sick', 'gke-rollout/track': 'blue' });
    expect(await exists('deployment', 'sick-green')).toBe(false);
  });

  test('has config of its own on each side, and a rollback brings it back (argo-rollouts#1297)', async () => {
    const files = (value: string) => ({
      'app.yaml': [
        ...app('config', '1.0.0', { replicas: 1, envFrom: [{ configMapRef: { name: 'config' } }] }),
        configMap('config', { GREETING: value }),
      ],
    });
    await run('config', {}, files('one'));
    const second = await run('config', {}, files('two'));
    expect(second.outputs['status']).toBe('deployed');
    const data = async (name: string) =>
      stringAt(await kubectlJson(['get', 'cm', name, '-n', namespace]), 'data', 'GREETING');
    expect([await data('config'), await data('config-green')]).toEqual(['one', 'two']);
    await run('config', {}, files('three'));
    expect([await data('config'), await data('config-green')]).toEqual(['three', 'two']);
    await run('config', { command: 'rollback', 'keep-old-for': '0s' });
    expect(await selectorOf('config')).toEqual({ app: 'config', 'gke-rollout/track': 'green' });
    expect(await data('config-green')).toBe('two');
  });

  test('takes its autoscaler along', async () => {
    const scaler = {
      apiVersion: 'autoscaling/v2',
      kind: 'HorizontalPodAutoscaler',
      metadata: { name: 'scaler' },
      spec: {
        minReplicas: 1,
        maxReplicas: 4,
        scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'scaler' },
      },
    };
    const files = (version: string) => ({ 'app.yaml': [...app('scaler', version), scaler] });
    await run('scaler', {}, files('1.0.0'));
    await run('scaler', {}, files('2.0.0'));
    const target = at(await kubectlJson(['get', 'hpa', 'scaler', '-n', namespace]), 'spec', 'scaleTargetRef', 'name');
    expect(target).toBe('scaler-green');
    const same = await run('scaler', {}, files('2.0.0'));
    expect(same.outputs['status']).toBe('unchanged');
  });

  test('does not go with another strategy afterwards, and says how to leave', async () => {
    await run('leave', {}, { 'app.yaml': app('leave', '1.0.0', { replicas: 1 }) });
    const result = await run(
      'leave',
      { strategy: 'rolling', 'keep-old-for': '' },
      { 'app.yaml': app('leave', '2.0.0') },
    );
    expect(result.exit).toBe(1);
    expect(result.log).toContain('Service "leave" sends its requests to the blue side of a blue-green deploy');
  });
});
