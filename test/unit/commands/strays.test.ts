import { describe, expect, test } from '@jest/globals';

import { deploymentsBeside } from '../../../src/commands/release-workloads.ts';
import { findStrays, madeBeside, straysAmong } from '../../../src/commands/strays.ts';
import type { KubernetesObject } from '../../../src/kubernetes/object.ts';
import { recordRevision } from '../../../src/release/record-revision.ts';
import { listRevisions } from '../../../src/release/revision.ts';
import { FakeApi } from '../../support/fake-api.ts';
import { live } from '../../support/rollout-objects.ts';
import { revision } from '../release/build.ts';
import { contextOf } from './build.ts';

function made(kind: string, name: string, track: string | undefined, spec = {}): KubernetesObject {
  const apiVersion = kind === 'Deployment' ? 'apps/v1' : 'v1';
  const labels = track === undefined ? {} : { 'gke-rollout/track': track };
  return live(kind, { apiVersion, metadata: { name, namespace: 'shop', labels }, spec });
}

function green(replicas: number, config: string): KubernetesObject {
  const containers = [{ name: 'web', envFrom: [{ configMapRef: { name: config } }] }];
  return made('Deployment', 'web-green', 'green', { replicas, template: { spec: { containers } } });
}

const names = (objects: readonly { metadata: { name: string } }[]) => objects.map(({ metadata }) => metadata.name);

describe('what is made beside the objects of a release', () => {
  test('is called by their names', () => {
    const objects = [
      made('Deployment', 'web', undefined),
      made('ConfigMap', 'flags', undefined),
      made('Service', 'web', undefined),
      made('ServiceAccount', 'web', undefined),
    ];
    expect(madeBeside(objects).map(({ kind, name }) => `${kind}/${name}`)).toEqual([
      'Deployment/web-canary',
      'Deployment/web-green',
      'ConfigMap/flags-canary',
      'ConfigMap/flags-green',
      'Service/web-preview',
    ]);
  });

  const served = new Set<string>();

  test('is in the way once nothing uses it: a copy that no side reads, a preview', () => {
    const objects = [
      green(0, 'flags-green'),
      made('ConfigMap', 'flags-green', 'green'),
      made('ConfigMap', 'old-green', 'green'),
      made('Service', 'web-preview', 'green'),
    ];
    expect(names(straysAmong(objects, 'blue-green', served))).toEqual(['old-green', 'web-preview']);
  });

  test('goes whole once the strategy is left, also when it runs, but for the side that serves', () => {
    const copy = made('ConfigMap', 'flags-green', 'green');
    for (const replicas of [0, 2]) {
      const objects = [green(replicas, 'flags-green'), copy];
      expect(names(straysAmong(objects, 'rolling', served))).toEqual(['web-green', 'flags-green']);
      expect(straysAmong(objects, 'rolling', new Set(['apps/Deployment/shop/web-green']))).toEqual([]);
    }
  });

  test.each(['rolling', 'canary', 'blue-green'])('a candidate that was left goes with %s', (strategy) => {
    const candidate = made('Deployment', 'web-canary', 'canary', { replicas: 1 });
    expect(names(straysAmong([candidate], strategy, served))).toEqual(['web-canary']);
  });

  test('is not what the user has named so', () => {
    expect(straysAmong([made('ConfigMap', 'flags-green', undefined)], 'rolling', served)).toEqual([]);
  });
});

describe('after a release has got another name', () => {
  /** What a failed canary of the release "old" was told to leave, and what another release has. */
  async function adopted() {
    const api = new FakeApi();
    const web = made('Deployment', 'web', undefined);
    const former = { formerly: ['old'], strategy: 'canary', objects: [web] };
    await recordRevision(api, 'shop', revision(3, 'live', former), []);
    const marked = (object: KubernetesObject, release: string) => ({
      ...object,
      metadata: { ...object.metadata, annotations: { 'gke-rollout/release': `shop/${release}` } },
    });
    api.put(marked(web, 'web'));
    api.put(marked(made('Deployment', 'web-canary', 'canary', { replicas: 1 }), 'old'));
    api.put(marked(made('Deployment', 'web-green', 'canary', { replicas: 1 }), 'other'));
    return api;
  }

  test('what was made under the former one is found', async () => {
    const api = await adopted();
    const options = { namespace: 'shop', release: 'web', strategy: 'rolling' };
    const strays = await findStrays({ client: api }, options, await listRevisions(api, 'shop', 'web'));
    expect(names(strays)).toEqual(['web-canary']);
    const beside = await deploymentsBeside(contextOf(api, 'me'), 'shop', 'web', [made('Deployment', 'web', undefined)]);
    expect(names(beside)).toEqual(['web-canary']);
  });
});
