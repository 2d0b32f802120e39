import { describe, expect, test } from '@jest/globals';

import {
  additionsCount,
  canBePaused,
  canRunTwice,
  decidesAnswers,
  definesKinds,
  directsTraffic,
  fieldsNaming,
  historyKeeper,
  isBuiltIn,
  isConfig,
  isDeployment,
  isLikeBuiltIn,
  isRoute,
  isScalable,
  isWorkload,
  keepsData,
  keepsItsPods,
  kindsToScale,
  kindsWithHistory,
  layerOf,
  pausableKinds,
  renewsPods,
  routeKinds,
  runsOnce,
  templatePlace,
} from '../../../src/manifests/kinds.ts';
import { rankOf } from '../../../src/manifests/order.ts';
import { manifest } from './build.ts';

interface Kind {
  apiVersion: string;
  kind: string;
}

const workloads = [
  'apps/v1 Deployment',
  'apps/v1 StatefulSet',
  'apps/v1 DaemonSet',
  'apps/v1 ReplicaSet',
  'v1 ReplicationController',
  'batch/v1 Job',
  'batch/v1 CronJob',
  'v1 Pod',
];

/** Kinds of others that run pods. */
const customWorkloads = [
  'leaderworkerset.x-k8s.io/v1 LeaderWorkerSet',
  'jobset.x-k8s.io/v1alpha2 JobSet',
  'ray.io/v1 RayCluster',
  'ray.io/v1 RayService',
  'ray.io/v1 RayJob',
  'serving.kserve.io/v1beta1 InferenceService',
  'serving.kserve.io/v1alpha2 LLMInferenceService',
  'serving.knative.dev/v1 Service',
  'serving.knative.dev/v1 Configuration',
  'argoproj.io/v1alpha1 Rollout',
  'keda.sh/v1alpha1 ScaledJob',
  'apps.nvidia.com/v1alpha1 NIMService',
];

const layers = {
  foundations: ['apiextensions.k8s.io/v1 CustomResourceDefinition', 'v1 Namespace'],
  surroundings: [
    'rbac.authorization.k8s.io/v1 ClusterRole',
    'rbac.authorization.k8s.io/v1 ClusterRoleBinding',
    'v1 ConfigMap',
    'resource.k8s.io/v1 DeviceClass',
    'networking.k8s.io/v1 IngressClass',
    'v1 LimitRange',
    'networking.k8s.io/v1 NetworkPolicy',
    'v1 PersistentVolume',
    'v1 PersistentVolumeClaim',
    'scheduling.k8s.io/v1 PriorityClass',
    'resource.k8s.io/v1 ResourceClaimTemplate',
    'v1 ResourceQuota',
    'rbac.authorization.k8s.io/v1 Role',
    'rbac.authorization.k8s.io/v1 RoleBinding',
    'node.k8s.io/v1 RuntimeClass',
    'v1 Secret',
    'v1 Service',
    'v1 ServiceAccount',
    'storage.k8s.io/v1 StorageClass',
    'keda.sh/v1alpha1 TriggerAuthentication',
    'keda.sh/v1alpha1 ClusterTriggerAuthentication',
  ],
  workloads: [...workloads, ...customWorkloads],
  observers: [
    'autoscaling/v2 HorizontalPodAutoscaler',
    'policy/v1 PodDisruptionBudget',
    'v1 PodTemplate',
    'v1 Event',
    'networking.k8s.io/v1 Ingress',
    'discovery.k8s.io/v1 EndpointSlice',
    'gateway.networking.k8s.io/v1 Gateway',
    'gateway.networking.k8s.io/v1 HTTPRoute',
    'gateway.networking.k8s.io/v1 GRPCRoute',
    'gateway.networking.k8s.io/v1 TLSRoute',
    'gateway.networking.k8s.io/v1alpha2 TCPRoute',
    'gateway.networking.k8s.io/v1alpha2 UDPRoute',
    'autoscaling.k8s.io/v1 VerticalPodAutoscaler',
    'autoscaling.gke.io/v1beta1 MultidimPodAutoscaler',
    'keda.sh/v1alpha1 ScaledObject',
    'networking.istio.io/v1 VirtualService',
    'networking.istio.io/v1 Gateway',
    'http.keda.sh/v1alpha1 HTTPScaledObject',
    'inference.networking.k8s.io/v1 InferencePool',
    'inference.networking.x-k8s.io/v1alpha2 InferenceModel',
    'monitoring.coreos.com/v1 ServiceMonitor',
    'monitoring.googleapis.com/v1 PodMonitoring',
    'serving.kserve.io/v1alpha1 InferenceGraph',
  ],
  gates: [
    'apiregistration.k8s.io/v1 APIService',
    'admissionregistration.k8s.io/v1 MutatingAdmissionPolicy',
    'admissionregistration.k8s.io/v1 MutatingAdmissionPolicyBinding',
    'admissionregistration.k8s.io/v1 MutatingWebhookConfiguration',
    'admissionregistration.k8s.io/v1 ValidatingAdmissionPolicy',
    'admissionregistration.k8s.io/v1 ValidatingAdmissionPolicyBinding',
    'admissionregistration.k8s.io/v1 ValidatingWebhookConfiguration',
  ],
} as const;

