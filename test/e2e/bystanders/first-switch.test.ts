import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';

import { app, Stage, until } from '../../support/strategy-stage.ts';
import { watched } from './watched.ts';

let stage: Stage;

beforeAll(async () => {
  stage = await Stage.open('blue-green');
});

afterAll(async () => {
  await stage[Symbol.asyncDispose]();
});

/** Pods that go on answering for a while when they are told to end, as rolling updates of Kubernetes need them. */
const graceful = { env: { SHUTDOWN_DELAY: '4s' }, spec: {} };

async function rolledOut(name: string): Promise<void> {
  await stage.kubectl('rollout', 'status', `deployment/${name}`, '--timeout=90s');
}

/** Pods that were there before the first blue-green deploy, made by kubectl. */
async function adopted(name: string): Promise<void> {
  await stage.apply(app(name, '1.0.0', graceful));
  await rolledOut(name);
}

const waits = { 'auto-promote': 'false' };

describe('a first candidate that waits', () => {
  test.concurrent.each([
    ['restarted', ['rollout', 'restart', 'deployment/restarted']],
    ['varied', ['set', 'env', 'deployment/varied', 'EXTRA=1']],
    ['scaled', ['scale', 'deployment/scaled', '--replicas=4']],
  ])('gets no request while the pods that serve are %s, and none is lost', async (name, change) => {
    await adopted(name);
    await stage.given(name, app(name, '2.0.0', graceful), waits);
    const seen = await watched(stage, name, async () => {
      await stage.kubectl(...change);
      await rolledOut(name);
      expect(await stage.selectorOf(name)).toEqual({ app: name });
    });
    expect(seen).toMatchObject({ lost: [], before: ['1.0.0'], after: ['1.0.0'] });
    const promoted = await watched(stage, name, async () => {
      expect((await stage.command(name, 'promote')).outputs['status']).toBe('deployed');
    });
    expect(promoted).toMatchObject({ lost: [], after: ['2.0.0'] });
    expect((await stage.deploy(name, app(name, '2.0.0', graceful))).outputs['status']).toBe('unchanged');
    const next = await watched(stage, name, async () => {
      expect((await stage.deploy(name, app(name, '3.0.0', graceful))).outputs['status']).toBe('deployed');
    });
    expect(next).toMatchObject({ lost: [], after: ['3.0.0'] });
    expect(await stage.selectorOf(name)).toEqual({ app: name, 'gke-rollout/track': 'blue' });
    expect((await stage.deploy(name, app(name, '3.0.0', graceful))).outputs['status']).toBe('unchanged');
    const last = await watched(stage, name, async () => {
      expect((await stage.deploy(name, app(name, '1.0.0', graceful))).outputs['status']).toBe('deployed');
    });
    expect(last).toMatchObject({ lost: [], after: ['1.0.0'] });
    expect(await stage.selectorOf(name)).toEqual({ app: name, 'gke-rollout/track': 'green' });
  });

  test.concurrent('is taken away by an abort, and everything is as it was', async () => {
    await adopted('aborted');
    const before = await stage.read('service', 'aborted');
    await stage.given('aborted', app('aborted', '2.0.0', graceful), waits);
    const seen = await watched(stage, 'aborted', async () => {
      expect((await stage.command('aborted', 'abort')).outputs['status']).toBe('aborted');
    });
    expect(seen).toMatchObject({ lost: [], before: ['1.0.0'], after: ['1.0.0'] });
    expect((await stage.read('service', 'aborted'))['spec']).toEqual(before['spec']);
  });
});

describe('a first switch over a rollout that is stuck half-way', () => {
  test.concurrent.each([
    ['stuck', waits],
    ['through', {}],
  ])('takes no request from the pods that serve: %s', async (name, inputs) => {
    await adopted(name);
    await stage.kubectl('set', 'image', `deployment/${name}`, 'web=registry.test/pulled/ctwoc:9.9.9');
    await until('a pod of the broken version is there', async () => (await stage.pods(`app=${name}`)).length === 3);
    const seen = await watched(stage, name, async (versions) => {
      const result = await stage.deploy(name, app(name, '2.0.0', graceful), inputs);
      expect(result.outputs['status']).toBe(name === 'stuck' ? 'waiting' : 'deployed');
      if (name !== 'stuck') return;
      expect(await versions()).toEqual(['1.0.0']);
      expect((await stage.command(name, 'promote')).outputs['status']).toBe('deployed');
    });
    expect(seen).toMatchObject({ lost: [], before: ['1.0.0'], after: ['2.0.0'] });
  });

  test.concurrent('and a candidate that never gets ready', async () => {
    await adopted('never');
    await stage.kubectl('set', 'image', 'deployment/never', 'web=registry.test/pulled/ctwoc:9.9.9');
    const seen = await watched(stage, 'never', async () => {
      const sick = app('never', '2.0.0', { env: { ...graceful.env, NEVER_READY: 'true' } });
      expect((await stage.deploy('never', sick, { timeout: '20s' })).outputs['status']).toBe('undone');
    });
    expect(seen).toMatchObject({ lost: [], before: ['1.0.0'], after: ['1.0.0'] });
  });
});

describe('pods whose labels a NetworkPolicy needs', () => {
  const policy = (name: string) => ({
    apiVersion: 'networking.k8s.io/v1',
    kind: 'NetworkPolicy',
    metadata: { name },
    spec: { podSelector: { matchLabels: { app: name } }, ingress: [{}] },
  });

  test.concurrent(
    'keep them: the Service is bound to those that serve while the run watches, and no candidate waits',
    async () => {
      await stage.given('policed', app('policed', '1.0.0', graceful), { strategy: 'rolling', 'keep-old-for': '' });
      await stage.apply([policy('policed')]);
      const refused = await stage.deploy('policed', app('policed', '2.0.0', graceful), waits);
      expect(refused.exit).toBe(1);
      expect(refused.log).toContain(
        'Add the label "gke-rollout/track: blue" to its pod template in a rolling deploy first',
      );
      expect(await stage.selectorOf('policed')).toEqual({ app: 'policed' });
      await stage.kubectl('set', 'image', 'deployment/policed', 'web=registry.test/pulled/ctwoc:9.9.9');
      const seen = await watched(stage, 'policed', async () => {
        await stage.given('policed', app('policed', '2.0.0', graceful));
      });
      expect(seen).toMatchObject({ lost: [], before: ['1.0.0'], after: ['2.0.0'] });
      expect(await stage.selectorOf('policed')).toEqual({ app: 'policed', 'gke-rollout/track': 'green' });
    },
  );
});
