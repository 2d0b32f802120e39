import { expect, test } from '@jest/globals';

import type { JsonObject } from '../../../src/base/json.ts';
import type { Manifest } from '../../../src/manifests/manifest.ts';
import { applyLayers } from '../../../src/manifests/order.ts';
import { manifest } from './build.ts';

const template = { spec: { containers: [{ name: 'a', image: 'nginx' }] } };

const layers: [string, string][][] = [
  [
    ['v1', 'Namespace'],
    ['apiextensions.k8s.io/v1', 'CustomResourceDefinition'],
  ],
  [
    ['scheduling.k8s.io/v1', 'PriorityClass'],
    ['v1', 'ResourceQuota'],
    ['v1', 'ServiceAccount'],
    ['rbac.authorization.k8s.io/v1', 'RoleBinding'],
    ['v1', 'ConfigMap'],
    ['v1', 'Secret'],
    ['v1', 'PersistentVolumeClaim'],
    ['v1', 'Service'],
    ['external-secrets.io/v1', 'ExternalSecret'],
    ['cloud.google.com/v1', 'BackendConfig'],
    ['example.test/v1', 'Namespace'],
  ],
  [
    ['apps/v1', 'Deployment'],
    ['apps/v1', 'StatefulSet'],
    ['apps/v1', 'DaemonSet'],
    ['batch/v1', 'Job'],
    ['batch/v1', 'CronJob'],
    ['v1', 'Pod'],
    ['argoproj.io/v1alpha1', 'Rollout'],
    ['serving.knative.dev/v1', 'Service'],
  ],
  [
    ['autoscaling/v2', 'HorizontalPodAutoscaler'],
    ['policy/v1', 'PodDisruptionBudget'],
    ['networking.k8s.io/v1', 'Ingress'],
    ['gateway.networking.k8s.io/v1', 'HTTPRoute'],
    ['keda.sh/v1alpha1', 'ScaledObject'],
  ],
  [
    ['admissionregistration.k8s.io/v1', 'ValidatingWebhookConfiguration'],
    ['apiregistration.k8s.io/v1', 'APIService'],
  ],
];

const runsPods = new Set(['Rollout', 'serving.knative.dev/v1']);

const toManifest = ([apiVersion, kind]: [string, string]) =>
  manifest({ apiVersion, kind, spec: runsPods.has(kind) || runsPods.has(apiVersion) ? { template } : {} });

test('objects come after those that they need, whatever the order of the files', () => {
  const backwards = layers.flat().toReversed().map(toManifest);
  const found = applyLayers(backwards).map((layer) => layer.map(({ object }) => [object.apiVersion, object.kind]));
  expect(found).toStrictEqual(layers.map((layer) => layer.toReversed()));
});

test('layers without objects are left out', () => {
  const [, , workloads = []] = layers;
  expect(applyLayers(workloads.map(toManifest))).toHaveLength(1);
  expect(applyLayers([])).toStrictEqual([]);
});

const group = 'rbac.authorization.k8s.io';
const named = (kind: string, name: string, body: JsonObject = {}, apiVersion = 'v1') => {
  const { metadata = {}, ...rest } = body as { metadata?: JsonObject };
  return manifest({ apiVersion, kind, metadata: { name, namespace: 'shop', ...metadata }, ...(rest as JsonObject) });
};
const token = (of: string) =>
  named('Secret', 'token', {
    metadata: { annotations: { 'kubernetes.io/service-account.name': of } },
    type: 'kubernetes.io/service-account-token',
  });
const wavesOf = (...manifests: Manifest[]) =>
  applyLayers(manifests).map((layer) => layer.map(({ object }) => `${object.kind}/${object.metadata.name}`));

