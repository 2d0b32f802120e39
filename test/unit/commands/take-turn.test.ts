import { expect, test } from '@jest/globals';

import { refOf, type KubernetesObject } from '../../../src/kubernetes/object.ts';
import { takeTurn } from '../../../src/commands/take-turn.ts';
import { Journal } from '../../../src/release/journal.ts';
import { FakeApi } from '../../support/fake-api.ts';
import { manifestOf } from '../release/build.ts';
import { contextOf, options } from './build.ts';

const app = { app: 'web' };

function side(name: 'blue' | 'green'): KubernetesObject {
  const labels = { ...app, version: name };
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: `web-${name}`, namespace: 'shop' },
    spec: {
      replicas: 1,
      selector: { matchLabels: labels },
      template: { metadata: { labels }, spec: { containers: [{ name: 'web', image: 'web:1' }] } },
    },
  };
}

const shared: KubernetesObject = {
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name: 'web', namespace: 'shop' },
  spec: { selector: app, ports: [{ port: 80 }] },
};

const sources = ['blue', 'green'] as const;
const turnOptions = { ...options, images: [] };
const variants = sources.map((name) => {
  const manifest = manifestOf(side(name));
  return { ...manifest, source: { ...manifest.source, file: `web-${name}.yaml` } };
});

/** A run was killed while both sides served behind a load balancer that follows late. */
async function killedInBetween(): Promise<FakeApi> {
  const api = new FakeApi();
  for (const object of [side('blue'), side('green'), shared]) api.put(object);
  const journal = new Journal(api, 'shop', {
    release: 'web',
    command: 'deploy',
    revision: 2,
    run: { holder: 'dead' },
    startedAt: '2026-01-01T00:00:00Z',
    undoOnFailure: true,
    entries: [],
  });
  await journal.plan([{ ref: refOf(shared), before: shared, after: shared, done: false }]);
  return api;
}

test('both sides that serve for a while are no reason to refuse a deploy that undoes first what a killed run has left', async () => {
  const api = await killedInBetween();
  const turn = await takeTurn(contextOf(api, 'next'), turnOptions, [manifestOf(shared)], variants);
  expect(turn.isHalfDone).toBe(true);
});

test('both sides that serve for good are told', async () => {
  const api = new FakeApi();
  for (const object of [side('blue'), side('green'), shared]) api.put(object);
  await expect(takeTurn(contextOf(api, 'next'), turnOptions, [manifestOf(shared)], variants)).rejects.toThrow(
    'sends its requests to both sides',
  );
});
