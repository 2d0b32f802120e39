import { listAt, objectsAt, stringAt, stringsAt, type JsonObject } from '../base/json.ts';
import type { KubernetesClient } from '../kubernetes/client.ts';
import { isTrue } from '../kubernetes/conditions.ts';
import { isStatus } from '../kubernetes/errors.ts';
import { labelSelectorOf } from '../kubernetes/label-selector.ts';
import type { KubernetesObject } from '../kubernetes/object.ts';
import { selectorOf, type Labels } from './services.ts';

/** The pods that a Service leads to now: ready ones that are not about to end. */
export async function podsBehind(client: KubernetesClient, service: KubernetesObject): Promise<KubernetesObject[]> {
  return (await podsWithLabelsOf(client, service)).filter(isServing);
}

/** The pods that a Service selects, in whatever state. */
export async function podsWithLabelsOf(
  client: KubernetesClient,
  service: KubernetesObject,
): Promise<KubernetesObject[]> {
  const labelSelector = labelSelectorOf(selectorOf(service));
  const resource = await client.resource('v1', 'Pod');
  if (labelSelector === '' || resource === undefined) return [];
  const { namespace = client.defaultNamespace } = service.metadata;
  const { items } = await client.list(resource, { namespace, labelSelector });
  return items;
}

/** The pods that a workload selects, in whatever state; none without the right to see them. */
export async function podsSelectedBy(
  client: KubernetesClient,
  workload: KubernetesObject,
): Promise<KubernetesObject[]> {
  const labelSelector = podSelectorOf(workload);
  const resource = await client.resource('v1', 'Pod');
  if (labelSelector === '' || resource === undefined) return [];
  const { namespace = client.defaultNamespace } = workload.metadata;
  try {
    const { items } = await client.list(resource, { namespace, labelSelector });
    return items.map((pod) => ({ ...pod, apiVersion: 'v1', kind: 'Pod' }));
  } catch (error) {
    if (isStatus(error, 403)) return [];
    throw error;
  }
}

/** A ReplicationController has the labels themselves as its selector, as a Service has. */
function podSelectorOf(workload: KubernetesObject): string {
  if (workload.kind === 'ReplicationController') return labelSelectorOf(stringsAt(workload, 'spec', 'selector'));
  const labels = labelSelectorOf(stringsAt(workload, 'spec', 'selector', 'matchLabels'));
  const expressions = objectsAt(workload, 'spec', 'selector', 'matchExpressions').map(describeExpression);
  return [labels, ...expressions].filter((term) => term !== '').join(',');
}

/** As a `labelSelector` asks for it: `tier in (web,api)`, `!canary` (kubernetes apimachinery pkg/labels). */
function describeExpression(expression: JsonObject): string {
  const key = stringAt(expression, 'key') ?? '';
  const listed: readonly unknown[] = listAt(expression, 'values');
  const values = listed.filter((value): value is string => typeof value === 'string').join(',');
  switch (stringAt(expression, 'operator')) {
    case 'In':
      return `${key} in (${values})`;
    case 'NotIn':
      return `${key} notin (${values})`;
    case 'Exists':
      return key;
    case 'DoesNotExist':
      return `!${key}`;
    default:
      return '';
  }
}

function isServing(pod: KubernetesObject): boolean {
  return isTrue(pod, 'Ready') && pod.metadata.deletionTimestamp === undefined;
}

/** Labels of the pods of a workload, from its template. */
export function templateLabels(workload: KubernetesObject): Labels {
  return stringsAt(workload, 'spec', 'template', 'metadata', 'labels');
}
