import { tooLong } from '../base/bounded-text.ts';
import { Failure } from '../base/errors.ts';
import { equal, isObject, objectsAt, ownValue, stringAt, type Json, type JsonObject } from '../base/json.ts';
import { limits } from '../base/limits.ts';
import type {
  ApplyOptions,
  DeleteOptions,
  FieldDocumentation,
  JsonPatchOperation,
  KubernetesClient,
  LargeListOptions,
  ListOptions,
  LogOptions,
  ObjectList,
  PatchBody,
  PlannedWrite,
  ProxyAnswer,
  ProxyRequest,
  ProxyTarget,
  Resource,
  WatchEvent,
  WriteOptions,
  Written,
} from './client.ts';
import type { Connection } from './connect/endpoint.ts';
import { apiVersionOf, discover, type Discovery } from './discovery.ts';
import { ApiError, attemptOn, isStatus, statusOf } from './errors.ts';
import { knownKind } from './known-kinds.ts';
import { describeRef, refOf, type KubernetesObject, type ObjectRef } from './object.ts';
import { OpenApi } from './openapi.ts';
import { proxyPathOf, proxyRefusal } from './proxied.ts';
import { pathOf } from './resource-path.ts';
import { objectsIn } from './secret-values.ts';
import { Transport, type Answer, type Call, type TransportOptions } from './transport.ts';
import { UnknownKind } from './unknown-kind.ts';
import type { Attempt } from './attempt.ts';

/** Objects of one answer of a list; the server is asked again for the rest. */
const pageSize = 500;

/** A page may be empty where a selector leaves nothing of it; so many in a row are a fault. */
const mostEmptyPages = 100;

/** The server ends a watch after this long, so that a half-open connection is noticed. */
const watchSeconds = 300;

const patchTypes: Readonly<Record<PatchBody['type'], string>> = {
  json: 'application/json-patch+json',
  merge: 'application/merge-patch+json',
  strategic: 'application/strategic-merge-patch+json',
};

/** What is created there asks something: who one is, and what one may. Nothing is written. */
const questions: ReadonlySet<string> = new Set(['authentication.k8s.io', 'authorization.k8s.io']);

/** Leases, of which the lock itself is one, and questions. */
const unguardedGroups = new Set(['coordination.k8s.io', ...questions]);

export function createClient(connection: Connection, options: TransportOptions): KubernetesClient {
  return new HttpClient(connection, new Transport(connection, options), options.onObject);
}

class HttpClient implements KubernetesClient {
  readonly server: string;
  readonly defaultNamespace: string;
  readonly #connection: Connection;
  readonly #transport: Transport;
  readonly #onObject: (object: JsonObject) => void;
  readonly #openApi: OpenApi;
  #discovery: Promise<Discovery> | undefined;
  #confinement: ((write: PlannedWrite) => Promise<void>) | undefined;

  constructor(connection: Connection, transport: Transport, onObject: TransportOptions['onObject']) {
    this.server = connection.server;
    this.defaultNamespace = connection.namespace;
    this.#connection = connection;
    this.#transport = transport;
    this.#onObject = onObject ?? (() => undefined);
    this.#openApi = new OpenApi(transport);
  }

  get aheadMs(): number {
    return this.#transport.serverTime.aheadMs;
  }

  get requestCounts(): ReadonlyMap<string, number> {
    return this.#transport.requestCounts;
  }

