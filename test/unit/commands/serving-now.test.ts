import { beforeEach, describe, expect, test } from '@jest/globals';

import { servingNow } from '../../../src/commands/serving-now.ts';
import { refOf, type KubernetesObject } from '../../../src/kubernetes/object.ts';
import { recordRevision } from '../../../src/release/record-revision.ts';
import { FakeApi, refusal } from '../../support/fake-api.ts';
import { ownedBy } from '../../support/rollout-objects.ts';
import { contextOf, options } from './build.ts';

const at = '2026-01-01T00:00:00.000Z';
const labels = { app: 'web' };

const service: KubernetesObject = {
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name: 'web', namespace: 'shop' },
  spec: { selector: labels },
};

function deployment(version: string): KubernetesObject {
  const template = { metadata: { labels }, spec: containers(version) };
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'web', namespace: 'shop' },
    spec: { selector: { matchLabels: labels }, template },
  };
}

function containers(version: string) {
  return { containers: [{ name: 'web', image: `registry.test/web:${version}` }] };
}

function pod(name: string, version: string, ready = true): KubernetesObject {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace: 'shop', labels },
    // A webhook has put the other one in.
    spec: { containers: [...containers(version).containers, { name: 'mesh', image: 'mesh:9' }] },
    status: { conditions: [{ type: 'Ready', status: ready ? 'True' : 'False' }] },
  };
}

describe('what users get', () => {
  let api: FakeApi;
  const now = async () => (await servingNow(contextOf(api, 'a test'), options)).serving;

  beforeEach(async () => {
    api = new FakeApi();
    const objects = [deployment('1.0.0'), service];
    const times = { startedAt: at, finishedAt: at };
    const revision = { release: 'web', revision: 1, outcome: 'live', strategy: 'rolling', ...times } as const;
    await recordRevision(api, 'shop', { ...revision, images: {}, objects }, []);
    api.put(service);
  });

  test('is what the ready pods behind the Service run, not what is recorded', async () => {
    api.put(pod('a', '2.0.0'));
    api.put(pod('b', '2.0.0'));
    expect(await now()).toBe('web 2.0.0');
  });

  test('is of several versions where pods of several are ready, the most frequent first', async () => {
    for (const [name, version] of [
      ['a', '2.0.0'],
      ['b', '1.0.0'],
      ['c', '1.0.0'],
    ] as const)
      api.put(pod(name, version));
    expect(await now()).toBe('web 1.0.0 and 2.0.0');
  });

  test('is not what pods would answer that are not ready', async () => {
    api.put(pod('a', '1.0.0'));
    api.put(pod('b', '2.0.0', false));
    expect(await now()).toBe('web 1.0.0');
  });

  test('is not known where no pod is ready, or none may be seen', async () => {
    api.put(pod('a', '1.0.0', false));
    expect(await now()).toBeUndefined();
    api.put(pod('b', '1.0.0'));
    api.before = (operation, ref) => {
      if (operation === 'list' && ref.kind === 'Pod') throw refusal(403, 'Forbidden', ref);
    };
    expect(await now()).toBeUndefined();
  });

  test('of workloads is told what their pods run, not what they ask for', async () => {
    const asked = { ...deployment('1.0.0'), metadata: { ...deployment('1.0.0').metadata, uid: 'web' } };
    api.put({ ...asked, status: { replicas: 2, readyReplicas: 2 } });
    const set = { apiVersion: 'apps/v1', kind: 'ReplicaSet', metadata: { name: 'web-2', namespace: 'shop', labels } };
    const ofSet: KubernetesObject = {
      ...set,
      metadata: { ...set.metadata, uid: 'web-2', ...ownedBy(asked) },
      spec: {},
    };
    api.put(ofSet);
    for (const name of ['a', 'b']) {
      const one = pod(name, '2.0.0');
      api.put({ ...one, metadata: { ...one.metadata, ...ownedBy(ofSet) }, spec: containers('2.0.0') });
    }
    const look = async () => (await servingNow(contextOf(api, 'a test'), options)).versions;
    expect(await look()).toEqual([
      { ref: refOf(asked), versions: [{ images: ['registry.test/web:2.0.0'], pods: 2, ready: 2 }] },
    ]);
    // Which pods are its own is not known without its ReplicaSets: that is not the same as none.
    api.before = (operation, ref) => {
      if (operation === 'list' && ref.kind === 'ReplicaSet') throw refusal(403, 'Forbidden', ref);
    };
    expect(await look()).toEqual([]);
  });

  test('is not known where nothing is live', async () => {
    const other = { namespace: 'shop', release: 'other' };
    expect(await servingNow(contextOf(api, 'a test'), other)).toEqual({ versions: [] });
  });
});
