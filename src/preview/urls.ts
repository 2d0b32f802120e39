import { listAt, objectsAt, stringAt, type Json } from '../base/json.ts';
import { groupOf, type KubernetesObject } from '../kubernetes/object.ts';

/**
 * Where routes lead in from outside, without a slash at the end. An Ingress says by its certificate whether it speaks TLS; of a route
 * only its Gateway knows, so that both are likely, `https` first.
 */
export function urlsIn(objects: readonly KubernetesObject[]): string[] {
  return [...new Set(objects.flatMap((object) => (isIngress(object) ? ofIngress(object) : ofRoute(object))))];
}

function isIngress({ apiVersion, kind }: KubernetesObject): boolean {
  return kind === 'Ingress' && groupOf(apiVersion) === 'networking.k8s.io';
}

function ofIngress(ingress: KubernetesObject): string[] {
  const secured = new Set(objectsAt(ingress, 'spec', 'tls').flatMap((tls) => textsAt(tls, 'hosts')));
  return objectsAt(ingress, 'spec', 'rules')
    .flatMap((rule) => stringAt(rule, 'host') ?? [])
    .map((host) => `${secured.has(host) ? 'https' : 'http'}://${host}`);
}

function ofRoute({ apiVersion, kind, ...route }: KubernetesObject): string[] {
  if (kind !== 'HTTPRoute' || groupOf(apiVersion) !== 'gateway.networking.k8s.io') return [];
  return textsAt(route, 'spec', 'hostnames').flatMap((host) => [`https://${host}`, `http://${host}`]);
}

function textsAt(root: Json, ...path: string[]): string[] {
  return listAt(root, ...path).filter((text) => typeof text === 'string');
}
