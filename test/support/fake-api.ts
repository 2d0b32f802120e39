import type { JsonObject } from '../../src/base/json.ts';
import type { KubernetesClient, ListOptions, PlannedWrite, Resource, Written } from '../../src/kubernetes/client.ts';
import { ApiError } from '../../src/kubernetes/errors.ts';
import { keyOf, refOf, type KubernetesObject, type ObjectMeta, type ObjectRef } from '../../src/kubernetes/object.ts';

type Operation = 'read' | 'list' | 'apply' | 'create' | 'replace' | 'delete';

/**
 * The objects of a cluster in memory, with uid and resourceVersion as the real API server keeps them. An apply stores what it
 * is given; ownership of fields is what the tests put in. `before` may throw, or change things, ahead of any request.
 */
export class FakeApi implements KubernetesClient {
  readonly server = 'https://fake.test';
  readonly defaultNamespace = 'default';
  aheadMs = 0;
  readonly requestCounts = new Map<string, number>();
  readonly objects = new Map<string, KubernetesObject>();
  /** `apply ConfigMap/a`, in the order of the requests. */
  readonly log: string[] = [];
  before: (operation: Operation, ref: ObjectRef) => void = () => undefined;
  #version = 100;
  #guard: ((until: number) => Promise<void>) | undefined;
  #confinement: ((write: PlannedWrite) => Promise<void>) | undefined;

  /** Puts an object there as somebody else would. */
  put(object: KubernetesObject): KubernetesObject {
    const key = keyOf(refOf(object));
    this.#version += 1;
    const stored = structuredClone({
      ...object,
      metadata: {
        ...object.metadata,
        uid: object.metadata.uid ?? `uid-${this.#version}`,
        resourceVersion: String(this.#version),
      },
    });
    this.objects.set(key, stored);
    return structuredClone(stored);
  }

  get(ref: ObjectRef): KubernetesObject | undefined {
    return this.objects.get(keyOf(ref));
  }

  resource(apiVersion: string, kind: string): Promise<Resource | undefined> {
    const [version = '', group = ''] = apiVersion.split('/').reverse();
    return Promise.resolve({ group, version, kind, plural: `${kind.toLowerCase()}s`, namespaced: true, verbs: [] });
  }

  resources(): Promise<readonly Resource[]> {
    return Promise.resolve([]);
  }

  forgetDiscovery(): void {
    // Nothing is remembered.
  }

  async read(ref: ObjectRef): Promise<KubernetesObject | undefined> {
    await this.#begin('read', ref);
    const found = this.get(ref);
    return found === undefined ? undefined : structuredClone(found);
  }

  async list({ kind, group }: Resource, { namespace, labelSelector = '' }: ListOptions) {
    await this.#begin('list', { apiVersion: 'v1', kind, name: '*' });
    const wanted = labelSelector === '' ? [] : labelSelector.split(',').map((pair) => pair.split('='));
    const items = [...this.objects.values()].filter(
      (object) =>
        object.kind === kind &&
        (group === '' || object.apiVersion.startsWith(`${group}/`)) &&
        (namespace === undefined || object.metadata.namespace === namespace) &&
        wanted.every(([key = '', value]) => object.metadata.labels?.[key] === value),
    );
    return { items: structuredClone(items), resourceVersion: String(this.#version) };
  }

  async apply(object: KubernetesObject): Promise<Written> {
    await this.#begin('apply', refOf(object), object);
    const known = this.get(refOf(object))?.metadata;
    const { uid } = known ?? {};
    const wanted = object.metadata;
    // As the server does with an apply that says which object and which state of it is meant.
    if (wanted.uid !== undefined && wanted.uid !== uid) throw refusal(409, 'Conflict', refOf(object));
    if (wanted.resourceVersion !== undefined && wanted.resourceVersion !== known?.resourceVersion)
      throw refusal(409, 'Conflict', refOf(object));
    return written(this.put(uid === undefined ? object : withMetadata(object, { uid })));
  }

  async create(object: KubernetesObject, { dryRun = false }: { dryRun?: boolean } = {}): Promise<Written> {
    await this.#begin('create', refOf(object), object);
    if (this.get(refOf(object)) !== undefined) throw refusal(409, 'AlreadyExists', refOf(object));
    return dryRun ? written(structuredClone(object)) : written(this.put(object));
  }

  async replace(object: KubernetesObject): Promise<Written> {
    await this.#begin('replace', refOf(object), object);
    const known = this.get(refOf(object));
    if (known === undefined) throw refusal(404, 'NotFound', refOf(object));
    const version = object.metadata.resourceVersion;
    if (version !== undefined && version !== known.metadata.resourceVersion) {
      throw refusal(409, 'Conflict', refOf(object));
    }
    return written(this.put(object));
  }

  patch(): Promise<Written> {
    throw new Error('the fake cannot patch');
  }

  async delete(
    ref: ObjectRef,
    { uid, resourceVersion }: { uid?: string; resourceVersion?: string } = {},
  ): Promise<boolean> {
    await this.#begin('delete', ref);
    const known = this.get(ref);
    if (known === undefined) return false;
    if (uid !== undefined && uid !== known.metadata.uid) throw refusal(409, 'Conflict', ref);
    if (resourceVersion !== undefined && resourceVersion !== known.metadata.resourceVersion)
      throw refusal(409, 'Conflict', ref);
    if ((known.metadata.finalizers ?? []).length === 0) return this.objects.delete(keyOf(ref));
    // As the server does: it stays until somebody takes the last finalizer off.
    if (known.metadata.deletionTimestamp === undefined)
      this.put(withMetadata(known, { deletionTimestamp: '2026-01-01T00:00:00Z' }));
    return true;
  }

  logs(): Promise<string> {
    throw new Error('the fake has no logs');
  }

  proxy(): Promise<never> {
    throw new Error('the fake passes nothing on');
  }

  watch(): AsyncIterable<never> {
    throw new Error('the fake cannot watch');
  }

  explain(): Promise<undefined> {
    return Promise.resolve(undefined);
  }

  guardWrites(guard: (until: number) => Promise<void>): () => void {
    this.#guard = guard;
    return () => {
      if (this.#guard === guard) this.#guard = undefined;
    };
  }

  confine(check: (write: PlannedWrite) => Promise<void>): () => void {
    this.#confinement = check;
    return () => {
      if (this.#confinement === check) this.#confinement = undefined;
    };
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  /** As a request over a network, so that others come in between. */
  async #begin(operation: Operation, ref: ObjectRef, object?: KubernetesObject): Promise<void> {
    await Promise.resolve();
    if (!['read', 'list'].includes(operation))
      await this.#confinement?.({ ref, ...(object === undefined ? {} : { object }) });
    if (!['read', 'list'].includes(operation) && ref.kind !== 'Lease') await this.#guard?.(Number.POSITIVE_INFINITY);
    this.log.push(`${operation} ${ref.kind}/${ref.name}`);
    this.before(operation, ref);
  }
}

export function refusal(status: number, reason: string, ref: ObjectRef, more: JsonObject = {}): ApiError {
  const message = `${ref.kind} "${ref.name}": ${reason}`;
  const body: JsonObject = { kind: 'Status', message, reason, ...more };
  return new ApiError(status, body, {
    verb: 'update',
    plural: ref.kind.toLowerCase(),
    group: '',
    subject: `${ref.kind} "${ref.name}"`,
  });
}

function withMetadata(object: KubernetesObject, more: Partial<ObjectMeta>): KubernetesObject {
  return { ...object, metadata: { ...object.metadata, ...more } };
}

function written(object: KubernetesObject): Written {
  return { object, warnings: [] };
}
