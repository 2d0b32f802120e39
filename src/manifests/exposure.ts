import { isObject, listAt, objectAt, stringAt, type Json, type JsonObject } from '../base/json.ts';
import { groupOf, type KubernetesObject } from '../kubernetes/object.ts';

/** Kinds that lead requests from outside to Services, with their API groups. */
export const routeKinds = [
  { apiVersion: 'networking.k8s.io/v1', kind: 'Ingress' },
  { apiVersion: 'gateway.networking.k8s.io/v1', kind: 'HTTPRoute' },
  { apiVersion: 'gateway.networking.k8s.io/v1', kind: 'GRPCRoute' },
  { apiVersion: 'gateway.networking.k8s.io/v1', kind: 'TLSRoute' },
  { apiVersion: 'gateway.networking.k8s.io/v1alpha2', kind: 'TCPRoute' },
  { apiVersion: 'networking.istio.io/v1', kind: 'VirtualService' },
] as const;

export function isRoute({ apiVersion, kind }: KubernetesObject): boolean {
  return routeKinds.some((route) => route.kind === kind && groupOf(route.apiVersion) === groupOf(apiVersion));
}

/** Whether requests from outside the cluster come to a Service: by itself, or by one of the routes. */
export function leadsOutside(service: KubernetesObject, routes: readonly KubernetesObject[]): boolean {
  const { name, namespace, annotations = {} } = service.metadata;
  const spec = objectAt(service, 'spec');
  if (['LoadBalancer', 'NodePort'].includes(stringAt(spec, 'type') ?? '')) return true;
  // A Google load balancer goes to the pods of such a Service directly.
  if (listAt(spec, 'externalIPs').length > 0 || 'cloud.google.com/neg' in annotations) return true;
  return routes.some((route) =>
    backendsOf(route).some(
      (backend) => backend.name === name && (backend.namespace ?? route.metadata.namespace) === namespace,
    ),
  );
}

interface Backend {
  name: string;
  namespace?: string;
}

/** The Services that a route leads to. */
function backendsOf(route: KubernetesObject): Backend[] {
  const backends: Backend[] = [];
  const visit = (value: Json | undefined, field: string) => {
    if (Array.isArray(value)) {
      for (const item of value) visit(item, field);
    } else if (isObject(value)) {
      backends.push(...backendIn(value, field));
      for (const [key, inner] of Object.entries(value)) visit(inner, key);
    }
  };
  visit(route['spec'], 'spec');
  return backends;
}

function backendIn(value: JsonObject, field: string): Backend[] {
  if (field === 'destination') {
    // `web`, or `web.shop.svc.cluster.local`
    const [name = '', namespace] = (stringAt(value, 'host') ?? '').split('.');
    return [{ name, ...(namespace === undefined ? {} : { namespace }) }];
  }
  const isService =
    field === 'service' || (field === 'backendRefs' && (stringAt(value, 'kind') ?? 'Service') === 'Service');
  const name = stringAt(value, 'name');
  const namespace = stringAt(value, 'namespace');
  return isService && name !== undefined ? [{ name, ...(namespace === undefined ? {} : { namespace }) }] : [];
}
