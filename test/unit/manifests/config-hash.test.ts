import { describe, expect, test } from '@jest/globals';

import type { JsonObject } from '../../../src/base/json.ts';
import type { KubernetesObject } from '../../../src/kubernetes/object.ts';
import {
  compareHashes,
  hashAnnotation,
  hashIn,
  newHashKey,
  nextRound,
  withConfigHashes,
} from '../../../src/manifests/config-hash.ts';
import { configReferences } from '../../../src/manifests/config-references.ts';
import { manifestOf, objectOf } from '../release/build.ts';

const key = newHashKey();

function workload(pod: JsonObject, kind = 'Deployment'): KubernetesObject {
  return objectOf('apps/v1', kind, { spec: { template: { spec: { containers: [], ...pod } } } }, { name: 'web' });
}

function config(data: Record<string, string>, name = 'settings'): KubernetesObject {
  return objectOf('v1', 'ConfigMap', { data }, { name });
}

function secret(body: JsonObject): KubernetesObject {
  return objectOf('v1', 'Secret', body, { name: 'login' });
}

/** The hash in the template of the first of these objects. */
function hashOf(first: KubernetesObject, ...others: KubernetesObject[]): string | undefined {
  return hashIn(
    withConfigHashes(
      [first, ...others].map((object) => manifestOf(object)),
      key,
    )[0]?.object,
  );
}

const reading = (source: JsonObject): JsonObject => ({ containers: [{ name: 'web', envFrom: [source] }] });
const fromMap = reading({ configMapRef: { name: 'settings' } });
const fromSecret = reading({ secretRef: { name: 'login' } });

