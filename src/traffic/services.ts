import { stringAt, stringsAt } from '../base/json.ts';
import type { KubernetesClient } from '../kubernetes/client.ts';
import { groupOf, type KubernetesObject } from '../kubernetes/object.ts';

/** Labels or a selector: `{app: shop}`. */
export type Labels = Readonly<Record<string, string>>;

export function isService({ apiVersion, kind }: KubernetesObject): boolean {
  return kind === 'Service' && groupOf(apiVersion) === '';
}

/** The selector of a Service that sends requests to pods; empty for ExternalName and for Services without one. */
export function selectorOf(service: KubernetesObject): Labels {
  return stringAt(service, 'spec', 'type') === 'ExternalName' ? {} : stringsAt(service, 'spec', 'selector');
}

/** Whether pods with these labels are selected. An empty selector selects nothing, as that of a Service. */
export function selects(selector: Labels, labels: Labels): boolean {
  const wanted = Object.entries(selector);
  return wanted.length > 0 && wanted.every(([key, value]) => labels[key] === value);
}

/** All Services of a namespace. */
export async function servicesIn(client: KubernetesClient, namespace: string): Promise<KubernetesObject[]> {
  const resource = await client.resource('v1', 'Service');
  return resource === undefined ? [] : (await client.list(resource, { namespace })).items;
}
