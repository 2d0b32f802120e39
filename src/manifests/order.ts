import { groupOf, type KubernetesObject } from '../kubernetes/object.ts';
import type { Manifest } from './manifest.ts';
import { isBuiltIn, isWorkload, podTemplatePath } from './pod-template.ts';

/** What defines kinds and places: all else may need it. */
const foundations = new Set(['CustomResourceDefinition', 'Namespace']);

/**
 * What stands before a pod can be made as it is meant: what admission looks at (quota, limits, priorities, accounts), what
 * the pod mounts or reads, and Services, since a pod is told their addresses when it starts. A Role that does not exist yet
 * may be named by a binding, so both fit in one layer.
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
 * The layers in which the manifests are applied, none of them empty: an object may need those of earlier layers, and those
 * of one layer are independent, so that they can go side by side. Within a layer the given order stays.
 *
 * The first holds CustomResourceDefinitions and Namespaces; the second what pods are made from and with; the third what runs
 * pods; the last what looks at them (autoscalers, budgets, routes) or is served by them (admission webhooks, API services).
 * Other custom resources are in the second layer: most are config (secrets from a store, certificates, backend settings)
 * that pods wait for. Helm and kubectl have them after the workloads or by chance (helm pkg/release/v1/util/kind_sorter.go).
 */
export function applyLayers(manifests: readonly Manifest[]): Manifest[][] {
  const layers: [Manifest[], Manifest[], Manifest[], Manifest[]] = [[], [], [], []];
  for (const manifest of manifests) layers[rankOf(manifest.object)].push(manifest);
  return layers.filter((layer) => layer.length > 0);
}

/** Which of the four layers of `applyLayers` an object belongs to. */
export function rankOf(object: KubernetesObject): 0 | 1 | 2 | 3 {
  if (isWorkload(object)) return 2;
  if (observers.has(groupOf(object.apiVersion))) return 3;
  if (!isBuiltIn(object)) return podTemplatePath(object) === undefined ? 1 : 2;
  if (foundations.has(object.kind)) return 0;
  return surroundings.has(object.kind) ? 1 : 3;
}
