import { formatDuration } from '../../base/clock.ts';
import { at, numberAt, objectAt, objectsAt, stringAt, type JsonObject } from '../../base/json.ts';
import { describeRef, groupOf, refOf, type KubernetesObject } from '../../kubernetes/object.ts';
import type { Manifest } from '../../manifests/manifest.ts';
import { isService } from '../services.ts';
import { secondsOf, type Cut } from './cut.ts';

/** What routes of these manifests, and the load balancers that they make, would cut. */
export function cutByRoutes(manifests: readonly Manifest[], longestMs: number): Cut[] {
  const objects = manifests.map(({ object }) => object);
  return [
    ...manifests.flatMap((manifest) => [...cutByBackend(manifest, longestMs), ...cutByRules(manifest, longestMs)]),
    ...(secondsOf(longestMs) <= defaultTimeout ? [] : cutByDefault(manifests, objects, longestMs)),
  ];
}

/** What sets the limits of a back end of a Google load balancer, and where. */
const backendKinds: readonly { kind: string; group: string; path: readonly string[] }[] = [
  { kind: 'GCPBackendPolicy', group: 'networking.gke.io', path: ['spec', 'default'] },
  { kind: 'BackendConfig', group: 'cloud.google.com', path: ['spec'] },
];

/** What a back end of a Google load balancer has that says nothing, in seconds. */
const defaultTimeout = 30;
const defaultDraining = 0;

/** The most that Compute Engine takes. */
const longestDraining = 3600;

function cutByBackend({ object, source }: Manifest, longestMs: number): Cut[] {
  const known = backendKinds.find(({ kind, group }) => object.kind === kind && groupOf(object.apiVersion) === group);
  if (known === undefined) return [];
  const name = describeRef(refOf(object));
  const longest = formatDuration(longestMs);
  const limit = (
    field: readonly string[],
    otherwise: number,
    wanted: number,
    what: (value: string) => string,
  ): Cut[] => {
    const path = [...known.path, ...field];
    const set = numberAt(object, ...path);
    if ((set ?? otherwise) >= wanted) return [];
    const value = `${set ?? otherwise} s${set === undefined ? ' (the default)' : ''}`;
    return [{ text: `${name}: ${what(value)}: set "${path.join('.')}: ${wanted}"`, location: source.locate(path) }];
  };
  return [
    ...limit(
      ['timeoutSec'],
      defaultTimeout,
      secondsOf(longestMs),
      (value) => `the load balancer ends requests after ${value}, which cuts those of up to ${longest}`,
    ),
    ...limit(
      ['connectionDraining', 'drainingTimeoutSec'],
      defaultDraining,
      Math.min(secondsOf(longestMs), longestDraining),
      (value) =>
        `the load balancer closes connections to a terminating pod after ${value}, which cuts requests of up to ${longest}`,
    ),
  ];
}

function cutByRules({ object, source }: Manifest, longestMs: number): Cut[] {
  if (!isOf(object, 'HTTPRoute', gatewayGroup)) return [];
  const name = describeRef(refOf(object));
  return objectsAt(object, 'spec', 'rules').flatMap((rule, index) => {
    // Without a back end nothing is answered that takes long.
    if (objectsAt(rule, 'backendRefs').length === 0) return [];
    return ['request', 'backendRequest'].flatMap((field) => {
      const value = stringAt(rule, 'timeouts', field);
      const ms = durationOf(value);
      if (value === undefined || ms === undefined || ms === 0 || ms >= longestMs) return [];
      return [
        {
          text: `${name}: "timeouts.${field}" of rule ${index + 1} ends requests after ${value}, which cuts those of up to ${formatDuration(longestMs)}: set it to ${secondsOf(longestMs)}s`,
          location: source.locate(['spec', 'rules', index, 'timeouts', field]),
        },
      ];
    });
  });
}

/** Milliseconds; 0 is no limit. GEP-2257: `10s`, `1h30m`, `500ms`. */
function durationOf(text: string | undefined): number | undefined {
  if (text === undefined || !/^(?:\d{1,5}(?:ms|h|m|s)){1,4}$/.test(text)) return undefined;
  const parts = [...text.matchAll(/(?<count>\d{1,5})(?<unit>ms|h|m|s)/g)];
  return parts.reduce((sum, { groups }) => sum + Number(groups?.['count']) * (unitMs[groups?.['unit'] ?? ''] ?? 0), 0);
}

