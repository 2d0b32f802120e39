import { describe, expect, test } from '@jest/globals';

import type { JsonObject } from '../../../src/base/json.ts';
import type { KubernetesObject, ManagedFieldsEntry } from '../../../src/kubernetes/object.ts';
import { foreignChange } from '../../../src/apply/foreign-change.ts';

const owned = {
  'f:spec': {
    'f:replicas': {},
    'f:template': {
      'f:spec': {
        'f:containers': {
          'k:{"name":"web"}': {
            '.': {},
            'f:name': {},
            'f:image': {},
            'f:env': { 'k:{"name":"A"}': { '.': {}, 'f:name': {}, 'f:value': {} } },
          },
        },
      },
    },
  },
};

const ours: ManagedFieldsEntry = {
  manager: 'gke-rollout',
  operation: 'Apply',
  apiVersion: 'apps/v1',
  time: '2026-11-25T10:00:00Z',
  fieldsV1: owned,
};

function by(manager: string, subresource?: string): ManagedFieldsEntry {
  return {
    manager,
    operation: 'Update',
    apiVersion: 'apps/v1',
    time: '2026-11-25T10:00:07Z',
    fieldsV1: {},
    ...(subresource === undefined ? {} : { subresource }),
  };
}

interface Look {
  generation?: number;
  image?: string;
  env?: JsonObject[];
  replicas?: number;
  more?: JsonObject;
  managers?: ManagedFieldsEntry[];
}

function web({
  generation = 2,
  image = 'web:2',
  env,
  replicas = 2,
  more = {},
  managers = [ours],
}: Look = {}): KubernetesObject {
  const container = { name: 'web', image, env: env ?? [{ name: 'A', value: '1' }] };
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'web', namespace: 'shop', generation, managedFields: managers },
    spec: { replicas, template: { spec: { containers: [container], ...more } } },
  };
}

describe('what somebody else has changed since our write', () => {
  test.each<[string, KubernetesObject]>([
    ['nothing', web()],
    ['a status', { ...web(), status: { replicas: 2 } }],
    [
      'what we do not own, such as a restart or a sidecar',
      web({ generation: 3, more: { tolerations: [{ key: 'a' }] } }),
    ],
    [
      'a variable beside ours',
      web({
        generation: 3,
        env: [
          { name: 'A', value: '1' },
          { name: 'B', value: '2' },
        ],
      }),
    ],
    ['a pause', { ...web({ generation: 3 }), spec: { ...(web()['spec'] as JsonObject), paused: true } }],
    [
      'what we have written ourselves since',
      web({ generation: 3, image: 'web:3', managers: [{ ...ours, time: '2026-11-25T10:00:05Z' }] }),
    ],
  ])('is none: %s', (_, now) => {
    expect(foreignChange(web(), now)).toBeUndefined();
  });

  test.each<[string, KubernetesObject, string]>([
    [
      'kubectl set image and rollout undo',
      web({ generation: 3, image: 'web:1', managers: [ours, by('kubectl-set')] }),
      'somebody else ("kubectl-set", 2026-11-25T10:00:07Z) changed spec.template.spec.containers[web].image',
    ],
    [
      'kubectl set env',
      web({ generation: 3, env: [{ name: 'A', value: '9' }], managers: [ours, by('kubectl-set')] }),
      'changed spec.template.spec.containers[web].env[A].value',
    ],
    [
      'a variable that was removed',
      web({ generation: 3, env: [] }),
      'somebody else changed spec.template.spec.containers[web].env[A]',
    ],
    [
      'all pods taken away',
      web({ generation: 3, replicas: 0, managers: [ours, by('kubectl', 'scale')] }),
      'somebody else ("kubectl", 2026-11-25T10:00:07Z) scaled it to 0',
    ],
  ])('is another version: %s', (_, now, message) => {
    const change = foreignChange(web(), now);
    expect(change?.isOther).toBe(true);
    expect(change?.message).toContain(message);
  });

  test('is told and accepted when only the number of pods is another one, or an autoscaler has none', () => {
    const more = foreignChange(web(), web({ generation: 3, replicas: 5, managers: [ours, by('kubectl', 'scale')] }));
    expect(more?.isOther).toBe(false);
    expect(more?.message).toContain('scaled it to 5');
    const none = foreignChange(
      web(),
      web({ generation: 3, replicas: 0, managers: [ours, by('keda-operator', 'scale')] }),
    );
    expect(none).toMatchObject({ isOther: false });
  });

  test('is not told of a number of pods that an autoscaler sets and no manifest has', () => {
    const unscaled = { ...ours, fieldsV1: { 'f:spec': { 'f:template': owned['f:spec']['f:template'] } } };
    const now = web({ generation: 3, replicas: 4, managers: [unscaled, by('kube-controller-manager', 'scale')] });
    expect(foreignChange(web({ managers: [unscaled] }), now)).toBeUndefined();
  });

  test('counts for Services and config, which have no generation, by their content', () => {
    const entry = { ...ours, apiVersion: 'v1', fieldsV1: { 'f:data': { 'f:a': {} } } };
    const config = (a: string, resourceVersion: string): KubernetesObject => ({
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: 'settings', resourceVersion, managedFields: [entry] },
      data: { a },
    });
    expect(foreignChange(config('1', '7'), config('1', '8'))).toBeUndefined();
    expect(foreignChange(config('1', '7'), config('2', '8'))?.message).toContain('changed data.a');
  });

  test('leaves other kinds to their own controllers', () => {
    const entry = { ...ours, apiVersion: 'serving.knative.dev/v1', fieldsV1: { 'f:spec': { 'f:a': {} } } };
    const custom = (a: number, generation: number): KubernetesObject => ({
      apiVersion: 'serving.knative.dev/v1',
      kind: 'Service',
      metadata: { name: 'web', generation, managedFields: [entry] },
      spec: { a },
    });
    expect(foreignChange(custom(1, 1), custom(2, 2))).toBeUndefined();
  });
});