  async resources(): Promise<readonly Resource[]> {
    return (await this.#discover()).resources;
  }

  forgetDiscovery(): void {
    this.#discovery = undefined;
    this.#openApi.forget();
  }

  async resource(apiVersion: string, kind: string): Promise<Resource | undefined> {
    const known = knownKind(apiVersion, kind);
    if (known !== undefined) return known;
    const { resources, unavailable } = await this.#discover();
    const found = resources.find((resource) => resource.kind === kind && apiVersionOf(resource) === apiVersion);
    if (found === undefined && unavailable.includes(apiVersion)) {
      throw new Failure(
        `cannot tell whether the cluster serves kind "${kind}": the API server of "${apiVersion}" is down`,
        {
          hint: `See "kubectl get apiservices": the pods behind "${apiVersion}" must run.`,
        },
      );
    }
    return found;
  }

  async #discover(): Promise<Discovery> {
    const flight = (this.#discovery ??= discover(this.#transport));
    try {
      return await flight;
    } catch (error) {
      if (this.#discovery === flight) this.#discovery = undefined;
      throw error;
    }
  }

  async read(ref: ObjectRef): Promise<KubernetesObject | undefined> {
    try {
      return objectOf(await this.#call('GET', 'get', ref, { idempotent: true }));
    } catch (error) {
      if (isStatus(error, 404)) return undefined;
      throw error;
    }
  }

  async list(resource: Resource, options: LargeListOptions, signal?: AbortSignal): Promise<ObjectList> {
    try {
      return await this.#pages(resource, options, pageSize, signal);
    } catch (error) {
      // The list has changed too much since its first page: take it as a whole, which cannot happen to it.
      if (isStatus(error, 410)) return await this.#pages(resource, options, 0, signal);
      throw error;
    }
  }

  /** @param limit objects in one answer; 0 for all of them */
  async #pages(
    resource: Resource,
    options: LargeListOptions,
    limit: number,
    signal?: AbortSignal,
  ): Promise<ObjectList> {
    const items: KubernetesObject[] = [];
    let token = '';
    let empty = 0;
    for (;;) {
      const { body } = await this.#transport.send({
        method: 'GET',
        path: pathOf(resource, options.namespace),
        query: {
          ...(limit === 0 ? {} : { limit: String(limit) }),
          ...selectorsOf(options),
          ...(token === '' ? {} : { continue: token }),
        },
        idempotent: true,
        expects: 'list',
        attempt: listAttempt('list', resource, options.namespace),
        ...(signal === undefined ? {} : { signal }),
      });
      // Items of a list come without apiVersion and kind.
      const type = { apiVersion: apiVersionOf(resource), kind: resource.kind };
      for (const item of objectsAt(body, 'items')) {
        const object = { ...type, ...item } as KubernetesObject;
        items.push(options.keep?.(object) ?? object);
      }
      const next = stringAt(body, 'metadata', 'continue') ?? '';
      empty = objectsAt(body, 'items').length > 0 ? 0 : empty + 1;
      if (next !== '' && (next === token || empty >= mostEmptyPages)) {
        throw new Failure(
          `the list of ${resource.plural} never ends: the server keeps returning pages with nothing new`,
          {
            hint: 'Check for a proxy or an aggregated API server in between: kubectl get apiservices.',
          },
        );
      }
      token = next;
      if (token === '') return { items, resourceVersion: stringAt(body, 'metadata', 'resourceVersion') ?? '' };
    }
  }

