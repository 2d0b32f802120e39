import { afterAll, beforeAll, expect, test } from '@jest/globals';

import { stringsAt } from '../../../src/base/json.ts';
import { createNamespace, deleteNamespace, kubectl, kubectlJson } from '../../support/kubectl.ts';
import { deployment, relabelled, service } from '../../support/objects.ts';
import { app, image, Stage } from '../../support/strategy-stage.ts';
import { watched } from './watched.ts';

let stage: Stage;
let elsewhere: string;

beforeAll(async () => {
  [stage, elsewhere] = await Promise.all([Stage.open('blue-green'), createNamespace('elsewhere')]);
});

afterAll(async () => {
  await Promise.all([stage[Symbol.asyncDispose](), deleteNamespace(elsewhere)]);
});

const graceful = { env: { SHUTDOWN_DELAY: '4s' } };

interface Made {
  metadata: { name: string };
}

test.concurrent('a release in two namespaces changes sides in both, each with its own Services', async () => {
  const objects = (version: string) => [
    ...app('here', version, graceful),
    ...(app('here', version, graceful) as Made[]).map((made) => ({
      ...made,
      metadata: { ...made.metadata, namespace: elsewhere },
    })),
  ];
  await stage.given('here', objects('1.0.0'), { strategy: 'rolling', 'keep-old-for': '' });
  const seen = await watched(stage, 'here', async () => {
    await stage.given('here', objects('2.0.0'));
  });
  expect(seen).toMatchObject({ lost: [], before: ['1.0.0'], after: ['2.0.0'] });
  const there = await kubectlJson(['-n', elsewhere, 'get', 'service', 'here']);
  expect(stringsAt(there, 'spec', 'selector')).toEqual({ 'as.gke-rollout/app': 'here', 'gke-rollout/track': 'green' });
  expect(await stage.selectorOf('here')).toEqual(stringsAt(there, 'spec', 'selector'));
  const images = await kubectl([
    ...['-n', elsewhere, 'get', 'pods', '-l', 'gke-rollout/track=green'],
    ...['-o', 'jsonpath={.items[*].spec.containers[0].image}'],
  ]);
  expect(images.split(' ')).toEqual([image('2.0.0'), image('2.0.0')]);
  await stage.given('here', objects('3.0.0'));
  expect(await stage.selectorOf('here')).toEqual({ app: 'here', 'gke-rollout/track': 'blue' });
});

test.concurrent(
  'a rollback across another name with prune leaves the former one alone behind the Service',
  async () => {
    const rolling = { strategy: 'rolling', 'keep-old-for': '' };
    const made = deployment('label-new', { replicas: 2, image: image('2.0.0'), ...graceful });
    const renamed = relabelled(made, 'label-new', { app: 'label', name: 'new' });
    await stage.given('label', app('label', '1.0.0', graceful), rolling);
    await stage.given('label', [renamed, service('label')], rolling);
    const seen = await watched(stage, 'label', async () => {
      const result = await stage.command('label', 'rollback', { prune: 'true' });
      expect(result.outputs['status']).toBe('rolled-back');
    });
    expect(seen).toMatchObject({ before: ['1.0.0', '2.0.0'], after: ['1.0.0'] });
    expect(await stage.exists('deployment', 'label-new')).toBe(false);
  },
);
