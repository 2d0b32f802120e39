import { describe, expect, test } from '@jest/globals';

import { at } from '../../../src/base/json.ts';
import type { KubernetesObject } from '../../../src/kubernetes/object.ts';
import { formOf, groupsOf, pinnedTo, unpinned } from '../../../src/strategies/sides.ts';
import { manifestOf } from '../release/build.ts';

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
  const bound = pinnedTo(manifestOf(service('web', { app: 'web', 'pod-template-hash': 'x' })), {
    'gke-rollout/track': 'blue',
  });
  expect(at(bound.object, 'spec', 'selector')).toEqual({ app: 'web', 'gke-rollout/track': 'blue' });
  expect(unpinned({ app: 'web', 'pod-template-hash': 'x', 'gke-rollout/track': 'blue' })).toEqual({ app: 'web' });
});
