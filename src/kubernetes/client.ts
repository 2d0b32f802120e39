import type { Json } from '../base/json.ts';
import type { KubernetesObject, ObjectRef } from './object.ts';

/** One kind as the server serves it, found by discovery. */
export interface Resource {
  /** Empty for the core group. */
  group: string;
  version: string;
  kind: string;
  /** The name in URLs: `deployments`. */
  plural: string;
  namespaced: boolean;
  verbs: readonly string[];
}

export interface WriteOptions {
  /** Owner of the written fields in `managedFields`. */
  fieldManager: string;
  /** Let the server do everything but store the result. */
  dryRun?: boolean;
}

export interface ApplyOptions extends WriteOptions {
  /** Take fields over from other managers instead of answering 409. */
  force?: boolean;
}

export interface ListOptions {
  /** Absent: all namespaces (or a cluster-scoped kind). */
  namespace?: string;
  labelSelector?: string;
  fieldSelector?: string;
}

export interface LargeListOptions extends ListOptions {
  /** What to keep of each object as its page comes, where thousands of whole ones would fill the memory. */
  keep?: (object: KubernetesObject) => KubernetesObject;
}

export interface ObjectList {
  items: KubernetesObject[];
  resourceVersion: string;
}

export type PatchBody =
  | { type: 'json'; operations: JsonPatchOperation[] }
  | { type: 'merge'; patch: Json }
  | { type: 'strategic'; patch: Json };

export type JsonPatchOperation =
  { op: 'add' | 'replace' | 'test'; path: string; value: Json } | { op: 'remove'; path: string };

export interface DeleteOptions {
  /** Delete only this very object, not a later one of the same name. */
  uid?: string;
  /** Delete it only as it was read; 409 when somebody has changed it since. */
  resourceVersion?: string;
  propagationPolicy?: 'Background' | 'Foreground' | 'Orphan';
}

/** An object as the server answered it, and the texts of its `Warning:` headers. */
export interface Written {
  object: KubernetesObject;
  warnings: string[];
}

/** What a client is about to write. */
export interface PlannedWrite {
  /** With the namespace that it goes to; without one for kinds that have none. */
  ref: ObjectRef;
  /** As it is to be; absent for a deletion and for a change of single fields. */
  object?: KubernetesObject;
}

export interface LogOptions {
  tailLines: number;
  /** The log of the container's last, ended run. */
  previous?: boolean;
}

/** What the API server passes a request on to: a Service or a pod, `https` when that is what it speaks. */
export interface ProxyTarget {
  kind: 'Service' | 'Pod';
  namespace: string;
  name: string;
  /** The number of a port; of a Service also its name. */
  port: string;
  scheme: 'http' | 'https';
}

export interface ProxyRequest {
  method: string;
  /** With its query: `/predict?model=a`. */
  path: string;
  headers: Readonly<Record<string, string>>;
  body?: string;
  timeoutMs: number;
}

/** What came back, whoever made it: the application, or the API server when it could not reach one. */
export interface ProxyAnswer {
  status: number;
  /** By lower-case name. */
  headers: Readonly<Record<string, string>>;
  /** The first megabyte of it. */
  body: string;
  durationMs: number;
}

/**
 * The Kubernetes API as the layers above use it: JSON in, JSON out, nothing dropped or renamed. Every call has a
 * deadline, is retried where that is safe, and throws an `ApiError` with the server's Status otherwise.
 */
export interface KubernetesClient {
  /** Where the API server is: `https://203.0.113.7:6443`. */
  readonly server: string;
  /** The namespace of the kubeconfig's context, or `default`. */
  readonly defaultNamespace: string;
  /** By how many ms the server's clock is ahead of ours, as its answers tell: see `serverNow`. 0 before the first one. */
  readonly aheadMs: number;