  async apply(object: KubernetesObject, options: ApplyOptions): Promise<Written> {
    const query = { ...writeQuery(options), force: String(options.force ?? false) };
    // The content is fixed, so that applying it twice is applying it once.
    return written(
      await this.#call('PATCH', 'patch', refOf(object), {
        query,
        body: object,
        object,
        contentType: 'application/apply-patch+yaml',
        idempotent: true,
      }),
    );
  }

  /** Repeated after a lost answer: an object that then exists and holds all that was sent is the one we created. */
  async create(object: KubernetesObject, options: WriteOptions): Promise<Written> {
    const ref = refOf(object);
    try {
      return written(
        await this.#call('POST', 'create', ref, { query: writeQuery(options), body: object, object, idempotent: true }),
      );
    } catch (error) {
      if (!(error instanceof ApiError && error.isAlreadyExists && error.afterLostAnswer)) throw error;
      const live = await this.read(ref);
      if (live === undefined || !contains(live, object)) throw error;
      return { object: live, warnings: [] };
    }
  }

  /**
   * Repeated after a lost answer. One that is guarded by a resourceVersion and had been carried out comes back as a write
   * conflict then, which callers answer by reading again anyway.
   */
  async replace(object: KubernetesObject, options: WriteOptions): Promise<Written> {
    return written(
      await this.#call('PUT', 'update', refOf(object), {
        query: writeQuery(options),
        body: object,
        object,
        idempotent: true,
      }),
    );
  }

  async patch(ref: ObjectRef, body: PatchBody, options: WriteOptions): Promise<Written> {
    const content: Json = body.type === 'json' ? body.operations.map(plainOperation) : body.patch;
    return written(
      await this.#call('PATCH', 'patch', ref, {
        query: writeQuery(options),
        body: content,
        contentType: patchTypes[body.type],
        // Operations may add to lists, unless they hold for one version only; the other two set what they name, however often.
        idempotent: body.type !== 'json' || body.operations.some(({ path }) => path === '/metadata/resourceVersion'),
      }),
    );
  }

  async delete(ref: ObjectRef, options: DeleteOptions = {}): Promise<boolean> {
    const { propagationPolicy = 'Background', ...preconditions } = options;
    const body: JsonObject = {
      apiVersion: 'v1',
      kind: 'DeleteOptions',
      propagationPolicy,
      ...(Object.keys(preconditions).length === 0 ? {} : { preconditions }),
    };
    try {
      await this.#call('DELETE', 'delete', ref, { body, idempotent: true });
      return true;
    } catch (error) {
      if (isStatus(error, 404)) return error.afterLostAnswer;
      throw error;
    }
  }

  async logs(pod: ObjectRef, container: string, options: LogOptions): Promise<string> {
    const resource = await this.#resourceOf(pod);
    const { text } = await this.#transport.send({
      method: 'GET',
      path: `${pathOf(resource, pod.namespace, pod.name)}/log`,
      query: {
        container,
        tailLines: String(options.tailLines),
        limitBytes: String(limits.podLog.value),
        ...(options.previous === true ? { previous: 'true' } : {}),
      },
      accept: '*/*',
      idempotent: true,
      attempt: { verb: 'get', plural: 'pods/log', group: '', subject: `the log of Pod "${pod.name}"` },
    });
    return text;
  }

  async proxy(target: ProxyTarget, request: ProxyRequest, signal?: AbortSignal): Promise<ProxyAnswer> {
    const { kind, namespace, name } = target;
    const { path, ...rest } = request;
    const resource = await this.#resourceOf({ apiVersion: 'v1', kind, name });
    const answer = await this.#transport.pass({
      ...rest,
      path: `${proxyPathOf(resource, target)}${path}`,
      ...(signal === undefined ? {} : { signal }),
    });
    const refusal = proxyRefusal(answer, {
      verb: 'ask',
      plural: `${resource.plural}/proxy`,
      group: '',
      subject: `${describeRef({ apiVersion: 'v1', kind, namespace, name })} through the API server`,
    });
    if (refusal !== undefined) throw refusal;
    return answer;
  }

  async *watch(
    resource: Resource,
    options: ListOptions & { resourceVersion: string },
    signal: AbortSignal,
  ): AsyncIterable<WatchEvent> {
    const stream = await this.#transport.stream(
      {
        method: 'GET',
        path: pathOf(resource, options.namespace),
        query: {
          watch: 'true',
          allowWatchBookmarks: 'true',
          timeoutSeconds: String(watchSeconds),
          resourceVersion: options.resourceVersion,
          ...selectorsOf(options),
        },
        idempotent: true,
        attempt: listAttempt('watch', resource, options.namespace),
      },
      signal,
    );
    for await (const line of linesOf(stream)) {
      const event = JSON.parse(line) as { type: string; object: JsonObject };
      switch (event.type) {
        case 'ADDED':
        case 'MODIFIED':
        case 'DELETED':
          yield { type: event.type, object: event.object as KubernetesObject };
          break;
        case 'BOOKMARK':
          yield { type: 'BOOKMARK', resourceVersion: stringAt(event.object, 'metadata', 'resourceVersion') ?? '' };
          break;
        default:
          yield { type: 'ERROR', ...statusOf(event.object) };
      }
    }
  }

  async explain(
    apiVersion: string,
    kind: string,
    path: readonly (string | number)[],
  ): Promise<FieldDocumentation | undefined> {
    return await this.#openApi.explain(apiVersion, kind, path);
  }

  guardWrites(guard: (until: number) => Promise<void>): () => void {
    this.#transport.guard = guard;
    return () => {
      if (this.#transport.guard === guard) this.#transport.guard = undefined;
    };
  }

  learn(record: Json): void {
    for (const object of objectsIn(record)) this.#onObject(object);
  }

  confine(check: (write: PlannedWrite) => Promise<void>): () => void {
    this.#confinement = check;
    return () => {
      if (this.#confinement === check) this.#confinement = undefined;
    };
  }

  close(): Promise<void> {
    this.#connection.close();
    return Promise.resolve();
  }

  async #call(
    method: Call['method'],
    verb: string,
    ref: ObjectRef,
    { object, ...call }: Pick<Call, 'query' | 'body' | 'contentType' | 'idempotent'> & { object?: KubernetesObject },
  ): Promise<Answer> {
    const resource = await this.#resourceOf(ref);
    if (isObject(call.body)) this.#onObject(call.body);
    const namespace = ref.namespace ?? this.defaultNamespace;
    const path = pathOf(resource, namespace, method === 'POST' ? undefined : ref.name);
    if (method !== 'GET' && !questions.has(resource.group)) {
      const { apiVersion, kind, name } = ref;
      const meant = { apiVersion, kind, name, ...(resource.namespaced ? { namespace } : {}) };
      await this.#confinement?.({ ref: meant, ...(object === undefined ? {} : { object }) });
    }
    const guarded = method !== 'GET' && call.query?.['dryRun'] === undefined && !unguardedGroups.has(resource.group);
    const answer = await this.#transport.send({
      method,
      path,
      guarded,
      expects: 'object',
      attempt: attemptOn(verb, ref, resource.plural),
      ...call,
    });
    if (method === 'GET' && isObject(answer.body)) this.#onObject(answer.body);
    return answer;
  }

  async #resourceOf(ref: ObjectRef): Promise<Resource> {
    const resource = await this.resource(ref.apiVersion, ref.kind);
    if (resource === undefined) throw new UnknownKind(ref.apiVersion, ref.kind, await this.resources());
    return resource;
  }
}