/** Kinds of others, of which some have names that Kubernetes uses too. */
const others = [
  'example.test/v1 Widget',
  'example.test/v1 constructor',
  'external-secrets.io/v1 ExternalSecret',
  'external-secrets.io/v1 SecretStore',
  'external-secrets.io/v1 ClusterSecretStore',
  'bitnami.com/v1alpha1 SealedSecret',
  'cert-manager.io/v1 Issuer',
  'cert-manager.io/v1 ClusterIssuer',
  'cert-manager.io/v1 Certificate',
  'apps.nvidia.com/v1alpha1 NIMCache',
  'serving.kserve.io/v1alpha1 LocalModelCache',
  'kueue.x-k8s.io/v1beta2 LocalQueue',
  'kueue.x-k8s.io/v1beta2 ClusterQueue',
  'kueue.x-k8s.io/v1beta2 ResourceFlavor',
  'policy.networking.k8s.io/v1alpha2 ClusterNetworkPolicy',
  'snapshot.storage.k8s.io/v1 VolumeSnapshot',
  'batch.volcano.sh/v1alpha1 Job',
  'apps.kruise.io/v1beta1 StatefulSet',
  'apps.kruise.io/v1alpha1 DaemonSet',
  'example.test/v1 Deployment',
  'example.test/v1 ConfigMap',
  'example.test/v1 Secret',
  'example.test/v1 Namespace',
  'example.test/v1 CronJob',
  'example.test/v1 PodTemplate',
  'example.test/v1 Pod',
  'example.test/v1 CustomResourceDefinition',
  'example.test/v1 ValidatingWebhookConfiguration',
  'example.test/v1 Ingress',
];

const all = [...Object.values(layers).flat(), ...others];

function kindAt(text: string): Kind {
  const [apiVersion = '', kind = ''] = text.split(' ');
  return { apiVersion, kind };
}

/** Those for which the query is true. */
function those(query: (kind: Kind) => boolean): string[] {
  return all.filter((text) => query(kindAt(text))).toSorted();
}

const named = (...names: string[]) => all.filter((text) => names.includes(kindAt(text).kind)).toSorted();

const ofOthers = [
  ...others,
  ...customWorkloads,
  ...[...layers.surroundings, ...layers.observers].filter((text) =>
    /^(?:[a-z]+\.keda\.sh|keda\.sh|autoscaling\.|gateway\.|inference\.|monitoring\.|networking\.istio|serving\.)/.test(
      text,
    ),
  ),
];

