import { stringAt, stringsAt } from '../base/json.ts';
import type { KubernetesClient } from '../kubernetes/client.ts';
import { groupOf, type KubernetesObject } from '../kubernetes/object.ts';
import { withSuffix } from '../base/shorten.ts';

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

/** Of pods, Services and selectors: the side or the candidate that they belong to. */
export const trackLabel = 'gke-rollout/track';

/** What blue-green has made to ask a candidate by before it serves: no Service of the user's. */
export function isPreview({ metadata }: KubernetesObject): boolean {
  return metadata.labels?.[trackLabel] !== undefined;
}

/** All Services of a namespace. */
export async function servicesIn(client: KubernetesClient, namespace: string): Promise<KubernetesObject[]> {
  const resource = await client.resource('v1', 'Service');
  return resource === undefined ? [] : (await client.list(resource, { namespace })).items;
}

/** How long nodes may take to follow the EndpointSlices (kubernetes pkg/proxy: 1 s), and requests under way to end. */
const clusterSettleMs = 5_000;

/** How long a Google load balancer may take until it sends requests to new endpoints (docs/strategies.md has the sources). */
const negSettleMs = 60_000;

/** On a Service: how long whatever sends requests to it from outside takes to follow its endpoints: `90s`. */
const settleAnnotation = 'gke-rollout/settle';

const negAnnotations = ['cloud.google.com/neg', 'cloud.google.com/neg-status'];

/**
 * Whether something in front of the Service follows its endpoints by itself and late: a Google load balancer with network
 * endpoint groups. It takes removed endpoints out at once and new ones in only when they have passed its own checks, so
 * that a plain switch would leave it without any (kubernetes/ingress-gce#638).
 */
export function isFollowedLate({ metadata }: KubernetesObject): boolean {
  const annotations = metadata.annotations ?? {};
  return settleAnnotation in annotations || negAnnotations.some((key) => (annotations[key] ?? '{}') !== '{}');
}

/** How long it takes until a change of the Service's endpoints has come about everywhere, in ms. */
export function settleMsOf(service: KubernetesObject): number {
  if (!isFollowedLate(service)) return clusterSettleMs;
  const given = /^(?<seconds>\d+)s$/.exec(service.metadata.annotations?.[settleAnnotation] ?? '')?.groups?.['seconds'];
  return given === undefined ? negSettleMs : Math.max(clusterSettleMs, Number(given) * 1000);
}

/** What the Service is called that reaches the candidate before it serves. */
export function previewName(service: string): string {
  return withSuffix(service, '-preview', longestService);
}

/** The name of a Service is one of the DNS. */
const longestService = 63;
