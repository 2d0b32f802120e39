import { expect, test } from '@jest/globals';

import { at, type JsonObject } from '../../../src/base/json.ts';
import { keyOf, refOf, type KubernetesObject } from '../../../src/kubernetes/object.ts';
import { configOf, copyConfig, deriveCandidate, useCopies } from '../../../src/strategies/candidate.ts';
import { manifestOf } from '../release/build.ts';

function deployment(podSpec: JsonObject): KubernetesObject {
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'web', namespace: 'shop', labels: { team: 'a' } },
    spec: {
      replicas: 3,
      selector: { matchLabels: { app: 'web' } },
      template: { metadata: { labels: { app: 'web', tier: 'front' } }, spec: podSpec },
    },
  };
}

/** Every place where a pod template names a ConfigMap or a Secret. */
const everywhere: JsonObject = {
  volumes: [
    { name: 'a', configMap: { name: 'config' } },
    { name: 'b', secret: { secretName: 'secret' } },
    { name: 'c', projected: { sources: [{ configMap: { name: 'config' } }, { secret: { name: 'secret' } }] } },
    { name: 'd', emptyDir: {} },
  ],
  initContainers: [{ name: 'init', envFrom: [{ configMapRef: { name: 'config' } }] }],
  containers: [
    {
      name: 'web',
      envFrom: [{ secretRef: { name: 'secret' } }, { configMapRef: { name: 'other' } }],
      env: [
        { name: 'A', valueFrom: { configMapKeyRef: { name: 'config', key: 'a' } } },
        { name: 'B', valueFrom: { secretKeyRef: { name: 'secret', key: 'b' } } },
        { name: 'C', value: 'config' },
      ],
    },
  ],
};

test('a candidate has the labels that Services look for, and a selector that no other workload has', () => {
  const stable = manifestOf(deployment({ containers: [] }));
  const { object } = deriveCandidate(stable, 'canary', 1);
  expect(object.metadata).toMatchObject({ name: 'web-canary', namespace: 'shop' });
  expect(at(object, 'spec', 'replicas')).toBe(1);
  expect(at(object, 'spec', 'selector', 'matchLabels')).toEqual({
    'gke-rollout/workload': 'web',
    'gke-rollout/track': 'canary',
  });
  expect(at(object, 'spec', 'template', 'metadata', 'labels')).toEqual({
    app: 'web',
    tier: 'front',
    'gke-rollout/workload': 'web',
    'gke-rollout/track': 'canary',
  });
  expect(at(stable.object, 'spec', 'template', 'metadata', 'labels')).toEqual({ app: 'web', tier: 'front' });
});

test('every place where a template names config is seen, and led to the copy', () => {
  const object = deployment(structuredClone(everywhere));
  const names = (kind: string, name: string) => keyOf({ apiVersion: 'v1', kind, namespace: 'shop', name });
  expect([...configOf(object)].sort()).toEqual(
    [names('ConfigMap', 'config'), names('ConfigMap', 'other'), names('Secret', 'secret')].sort(),
  );
  useCopies(object, new Set([names('ConfigMap', 'config'), names('Secret', 'secret')]), 'green');
  const text = JSON.stringify(object);
  expect(text.match(/"config-green"/g)).toHaveLength(4);
  expect(text.match(/"secret-green"/g)).toHaveLength(4);
  expect(text).toContain('"name":"other"');
  expect(text).toContain('"value":"config"');
});

test('a copy of config is another object with the same content', () => {
  const config = manifestOf({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'config' }, data: { a: '1' } });
  const { object } = copyConfig(config, 'canary');
  expect(refOf(object).name).toBe('config-canary');
  expect(object['data']).toEqual({ a: '1' });
  expect(config.object.metadata.name).toBe('config');
});