describe('of kinds of which it is known', () => {
  test.each<[string, (kind: Kind) => boolean, string[]]>([
    ['run pods', isWorkload, workloads],
    [
      'have a number of pods',
      isScalable,
      [
        'apps/v1 Deployment',
        'apps/v1 StatefulSet',
        'apps/v1 ReplicaSet',
        'v1 ReplicationController',
        'leaderworkerset.x-k8s.io/v1 LeaderWorkerSet',
        'serving.kserve.io/v1alpha2 LLMInferenceService',
        'argoproj.io/v1alpha1 Rollout',
        'apps.nvidia.com/v1alpha1 NIMService',
      ],
    ],
    [
      'have no pods that stay',
      (kind) => !keepsItsPods(kind),
      [
        'batch/v1 Job',
        'batch/v1 CronJob',
        'v1 PodTemplate',
        'jobset.x-k8s.io/v1alpha2 JobSet',
        'ray.io/v1 RayJob',
        'keda.sh/v1alpha1 ScaledJob',
      ],
    ],
    ['are Deployments', isDeployment, ['apps/v1 Deployment']],
    ['are config', isConfig, ['v1 ConfigMap', 'v1 Secret']],
    ['renew their pods', renewsPods, ['apps/v1 Deployment', 'apps/v1 StatefulSet', 'apps/v1 DaemonSet']],
    [
      'lead requests from outside to Services',
      isRoute,
      [
        'networking.k8s.io/v1 Ingress',
        'gateway.networking.k8s.io/v1 HTTPRoute',
        'gateway.networking.k8s.io/v1 GRPCRoute',
        'gateway.networking.k8s.io/v1 TLSRoute',
        'gateway.networking.k8s.io/v1alpha2 TCPRoute',
        'networking.istio.io/v1 VirtualService',
      ],
    ],
    ['decide what pods answer', decidesAnswers, [...workloads, 'v1 Service', 'v1 ConfigMap', 'v1 Secret']],
    ['are foreign', (kind) => !isBuiltIn(kind), ofOthers],
    [
      'are foreign, and made like these',
      (kind) => !isBuiltIn(kind) && isLikeBuiltIn(kind),
      ofOthers.filter((text) => /^[a-z.]+\.(?:x-)?k8s\.io\//.test(text)),
    ],
  ])('these %s', (_, query, expected) => {
    expect(those(query)).toStrictEqual(expected.toSorted());
  });
});

describe('of whatever group, by the name of the kind', () => {
  test.each<[string, (kind: Kind) => boolean, string[]]>([
    ['keep data', keepsData, ['Namespace', 'PersistentVolumeClaim', 'PersistentVolume', 'CustomResourceDefinition']],
    ['direct traffic', directsTraffic, ['Service', 'Ingress', 'HTTPRoute', 'GRPCRoute', 'Gateway', 'EndpointSlice']],
    ['cannot run twice', (kind) => !canRunTwice(kind), ['StatefulSet', 'DaemonSet']],
    ['run once', runsOnce, ['Job']],
    ['can be paused', canBePaused, ['Deployment']],
    ['define kinds', definesKinds, ['CustomResourceDefinition']],
    [
      'are changed by what others add',
      additionsCount,
      ['Deployment', 'StatefulSet', 'DaemonSet', 'CronJob', 'Job', 'ConfigMap', 'Secret', 'Service'],
    ],
    ['keep earlier versions', (kind) => historyKeeper(kind) !== undefined, ['Deployment', 'StatefulSet', 'DaemonSet']],
    ['have them in ReplicaSets', (kind) => historyKeeper(kind) === 'ReplicaSet', ['Deployment']],
  ])('these %s', (_, query, kinds) => {
    expect(those(query)).toStrictEqual(named(...kinds));
  });

  test('an object is named in these fields by others', () => {
    const fields = Object.fromEntries(
      all.flatMap((text): [string, readonly string[]][] => {
        const found = fieldsNaming(kindAt(text));
        return found.length === 0 ? [] : [[kindAt(text).kind, found]];
      }),
    );
    expect(fields).toStrictEqual({
      ConfigMap: ['configMap', 'configMapRef', 'configMapKeyRef'],
      Secret: ['secret', 'secretRef', 'secretKeyRef', 'imagePullSecrets', 'tls'],
      ServiceAccount: ['serviceAccountName', 'subjects'],
      Service: ['service', 'backendRefs', 'serviceName'],
      Role: ['roleRef'],
      ClusterRole: ['roleRef'],
    });
  });
});

describe('the layer in which a kind is applied', () => {
  test.each(
    Object.entries(layers).flatMap(([layer, texts], rank) => texts.map((text) => [text, layer, rank] as const)),
  )('of %s is "%s"', (text, layer, rank) => {
    expect(layerOf(kindAt(text))).toBe(layer);
    expect(rankOf(manifest({ ...kindAt(text) }).object)).toBe(rank);
  });

  test.each(others)('of %s depends on whether it has pods', (text) => {
    expect(layerOf(kindAt(text))).toBeUndefined();
    expect(rankOf(manifest({ ...kindAt(text) }).object)).toBe(1);
    const spec = { template: { spec: { containers: [{ name: 'a' }] } } };
    expect(rankOf(manifest({ ...kindAt(text), spec }).object)).toBe(2);
  });

  test('is that of workloads for one of an older version of Kubernetes', () => {
    expect(layerOf({ apiVersion: 'extensions/v1beta1', kind: 'Deployment' })).toBe('workloads');
  });
});

test('the pod template is at "spec.template", but for three kinds', () => {
  const places = Object.fromEntries(
    all
      .filter((text) => templatePlace(kindAt(text)).join('.') !== 'spec.template')
      .map((text) => [text, templatePlace(kindAt(text)).join('.')]),
  );
  expect(places).toStrictEqual({
    'v1 Pod': '',
    'batch/v1 CronJob': 'spec.jobTemplate.spec.template',
    'v1 PodTemplate': 'template',
  });
});

test('lists of kinds have an order', () => {
  expect(kindsWithHistory).toStrictEqual(['Deployment', 'StatefulSet', 'DaemonSet']);
  expect(kindsToScale).toStrictEqual(['Deployment', 'StatefulSet']);
  expect(pausableKinds).toStrictEqual(['Deployment']);
  expect(routeKinds).toStrictEqual([
    { apiVersion: 'networking.k8s.io/v1', kind: 'Ingress' },
    { apiVersion: 'gateway.networking.k8s.io/v1', kind: 'HTTPRoute' },
    { apiVersion: 'gateway.networking.k8s.io/v1', kind: 'GRPCRoute' },
    { apiVersion: 'gateway.networking.k8s.io/v1', kind: 'TLSRoute' },
    { apiVersion: 'gateway.networking.k8s.io/v1alpha2', kind: 'TCPRoute' },
    { apiVersion: 'networking.istio.io/v1', kind: 'VirtualService' },
  ]);
});
