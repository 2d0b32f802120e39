import type { KubernetesClient, LargeListOptions, ObjectList, Resource } from '../../kubernetes/client.ts';

/** The same client, which lists the same only once: a look at the cluster, in which its pods stay as they are. */
export function lookOnce(client: KubernetesClient): KubernetesClient {
  const known = new Map<LargeListOptions['keep'], Map<string, Promise<ObjectList>>>();
  const list = async (resource: Resource, options: LargeListOptions, signal?: AbortSignal): Promise<ObjectList> => {
    const { keep, ...scope } = options;
    const lists = known.get(keep) ?? new Map<string, Promise<ObjectList>>();
    known.set(keep, lists);
    const key = JSON.stringify([resource.group, resource.version, resource.kind, Object.entries(scope).sort()]);
    const listed = lists.get(key) ?? client.list(resource, options, signal);
    lists.set(key, listed);
    return await listed;
  };
  return new Proxy(client, {
    get: (target, name) => {
      if (name === 'list') return list;
      const value: unknown = Reflect.get(target, name);
      return typeof value === 'function' ? (value.bind(target) as unknown) : value;
    },
  });
}
