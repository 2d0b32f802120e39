import { stringsAt } from '../base/json.ts';
import type { KubernetesClient } from '../kubernetes/client.ts';
import { isTrue } from '../kubernetes/conditions.ts';
import { labelSelectorOf } from '../kubernetes/label-selector.ts';
import type { KubernetesObject } from '../kubernetes/object.ts';
import { selectorOf, type Labels } from './services.ts';

/** The pods that a Service leads to now: ready ones that are not about to end. */
export async function podsBehind(client: KubernetesClient, service: KubernetesObject): Promise<KubernetesObject[]> {
  const labelSelector = labelSelectorOf(selectorOf(service));
  const resource = await client.resource('v1', 'Pod');
  if (labelSelector === '' || resource === undefined) return [];
  const { namespace = client.defaultNamespace } = service.metadata;
  const { items } = await client.list(resource, { namespace, labelSelector });
  return items.filter(isServing);
}

function isServing(pod: KubernetesObject): boolean {
  return isTrue(pod, 'Ready') && pod.metadata.deletionTimestamp === undefined;
}

/** Labels of the pods of a workload, from its template. */
export function templateLabels(workload: KubernetesObject): Labels {
  return stringsAt(workload, 'spec', 'template', 'metadata', 'labels');
}
