import { describe, expect, test } from '@jest/globals';

import { objectsAt, stringAt } from '../../../src/base/json.ts';
import { kubectlJson } from '../../support/kubectl.ts';
import { configMap, deployment, service } from '../../support/objects.ts';
import { image, imageOf, Stage } from '../../support/strategy-stage.ts';

/** As long as Kubernetes lets them be, or longer than what is derived from them may be (argoproj/argo-rollouts#1637). */
const workload = `w${'o'.repeat(68)}g`;
const front = `s${'e'.repeat(58)}e`;
const config = `c${'f'.repeat(251)}g`;

function app(version: string, setting: string): object[] {
  const configured = deployment(workload, {
    replicas: 2,
    image: image(version),
    envFrom: [{ configMapRef: { name: config } }],
    spec: { selector: { matchLabels: { app: 'long' } } },
  });
  Object.assign(configured.spec.template.metadata, { labels: { app: 'long' } });
  return [configured, service(front, { selector: { app: 'long' } }), configMap(config, { SETTING: setting })];
}

/** What the pods that serve run, by image and the setting that they read at start. */
async function served(stage: Stage): Promise<string[]> {
  const names = await stage.endpoints(front);
  const pods = await stage.pods('app=long');
  const serving = pods.filter(({ metadata }) => names.includes(metadata.name));
  return [...new Set(serving.map((pod) => imageOf(pod) ?? ''))];
}

async function deployments(stage: Stage): Promise<string[]> {
  const list = await kubectlJson(['-n', stage.namespace, 'get', 'deployments']);
  return objectsAt(list, 'items').map((object) => stringAt(object, 'metadata', 'name') ?? '');
}

describe('long names (argoproj/argo-rollouts#1637)', () => {
  test('a canary comes beside a workload of 70 characters, waits, is promoted and can be aborted', async () => {
    await using stage = await Stage.open('canary');
    const waiting = { 'auto-promote': 'false' };
    await stage.given('long', app('1.0.0', 'a'));
    expect((await stage.deploy('long', app('2.0.0', 'b'), waiting)).outputs['status']).toBe('waiting');
    expect(await deployments(stage)).toEqual([workload, `${workload}-canary`]);
    expect((await served(stage)).sort()).toEqual([image('1.0.0'), image('2.0.0')]);
    const status = await stage.command('long', 'status');
    expect(status.log).toContain('the candidate (revision 2');
    expect((await stage.command('long', 'promote')).outputs['status']).toBe('deployed');
    expect(await deployments(stage)).toEqual([workload]);
    expect(await served(stage)).toEqual([image('2.0.0')]);

    expect((await stage.deploy('long', app('3.0.0', 'c'), waiting)).outputs['status']).toBe('waiting');
    expect((await stage.command('long', 'abort')).outputs['status']).toBe('aborted');
    expect(await deployments(stage)).toEqual([workload]);
    expect(await served(stage)).toEqual([image('2.0.0')]);
    expect((await stage.command('long', 'rollback')).outputs['status']).toBe('rolled-back');
    expect(await served(stage)).toEqual([image('1.0.0')]);
  });

  test('two sides take turns behind a Service of 60 characters, asked by its preview before', async () => {
    await using stage = await Stage.open('blue-green');
    await stage.given('long', app('1.0.0', 'a'));
    const waiting = { 'auto-promote': 'false', verify: '/version' };
    const second = await stage.deploy('long', app('2.0.0', 'b'), waiting);
    expect(second.log).toContain('is waiting for approval: ');
    expect(await served(stage)).toEqual([image('1.0.0')]);
    const now = { 'keep-old-for': '0s' };
    expect((await stage.command('long', 'promote', now)).outputs['status']).toBe('deployed');
    expect(await served(stage)).toEqual([image('2.0.0')]);
    expect((await stage.command('long', 'rollback', now)).outputs['status']).toBe('rolled-back');
    expect(await served(stage)).toEqual([image('1.0.0')]);
    expect((await stage.deploy('long', app('3.0.0', 'c'))).outputs['status']).toBe('deployed');
    expect(await served(stage)).toEqual([image('3.0.0')]);
  });
});
