import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';

import { app, image, Stage } from '../../support/strategy-stage.ts';
import { deployment, relabelled, service } from '../../support/objects.ts';
import { shareOf } from '../../support/share.ts';
import { watched } from './watched.ts';

let blueGreen: Stage;
let canary: Stage;
let rolling: Stage;

beforeAll(async () => {
  [blueGreen, canary, rolling] = await Promise.all([
    Stage.open('blue-green'),
    Stage.open('canary'),
    Stage.open('rolling'),
  ]);
});

afterAll(async () => {
  await Promise.all([blueGreen, canary, rolling].map((stage) => stage[Symbol.asyncDispose]()));
});

const graceful = { env: { SHUTDOWN_DELAY: '4s' } };

/** Pods of another Deployment with the label of an application. */
function second(name: string, version = '3.0.0') {
  const made = deployment(`${name}-second`, { replicas: 2, image: image(version), ...graceful });
  const own = relabelled(made, `${name}-second`, { app: name, part: 'second' });
  return { ...own, spec: { ...own.spec, selector: { matchLabels: { app: name, part: 'second' } } } };
}

/** The same as another kind of workload. */
function statefulSet(name: string) {
  const { spec, ...made } = second(name);
  return { ...made, kind: 'StatefulSet', spec: { ...spec, serviceName: name } };
}

function barePod(name: string) {
  const { template } = second(name).spec;
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: `${name}-second`, ...template.metadata },
    spec: template.spec,
  };
}

/** A Deployment under another name, with the labels that it had. */
function renamed(name: string, version: string) {
  const made = deployment(`${name}-new`, { replicas: 2, image: image(version), ...graceful });
  return relabelled(made, `${name}-new`, { app: name, name: 'new' });
}

const others = shareOf(
  [
    { kind: 'a second Deployment', name: 'deployments', make: second, called: 'Deployment "deployments-second"' },
    { kind: 'a StatefulSet', name: 'stateful', make: statefulSet, called: 'StatefulSet "stateful-second"' },
    { kind: 'a pod of its own', name: 'bare', make: barePod, called: 'Pod "bare-second"' },
  ],
  ({ name }) => name,
);

describe.each(others)('$kind behind the same Service', ({ name, make, called }) => {
  test.concurrent('is named by a blue-green deploy before the first write, and goes on serving', async () => {
    await blueGreen.given(name, app(name, '1.0.0', graceful), { strategy: 'rolling', 'keep-old-for': '' });
    await blueGreen.apply([make(name)]);
    await blueGreen.kubectl('wait', '--for=condition=Ready', 'pod', '-l', `part=second,app=${name}`, '--timeout=60s');
    const before = await blueGreen.read('service', name);
    const seen = await watched(blueGreen, name, async () => {
      const result = await blueGreen.deploy(name, app(name, '2.0.0', graceful));
      expect([result.exit, result.outputs['status']]).toEqual([1, 'failed']);
      expect(result.log).toContain(`sends requests to ${called} too`);
    });
    expect(seen).toMatchObject({ lost: [], before: ['1.0.0', '3.0.0'], after: ['1.0.0', '3.0.0'] });
    expect(await blueGreen.read('service', name)).toEqual(before);
  });
});

test('a second release behind the same Service is named by a canary, and keeps its requests', async () => {
  await canary.given('beside', app('beside', '1.0.0', graceful));
  await canary.apply([second('beside')]);
  await canary.kubectl('rollout', 'status', 'deployment/beside-second', '--timeout=60s');
  const seen = await watched(canary, 'beside', async () => {
    const result = await canary.deploy('beside', app('beside', '2.0.0', graceful));
    expect(result.outputs['status']).toBe('deployed');
    expect(result.log).toContain('sends requests to Deployment "beside-second" too, which stays as it is');
  });
  expect(seen).toMatchObject({ lost: [], before: ['1.0.0', '3.0.0'], after: ['2.0.0', '3.0.0'] });
});

