import type { JsonObject } from '../../../src/base/json.ts';
import type { KubernetesObject } from '../../../src/kubernetes/object.ts';
import { conditionAt, live } from '../../support/rollout-objects.ts';

/** Builders of what the arithmetic of capacity is about. Quantities are as in manifests. */

export function containerWith(
  requests: JsonObject = {},
  {
    limits = {},
    name = 'web',
    ...more
  }: { limits?: JsonObject; name?: string; [field: string]: JsonObject[string] } = {},
): JsonObject {
  return { name, image: 'registry.test/web:2', resources: { requests, limits }, ...more };
}

/** A template with one container that requests this. */
export function templateWith(
  requests: JsonObject = {},
  spec: JsonObject = {},
  labels: JsonObject = { app: 'web' },
): JsonObject {
  return { metadata: { labels }, spec: { containers: [containerWith(requests)], ...spec } };
}

interface NodeParts {
  labels?: Record<string, string>;
  annotations?: Record<string, string>;
  taints?: JsonObject[];
  ready?: boolean;
  cordoned?: boolean;
}

/** A node of 4 cpu, 8 GiB and 110 pods, unless told otherwise. */
export function nodeOf(
  name: string,
  allocatable: JsonObject = {},
  { labels = {}, annotations = {}, taints = [], ready = true, cordoned = false }: NodeParts = {},
): KubernetesObject {
  return {
    apiVersion: 'v1',
    kind: 'Node',
    metadata: { name, labels: { 'kubernetes.io/hostname': name, ...labels }, annotations },
    spec: { taints, ...(cordoned ? { unschedulable: true } : {}) },
    status: {
      allocatable: { cpu: '4', memory: '8Gi', pods: '110', ...allocatable },
      conditions: [conditionAt('Ready', ready ? 'True' : 'False')],
    },
  };
}

let pods = 0;

/** A running pod on a node; its template's labels are its own. */
export function podOn(
  node: string | undefined,
  template: JsonObject,
  { status = {}, ...metadata }: { status?: JsonObject } & Partial<KubernetesObject['metadata']> = {},
): KubernetesObject {
  pods += 1;
  const { labels } = template['metadata'] as { labels: Record<string, string> };
  return live('Pod', {
    apiVersion: 'v1',
    metadata: { name: `pod-${pods}`, labels, ...metadata },
    spec: { ...(template['spec'] as JsonObject), ...(node === undefined ? {} : { nodeName: node }) },
    status: { phase: node === undefined ? 'Pending' : 'Running', ...status },
  });
}

export function quotaOf(hard: JsonObject, used: JsonObject = {}, spec: JsonObject = {}): KubernetesObject {
  return live('ResourceQuota', {
    apiVersion: 'v1',
    metadata: { name: 'team' },
    spec: { hard, ...spec },
    status: { hard, used },
  });
}