const unitMs: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 };

/** Services that a Google load balancer of these manifests leads to and for which nothing here sets its limits. */
function cutByDefault(manifests: readonly Manifest[], objects: readonly KubernetesObject[], longestMs: number): Cut[] {
  const seconds = secondsOf(longestMs);
  const draining = Math.min(seconds, longestDraining);
  return manifests
    .filter(({ object }) => isService(object))
    .flatMap(({ object, source }) => {
      const missing = [
        ...(isBehindGateway(object, objects) && !hasPolicy(object, objects) ? ['GCPBackendPolicy'] : []),
        ...(isBehindIngress(object, objects) && !hasConfig(object) ? ['BackendConfig'] : []),
      ];
      return missing.map((kind) => ({
        text: `${describeRef(refOf(object))} has no ${kind} in these manifests. Unless the cluster has one, the load balancer ends requests after ${defaultTimeout} s (the default), which cuts those of up to ${formatDuration(longestMs)}: add one with "timeoutSec: ${seconds}" and "connectionDraining: { drainingTimeoutSec: ${draining} }"`,
        location: source.locate([]),
      }));
    });
}

const gatewayGroup = 'gateway.networking.k8s.io';

/** By a Gateway that GKE makes a load balancer for (cloud.google.com/kubernetes-engine/docs/concepts/gateway-api). */
function isBehindGateway(service: KubernetesObject, objects: readonly KubernetesObject[]): boolean {
  const gateways = objects.filter(
    (object) =>
      isOf(object, 'Gateway', gatewayGroup) &&
      stringAt(object, 'spec', 'gatewayClassName')?.startsWith('gke-l7-') === true,
  );
  return objects
    .filter((object) => isOf(object, 'HTTPRoute', gatewayGroup))
    .filter((route) =>
      objectsAt(route, 'spec', 'parentRefs').some((ref) => gateways.some((gateway) => names(ref, route, gateway))),
    )
    .some((route) =>
      objectsAt(route, 'spec', 'rules')
        .flatMap((rule) => objectsAt(rule, 'backendRefs'))
        .some((ref) => (stringAt(ref, 'kind') ?? 'Service') === 'Service' && names(ref, route, service)),
    );
}

/** Whether what `from` says in a reference means this object; its kind aside. */
function names(reference: JsonObject, from: KubernetesObject, { metadata }: KubernetesObject): boolean {
  return (
    stringAt(reference, 'name') === metadata.name &&
    (stringAt(reference, 'namespace') ?? from.metadata.namespace) === metadata.namespace
  );
}

function hasPolicy(service: KubernetesObject, objects: readonly KubernetesObject[]): boolean {
  return objects.some(
    (object) =>
      isOf(object, 'GCPBackendPolicy', 'networking.gke.io') &&
      stringAt(object, 'spec', 'targetRef', 'kind') === 'Service' &&
      names(objectAt(object, 'spec', 'targetRef'), object, service),
  );
}

/** By an Ingress of one of GKE's classes; it goes by the annotation alone. */
function isBehindIngress({ metadata }: KubernetesObject, objects: readonly KubernetesObject[]): boolean {
  return objects.some((object) => {
    if (object.kind !== 'Ingress' || object.metadata.namespace !== metadata.namespace) return false;
    if (!/^gce(?:-internal)?$/.test(object.metadata.annotations?.['kubernetes.io/ingress.class'] ?? '')) return false;
    const paths = objectsAt(object, 'spec', 'rules').flatMap((rule) => objectsAt(rule, 'http', 'paths'));
    const backends = [at(object, 'spec', 'defaultBackend'), ...paths.map((path) => path['backend'])];
    return backends.some((backend) => stringAt(backend, 'service', 'name') === metadata.name);
  });
}

function hasConfig({ metadata }: KubernetesObject): boolean {
  const { annotations = {} } = metadata;
  return ['cloud.google.com/backend-config', 'beta.cloud.google.com/backend-config'].some(
    (name) => name in annotations,
  );
}

function isOf({ apiVersion, kind }: KubernetesObject, wanted: string, group: string): boolean {
  return kind === wanted && groupOf(apiVersion) === group;
}
