import { isObject, listAt, objectAt, stringAt, type Json, type JsonObject } from '../base/json.ts';
import type { KubernetesObject } from '../kubernetes/object.ts';

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