describe('a Deployment that has been renamed', () => {
  test.concurrent.each([
    ['blue-green', () => blueGreen],
    ['canary', () => canary],
  ] as const)('does not come in past a %s: the old one is named before the first write', async (strategy, stageOf) => {
    const stage = stageOf();
    const name = `past-${strategy}`;
    await stage.given(name, app(name, '1.0.0', graceful));
    const seen = await watched(stage, name, async () => {
      const result = await stage.deploy(name, [renamed(name, '2.0.0'), service(name)]);
      expect([result.exit, result.outputs['status']]).toEqual([1, 'failed']);
      expect(result.log).toContain(`sends its requests to Deployment "${name}", and Deployment "${name}-new" is new`);
    });
    expect(seen).toMatchObject({ lost: [], before: ['1.0.0'], after: ['1.0.0'] });
    expect(await stage.exists('deployment', `${name}-new`)).toBe(false);
  });

  test.concurrent('and relabelled gets the requests of a rolling deploy once its pods are ready', async () => {
    await rolling.given('moved', app('moved', '1.0.0', graceful));
    const late = { ...graceful, env: { ...graceful.env, READY_DELAY: '5s' } };
    const made = deployment('moved-new', { replicas: 2, image: image('2.0.0'), ...late });
    const seen = await watched(rolling, 'moved', async () => {
      const result = await rolling.deploy('moved', [made, service('moved', { selector: { app: 'moved-new' } })]);
      expect(result.outputs['status']).toBe('deployed');
      expect(result.log).toContain('sends its requests to Deployment "moved" until Deployment "moved-new" is ready');
    });
    expect(seen).toMatchObject({ lost: [], before: ['1.0.0'], after: ['2.0.0'] });
  });

  test.concurrent(
    'and not relabelled serves beside the old one after a rolling deploy, which says so before',
    async () => {
      await rolling.given('both', app('both', '1.0.0', graceful));
      const seen = await watched(rolling, 'both', async () => {
        const result = await rolling.deploy('both', [renamed('both', '2.0.0'), service('both')]);
        expect(result.log).toContain(
          'keeps sending requests to Deployment "both" beside the new Deployment "both-new"',
        );
      });
      expect(seen).toMatchObject({ lost: [], after: ['1.0.0', '2.0.0'] });
    },
  );
});

describe('the release itself', () => {
  test.concurrent('keeps the replicas of its other Deployments that a blue-green deploy changes', async () => {
    const objects = (version: string, replicas: number) => [
      ...app('front', version, graceful),
      ...app('back', '1.0.0', { ...graceful, replicas }),
    ];
    await blueGreen.given('pair', objects('1.0.0', 2));
    await blueGreen.given('pair', objects('2.0.0', 4));
    expect(await blueGreen.replicasOf('back')).toBe(4);
    expect(await blueGreen.selectorOf('front')).toMatchObject({ 'gke-rollout/track': 'green' });
  });

  test.concurrent('is not held up by a headless Service that publishes pods which are not ready', async () => {
    const headless = { ...service('headless', { clusterIP: 'None', publishNotReadyAddresses: true }) };
    const objects = (version: string, env = {}) => [
      ...app('open', version, { env: { ...graceful.env, ...env } }),
      { ...headless, spec: { ...headless.spec, selector: { app: 'open' } } },
    ];
    await blueGreen.given('open', objects('1.0.0'), { strategy: 'rolling', 'keep-old-for': '' });
    const seen = await watched(blueGreen, 'open', async () => {
      const failed = await blueGreen.deploy('open', objects('2.0.0', { NEVER_READY: 'true' }), { timeout: '20s' });
      expect(failed.outputs['status']).toBe('undone');
    });
    expect(seen).toMatchObject({ lost: [], after: ['1.0.0'] });
    expect(await blueGreen.exists('deployment', 'open-green')).toBe(false);
    await blueGreen.given('open', objects('2.0.0'));
  });
});