  /** Undefined when the server does not serve this kind. Discovery is made once and again after `forgetDiscovery`; kinds that each server has need none. */
  resource(apiVersion: string, kind: string): Promise<Resource | undefined>;
  /** All kinds the server serves, preferred versions first. */
  resources(): Promise<readonly Resource[]>;
  /** Needed after a CustomResourceDefinition was created. */
  forgetDiscovery(): void;

  /** Undefined when there is no such object. */
  read(ref: ObjectRef): Promise<KubernetesObject | undefined>;
  /** Consistent, all pages of it; rejects with the signal's reason when aborted. */
  list(resource: Resource, options: LargeListOptions, signal?: AbortSignal): Promise<ObjectList>;
  /** Server-side apply with strict field validation. */
  apply(object: KubernetesObject, options: ApplyOptions): Promise<Written>;
  create(object: KubernetesObject, options: WriteOptions): Promise<Written>;
  /**
   * PUT; a `metadata.resourceVersion` in the object guards against a write in between (409). Such a conflict may also be
   * with our own write, when its answer was lost: read the object again before deciding.
   */
  replace(object: KubernetesObject, options: WriteOptions): Promise<Written>;
  patch(ref: ObjectRef, body: PatchBody, options: WriteOptions): Promise<Written>;
  /** False when there was no such object. */
  delete(ref: ObjectRef, options?: DeleteOptions): Promise<boolean>;
  /** The last lines a container wrote. Throws an ApiError where there is no log (yet). */
  logs(pod: ObjectRef, container: string, options: LogOptions): Promise<string>;

  /**
   * One request to a Service or a pod, passed on by the API server (`…/proxy/…`). It is not repeated, and any status is an answer.
   * @throws ApiError when the server itself refuses: a right is missing, or there is no such object; TimeoutError (a
   *   DOMException) after `timeoutMs`; ConnectionError when the server cannot be reached
   */
  proxy(target: ProxyTarget, request: ProxyRequest, signal?: AbortSignal): Promise<ProxyAnswer>;

  /**
   * One WATCH request: yields events until the server ends it, the connection breaks (throws) or the signal aborts.
   * Most callers want `observe` of `watch.ts`, which lists, resumes and re-lists.
   */
  watch(
    resource: Resource,
    options: ListOptions & { resourceVersion: string },
    signal: AbortSignal,
  ): AsyncIterable<WatchEvent>;

  /** What the server's OpenAPI says about a field, as `kubectl explain` would print it; undefined when unknown. */
  explain(
    apiVersion: string,
    kind: string,
    path: readonly (string | number)[],
  ): Promise<FieldDocumentation | undefined>;

  /**
   * From now on this is awaited before each attempt at a write, and may refuse it by throwing. Dry runs, Leases and questions
   * about rights are not asked about. Returns what ends that.
   */
  guardWrites(guard: (until: number) => Promise<void>): () => void;

  /** Has what is secret in the objects of a record hidden from now on, as it is for those that are sent and read. */
  learn?(record: Json): void;

  /**
   * From now on this is awaited before each write, dry runs among them, and may refuse it by throwing. Questions about rights are
   * not asked about. Returns what ends that.
   */
  confine(check: (write: PlannedWrite) => Promise<void>): () => void;

  /** Requests made so far, by HTTP verb (`GET`, `PATCH`, …; a watch counts as `WATCH`). */
  readonly requestCounts: ReadonlyMap<string, number>;
  /** Close idle connections, so that the process can end. */
  close(): Promise<void>;
}

export type WatchEvent =
  | { type: 'ADDED' | 'MODIFIED' | 'DELETED'; object: KubernetesObject }
  | { type: 'BOOKMARK'; resourceVersion: string }
  | { type: 'ERROR'; code: number; message: string };

export interface FieldDocumentation {
  /** `spec.template.spec.containers[].image` */
  path: string;
  type: string;
  description: string;
  /** The fields that would have been known at this place, when the asked one is not. */
  siblings: readonly string[];
}
