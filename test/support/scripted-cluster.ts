import type { KubernetesClient, ListOptions, Resource, WatchEvent } from '../../src/kubernetes/client.ts';
import type { KubernetesObject, ObjectRef } from '../../src/kubernetes/object.ts';

interface Watcher {
  kind: string;
  options: ListOptions;
  push(event: WatchEvent): void;
}

/**
 * A cluster in which a test makes things happen: what it puts or removes reaches the open watches at once. Of selectors only
 * `metadata.name=` and `type=Warning` are minded.
 */
export class ScriptedCluster {
  /** `list Deployment`, `watch Pod`, in the order of the requests. */
  readonly requests: string[] = [];
  readonly #objects = new Map<string, KubernetesObject>();
  readonly #watchers = new Set<Watcher>();
  #version = 10;

  readonly client: KubernetesClient = {
    aheadMs: 0,
    resource: (apiVersion: string, kind: string) => {
      const [version = '', group = ''] = apiVersion.split('/').reverse();
      const resource: Resource = {
        group,
        version,
        kind,
        plural: `${kind.toLowerCase()}s`,
        namespaced: true,
        verbs: [],
      };
      return Promise.resolve(resource);
    },
    read: (ref: ObjectRef) => {
      this.requests.push(`read ${ref.kind}`);
      const { apiVersion, kind, name, namespace } = ref;
      const metadata = { name, ...(namespace === undefined ? {} : { namespace }) };
      return Promise.resolve(structuredClone(this.#objects.get(keyOf({ apiVersion, kind, metadata }))));
    },
    list: ({ kind }: Resource, options: ListOptions) => {
      this.requests.push(`list ${kind}`);
      const items = [...this.#objects.values()].filter((object) => isWanted(object, kind, options));
      return Promise.resolve({ items: structuredClone(items), resourceVersion: String(this.#version) });
    },
    watch: ({ kind }: Resource, options: ListOptions, signal: AbortSignal) => {
      this.requests.push(`watch ${kind}`);
      return this.#watch(kind, options, signal);
    },
  } as unknown as KubernetesClient;

  put(...objects: KubernetesObject[]): void {
    for (const object of objects) {
      const isNew = !this.#objects.has(keyOf(object));
      this.#objects.set(keyOf(object), object);
      this.#tell(isNew ? 'ADDED' : 'MODIFIED', object);
    }
  }

  remove(object: KubernetesObject): void {
    this.#objects.delete(keyOf(object));
    this.#tell('DELETED', object);
  }

  #tell(type: 'ADDED' | 'MODIFIED' | 'DELETED', object: KubernetesObject): void {
    this.#version += 1;
    for (const watcher of this.#watchers) {
      if (isWanted(object, watcher.kind, watcher.options)) watcher.push({ type, object: structuredClone(object) });
    }
  }

  async *#watch(kind: string, options: ListOptions, signal: AbortSignal): AsyncIterable<WatchEvent> {
    const queue: WatchEvent[] = [];
    let wake: () => void = () => undefined;
    const watcher: Watcher = {
      kind,
      options,
      push: (event) => {
        queue.push(event);
        wake();
      },
    };
    this.#watchers.add(watcher);
    try {
      for (;;) {
        signal.throwIfAborted();
        const next = queue.shift();
        if (next !== undefined) {
          yield next;
          continue;
        }
        await new Promise<void>((resolve) => {
          wake = resolve;
          signal.addEventListener('abort', () => {
            resolve();
          });
        });
      }
    } finally {
      this.#watchers.delete(watcher);
    }
  }
}

function isWanted(object: KubernetesObject, kind: string, { fieldSelector = '' }: ListOptions): boolean {
  if (object.kind !== kind) return false;
  return fieldSelector.split(',').every((term) => {
    const [field = '', value] = term.split('=');
    if (field === 'metadata.name') return object.metadata.name === value;
    return field === '' || object[field] === value;
  });
}

function keyOf({ kind, metadata }: KubernetesObject): string {
  return `${kind}/${metadata.name}`;
}
