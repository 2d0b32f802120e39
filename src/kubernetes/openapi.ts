import {
  isObject,
  objectAt,
  objectsAt,
  ownValue,
  stringAt,
  type Json,
  type JsonObject,
  type Path,
} from '../base/json.ts';
import type { FieldDocumentation } from './client.ts';
import { formatFieldPath } from './field-path.ts';
import { groupOf } from './object.ts';
import type { Transport } from './transport.ts';

/** The server's own documentation of its kinds, fetched only when an error message needs it. */
export class OpenApi {
  readonly #transport: Transport;
  readonly #documents = new Map<string, Promise<Json | undefined>>();

  constructor(transport: Transport) {
    this.#transport = transport;
  }

  /** Undefined when the server has no schema for the kind, or for the parent of the field. */
  async explain(apiVersion: string, kind: string, path: Path): Promise<FieldDocumentation | undefined> {
    const document = await this.#document(apiVersion);
    const schemas = objectAt(document, 'components', 'schemas');
    const root = Object.values(schemas).find((schema) => isKind(schema, apiVersion, kind));
    return isObject(root) ? explainField(root, schemas, path) : undefined;
  }

  /** Needed after a CustomResourceDefinition was created. */
  forget(): void {
    this.#documents.clear();
  }

  #document(apiVersion: string): Promise<Json | undefined> {
    const known = this.#documents.get(apiVersion);
    if (known !== undefined) return known;
    const path = `/openapi/v3/${apiVersion.includes('/') ? 'apis' : 'api'}/${apiVersion}`;
    const attempt = { verb: 'get', plural: '', group: '', subject: `the schema of ${apiVersion}` };
    // Documentation makes an error better; its absence must not replace the error.
    const document = this.#transport.send({ method: 'GET', path, idempotent: true, attempt }).then(
      (answer) => answer.body,
      () => undefined,
    );
    this.#documents.set(apiVersion, document);
    return document;
  }
}

/** Walks the schema along `path`; at an unknown field the parent's fields are the siblings. */
function explainField(root: JsonObject, schemas: JsonObject, path: Path): FieldDocumentation | undefined {
  let schema = resolve(root, schemas);
  let siblings: string[] = [];
  for (const step of path) {
    if (typeof step === 'number') {
      schema = resolve(objectAt(schema, 'items'), schemas);
      continue;
    }
    const properties = objectAt(schema, 'properties');
    siblings = Object.keys(properties);
    const next = ownValue(properties, step) ?? schema['additionalProperties'];
    if (!isObject(next)) {
      return { path: formatFieldPath(path), type: '', description: '', siblings };
    }
    schema = resolve(next, schemas);
  }
  return {
    path: formatFieldPath(path),
    type: typeOf(schema, schemas),
    description: stringAt(schema, 'description') ?? '',
    siblings,
  };
}

/** Follows `$ref`, also through `allOf`; the description next to the reference is the more telling one. */
function resolve(schema: JsonObject, schemas: JsonObject): JsonObject {
  const reference =
    stringAt(schema, '$ref') ?? objectsAt(schema, 'allOf').flatMap((part) => stringAt(part, '$ref') ?? [])[0];
  if (reference === undefined) return schema;
  const target = objectAt(schemas, reference.slice(reference.lastIndexOf('/') + 1));
  const description = stringAt(schema, 'description');
  return description === undefined ? target : { ...target, description };
}

function typeOf(schema: JsonObject, schemas: JsonObject): string {
  const type = stringAt(schema, 'type') ?? 'object';
  if (type !== 'array') return stringAt(schema, 'format') ?? type;
  return `[]${typeOf(resolve(objectAt(schema, 'items'), schemas), schemas)}`;
}

function isKind(schema: Json | undefined, apiVersion: string, kind: string): boolean {
  const group = groupOf(apiVersion);
  const version = apiVersion.slice(apiVersion.indexOf('/') + 1);
  return objectsAt(schema, 'x-kubernetes-group-version-kind').some(
    (entry) => entry['kind'] === kind && (entry['group'] ?? '') === group && entry['version'] === version,
  );
}
