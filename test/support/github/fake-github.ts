import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

import { isObject, type Json } from '../../../src/base/json.ts';
import { Bodies } from './bodies.ts';
import { descriptionOf, type Description, type Edition, type Operation } from './description.ts';
import { answerWith, isDone, type Fault } from './faults.ts';
import { operationsOf, pageOf, Refused, type Asked, type Answer } from './operations.ts';
import { refusal, type FakeToken } from './rights.ts';
import { State, type FakeRepository } from './state.ts';

export interface FakeGitHubOptions {
  /** `''` as api.github.com has it, `/api/v3` as GitHub Enterprise Server does. */
  basePath?: '' | '/api/v3';
  repository?: Partial<FakeRepository>;
  /** Milliseconds since the epoch. */
  now?: () => number;
}

/** What came, in the order in which it came. */
export interface Call {
  /** `pulls/get`; undefined where the description has no such operation. */
  operation: string | undefined;
  method: string;
  /** Without the base path. */
  path: string;
  query: Readonly<Record<string, string>>;
  body: Json | undefined;
  headers: IncomingMessage['headers'];
  /** Undefined as long as nothing was answered, or a fault came in its place. */
  status: number | undefined;
}

type Hook = (call: Call) => void | Promise<void>;

/**
 * A GitHub on loopback that tests can trust: it takes what GitHub's own description allows, refuses what that does not know, and
 * behaves as GitHub does where its answers depend on what was before. What it holds is in `state`.
 */
export class FakeGitHub implements AsyncDisposable {
  readonly state: State;
  readonly calls: Call[] = [];
  readonly tokens = new Map<string, FakeToken>();
  /** Of the job: writes everything as `github-actions[bot]`. */
  readonly token = 'token-of-the-job';
  /** Of an hour; at 0 it answers 403 until `resetAt`, milliseconds since the epoch. */
  readonly rate: { limit: number; remaining: number; resetAt: number };
  readonly #description: Description;
  readonly #basePath: string;
  readonly #server: Server;
  readonly #now: () => number;
  readonly #faults = new Map<string, Fault[]>();
  readonly #lasting = new Map<string, Fault>();
  readonly #before = new Map<string, Hook[]>();
  readonly #after = new Map<string, Hook[]>();
  #carry: ReturnType<typeof operationsOf> = {};

