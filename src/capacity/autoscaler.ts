import { load } from 'js-yaml';

import { isObject, numberAt, objectsAt, stringAt } from '../base/json.ts';
import type { KubernetesObject } from '../kubernetes/object.ts';

/** Whether something may add nodes when pods find no place. */
export type Autoscaler =
  | { state: 'absent' }
  /** `why` completes "an autoscaler …". */
  | { state: 'present' | 'unknown'; why: string };

export const statusConfigMap = {
  apiVersion: 'v1',
  kind: 'ConfigMap',
  namespace: 'kube-system',
  name: 'cluster-autoscaler-status',
} as const;

/** What is known of the status of the cluster autoscaler: it may be looked at, or not. */
export type StatusLook = { state: 'found'; configMap: KubernetesObject } | { state: 'none' | 'forbidden' };

/**
 * Tells from the autoscaler's status and from the nodes. Where nodes come from a provider that may add more without a trace
 * in the cluster, it stays unknown: GKE's node pools do not say whether they scale.
 */
export function autoscalerOf(nodes: readonly KubernetesObject[], status: StatusLook): Autoscaler {
  if (status.state === 'found') return { state: 'present', why: describeStatus(status.configMap) };
  if (nodes.some(isOfKarpenter)) return { state: 'present', why: 'may add nodes (Karpenter created some of these)' };
  if (nodes.some(isOfAutopilot)) return { state: 'present', why: 'will add nodes (GKE Autopilot)' };
  if (nodes.some(hasTraceOfAutoscaler)) return { state: 'present', why: 'may add nodes (it has marked some of these)' };
  if (status.state === 'forbidden') {
    return { state: 'unknown', why: 'may add nodes (no permission to read its status in kube-system)' };
  }
  if (nodes.some((node) => node.metadata.labels?.['cloud.google.com/gke-nodepool'] !== undefined)) {
    return {
      state: 'unknown',
      why: 'may add nodes (whether node pools autoscale is not visible inside the cluster)',
    };
  }
  return { state: 'absent' };
}

function isOfKarpenter({ metadata }: KubernetesObject): boolean {
  const { labels = {} } = metadata;
  // EKS Auto Mode runs Karpenter out of sight.
  return 'karpenter.sh/nodepool' in labels || labels['eks.amazonaws.com/compute-type'] === 'auto';
}

function isOfAutopilot({ metadata }: KubernetesObject): boolean {
  return metadata.name.startsWith('gk3-');
}

function hasTraceOfAutoscaler({ metadata, spec }: KubernetesObject): boolean {
  const annotations = Object.keys(metadata.annotations ?? {});
  return (
    annotations.some((name) => name.startsWith('cluster-autoscaler.kubernetes.io/')) ||
    objectsAt(spec, 'taints').some((taint) =>
      /OfClusterAutoscaler$|ByClusterAutoscaler$/.test(stringAt(taint, 'key') ?? ''),
    )
  );
}

/** Its groups of nodes with how many nodes they have and may have; both forms that it has written its status in. */
function describeStatus(configMap: KubernetesObject): string {
  const text = stringAt(configMap, 'data', 'status') ?? '';
  const groups = [...groupsOfYaml(text), ...groupsOfText(text)];
  const full = groups.filter(({ target, max }) => target >= max).length;
  if (groups.length === 0) return 'may add nodes';
  return full === groups.length
    ? 'has all its node groups at their maximum, but may create others'
    : `may add nodes (${groups.length - full} of ${groups.length} node groups are below their maximum)`;
}

interface NodeGroup {
  target: number;
  max: number;
}

function groupsOfYaml(text: string): NodeGroup[] {
  let status: unknown;
  try {
    status = load(text);
  } catch {
    return [];
  }
  if (!isObject(status)) return [];
  return objectsAt(status, 'nodeGroups').flatMap((group) => {
    const max = numberAt(group, 'health', 'maxSize');
    return max === undefined ? [] : [{ target: numberAt(group, 'health', 'cloudProviderTarget') ?? 0, max }];
  });
}

/** Before 1.30: `cloudProviderTarget=3 (minSize=1, maxSize=5)`. */
function groupsOfText(text: string): NodeGroup[] {
  return [...text.matchAll(/cloudProviderTarget=(?<target>\d+) \(minSize=\d+, maxSize=(?<max>\d+)/g)].map(
    ({ groups }) => ({ target: Number(groups?.['target']), max: Number(groups?.['max']) }),
  );
}
