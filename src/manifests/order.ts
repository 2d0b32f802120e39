import { groupOf, type KubernetesObject } from '../kubernetes/object.ts';
import type { Manifest } from './manifest.ts';
import { inWaves, needsOf } from './needs.ts';
import { isBuiltIn, isWorkload, podTemplatePath } from './pod-template.ts';

/** What defines kinds and places: all else may need it. */
const foundations = new Set(['CustomResourceDefinition', 'Namespace']);

/**
 * What stands before a pod can be made as it is meant: what admission looks at (quota, limits, priorities, accounts), what
 * the pod mounts or reads, and Services, since a pod is told their addresses when it starts.
 */
const surroundings = new Set([
  'ClusterRole',
  'ClusterRoleBinding',
  'ConfigMap',
  'DeviceClass',
  'IngressClass',
  'LimitRange',
  'NetworkPolicy',
  'PersistentVolume',
  'PersistentVolumeClaim',
  'PriorityClass',
  'ResourceClaimTemplate',
  'ResourceQuota',
  'Role',
  'RoleBinding',
  'RuntimeClass',
  'Secret',
  'Service',
  'ServiceAccount',
  'StorageClass',
]);

/** Custom resources that point at workloads or Services: autoscalers, routes. */
const observers = new Set([
  'autoscaling.gke.io',
  'autoscaling.k8s.io',
  'gateway.networking.k8s.io',
  'keda.sh',
  'networking.istio.io',
]);

/**
 * What the server asks, or goes by, about each write from then on. Once one of them is there, all else had better be, and
 * what it calls had better answer: a webhook without pods behind it refuses those pods, too.
 */
const gates = new Set([
  'APIService',
  'MutatingAdmissionPolicy',
  'MutatingAdmissionPolicyBinding',
  'MutatingWebhookConfiguration',
  'ValidatingAdmissionPolicy',
  'ValidatingAdmissionPolicyBinding',
  'ValidatingWebhookConfiguration',
]);

/**
 * The layers in which the manifests are applied, none of them empty: an object may need those of earlier layers, and those
 * of one layer are independent, so that they can go side by side. Within a layer the given order stays.
 *
 * First come CustomResourceDefinitions and Namespaces; then what pods are made from and with; then what runs pods; then what
 * looks at them (autoscalers, budgets, routes); last what looks at every write (admission webhooks, API services). Other custom
 * resources go with what pods are made from: most are config (secrets from a store, certificates, backend settings) that
 * pods wait for. Helm and kubectl have them after the workloads or by chance (helm pkg/release/v1/util/kind_sorter.go).
 * Among these an object comes after those that it names: a token beside its account is deleted when it comes first
 * (carvel-dev/kapp#514), and who may not grant all rights cannot bind a Role that is not there.
 */
export function applyLayers(manifests: readonly Manifest[]): Manifest[][] {
  const ranks = Map.groupBy(manifests, ({ object }) => rankOf(object));
  return [...ranks].sort(([left], [right]) => left - right).flatMap(([, layer]) => inWaves(layer, needsOf(layer)));
}

/** Which of the layers an object belongs to, before what it names is looked at. */
export function rankOf(object: KubernetesObject): 0 | 1 | 2 | 3 | 4 {
  if (isWorkload(object)) return 2;
  if (observers.has(groupOf(object.apiVersion))) return 3;
  if (!isBuiltIn(object)) return podTemplatePath(object) === undefined ? 1 : 2;
  if (foundations.has(object.kind)) return 0;
  if (isGate(object)) return 4;
  return surroundings.has(object.kind) ? 1 : 3;
}

/** Whether other objects depend on what it calls, from the moment that it is there. */
export function isGate(object: KubernetesObject): boolean {
  return isBuiltIn(object) && gates.has(object.kind);
}
