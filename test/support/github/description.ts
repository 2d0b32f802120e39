/**
 * GitHub's own description of what is asked of it (`description/`, see script/reference/github-description.ts): which operation a
 * request is, whether it is one that GitHub would take, and what its answer looks like.
 *
 * Checked by ajv alone and not by an OpenAPI framework: finding an operation among nineteen is a regular expression, and
 * what the fake adds (unknown keys, lengths) has to be told to the validator in any case.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { Ajv, type ValidateFunction } from 'ajv';

import {
  at,
  isObject,
  listAt,
  objectAt,
  objectsAt,
  stringAt,
  type Json,
  type JsonObject,
} from '../../../src/base/json.ts';

export type Edition = 'api.github.com' | 'ghes-3.17';

export interface Operation {
  id: string;
  method: string;
  /** `/repos/{owner}/{repo}/pulls` */
  template: string;
}

/** What a request says in its path and its query, as text. */
type Texts = Readonly<Record<string, string>>;

/** Beyond what the description says: it forbids no keys and knows no lengths (octokit/openapi). */
const lengths: Readonly<Record<string, Readonly<Record<string, number>>>> = {
  'issues/create-comment': { body: 65_536 },
  'issues/update-comment': { body: 65_536 },
  'repos/create-deployment': { description: 140 },
  'repos/create-deployment-status': { description: 140 },
};

const read = new Map<Edition, Description>();

/** Read once: compiling its schemas takes a second. */
export function descriptionOf(edition: Edition): Description {
  const found = read.get(edition) ?? new Description(edition);
  read.set(edition, found);
  return found;
}

class Description {
  readonly operations: readonly Operation[];
  readonly #document: JsonObject;
  readonly #compiled = new Map<string, ValidateFunction>();
  readonly #ajv = new Ajv({ strict: false, validateFormats: false, allErrors: true, coerceTypes: false });

