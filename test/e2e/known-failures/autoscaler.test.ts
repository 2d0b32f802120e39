import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';

import { numberAt, stringAt } from '../../../src/base/json.ts';
import type { Json } from '../../../src/base/json.ts';
import { waitUntil } from '../../cluster/run.ts';
import { deployment, service } from '../../support/objects.ts';
import { image, imageOf, Stage, uids } from '../../support/strategy-stage.ts';

let stage: Stage;

beforeAll(async () => {
  stage = await Stage.open('canary');
});

afterAll(async () => {
  await stage[Symbol.asyncDispose]();
});

/** Two pods by the manifest, at least three by the autoscaler, which needs no metrics for that. */
function scaled(name: string, version: string, serves: Record<string, string>, minReplicas = 3): object[] {
  const base = deployment(name, { replicas: 2, image: image(version) });
  const labels = { app: name, serves: name };
  const target = { apiVersion: 'apps/v1', kind: 'Deployment', name };
  return [
    { ...base, spec: { ...base.spec, template: { ...base.spec.template, metadata: { labels } } } },
    service(name, { selector: serves }),
    {
      apiVersion: 'autoscaling/v2',
      kind: 'HorizontalPodAutoscaler',
      metadata: { name },
      spec: { minReplicas, maxReplicas: 6, scaleTargetRef: target },
    },
    {
      apiVersion: 'policy/v1',
      kind: 'PodDisruptionBudget',
      metadata: { name },
      spec: { minAvailable: 1, selector: { matchLabels: { app: name } } },
    },
  ];
}

async function untilReady(name: string, replicas: number): Promise<void> {
  await waitUntil(`${name} has ${replicas} ready pods`, 120_000, async () => {
    const live = await stage.read('deployment', name);
    return numberAt(live, 'spec', 'replicas') === replicas && numberAt(live, 'status', 'readyReplicas') === replicas;
  });
}

/** The pods that the autoscaler's controller counts: those of the selector that the `scale` subresource tells it. */
async function counted(name: string) {
  const path = `/apis/apps/v1/namespaces/${stage.namespace}/deployments/${name}/scale`;
  const scale = JSON.parse(await stage.kubectl('get', '--raw', path)) as Json;
  return await stage.pods(stringAt(scale, 'status', 'selector') ?? '');
}

const waits = { 'auto-promote': 'false', 'canary-steps': '50', timeout: '120s' };

describe('a canary of a Deployment that is scaled by an autoscaler', () => {
  test('is counted neither by it nor by a budget where a Service selects by a label of its own (kubernetes#116898)', async () => {
    const serves = { serves: 'apart' };
    await stage.given('apart', scaled('apart', '1.0.0', serves));
    await untilReady('apart', 3);
    const stable = await counted('apart');
    const result = await stage.deploy('apart', scaled('apart', '2.0.0', serves), waits);
    expect(result.outputs['status']).toBe('waiting');
    expect(result.log).not.toContain("counts the candidate's pods");
    // What runs is the base, not the two of the manifest (kubernetes#66385).
    expect([await stage.replicasOf('apart'), await stage.replicasOf('apart-canary')]).toEqual([3, 3]);
    expect(uids(await counted('apart'))).toEqual(uids(stable));
    expect(numberAt(await stage.read('pdb', 'apart'), 'status', 'expectedPods')).toBe(3);
    expect(await stage.endpoints('apart')).toHaveLength(6);

    const aborted = await stage.command('apart', 'abort');
    expect(aborted.outputs['status']).toBe('aborted');
    // An aborted candidate does not come back when the autoscaler wants more pods (argo-rollouts#4973).
    await stage.patch('hpa', 'apart', { spec: { minReplicas: 4 } });
    await untilReady('apart', 4);
    expect(await stage.exists('deployment', 'apart-canary')).toBe(false);
    expect((await stage.pods('serves=apart')).map(imageOf)).toEqual(Array(4).fill(image('1.0.0')));

    // And the next one is promoted, with as many pods as the autoscaler has come to.
    await stage.given('apart', scaled('apart', '2.0.0', serves, 4), waits);
    const promoted = await stage.command('apart', 'promote', { timeout: '120s' });
    expect(promoted.outputs['status']).toBe('deployed');
    expect(await stage.replicasOf('apart')).toBe(4);
    expect((await stage.pods('serves=apart')).map(imageOf)).toEqual(Array(4).fill(image('2.0.0')));
  });

  test('is counted where its Service selects by the same label, and a warning says how to avoid it', async () => {
    const serves = { app: 'plain' };
    await stage.given('plain', scaled('plain', '1.0.0', serves));
    await untilReady('plain', 3);
    const result = await stage.deploy('plain', scaled('plain', '2.0.0', serves), { ...waits, 'canary-steps': '25' });
    expect(result.outputs['status']).toBe('waiting');
    const warning = result.log.split('\n').find((line) => line.startsWith('::warning'));
    expect(warning).toContain(
      'HorizontalPodAutoscaler "plain" and PodDisruptionBudget "plain" count the candidate\'s pods together with those of Deployment "plain"',
    );
    expect(warning).toContain('let the Service "plain" select by that label alone');
    expect(await counted('plain')).toHaveLength(4);
    await stage.command('plain', 'abort');
  });
});

test('pods scaled by hand are the base of a canary, and stay as many after its promotion (kubernetes#66385)', async () => {
  const objects = (version: string) => {
    const workload = deployment('hand', { image: image(version), spec: { replicas: undefined } });
    return [workload, service('hand')];
  };
  await stage.given('hand', objects('1.0.0'));
  await stage.kubectl('scale', 'deployment/hand', '--replicas=3');
  await untilReady('hand', 3);
  const result = await stage.deploy('hand', objects('2.0.0'), waits);
  expect(result.outputs['status']).toBe('waiting');
  expect([await stage.replicasOf('hand'), await stage.replicasOf('hand-canary')]).toEqual([3, 3]);
  const promoted = await stage.command('hand', 'promote', { timeout: '120s' });
  expect(promoted.outputs['status']).toBe('deployed');
  expect((await stage.pods('app=hand')).map(imageOf)).toEqual(Array(3).fill(image('2.0.0')));
});