  static async start(options: FakeGitHubOptions = {}): Promise<FakeGitHub> {
    const fake = new FakeGitHub(options);
    await new Promise<void>((resolve) => fake.#server.listen(0, '127.0.0.1', resolve));
    fake.#carry = operationsOf(fake.state, new Bodies(fake.#description, fake.state, fake.serverUrl));
    return fake;
  }

  private constructor({ basePath = '', repository, now = Date.now }: FakeGitHubOptions) {
    const edition: Edition = basePath === '' ? 'api.github.com' : 'ghes-3.17';
    this.#description = descriptionOf(edition);
    this.#basePath = basePath;
    this.#now = now;
    const plain = { id: 4711, owner: 'acme', name: 'shop', private: false, withoutIssues: false };
    this.state = new State({ ...plain, ...repository }, now);
    this.rate = { limit: 1000, remaining: 1000, resetAt: now() + 3_600_000 };
    this.addToken(this.token);
    this.#server = createServer((request, response) => {
      // Whoever has asked may be gone meanwhile; what a hook throws is told as an answer that nobody expects.
      this.#serve(request, response).catch((error: unknown) => {
        if (!response.headersSent) response.writeHead(500);
        response.end(String(error));
      });
    });
  }

  /** `GITHUB_API_URL` */
  get apiUrl(): string {
    return `${this.serverUrl}${this.#basePath}`;
  }

  /** `GITHUB_SERVER_URL` */
  get serverUrl(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** What the runner says in variables of a job of this repository. */
  get env(): Record<string, string> {
    const { id, owner, name } = this.state.repository;
    return {
      GITHUB_API_URL: this.apiUrl,
      GITHUB_SERVER_URL: this.serverUrl,
      GITHUB_GRAPHQL_URL: `${this.serverUrl}/graphql`,
      GITHUB_REPOSITORY: `${owner}/${name}`,
      GITHUB_REPOSITORY_ID: String(id),
    };
  }

  /** A token with all rights unless said otherwise. */
  addToken(token: string, changes: Partial<FakeToken> = {}): void {
    const permissions = { contents: 'write', deployments: 'write', issues: 'none', 'pull-requests': 'write' } as const;
    this.tokens.set(token, { login: 'github-actions[bot]', permissions, hides: false, ...changes });
  }

  /** The next calls of an operation get these instead; `*` is any operation. */
  fail(operation: string, ...faults: Fault[]): void {
    this.#faults.set(operation, [...(this.#faults.get(operation) ?? []), ...faults]);
  }

  /** All calls of an operation from now on; undefined makes it well again. */
  failAlways(operation: string, fault: Fault | undefined): void {
    if (fault === undefined) this.#lasting.delete(operation);
    else this.#lasting.set(operation, fault);
  }

  /** Done once, when the next call of the operation has come and before it is carried out. */
  before(operation: string, hook: Hook): void {
    this.#before.set(operation, [...(this.#before.get(operation) ?? []), hook]);
  }

  /** Done once, when the next call of the operation was carried out and before it is answered. */
  after(operation: string, hook: Hook): void {
    this.#after.set(operation, [...(this.#after.get(operation) ?? []), hook]);
  }

  /** The operations that were asked for, in order; calls that none is are told by their path. */
  get asked(): string[] {
    return this.calls.map(({ operation, method, path }) => operation ?? `${method} ${path}`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? '', this.serverUrl);
    const text = await bodyOf(request);
    const under = url.pathname.startsWith(`${this.#basePath}/`);
    const path = under ? url.pathname.slice(this.#basePath.length) : url.pathname;
    const found = under ? this.#description.find(request.method ?? '', path) : undefined;
    const call: Call = {
      operation: found?.operation.id,
      method: request.method ?? '',
      path,
      query: Object.fromEntries(url.searchParams),
      body: text === '' ? undefined : parsed(text),
      headers: request.headers,
      status: undefined,
    };
    this.calls.push(call);
    const key = call.operation ?? '';
    await takeFirst(this.#before, key)?.(call);
    const fault = takeFirst(this.#faults, key) ?? takeFirst(this.#faults, '*') ?? this.#lastingFault(key);
    const told = fault === undefined || isDone(fault) ? this.#told(call, found, url) : undefined;
    await takeFirst(this.#after, key)?.(call);
    if (fault !== undefined) {
      answerWith(fault, request, response);
    } else if (told !== undefined) {
      call.status = told.status;
      response.writeHead(told.status, { 'content-type': 'application/json; charset=utf-8', ...told.headers });
      response.end(told.body === undefined ? undefined : JSON.stringify(told.body));
    }
  }

  #lastingFault(key: string): Fault | undefined {
    return this.#lasting.get(key) ?? this.#lasting.get('*');
  }

  #told(
    call: Call,
    found: { operation: Operation; parameters: Readonly<Record<string, string>> } | undefined,
    url: URL,
  ): { status: number; headers: Record<string, string>; body?: Json } {
    const headers = this.#rateHeaders();
    try {
      const token = this.#tokenOf(call);
      this.#countRequest();
      if (found === undefined) throw new Refused(404, 'Not Found');
      const { operation, parameters } = found;
      this.#allow(operation, parameters, token);
      const problems = this.#description.problems(operation, { parameters, query: call.query, body: call.body });
      if (problems.length > 0) throw new Refused(422, `Validation Failed: ${problems.join('; ')}`);
      const asked: Asked = { parameters, query: call.query, body: isObject(call.body) ? call.body : {}, token };
      const carry = this.#carry[operation.id];
      if (carry === undefined) throw new Error(`the loopback GitHub does nothing at ${operation.id}`);
      return this.#checked(operation, carry(asked), { query: call.query, url, headers: this.#rateHeaders() });
    } catch (error) {
      const status = error instanceof Refused ? error.status : 500;
      return {
        status,
        headers,
        body: { message: (error as Error).message, documentation_url: 'https://docs.github.com' },
      };
    }
  }

  /** No answer goes out that is none of GitHub's. */
  #checked(
    operation: Operation,
    answer: Answer,
    { query, url, headers }: { query: Readonly<Record<string, string>>; url: URL; headers: Record<string, string> },
  ): { status: number; headers: Record<string, string>; body?: Json } {
    const page = 'list' in answer ? pageOf(answer.list, query, url) : undefined;
    const status = 'list' in answer ? 200 : answer.status;
    const body = 'list' in answer ? page?.body : answer.body;
    const problems = this.#description.answerProblems(operation, status, body ?? null);
    if (problems.length > 0)
      throw new Error(`the loopback GitHub answers ${operation.id} badly: ${problems.join('; ')}`);
    const link: Record<string, string> = page === undefined || page.link === '' ? {} : { link: page.link };
    return { status, headers: { ...headers, ...link }, ...(body === undefined ? {} : { body }) };
  }

  #tokenOf({ headers }: Call): FakeToken {
    const token = /^(?:token|bearer) (?<token>.+)$/i.exec(headers.authorization ?? '')?.groups?.['token'];
    const known = token === undefined ? undefined : this.tokens.get(token);
    if (known === undefined)
      throw new Refused(401, token === undefined ? 'Requires authentication' : 'Bad credentials');
    return known;
  }

  #allow(operation: Operation, parameters: Readonly<Record<string, string>>, token: FakeToken): void {
    const { owner, name, private: isPrivate } = this.state.repository;
    const isOurs = parameters['owner'] === owner && parameters['repo'] === name;
    if (!isOurs) throw new Refused(404, 'Not Found');
    const refused = refusal(operation.id, token, isPrivate);
    if (refused !== undefined) throw new Refused(refused.status, refused.message);
  }

  #countRequest(): void {
    const { rate } = this;
    if (rate.resetAt <= this.#now()) {
      rate.remaining = rate.limit;
      rate.resetAt = this.#now() + 3_600_000;
    }
    if (rate.remaining === 0) throw new Refused(403, 'API rate limit exceeded for installation ID 4711.');
    rate.remaining -= 1;
  }

  #rateHeaders(): Record<string, string> {
    const { limit, remaining, resetAt } = this.rate;
    return {
      date: new Date(this.#now()).toUTCString(),
      'x-ratelimit-limit': String(limit),
      'x-ratelimit-remaining': String(remaining),
      'x-ratelimit-used': String(limit - remaining),
      'x-ratelimit-reset': String(Math.ceil(resetAt / 1000)),
      'x-ratelimit-resource': 'core',
    };
  }
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString();
}

/** Text that is no JSON is refused as what it is: none of what an operation takes. */
function parsed(text: string): Json {
  try {
    return JSON.parse(text) as Json;
  } catch {
    return text;
  }
}

function takeFirst<T>(map: Map<string, T[]>, key: string): T | undefined {
  return map.get(key)?.shift();
}