describe('the hash of what pods read at their start', () => {
  test.each<[string, JsonObject]>([
    [
      'a variable',
      { containers: [{ env: [{ name: 'A', valueFrom: { configMapKeyRef: { name: 'settings', key: 'a' } } }] }] },
    ],
    ['all as variables', fromMap],
    ['a volume', { volumes: [{ configMap: { name: 'settings' } }] }],
    ['picked items of a volume', { volumes: [{ configMap: { name: 'settings', items: [{ key: 'a', path: 'x' }] } }] }],
    ['a projected volume', { volumes: [{ projected: { sources: [{ configMap: { name: 'settings' } }] } }] }],
    ['an init container', { initContainers: [{ envFrom: [{ configMapRef: { name: 'settings' } }] }] }],
    ['a sidecar', { initContainers: [{ restartPolicy: 'Always', envFrom: [{ configMapRef: { name: 'settings' } }] }] }],
    ['an optional reference', reading({ configMapRef: { name: 'settings', optional: true } })],
  ])('changes with the content, read by %s', (_, pod) => {
    const before = hashOf(workload(pod), config({ a: '1' }));
    expect(before).toMatch(/^[0-9a-f]{8}\.[0-9a-f]{32}$/);
    expect(hashOf(workload(pod), config({ a: '1' }))).toBe(before);
    expect(hashOf(workload(pod), config({ a: '2' }))).not.toBe(before);
  });

  test.each<[string, JsonObject]>([
    [
      'a variable',
      { containers: [{ env: [{ name: 'A', valueFrom: { secretKeyRef: { name: 'login', key: 'a' } } }] }] },
    ],
    ['all as variables', fromSecret],
    ['a volume', { volumes: [{ secret: { secretName: 'login' } }] }],
    ['a projected volume', { volumes: [{ projected: { sources: [{ secret: { name: 'login' } }] } }] }],
  ])('changes with a Secret, read by %s', (_, pod) => {
    expect(hashOf(workload(pod), secret({ stringData: { a: '1' } }))).not.toBe(
      hashOf(workload(pod), secret({ stringData: { a: '2' } })),
    );
  });

  test('does not change with entries that are not read, nor with their order', () => {
    const one = workload({
      containers: [{ env: [{ name: 'A', valueFrom: { configMapKeyRef: { name: 'settings', key: 'a' } } }] }],
    });
    expect(hashOf(one, config({ a: '1', b: '1' }))).toBe(hashOf(one, config({ b: '2', a: '1' })));
    expect(hashOf(workload(fromMap), config({ a: '1', b: '2' }))).toBe(
      hashOf(workload(fromMap), config({ b: '2', a: '1' })),
    );
  });

  test('is the same for a Secret in plain text and in base64, and text wins', () => {
    const pod = workload(fromSecret);
    const plain = hashOf(pod, secret({ stringData: { a: 'word' } }));
    expect(hashOf(pod, secret({ data: { a: 'd29yZA==' } }))).toBe(plain);
    expect(hashOf(pod, secret({ data: { a: 'eA==' }, stringData: { a: 'word' } }))).toBe(plain);
  });

  test('tells an entry of a variable that is missing from an empty one', () => {
    const variable = { configMapKeyRef: { name: 'settings', key: 'a', optional: true } };
    const pod = workload({ containers: [{ env: [{ name: 'A', valueFrom: variable }] }] });
    expect(hashOf(pod, config({}))).not.toBe(hashOf(pod, config({ a: '' })));
  });

  test('cannot be found out without the key of the release', () => {
    const objects = [workload(fromSecret), secret({ stringData: { pin: '1234' } })].map((object) => manifestOf(object));
    const [one, other] = [newHashKey(), newHashKey()].map((own) => hashIn(withConfigHashes(objects, own)[0]?.object));
    expect(one).not.toBe(other);
    expect(compareHashes(one, other ?? '')).toBe('incomparable');
  });

  test.each<[string, KubernetesObject, KubernetesObject]>([
    ['config that the release does not deploy', workload(fromMap), config({ a: '1' }, 'other')],
    [
      'config of another namespace',
      workload(fromMap),
      { ...config({}), metadata: { name: 'settings', namespace: 'x' } },
    ],
    ['a Secret that pulls images', workload({ imagePullSecrets: [{ name: 'login' }] }), secret({ data: {} })],
    ['a ReplicaSet, whose pods stay', workload(fromMap, 'ReplicaSet'), config({ a: '1' })],
    [
      'a Job, whose template cannot change',
      { ...workload(fromMap, 'Job'), apiVersion: 'batch/v1' },
      config({ a: '1' }),
    ],
  ])('is not there for %s', (_, first, other) => {
    expect(hashOf(first, other)).toBeUndefined();
  });

  test('is taken out of a manifest that was exported from a cluster', () => {
    const exported = workload({});
    const metadata = { annotations: { [hashAnnotation]: 'stale' } };
    exported['spec'] = { template: { metadata, spec: { containers: [] } } };
    const [made] = withConfigHashes([manifestOf(exported)], key);
    expect(made?.object['spec']).toEqual({ template: { spec: { containers: [] } } });
    expect(hashIn(exported)).toBe('stale');
  });

  test('can be made another one for the same content', () => {
    const wanted = hashOf(workload(fromMap), config({ a: '1' })) ?? '';
    const twice = nextRound(nextRound(wanted));
    expect(twice).toBe(`${wanted}.2`);
    expect(compareHashes(twice, wanted)).toBe('same');
  });
});

test('an opt-out that cannot be read is an error at its place', () => {
  const object = workload(fromMap);
  object.metadata.annotations = { 'gke-rollout/restart-on-config': 'no' };
  expect(() => withConfigHashes([manifestOf(object)], key)).toThrow(
    'Deployment "web" has the annotation "gke-rollout/restart-on-config" with the value "no"',
  );
});

test('what a CronJob and a Pod read is seen too', () => {
  const spec = { containers: [{ envFrom: [{ configMapRef: { name: 'settings' } }] }] };
  const cronJob = objectOf('batch/v1', 'CronJob', { spec: { jobTemplate: { spec: { template: { spec } } } } });
  for (const object of [cronJob, objectOf('v1', 'Pod', { spec })]) {
    expect(configReferences(object)).toMatchObject([{ kind: 'ConfigMap', name: 'settings' }]);
  }
});
