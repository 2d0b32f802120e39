import { expect, test } from '@jest/globals';

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