  constructor(edition: Edition) {
    const path = join(import.meta.dirname, 'description', `${edition}.json`);
    this.#document = withNull(JSON.parse(readFileSync(path, 'utf8')) as Json) as JsonObject;
    // "head.repo" of a pull request whose fork was deleted is null all the same (octokit/openapi knows it for lists alone).
    const head = objectAt(this.#document, 'components', 'schemas', 'pull-request', 'properties', 'head', 'properties');
    head['repo'] = { anyOf: [objectAt(head, 'repo'), { enum: [null] }] };
    this.#ajv.addSchema(this.#document, 'github');
    this.operations = Object.entries(objectAt(this.#document, 'paths')).flatMap(([template, item]) =>
      Object.entries(isObject(item) ? item : {}).map(([method, operation]) => ({
        id: stringAt(operation, 'operationId') ?? '',
        method: method.toUpperCase(),
        template,
      })),
    );
  }

  /** The operation that a request is, with what stands in its path. */
  find(method: string, path: string): { operation: Operation; parameters: Texts } | undefined {
    for (const operation of this.operations.filter((one) => one.method === method)) {
      const names: string[] = [];
      const pattern = operation.template.replaceAll(/\{([^}]+)\}/g, (_, name: string) => {
        names.push(name);
        // A ref has slashes, which may come as they are.
        return name === 'ref' ? '(.+)' : '([^/]+)';
      });
      const found = new RegExp(`^${pattern}$`).exec(path);
      if (found === null) continue;
      const values = names.map((name, index) => [name, decodeURIComponent(found[index + 1] ?? '')]);
      return { operation, parameters: Object.fromEntries(values) as Texts };
    }
    return undefined;
  }

  /** What GitHub would refuse with 422; empty where there is nothing. */
  problems(operation: Operation, sent: { parameters: Texts; query: Texts; body: Json | undefined }): string[] {
    return [
      ...this.#parameterProblems(operation, sent.parameters, sent.query),
      ...this.#bodyProblems(operation, sent.body),
    ];
  }

  /** Why an answer is none that GitHub would give; empty where it is one. */
  answerProblems(operation: Operation, status: number, body: Json): string[] {
    const response = this.#resolved(this.#node(operation, 'responses', String(status)));
    if (response === undefined) return [`${operation.id} has no answer ${status}`];
    if (at(response, 'content') === undefined) return [];
    return this.#check(['responses', String(status)], operation, body);
  }

  /** What an answer tells, or each entry of one that is a list, with all that it must have and no more. */
  sample(id: string, status: number): JsonObject {
    const operation = this.operations.find((one) => one.id === id);
    const response = operation === undefined ? undefined : this.#node(operation, 'responses', String(status));
    const schema = at(this.#resolved(response), 'content', 'application/json', 'schema');
    const sample = this.#sampleOf(at(schema, 'items') ?? schema);
    if (!isObject(sample)) throw new Error(`${id} answers with no object`);
    return sample;
  }

  #parameterProblems(operation: Operation, parameters: Texts, query: Texts): string[] {
    const known = objectsAt(this.#node(operation, 'parameters')).map((one) => this.#resolved(one) ?? {});
    const named = new Map(known.map((one) => [`${stringAt(one, 'in') ?? ''} ${stringAt(one, 'name') ?? ''}`, one]));
    const given = [
      ...Object.entries(parameters).map(([name, value]) => ['path', name, value] as const),
      ...Object.entries(query).map(([name, value]) => ['query', name, value] as const),
    ];
    return given.flatMap(([where, name, value]) => {
      const parameter = named.get(`${where} ${name}`);
      if (parameter === undefined) return [`${name} is not a parameter of ${operation.id}`];
      return this.#isOf(at(parameter, 'schema'), value) ? [] : [`${name} must not be ${JSON.stringify(value)}`];
    });
  }

  /** A parameter comes as text, whatever its type. */
  #isOf(schema: Json | undefined, value: string): boolean {
    const type = stringAt(this.#resolved(schema), 'type');
    const parsed = type === 'integer' ? Number(value) : type === 'boolean' ? value === 'true' : value;
    const key = JSON.stringify(schema);
    const check = this.#compiled.get(key) ?? this.#ajv.compile(isObject(schema) ? absolute(schema) : {});
    this.#compiled.set(key, check);
    return check(parsed);
  }

  #bodyProblems(operation: Operation, body: Json | undefined): string[] {
    if (this.#node(operation, 'requestBody') === undefined) return body === undefined ? [] : ['a body is not expected'];
    const schema = at(this.#node(operation, 'requestBody'), 'content', 'application/json', 'schema');
    const known = Object.keys(objectAt(schema, 'properties'));
    const keys = isObject(body) ? Object.keys(body) : [];
    return [
      ...this.#check(['requestBody'], operation, body ?? null),
      ...keys.filter((key) => !known.includes(key)).map((key) => `${key} is not a key of ${operation.id}`),
      ...Object.entries(lengths[operation.id] ?? {})
        .filter(([key, most]) => (stringAt(body, key) ?? '').length > most)
        .map(([key, most]) => `${key} is too long (maximum is ${most} characters)`),
    ];
  }

  #check(path: string[], operation: Operation, value: Json): string[] {
    const node = this.#node(operation, ...path);
    const reference = stringAt(node, '$ref');
    const base = reference ?? `#/paths/${pointer([operation.template, operation.method.toLowerCase(), ...path])}`;
    const validate: ValidateFunction | undefined = this.#ajv.getSchema(
      `github${base}/content/${pointer(['application/json'])}/schema`,
    );
    if (validate === undefined) throw new Error(`${operation.id} describes no ${path.join(' ')}`);
    if (validate(value)) return [];
    return (validate.errors ?? []).map((error) => `${error.instancePath || 'the body'} ${error.message ?? ''}`);
  }

  #node(operation: Operation, ...path: string[]): Json | undefined {
    return at(this.#document, 'paths', operation.template, operation.method.toLowerCase(), ...path);
  }

  #resolved(node: Json | undefined): Json | undefined {
    const reference = stringAt(node, '$ref');
    return reference === undefined ? node : at(this.#document, ...reference.slice('#/'.length).split('/'));
  }

  #sampleOf(given: Json | undefined): Json {
    const schema = this.#resolved(given);
    const [chosen] = [...objectsAt(schema, 'anyOf'), ...objectsAt(schema, 'oneOf')];
    if (chosen !== undefined) return this.#sampleOf(chosen);
    const parts = objectsAt(schema, 'allOf');
    if (parts.length > 0) return Object.assign({}, ...parts.map((part) => this.#sampleOf(part))) as JsonObject;
    const [value] = listAt(schema, 'enum');
    if (value !== undefined) return value;
    if (at(schema, 'nullable') === true) return null;
    switch (stringAt(schema, 'type')) {
      case 'object': {
        const required = listAt(schema, 'required').map(String);
        return Object.fromEntries(required.map((name) => [name, this.#sampleOf(at(schema, 'properties', name))]));
      }
      case 'array':
        return [];
      case 'boolean':
        return false;
      case 'integer':
      case 'number':
        return 0;
      default:
        return '';
    }
  }
}

function pointer(path: readonly string[]): string {
  return path.map((step) => encodeURIComponent(step.replaceAll('~', '~0').replaceAll('/', '~1'))).join('/');
}

/** Its references lead into the description from wherever it is compiled. */
function absolute(schema: JsonObject): JsonObject {
  return JSON.parse(JSON.stringify(schema).replaceAll('"#/', '"github#/')) as JsonObject;
}

/** `nullable` beside a choice, which ajv knows only beside a type, as another choice. */
function withNull(node: Json): Json {
  if (Array.isArray(node)) return node.map(withNull);
  if (!isObject(node)) return node;
  const inner = Object.fromEntries(Object.entries(node).map(([key, value]) => [key, withNull(value ?? null)]));
  if (inner['nullable'] !== true || inner['type'] !== undefined) return inner;
  const rest = Object.fromEntries(Object.entries(inner).filter(([key]) => key !== 'nullable'));
  return { anyOf: [{ enum: [null] }, rest] };
}

export type { Description };
