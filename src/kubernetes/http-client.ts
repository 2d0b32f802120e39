import { isObject, stringAt, type Json, type JsonObject } from '../base/json.ts';
import type {
  ApplyOptions,
  DeleteOptions,
  FieldDocumentation,
  JsonPatchOperation,
  KubernetesClient,
  ListOptions,
  LogOptions,
  ObjectList,
  PatchBody,
  Resource,
  WatchEvent,
  WriteOptions,
  Written,
} from './client.ts';
import type { Connection } from './connection.ts';
import { apiVersionOf, discover, pathOf } from './discovery.ts';
import { attemptOn, isStatus, statusOf, type Attempt } from './errors.ts';
import { refOf, type KubernetesObject, type ObjectRef } from './object.ts';
import { OpenApi } from './openapi.ts';
import { Transport, type Answer, type Call, type TransportOptions } from './transport.ts';
import { UnknownKind } from './unknown-kind.ts';

/** Objects of one answer of a list; the server is asked again for the rest. */
const pageSize = 500;

/** The server ends a watch after this long, so that a half-open connection is noticed. */
const watchSeconds = 300;

const patchTypes: Readonly<Record<PatchBody['type'], string>> = {
  json: 'application/json-patch+json',
  merge: 'application/merge-patch+json',
  strategic: 'application/strategic-merge-patch+json',
};

export function createClient(connection: Connection, options: TransportOptions): KubernetesClient {
  return new HttpClient(connection, new Transport(connection, options));
}

class HttpClient implements KubernetesClient {
  readonly server: string;
  readonly defaultNamespace: string;
  readonly #connection: Connection;
  readonly #transport: Transport;
  readonly #openApi: OpenApi;
  #discovery: Promise<Resource[]> | undefined;

  constructor(connection: Connection, transport: Transport) {
    this.server = connection.server;
    this.defaultNamespace = connection.namespace;
    this.#connection = connection;
    this.#transport = transport;
    this.#openApi = new OpenApi(transport);
  }

  get requestCounts(): ReadonlyMap<string, number> {
    return this.#transport.requestCounts;
  }

  async resources(): Promise<readonly Resource[]> {
    this.#discovery ??= discover(this.#transport).catch((error: unknown) => {
      this.forgetDiscovery();
      throw error;
    });
    return await this.#discovery;
  }

  forgetDiscovery(): void {
    this.#discovery = undefined;
  }

  async resource(apiVersion: string, kind: string): Promise<Resource | undefined> {
    const all = await this.resources();
    return all.find((resource) => resource.kind === kind && apiVersionOf(resource) === apiVersion);
  }

  async read(ref: ObjectRef): Promise<KubernetesObject | undefined> {
    try {
      return objectOf(await this.#call('GET', 'get', ref, { idempotent: true }));
    } catch (error) {
      if (isStatus(error, 404)) return undefined;
      throw error;
    }
  }

  async list(resource: Resource, options: ListOptions): Promise<ObjectList> {
    const items: KubernetesObject[] = [];
    let token = '';
    for (;;) {
      const { body } = await this.#transport
        .send({
          method: 'GET',
          path: pathOf(resource, options.namespace),
          query: { limit: String(pageSize), ...selectorsOf(options), ...(token === '' ? {} : { continue: token }) },
          idempotent: true,
          attempt: listAttempt('list', resource, options.namespace),
        })
        .catch((error: unknown) => {
          // The list has changed too much since its first page: begin again.
          if (token !== '' && isStatus(error, 410)) return { body: undefined };
          throw error;
        });
      if (body === undefined) {
        items.length = 0;
        token = '';
        continue;
      }
      // Items of a list come without apiVersion and kind.
      const type = { apiVersion: apiVersionOf(resource), kind: resource.kind };
      for (const item of (isObject(body) && Array.isArray(body['items']) ? body['items'] : []).filter(isObject)) {
        items.push({ ...type, ...item } as KubernetesObject);
      }
      token = stringAt(body, 'metadata', 'continue') ?? '';
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
        contentType: 'application/apply-patch+yaml',
        idempotent: true,
      }),
    );
  }

  async create(object: KubernetesObject, options: WriteOptions): Promise<Written> {
    return written(
      await this.#call('POST', 'create', refOf(object), {
        query: writeQuery(options),
        body: object,
        idempotent: false,
      }),
    );
  }

  async replace(object: KubernetesObject, options: WriteOptions): Promise<Written> {
    return written(
      await this.#call('PUT', 'update', refOf(object), { query: writeQuery(options), body: object, idempotent: false }),
    );
  }

  async patch(ref: ObjectRef, body: PatchBody, options: WriteOptions): Promise<Written> {
    const content: Json = body.type === 'json' ? body.operations.map(plainOperation) : body.patch;
    return written(
      await this.#call('PATCH', 'patch', ref, {
        query: writeQuery(options),
        body: content,
        contentType: patchTypes[body.type],
        idempotent: false,
      }),
    );
  }

  async delete(ref: ObjectRef, options: DeleteOptions = {}): Promise<boolean> {
    const body: JsonObject = {
      apiVersion: 'v1',
      kind: 'DeleteOptions',
      propagationPolicy: options.propagationPolicy ?? 'Background',
      ...(options.uid === undefined ? {} : { preconditions: { uid: options.uid } }),
    };
    try {
      await this.#call('DELETE', 'delete', ref, { body, idempotent: true });
      return true;
    } catch (error) {
      if (isStatus(error, 404)) return false;
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
        ...(options.previous === true ? { previous: 'true' } : {}),
      },
      accept: '*/*',
      idempotent: true,
      attempt: { verb: 'get', plural: 'pods/log', group: '', subject: `the log of Pod "${pod.name}"` },
    });
    return text;
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

  async close(): Promise<void> {
    await this.#connection.close();
  }

  async #call(
    method: Call['method'],
    verb: string,
    ref: ObjectRef,
    call: Pick<Call, 'query' | 'body' | 'contentType' | 'idempotent'>,
  ): Promise<Answer> {
    const resource = await this.#resourceOf(ref);
    const path = pathOf(resource, ref.namespace, method === 'POST' ? undefined : ref.name);
    return await this.#transport.send({ method, path, attempt: attemptOn(verb, ref, resource.plural), ...call });
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

function plainOperation(operation: JsonPatchOperation): JsonObject {
  return { ...operation };
}

/** Lines may be cut anywhere by the network, also inside a character. */
async function* linesOf(stream: AsyncIterable<Buffer>): AsyncIterable<string> {
  const decoder = new TextDecoder();
  let rest = '';
  for await (const chunk of stream) {
    const lines = (rest + decoder.decode(chunk, { stream: true })).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) if (line !== '') yield line;
  }
}
