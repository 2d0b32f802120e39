import { messageOf } from '../../base/errors.ts';
import type { Reporter } from '../../base/reporter.ts';
import type { KubernetesClient, Resource } from '../../kubernetes/client.ts';
import type { KubernetesObject } from '../../kubernetes/object.ts';
import { kueueHold } from '../failures/queue.ts';
import { mapStore, type Store } from '../store.ts';
import { findWorkloads } from './kinds.ts';

/** Follows the objects of a kind in a namespace; it may not be allowed to, and then nothing comes. */
type Follow = (resource: Resource, namespace: string, store: Store) => Promise<void>;

/** The Workloads of Kueue in the namespaces in which a pod waits for it, from the first such pod on. */
export class QueueWatch {
  readonly #client: KubernetesClient;
  readonly #reporter: Pick<Reporter, 'debug'>;
  readonly #follow: Follow;
  readonly #workloads = new Map<string, KubernetesObject>();
  readonly #namespaces = new Set<string>();

  constructor(client: KubernetesClient, reporter: Pick<Reporter, 'debug'>, follow: Follow) {
    this.#client = client;
    this.#reporter = reporter;
    this.#follow = follow;
  }

  get workloads(): KubernetesObject[] {
    return [...this.#workloads.values()];
  }

  /** A store of pods that looks at each one that comes. */
  watching(pods: Store): Store {
    return {
      put: (pod) => {
        pods.put(pod);
        const { namespace } = pod.metadata;
        if (namespace === undefined || this.#namespaces.has(namespace) || kueueHold(pod) === undefined) return;
        this.#namespaces.add(namespace);
        void this.#observe(namespace);
      },
      remove: (id) => {
        pods.remove(id);
      },
    };
  }

  async #observe(namespace: string): Promise<void> {
    try {
      const resource = await findWorkloads(this.#client);
      if (resource !== undefined) await this.#follow(resource, namespace, mapStore(this.#workloads));
    } catch (error) {
      this.#reporter.debug(`why pods are queued stays unknown: ${messageOf(error)}`);
    }
  }
}
