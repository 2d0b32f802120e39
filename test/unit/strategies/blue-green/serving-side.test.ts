import { beforeEach, describe, expect, test } from '@jest/globals';

import { setAt } from '../../../../src/base/json.ts';
import type { KubernetesObject } from '../../../../src/kubernetes/object.ts';
import { stateOf } from '../../../../src/strategies/blue-green/state.ts';
import { FakeApi } from '../../../support/fake-api.ts';
import { manifestOf } from '../../release/build.ts';
import { deployment, service } from '../plan-lines.ts';
import { contextOf, planned } from './planned.ts';

const track = (side: string) => ({ 'gke-rollout/track': side });
const apart = { app: 'web-green', 'as.gke-rollout/app': 'web', ...track('green') };

let api: FakeApi;

beforeEach(() => {
  api = new FakeApi();
});

function side(name: string, replicas: number, ready: number, labels: Record<string, string>): KubernetesObject {
  return { ...deployment(name, replicas, labels), status: { readyReplicas: ready } };
}

const blue = (replicas: number, ready = replicas, labels: Record<string, string> = track('blue')) =>
  side('web', replicas, ready, labels);
const green = (replicas: number, ready = replicas, labels: Record<string, string> = track('green')) =>
  side('web-green', replicas, ready, labels);

/** Another version than what serves. */
function next(): KubernetesObject {
  const object = deployment('web', 3);
  setAt(object, ['spec', 'template', 'spec', 'terminationGracePeriodSeconds'], 60);
  return object;
}

describe('the side that serves, where no Service says so', () => {
  const original = service('web');

  test.each<[string, KubernetesObject[], string]>([
    ['has pods, and the other one none', [blue(0), green(3), original], 'green'],
    ['has pods where the Service is gone', [blue(0), green(3)], 'green'],
    ['is blue as long as green has none', [blue(3), green(0), original], 'blue'],
    ['is blue where neither has pods', [blue(0), green(0), original], 'blue'],
    ['is blue where both are ready', [blue(3), green(3), original], 'blue'],
    ['has the ready pods where both run', [blue(3, 0), green(3), original], 'green'],
    ['is the one whose pods the Service selects', [blue(3, 0, {}), green(3, 3, apart), original], 'blue'],
    [
      'is blue where the Service goes by the hash of its pods',
      [blue(3, 0, {}), green(3), service('web', { app: 'web', 'pod-template-hash': 'x' })],
      'blue',
    ],
    [
      'is what the label says where there is one',
      [blue(3), green(0), service('web', { app: 'web', ...track('green') })],
      'green',
    ],
    [
      'is what the label of one of two Services says',
      [blue(3), green(3), original, service('admin', { app: 'web', ...track('green') })],
      'green',
    ],
  ])('%s', async (_, live, expected) => {
    for (const object of live) api.put(object);
    const manifests = [deployment('web', 3), original].map((object) => manifestOf(object));
    const { groups } = await stateOf(contextOf(api), { manifests, ownSides: false });
    expect(groups.map(({ serving }) => serving)).toEqual([expected]);
  });
});

describe('a deploy while green serves, after somebody has applied the original Service', () => {
  test('brings up blue beside it, and binds the Service to green first', async () => {
    for (const object of [blue(0), green(3), service('web')]) api.put(object);
    const { before, all } = await planned(api, [next(), service('web')]);
    expect(before).toEqual([
      'set web.selector=app:web,track:green',
      'apply web×3 Service/web-preview',
      'verify preview',
    ]);
    expect((await all())[3]).toBe('check web ready');
  });

  test('does the same without a Service, and none is bound to blue before its pods are checked', async () => {
    for (const object of [blue(0), green(3)]) api.put(object);
    const { before } = await planned(api, [next(), service('web')]);
    expect(before.filter((line) => line.includes('apply web×3'))).toHaveLength(1);
    expect(before.join('\n')).not.toContain('track:blue');
  });
});
