import { describe, expect, test } from '@jest/globals';

import type { Json } from '../../../src/base/json.ts';
import { keepWhatIsMeant, leftOutOf } from '../../../src/manifests/as-meant.ts';
import { manifest } from './build.ts';

/** What is kept of an object, and what is said to be left out. */
function kept(object: Record<string, Json>): { object: Record<string, Json | undefined>; dropped: string[] } {
  const made = manifest(object);
  const dropped = keepWhatIsMeant(made.object);
  const rest = Object.entries(made.object).filter(([key]) => key !== 'apiVersion' && key !== 'kind');
  return { object: Object.fromEntries(rest), dropped };
}

const base64 = (text: string) => Buffer.from(text).toString('base64');

describe('stringData becomes data (kubernetes/kubernetes#108008)', () => {
  test('in place of a key of the same name, as the server has it', () => {
    const { object } = kept({ kind: 'Secret', data: { a: 'MQ==', b: 'Mg==' }, stringData: { b: 'drei ü', c: '' } });
    expect(object).toEqual({ metadata: { name: 'test' }, data: { a: 'MQ==', b: base64('drei ü'), c: '' } });
  });

  test('an empty one leaves nothing, and other kinds keep theirs', () => {
    expect(kept({ kind: 'Secret', stringData: {} }).object).toEqual({ metadata: { name: 'test' } });
    const other = { apiVersion: 'example.test/v1', kind: 'Secret', stringData: { a: 'b' } };
    expect(kept(other).object).toHaveProperty('stringData');
  });
});

describe('what the server writes is left out (openshift/origin#19905)', () => {
  const metadata = {
    name: 'web',
    uid: 'u',
    resourceVersion: '7',
    creationTimestamp: '2026-01-01T00:00:00Z',
    generation: 2,
    managedFields: [{ manager: 'x' }],
    labels: { app: 'web' },
    annotations: { 'kubectl.kubernetes.io/last-applied-configuration': '{}', 'deployment.kubernetes.io/revision': '3' },
  };

  test('of the metadata and the status', () => {
    const { object, dropped } = kept({
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata,
      spec: {},
      status: { replicas: 1 },
    });
    expect(object).toEqual({ metadata: { name: 'web', labels: { app: 'web' } }, spec: {} });
    expect(dropped).toEqual(expect.arrayContaining(['metadata.uid', 'metadata.resourceVersion', 'status']));
  });

  test('without a word where it says nothing, as "kubectl create --dry-run" prints it', () => {
    const printed = {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name: 'web', creationTimestamp: null },
      status: {},
    };
    expect(kept(printed)).toEqual({ object: { metadata: { name: 'web' } }, dropped: [] });
  });

  test('but the status of a custom resource may be an ordinary field', () => {
    expect(kept({ apiVersion: 'example.test/v1', kind: 'Thing', status: { a: 1 } }).object).toHaveProperty('status');
  });

  test('and what belonged to one very Job or token', () => {
    const labels = { 'batch.kubernetes.io/controller-uid': 'u', 'controller-uid': 'u', app: 'migrate' };
    const spec = {
      selector: { matchLabels: { 'batch.kubernetes.io/controller-uid': 'u' } },
      template: { metadata: { labels } },
    };
    expect(kept({ apiVersion: 'batch/v1', kind: 'Job', spec }).object['spec']).toEqual({
      template: { metadata: { labels: { app: 'migrate' } } },
    });
    const annotations = { 'kubernetes.io/service-account.name': 'robot', 'kubernetes.io/service-account.uid': 'u' };
    const token = { kind: 'Secret', metadata: { name: 't', annotations }, type: 'kubernetes.io/service-account-token' };
    expect(kept({ ...token, data: { token: 'eA==', 'ca.crt': 'eA==', namespace: 'eA==' } }).object).toEqual({
      metadata: { name: 't', annotations: { 'kubernetes.io/service-account.name': 'robot' } },
      type: 'kubernetes.io/service-account-token',
    });
  });

  test('the user is told once, with the place of the first', () => {
    const objects = ['a', 'b', 'c'].map((name) => manifest({ kind: 'ConfigMap', metadata: { ...metadata, name } }));
    const [text, ...others] = leftOutOf([...objects, manifest({ kind: 'ConfigMap', metadata: { name: 'd' } })]);
    expect(others).toEqual([]);
    expect(text).toMatch(/^ConfigMap "a" \(test\.yaml:1\) and 2 more looks like an export/);
    expect(leftOutOf(objects)).toEqual([]);
  });
});

describe("what is a controller's to fill in is left to it", () => {
  test.each<[string, Record<string, Json>, Record<string, Json>]>([
    [
      'rules of an aggregated ClusterRole (carvel-dev/kapp#227)',
      { apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'ClusterRole', aggregationRule: {}, rules: [] },
      { aggregationRule: {} },
    ],
    [
      'but not those of another one',
      { apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'ClusterRole', rules: [] },
      { rules: [] },
    ],
    [
      'an empty caBundle of a webhook',
      {
        apiVersion: 'admissionregistration.k8s.io/v1',
        kind: 'MutatingWebhookConfiguration',
        webhooks: [
          { name: 'a', clientConfig: { url: 'u', caBundle: 'Cg==' } },
          { name: 'b', clientConfig: { caBundle: 'eA==' } },
        ],
      },
      {
        webhooks: [
          { name: 'a', clientConfig: { url: 'u' } },
          { name: 'b', clientConfig: { caBundle: 'eA==' } },
        ],
      },
    ],
    [
      'any caBundle of an APIService that cert-manager fills in',
      {
        apiVersion: 'apiregistration.k8s.io/v1',
        kind: 'APIService',
        metadata: { name: 'test', annotations: { 'cert-manager.io/inject-ca-from': 'a/b' } },
        spec: { caBundle: 'eA==', group: 'x' },
      },
      { spec: { group: 'x' } },
    ],
    [
      'empty addresses and ports of a Service',
      {
        kind: 'Service',
        spec: {
          clusterIP: '',
          ports: [
            { port: 80, nodePort: 0 },
            { port: 81, nodePort: 30001 },
          ],
        },
      },
      { spec: { ports: [{ port: 80 }, { port: 81, nodePort: 30001 }] } },
    ],
    [
      'not the address that one asks for',
      { kind: 'Service', spec: { clusterIP: 'None' } },
      { spec: { clusterIP: 'None' } },
    ],
  ])('%s', (_, object, wanted) => {
    const { metadata, ...rest } = kept(object).object;
    expect(metadata).toHaveProperty('name', 'test');
    expect(rest).toEqual(wanted);
  });
});
