import { objectsAt, stringAt, type Json } from '../base/json.ts';
import type { Resource } from './client.ts';
import type { Transport } from './transport.ts';

const aggregated = 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList';

/** All kinds that the server serves, preferred versions first, in two requests (aggregated discovery, Kubernetes 1.30). */
export async function discover(transport: Transport): Promise<Resource[]> {
  const lists = await Promise.all(
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
  return lists.flat();
}

function fromAggregated(body: Json): Resource[] {
  return objectsAt(body, 'items').flatMap((item) => {
    const group = stringAt(item, 'metadata', 'name') ?? '';
    return objectsAt(item, 'versions').flatMap((entry) =>
      objectsAt(entry, 'resources').map((resource) => ({
        group,
        version: stringAt(entry, 'version') ?? '',
        kind: stringAt(resource, 'responseKind', 'kind') ?? '',
        plural: stringAt(resource, 'resource') ?? '',
        namespaced: stringAt(resource, 'scope') === 'Namespaced',
        verbs: stringsOf(resource['verbs']),
      })),
    );
  });
}

/** Servers before 1.30, and proxies that do not pass the Accept header on: one request per group and version. */
async function unaggregated(transport: Transport, body: Json): Promise<Resource[]> {
  const core = stringsOf((body as { versions?: Json } | null)?.versions).map((version) => ({
    group: '',
    version,
    path: `/api/${version}`,
  }));
  const groups = objectsAt(body, 'groups').flatMap((group) =>
    objectsAt(group, 'versions').map((entry) => {
      const name = stringAt(group, 'name') ?? '';
      const version = stringAt(entry, 'version') ?? '';
      return { group: name, version, path: `/apis/${name}/${version}` };
    }),
  );
  const lists = await Promise.all(
    [...core, ...groups].map(async ({ group, version, path }) => {
      const attempt = { verb: 'get', plural: '', group, subject: `the list of kinds at ${path}` };
      // A broken aggregated API must not stand in the way of all others.
      const answer = await transport.send({ method: 'GET', path, idempotent: true, attempt }).catch(() => undefined);
      return objectsAt(answer?.body, 'resources')
        .filter((resource) => !(stringAt(resource, 'name') ?? '').includes('/'))
        .map((resource) => ({
          group,
          version,
          kind: stringAt(resource, 'kind') ?? '',
          plural: stringAt(resource, 'name') ?? '',
          namespaced: resource['namespaced'] === true,
          verbs: stringsOf(resource['verbs']),
        }));
    }),
  );
  return lists.flat();
}

function stringsOf(value: Json | undefined): string[] {
  return Array.isArray(value) ? value.filter((item) => typeof item === 'string') : [];
}

/** `deployments` in `apps/v1`, in a namespace or in all, or one object of it: the path of its URL. */
export function pathOf(resource: Resource, namespace: string | undefined, name?: string): string {
  const root = resource.group === '' ? `/api/${resource.version}` : `/apis/${resource.group}/${resource.version}`;
  const scope = resource.namespaced && namespace !== undefined ? `/namespaces/${encodeURIComponent(namespace)}` : '';
  return `${root}${scope}/${resource.plural}${name === undefined ? '' : `/${encodeURIComponent(name)}`}`;
}

export function apiVersionOf(resource: Resource): string {
  return resource.group === '' ? resource.version : `${resource.group}/${resource.version}`;
}