/** Fields that the server does not know or that stand twice are errors, not silently dropped. */
function writeQuery(options: WriteOptions): Record<string, string> {
  return {
    fieldManager: options.fieldManager,
    fieldValidation: 'Strict',
    ...(options.dryRun === true ? { dryRun: 'All' } : {}),
  };
}

function selectorsOf({ labelSelector, fieldSelector }: ListOptions): Record<string, string> {
  return {
    ...(labelSelector === undefined ? {} : { labelSelector }),
    ...(fieldSelector === undefined ? {} : { fieldSelector }),
  };
}

function listAttempt(verb: string, resource: Resource, namespace: string | undefined): Attempt {
  const where = namespace === undefined ? '' : ` in namespace "${namespace}"`;
  return { verb, plural: resource.plural, group: resource.group, subject: `${resource.plural}${where}` };
}

function written(answer: Answer): Written {
  return { object: objectOf(answer), warnings: answer.warnings };
}

function objectOf(answer: Answer): KubernetesObject {
  return answer.body as KubernetesObject;
}

/** Whether every value of `part` stands in `whole`, too; lists must be equal. */
function contains(whole: Json | undefined, part: Json | undefined): boolean {
  if (part === undefined) return true;
  if (!isObject(part)) return equal(whole, part);
  return isObject(whole) && Object.entries(part).every(([key, value]) => contains(ownValue(whole, key), value));
}

function plainOperation(operation: JsonPatchOperation): JsonObject {
  return { ...operation };
}

/** Lines may be cut anywhere by the network, also inside a character. */
async function* linesOf(stream: AsyncIterable<Buffer>): AsyncIterable<string> {
  const decoder = new TextDecoder();
  const parts: string[] = [];
  let size = 0;
  for await (const chunk of stream) {
    const [first = '', ...others] = decoder.decode(chunk, { stream: true }).split('\n');
    parts.push(first);
    size += first.length;
    if (size > limits.watchEvent.value) throw tooLong('an event of the API server', limits.watchEvent);
    const last = others.pop();
    if (last === undefined) continue;
    const lines = [parts.join(''), ...others];
    parts.splice(0, Infinity, last);
    size = last.length;
    for (const line of lines) if (line !== '') yield line;
  }
}
