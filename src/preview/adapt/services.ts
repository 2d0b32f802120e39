import { isObject, listAt, objectsAt, stringAt, type JsonObject } from '../../base/json.ts';
import { groupOf, type KubernetesObject } from '../../kubernetes/object.ts';

/** Fields that are refused, or mean nothing, in a Service without a load balancer. */
const ofLoadBalancers = [
  'allocateLoadBalancerNodePorts',
  'externalTrafficPolicy',
  'healthCheckNodePort',
  'loadBalancerClass',
  'loadBalancerIP',
  'loadBalancerSourceRanges',
];

/** How a Service is reached from outside, and the addresses and ports that only one Service of a cluster can have. */
export function adaptService(object: KubernetesObject, hasHost: boolean): string[] {
  const { kind, apiVersion, spec } = object;
  if (kind !== 'Service' || apiVersion !== 'v1' || !isObject(spec)) return [];
  return [...withoutFixed(spec), ...inside(spec, hasHost)];
}

function inside(spec: JsonObject, hasHost: boolean): string[] {
  const type = stringAt(spec, 'type');
  if (type !== 'NodePort' && !(type === 'LoadBalancer' && hasHost)) return [];
  spec['type'] = 'ClusterIP';
  for (const field of ofLoadBalancers) Reflect.deleteProperty(spec, field);
  return [
    type === 'NodePort'
      ? 'type ClusterIP instead of NodePort: node ports are shared by the whole cluster'
      : 'type ClusterIP instead of LoadBalancer: the preview is reached through its host and needs no own address',
  ];
}

/** What another Service of the same manifests has already, so that the server or the cloud would refuse it. */
function withoutFixed(spec: JsonObject): string[] {
  const fixed: string[] = [];
  const drop = (from: JsonObject, field: string, name = field) => {
    if (from[field] === undefined) return;
    Reflect.deleteProperty(from, field);
    if (!fixed.includes(name)) fixed.push(name);
  };
  if (stringAt(spec, 'clusterIP') !== 'None') {
    drop(spec, 'clusterIP');
    if (listAt(spec, 'clusterIPs')[0] !== 'None') drop(spec, 'clusterIPs');
  }
  for (const field of ['externalIPs', 'loadBalancerIP', 'healthCheckNodePort']) drop(spec, field);
  for (const port of objectsAt(spec, 'ports')) drop(port, 'nodePort');
  return fixed.length === 0 ? [] : [`without ${fixed.join(', ')}: only one Service of a cluster can have it`];
}

/** Annotations that give a Service or an Ingress an address that was reserved for it. */
const addressAnnotations = [
  'kubernetes.io/ingress.global-static-ip-name',
  'kubernetes.io/ingress.regional-static-ip-name',
  'networking.gke.io/load-balancer-ip-addresses',
  'metallb.io/loadBalancerIPs',
  'metallb.universe.tf/loadBalancerIPs',
  'service.beta.kubernetes.io/aws-load-balancer-eip-allocations',
  'service.beta.kubernetes.io/azure-load-balancer-ipv4',
  'service.beta.kubernetes.io/azure-pip-name',
];

export function dropAddresses(object: KubernetesObject): string[] {
  if (!['', 'networking.k8s.io'].includes(groupOf(object.apiVersion))) return [];
  const found = dropAnnotations(object, (key) => addressAnnotations.includes(key));
  return found.length === 0
    ? []
    : [`without the annotation ${found.join(', ')}: only one object can have that address`];
}

/** @returns those that were there */
export function dropAnnotations(object: KubernetesObject, isMeant: (key: string) => boolean): string[] {
  const { annotations = {} } = object.metadata;
  const found = Object.keys(annotations).filter(isMeant);
  for (const key of found) Reflect.deleteProperty(annotations, key);
  return found;
}