test.each<[string, Manifest[], string[][]]>([
  [
    'a token after its account (carvel-dev/kapp#514)',
    [token('robot'), named('ServiceAccount', 'robot', { secrets: [{ name: 'token' }] })],
    [['ServiceAccount/robot'], ['Secret/token']],
  ],
  [
    'a binding after its role and its accounts',
    [
      named(
        'RoleBinding',
        'read',
        { roleRef: { kind: 'Role', name: 'read' }, subjects: [{ kind: 'ServiceAccount', name: 'robot' }] },
        `${group}/v1`,
      ),
      named('Role', 'read', { rules: [] }, `${group}/v1`),
      named('ServiceAccount', 'robot'),
    ],
    [['Role/read', 'ServiceAccount/robot'], ['RoleBinding/read']],
  ],
  [
    'a claim after the volume that is kept for it, and after its class',
    [
      named('PersistentVolumeClaim', 'data', { spec: { storageClassName: 'fast' } }),
      manifest({
        kind: 'PersistentVolume',
        metadata: { name: 'disk' },
        spec: { claimRef: { name: 'data', namespace: 'shop' } },
      }),
      manifest({ apiVersion: 'storage.k8s.io/v1', kind: 'StorageClass', metadata: { name: 'fast' } }),
    ],
    [['PersistentVolume/disk', 'StorageClass/fast'], ['PersistentVolumeClaim/data']],
  ],
  [
    'custom resources after the ones that they name',
    [
      named('ExternalSecret', 'login', { spec: { secretStoreRef: { name: 'vault' } } }, 'external-secrets.io/v1'),
      named(
        'SecretStore',
        'vault',
        { spec: { provider: { tokenSecretRef: { name: 'key' } } } },
        'external-secrets.io/v1',
      ),
      named('Secret', 'key'),
    ],
    [['SecretStore/vault', 'Secret/key'], ['ExternalSecret/login']],
  ],
  [
    'a certificate after its issuer, and queues after what they share',
    [
      named('Certificate', 'tls', { spec: { issuerRef: { name: 'ca' }, secretName: 'tls' } }, 'cert-manager.io/v1'),
      named('Issuer', 'ca', { spec: {} }, 'cert-manager.io/v1'),
      named('LocalQueue', 'team', { spec: { clusterQueue: 'gpus' } }, 'kueue.x-k8s.io/v1beta2'),
      manifest({
        apiVersion: 'kueue.x-k8s.io/v1beta2',
        kind: 'ClusterQueue',
        metadata: { name: 'gpus' },
        spec: { resourceGroups: [{ flavors: [{ name: 'h100' }] }] },
      }),
      manifest({ apiVersion: 'kueue.x-k8s.io/v1beta2', kind: 'ResourceFlavor', metadata: { name: 'h100' } }),
    ],
    [['Issuer/ca', 'ResourceFlavor/h100'], ['Certificate/tls', 'ClusterQueue/gpus'], ['LocalQueue/team']],
  ],
  [
    'a route after its gateway, and that after its class',
    [
      named(
        'HTTPRoute',
        'web',
        { spec: { parentRefs: [{ name: 'front', kind: 'Gateway' }] } },
        'gateway.networking.k8s.io/v1',
      ),
      named('Gateway', 'front', { spec: { gatewayClassName: 'wide' } }, 'gateway.networking.k8s.io/v1'),
      manifest({ apiVersion: 'gateway.networking.k8s.io/v1', kind: 'GatewayClass', metadata: { name: 'wide' } }),
    ],
    [['GatewayClass/wide'], ['Gateway/front'], ['HTTPRoute/web']],
  ],
  [
    'what needs each other together, and what needs one of them afterwards',
    [
      named('Third', 'c', { spec: { firstRef: { name: 'a' } } }, 'example.test/v1'),
      named('First', 'a', { spec: { secondRef: { name: 'b' } } }, 'example.test/v1'),
      named('Second', 'b', { spec: { firstRef: { name: 'a' } } }, 'example.test/v1'),
      named('Self', 'd', { spec: { selfRef: { name: 'd' } } }, 'example.test/v1'),
    ],
    [['Self/d'], ['First/a', 'Second/b'], ['Third/c']],
  ],
  [
    'an object of another namespace, and one that is not there, before nobody',
    [
      named('RoleBinding', 'read', { roleRef: { kind: 'Role', name: 'read' } }, `${group}/v1`),
      named('Role', 'read', { metadata: { namespace: 'other' } }, `${group}/v1`),
      token('nobody'),
      named('ConfigMap', 'texts', { data: { secretName: 'token' } }),
    ],
    [['RoleBinding/read', 'Role/read', 'Secret/token', 'ConfigMap/texts']],
  ],
])('within a layer comes %s', (_, manifests, waves) => {
  expect(wavesOf(...manifests)).toStrictEqual(waves);
});
