import type { KubernetesObject } from '../kubernetes/object.ts';
import type { Handlers } from '../kubernetes/watch.ts';

/** Where the objects of one or more watches are kept, by their uid. */
export interface Store {
  put(object: KubernetesObject): void;
  remove(id: string): void;
}

export function mapStore(map: Map<string, KubernetesObject>): Store {
  return {
    put: (object) => {
      map.set(idOf(object), object);
    },
    remove: (id) => {
      map.delete(id);
    },
  };
}

/** Keeps a store as the cluster is; `look` is called after every change of it. */
export function storing(store: Store, look: () => void): Handlers {
  let known = new Set<string>();
  return {
    onSync: (objects: KubernetesObject[]) => {
      const present = new Set(objects.map(idOf));
      for (const id of known) if (!present.has(id)) store.remove(id);
      for (const object of objects) store.put(object);
      known = present;
      look();
    },
    onChange: (type: string, object: KubernetesObject) => {
      const id = idOf(object);
      if (type === 'DELETED') {
        store.remove(id);
        known.delete(id);
      } else {
        store.put(object);
        known.add(id);
      }
      look();
    },
  };
}

export function idOf(object: KubernetesObject): string {
  return object.metadata.uid ?? `${object.metadata.namespace ?? ''}/${object.metadata.name}`;
}
