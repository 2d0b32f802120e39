import { isObject, objectAt, objectsAt, stringAt, type Json } from '../base/json.ts';
import type { Resource } from './client.ts';
import { ApiError } from './errors.ts';
import type { Transport } from './transport.ts';
import { rootOf } from './resource-path.ts';

export interface Discovery {
  /** Preferred versions first. */
  resources: Resource[];
  /** The apiVersions whose own API server does not answer, so that nobody knows their kinds. */
  unavailable: string[];
}

const aggregated = 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList';

/** All kinds that the server serves, preferred versions first, in two requests (aggregated discovery, Kubernetes 1.30). */
export async function discover(transport: Transport): Promise<Discovery> {
  const parts = await Promise.all(
    ['/api', '/apis'].map(async (path) => {
      const attempt = { verb: 'get', plural: '', group: '', subject: `the list of kinds at ${path}` };
      const answer = await transport.send({
        method: 'GET',
        path,
        accept: `${aggregated},application/json`,
        idempotent: true,
        attempt,
      });
      return stringAt(answer.body, 'kind') === 'APIGroupDiscoveryList'
        ? fromAggregated(answer.body)
        : await unaggregated(transport, answer.body);
    }),
  );
  return joined(parts);
}

function fromAggregated(body: Json): Discovery {
  const versions = objectsAt(body, 'items').flatMap((item) => {
    const group = stringAt(item, 'metadata', 'name') ?? '';
    return objectsAt(item, 'versions').map((entry): Discovery => {
      const version = stringAt(entry, 'version') ?? '';
      const resources = objectsAt(entry, 'resources').map((resource) => ({
        group,
        version,
        kind: stringAt(resource, 'responseKind', 'kind') ?? '',
        plural: stringAt(resource, 'resource') ?? '',
        namespaced: stringAt(resource, 'scope') === 'Namespaced',
        verbs: stringsOf(resource['verbs']),
      }));
      const isStale = stringAt(entry, 'freshness') === 'Stale' && resources.length === 0;
      return { resources, unavailable: isStale ? [apiVersionOf({ group, version })] : [] };
    });
  });
  return joined(versions);
}

function joined(parts: readonly Discovery[]): Discovery {
  return {
    resources: parts.flatMap((part) => part.resources),
    unavailable: parts.flatMap((part) => part.unavailable),
  };
}

/** Servers before 1.30, and proxies that do not pass the Accept header on: one request per group and version. */
async function unaggregated(transport: Transport, body: Json): Promise<Discovery> {
  const core = isObject(body) ? stringsOf(body['versions']) : [];
  const groups = objectsAt(body, 'groups').flatMap((entry) => {
    const group = stringAt(entry, 'name') ?? '';
    const preferred = stringAt(entry, 'preferredVersion', 'version') ?? '';
    const versions = objectsAt(entry, 'versions').map((version) => stringAt(version, 'version') ?? '');
    return [...new Set([preferred, ...versions])]
      .filter((version) => versions.includes(version))
      .map((version) => ({ group, version }));
  });
  return joined(
    await Promise.all(
      [...core.map((version) => ({ group: '', version })), ...groups].map(
        async (groupVersion) => await resourcesOf(transport, groupVersion),
      ),
    ),
  );
}

async function resourcesOf(transport: Transport, { group, version }: GroupVersion): Promise<Discovery> {
  const path = rootOf({ group, version });
  const attempt = { verb: 'get', plural: '', group, subject: `the list of kinds at ${path}` };
  let body: Json;
  try {
    ({ body } = await transport.send({ method: 'GET', path, idempotent: true, attempt }));
  } catch (error) {
    // A broken aggregated API must not stand in the way of all others.
    if (error instanceof ApiError && (error.status >= 500 || error.status === 404)) {
      return { resources: [], unavailable: [apiVersionOf({ group, version })] };
    }
    throw error;
  }
  const resources = objectsAt(objectAt(body), 'resources')
    .filter((resource) => !(stringAt(resource, 'name') ?? '').includes('/'))
    .map((resource) => ({
      group,
      version,
      kind: stringAt(resource, 'kind') ?? '',
      plural: stringAt(resource, 'name') ?? '',
      namespaced: resource['namespaced'] === true,
      verbs: stringsOf(resource['verbs']),
    }));
  return { resources, unavailable: [] };
}

function stringsOf(value: Json | undefined): string[] {
  return Array.isArray(value) ? value.filter((item) => typeof item === 'string') : [];
}

type GroupVersion = Pick<Resource, 'group' | 'version'>;

export function apiVersionOf({ group, version }: GroupVersion): string {
  return group === '' ? version : `${group}/${version}`;
}
