import { create, type Api } from './api.ts';

export interface Capacity {
  /** Quantities, such as `8` or `500m`. */
  cpu?: string;
  memory?: string;
  pods?: string;
  /** Devices, such as `nvidia.com/gpu`. */
  [resource: `${string}/${string}`]: string;
}

/** Pods must tolerate it to be put on a node without a kubelet; they are chosen onto it by `nodeName` or hostname. */
export const fakeNodeTaint = { key: 'harness.test/fake', value: 'true', effect: 'NoSchedule' } as const;

/**
 * Adds a Node that no kubelet stands behind: pods bound to it stay as they are until a test patches their status. The
 * controller manager waits a day for heartbeats, so it stays Ready. Pods on it must be deleted with a grace period of 0.
 */
export async function addFakeNode(api: Api, name: string, capacity: Capacity): Promise<void> {
  const node = fakeNode(name, capacity);
  await create(api, '/api/v1/nodes', node);
  const answer = await api('PATCH', `/api/v1/nodes/${name}/status`, { status: node.status });
  if (answer.status !== 200) throw new Error(`status of the node "${name}": ${answer.status} ${answer.body}`);
}

/** Such a Node as an object; the API server takes its status along when it is created. */
export function fakeNode(name: string, capacity: Capacity, labels: Record<string, string> = {}) {
  const resources = { cpu: '8', memory: '16Gi', pods: '1000', ...capacity };
  const now = new Date().toISOString().replace(/\.\d+Z$/, 'Z');
  const condition = {
    type: 'Ready',
    status: 'True',
    reason: 'Fake',
    message: 'no kubelet stands behind this node',
    lastHeartbeatTime: now,
    lastTransitionTime: now,
  };
  return {
    apiVersion: 'v1',
    kind: 'Node',
    metadata: { name, labels: { 'kubernetes.io/hostname': name, [fakeNodeTaint.key]: fakeNodeTaint.value, ...labels } },
    spec: { taints: [{ ...fakeNodeTaint }] },
    status: { capacity: resources, allocatable: resources, conditions: [condition] },
  };
}
