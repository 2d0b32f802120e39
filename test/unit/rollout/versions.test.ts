import { expect, test } from '@jest/globals';

import type { KubernetesObject } from '../../../src/kubernetes/object.ts';
import { unstable } from '../../../src/rollout/instability.ts';
import { describeVersions, versionsOf } from '../../../src/rollout/versions.ts';
import { live } from '../../support/rollout-objects.ts';

const now = Date.parse('2026-01-01T00:10:00Z');

function pod(
  name: string,
  owner: KubernetesObject,
  image: string,
  ready: boolean,
  more: object = {},
): KubernetesObject {
  const { apiVersion, kind, metadata } = owner;
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name,
      namespace: 'shop',
      uid: name,
      ownerReferences: [{ apiVersion, kind, name: metadata.name, uid: metadata.uid ?? '' }],
      ...more,
    },
    spec: { initContainers: [{ name: 'init', image: 'init:1' }], containers: [{ name: 'web', image }] },
    status: { phase: 'Running', conditions: [{ type: 'Ready', status: ready ? 'True' : 'False' }] },
  };
}

test('the versions that pods really run are counted, those of older ReplicaSets with them', () => {
  const deployment = live('Deployment');
  const set = (name: string): KubernetesObject => ({
    ...live('ReplicaSet', { metadata: { name, uid: name } }),
    metadata: {
      name,
      namespace: 'shop',
      uid: name,
      ownerReferences: [{ apiVersion: 'apps/v1', kind: 'Deployment', name: 'web', uid: deployment.metadata.uid ?? '' }],
    },
  });
  const [old, young] = [set('old'), set('young')];
  const pods = [
    pod('a', old, 'web:1', true),
    pod('b', old, 'web:1', true),
    pod('c', young, 'web:2', false),
    pod('d', young, 'web:2', true, { deletionTimestamp: '2026-01-01T00:00:00Z' }),
    pod('e', live('ReplicaSet', { metadata: { name: 'other', uid: 'other' } }), 'other:1', true),
  ];
  const versions = versionsOf(deployment, pods, [old, young]);
  expect(describeVersions(versions)).toBe('2 pods run web:1, 1 pod web:2 (not ready)');
  expect(describeVersions([])).toBe('no pods');
});

test('native sidecars run all the time, and their images are told behind those of the main containers', () => {
  const deployment = live('ReplicaSet');
  const meshed = pod('a', deployment, 'web:1', true);
  const initContainers = [
    { name: 'init', image: 'init:1' },
    { name: 'proxy', image: 'proxy:3', restartPolicy: 'Always' },
  ];
  meshed['spec'] = { ...(meshed['spec'] as object), initContainers };
  expect(describeVersions(versionsOf(deployment, [meshed], []))).toBe('1 pod runs web:1 + proxy:3');
});

test('a native sidecar with 8 restarts keeps crashing, whatever its pod shows beside it', () => {
  const meshed = pod('a', live('ReplicaSet'), 'web:1', true);
  const initContainers = [{ name: 'proxy', image: 'proxy:3', restartPolicy: 'Always' }];
  meshed['spec'] = { ...(meshed['spec'] as object), initContainers };
  const crashed = { terminated: { exitCode: 1, finishedAt: '2026-01-01T00:09:20Z' } };
  const initContainerStatuses = [{ name: 'proxy', restartCount: 8, state: { running: {} }, lastState: crashed }];
  meshed['status'] = { ...(meshed['status'] as object), initContainerStatuses };
  expect(unstable([meshed], now)?.message).toBe(
    'sidecar container "proxy" keeps crashing (exit code 1, 8 restarts, the last one 40s ago)',
  );
});

test.each([
  [2, 1, '2026-01-01T00:09:20Z', true],
  [1, 1, '2026-01-01T00:09:20Z', false],
  [2, 0, '2026-01-01T00:09:20Z', false],
  [9, 1, '2025-12-31T23:59:00Z', false],
])(
  'a container with %i restarts, exit code %i, the last at %s keeps crashing: %s',
  (restartCount, exitCode, finishedAt, told) => {
    const running = pod('a', live('ReplicaSet'), 'web:1', true);
    const status = {
      name: 'web',
      restartCount,
      state: { running: {} },
      lastState: { terminated: { exitCode, finishedAt } },
    };
    running['status'] = { ...(running['status'] as object), containerStatuses: [status] };
    expect(unstable([running], now) !== undefined).toBe(told);
  },
);
