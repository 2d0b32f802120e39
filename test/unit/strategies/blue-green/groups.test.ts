import { describe, expect, test } from '@jest/globals';

import { at } from '../../../../src/base/json.ts';
import { keyOf, refOf, type KubernetesObject } from '../../../../src/kubernetes/object.ts';
import {
  boundTo,
  boundToBoth,
  formOf,
  groupsOf,
  refOn,
  sideOf,
  unpinned,
  type Group,
} from '../../../../src/strategies/blue-green/groups.ts';
import { manifestOf } from '../../release/build.ts';

function deployment(name: string, labels: Record<string, string> = { app: name }): KubernetesObject {
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name },
    spec: {
      selector: { matchLabels: labels },
      template: {
        metadata: { labels },
        spec: { containers: [{ name: 'web', envFrom: [{ configMapRef: { name: 'config' } }] }] },
      },
    },
  };
}

function service(name: string, selector: Record<string, string>): KubernetesObject {
  return { apiVersion: 'v1', kind: 'Service', metadata: { name }, spec: { selector } };
}

function names(groups: ReturnType<typeof groupsOf>): string[][] {
  return groups.map(({ workloads }) => workloads.map(({ object }) => object.metadata.name));
}

describe('groups', () => {
  test('hold what shares a Service; a Deployment without one is in none', () => {
    const manifests = [
      deployment('a', { app: 'a', part: 'shop' }),
      deployment('b', { app: 'b', part: 'shop' }),
      deployment('c'),
      deployment('worker'),
      service('shop', { part: 'shop' }),
      service('c', { app: 'c' }),
    ].map((object) => manifestOf(object));
    expect(names(groupsOf(manifests, []))).toEqual([['a', 'b'], ['c']]);
  });

  test('know Services of the cluster that no manifest has, and the side that serves', () => {
    const manifests = [manifestOf(deployment('web'))];
    const [group] = groupsOf(manifests, [service('web', { app: 'web', 'gke-rollout/track': 'green' })]);
    expect(group?.serving).toBe('green');
    expect(group?.foreign).toHaveLength(1);
  });

  test('do not take the preview of a candidate that waits for a Service of theirs', () => {
    const preview = service('web-preview', { app: 'web', 'gke-rollout/track': 'green' });
    preview.metadata.labels = { 'gke-rollout/track': 'green' };
    const [group] = groupsOf(
      [manifestOf(deployment('web'))],
      [service('web', { app: 'web', 'gke-rollout/track': 'blue' }), preview],
    );
    expect(group?.serving).toBe('blue');
    expect(group?.foreign.map(({ metadata }) => metadata.name)).toEqual(['web']);
  });

  test('do not take a Service without a selector, or an ExternalName, for one of theirs', () => {
    const external = service('out', { app: 'web' });
    external['spec'] = { type: 'ExternalName', externalName: 'example.com', selector: { app: 'web' } };
    expect(groupsOf([manifestOf(deployment('web'))], [external, service('none', {})])).toEqual([]);
  });
});

describe('the form of a side', () => {
  const config = manifestOf({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'config' }, data: {} });
  const manifests = [manifestOf(deployment('web')), manifestOf(service('web', { app: 'web' })), config];
  const [group] = groupsOf(manifests, []);
  if (group === undefined) throw new Error('there is a group');

  test('green is a Deployment beside the own one, with copies of its config and Services bound to it', () => {
    const form = formOf(group, 'green', manifests, true);
    expect(form.workloads.map(({ object }) => object.metadata.name)).toEqual(['web-green']);
    expect(form.config.map(({ object }) => object.metadata.name)).toEqual(['config-green']);
    expect(JSON.stringify(form.workloads)).toContain('"config-green"');
    expect(at(form.services[0]?.object, 'spec', 'selector')).toEqual({ app: 'web', 'gke-rollout/track': 'green' });
  });

  test('blue is the own one; where it has no label of its side yet it stays as it is', () => {
    const bare = formOf(group, 'blue', manifests, false);
    expect(bare.workloads[0]?.object).toEqual(manifests[0]?.object);
    expect(bare.services[0]?.object).toEqual(manifests[1]?.object);
    const labelled = formOf(group, 'blue', manifests, true);
    expect(at(labelled.workloads[0]?.object, 'spec', 'template', 'metadata', 'labels')).toEqual({
      app: 'web',
      'gke-rollout/track': 'blue',
    });
  });
});

test('a Service is bound to one side at a time', () => {
  const [group] = groupsOf([manifestOf(deployment('web')), manifestOf(service('web', { app: 'web' }))], []);
  if (group === undefined) throw new Error('no group');
  const selector = { app: 'web', 'pod-template-hash': 'x' };
  expect(boundTo(group, 'blue', selector)).toEqual({ app: 'web', 'gke-rollout/track': 'blue' });
  expect(unpinned({ ...selector, 'gke-rollout/track': 'blue' })).toEqual({ app: 'web' });
  expect(sideOf(group, { app: 'web', 'gke-rollout/track': 'green' })).toBe('green');
  expect(sideOf(group, selector)).toBeUndefined();
});

describe("two sides of the user's own", () => {
  const blue = deployment('web-blue', { app: 'web', version: '1.0.0' });
  const green = deployment('web-green', { app: 'web', version: '2.0.0' });
  const live = (...objects: KubernetesObject[]) => new Map(objects.map((object) => [keyOf(refOf(object)), object]));

  function groupOf(selector: Record<string, string>, running = [blue], isLive = true): Group {
    const given = service('web', selector);
    const manifests = [manifestOf(green), manifestOf(given)];
    const [group] = groupsOf(manifests, isLive ? [given] : [], live(...running));
    if (group === undefined) throw new Error('no group');
    return group;
  }

  test('are told apart by the labels in which they differ', () => {
    const group = groupOf({ app: 'web', version: '1.0.0' });
    expect(group.serving).toBe('blue');
    expect(group.own?.labels).toEqual({ blue: { version: '1.0.0' }, green: { version: '2.0.0' } });
    expect(boundTo(group, 'green', { app: 'web', version: '1.0.0' })).toEqual({ app: 'web', version: '2.0.0' });
    expect(boundTo(group, 'green', { app: 'web' })).toEqual({ app: 'web', version: '2.0.0' });
    expect(boundToBoth(group, { app: 'web', version: '1.0.0' })).toEqual({ app: 'web' });
    expect(boundToBoth(group, { version: '1.0.0' })).toBeUndefined();
    expect(refOn(group, 'blue', green).name).toBe('web-blue');
  });

  test('do not take the Service of one side for theirs', () => {
    const own = service('web-blue', { app: 'web', version: '1.0.0' });
    const shared = service('web', { app: 'web', version: '1.0.0' });
    const [group] = groupsOf([manifestOf(green), manifestOf(shared)], [own, shared], live(blue));
    expect(group?.services).toHaveLength(1);
    expect(group?.foreign).toEqual([]);
  });

  test('need a label that tells them apart', () => {
    const same = deployment('web-blue', { app: 'web', version: '2.0.0' });
    expect(() => groupOf({ app: 'web' }, [same])).toThrow('have pods with the same labels');
  });

  test('of which both serve are refused', () => {
    const running = [blue, green].map((object) => ({
      ...object,
      spec: { ...(object['spec'] as object), replicas: 1 },
    }));
    expect(() => groupOf({ app: 'web' }, running)).toThrow('it is not clear which side');
    expect(() => groupOf({ app: 'web' }, running, false)).not.toThrow();
  });
});
