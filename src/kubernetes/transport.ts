import { request } from 'undici';

import type { Clock } from '../base/clock.ts';
import { Failure } from '../base/errors.ts';
import type { Json } from '../base/json.ts';
import type { Connection } from './connection.ts';
import { ApiError, connectionError, errorCode, type Attempt } from './errors.ts';

export interface Call {
  method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  path: string;
  query?: Record<string, string>;
  body?: Json;
  contentType?: string;
  accept?: string;
  /** Whether sending it twice does no harm; only then is it repeated after a broken connection or a 5xx. */
  idempotent: boolean;
  /** What the error says when the server refuses. */
  attempt: Attempt;
}

export interface Answer {
  body: Json;
  /** The text as it came, for answers that are no JSON. */
  text: string;
  /** The texts of the `Warning:` headers. */
  warnings: string[];
}

export interface TransportOptions {
  clock: Clock;
  signal?: AbortSignal;
  /** `gke-rollout/1.2.3`. */
  userAgent: string;
  /** From 0 to 1; spreads retries. */
  random?: () => number;
}

/** One attempt may take this long. */
const attemptDeadlineMs = 30_000;
const maxAttempts = 6;
/** A server that asks for more patience than this gets an error instead. */
const maxRetryAfterMs = 30_000;
const firstBackoffMs = 200;

const brokenConnection = new Set([
  'ECONNRESET',
  'UND_ERR_SOCKET',
  'EPIPE',
  'ECONNREFUSED',
  'UND_ERR_CONNECT_TIMEOUT',
  'ETIMEDOUT',
]);
/** The request never left, so that repeating it is safe whatever it was. */
const neverSent = new Set(['ECONNREFUSED', 'UND_ERR_CONNECT_TIMEOUT']);

/** Sends requests: authenticated, with deadlines and retries, JSON verbatim in both directions. */
export class Transport {
  readonly requestCounts = new Map<string, number>();
  readonly #connection: Connection;
  readonly #options: TransportOptions;

  constructor(connection: Connection, options: TransportOptions) {
    this.#connection = connection;
    this.#options = options;
  }

  /** @throws ApiError when the server refuses, ConnectionError when it cannot be reached */
  async send(call: Call): Promise<Answer> {
    let refreshed = false;
    for (let attempt = 1; ; attempt += 1) {
      const outcome = await this.#once(call);
      if (outcome.state === 'answered') return outcome.answer;
      if (outcome.state === 'refused' && outcome.error.status === 401 && !refreshed) {
        refreshed = true;
        await this.#connection.refresh();
        continue;
      }
      if (!outcome.retry || attempt >= maxAttempts) throw outcome.error;
      await this.#options.clock.sleep(outcome.retryAfterMs ?? this.#backoff(attempt), this.#options.signal);
    }
  }

  /** Opens a watch: lines of JSON until the server ends it. Not repeated: the caller knows where to go on. */
  async stream(call: Call, signal: AbortSignal): Promise<AsyncIterable<Buffer>> {
    this.#count('WATCH');
    const response = await this.#request(call, this.#connection.watches, signal);
    if (response.statusCode >= 400) {
      const body = parse(await response.body.text());
      if (response.statusCode === 401) await this.#connection.refresh();
      throw new ApiError(response.statusCode, body, call.attempt);
    }
    return response.body;
  }

  async #once(call: Call): Promise<Outcome> {
    this.#count(call.method);
    const { signal } = this.#options;
    const deadline = AbortSignal.timeout(attemptDeadlineMs);
    try {
      const response = await this.#request(
        call,
        this.#connection.requests,
        signal === undefined ? deadline : AbortSignal.any([signal, deadline]),
      );
      const text = await response.body.text();
      if (response.statusCode < 400) {
        const type = String(response.headers['content-type'] ?? '');
        if (type.startsWith('text/html')) throw loginPage(this.#connection.server);
        return {
          state: 'answered',
          answer: { body: parse(text) ?? null, text, warnings: warningsOf(response.headers['warning']) },
        };
      }
      const error = new ApiError(response.statusCode, parse(text), call.attempt);
      const retryAfterMs = Number(response.headers['retry-after']) * 1000;
      const patient = Number.isFinite(retryAfterMs) && retryAfterMs <= maxRetryAfterMs;
      // 429 and a 5xx with Retry-After were not carried out; any other 5xx may have been.
      const retry = error.status === 429 || (error.status >= 500 && (patient || call.idempotent));
      return { state: 'refused', error, retry, ...(patient ? { retryAfterMs } : {}) };
    } catch (error) {
      signal?.throwIfAborted();
      if (error instanceof Failure) throw error;
      const code = deadline.aborted ? 'UND_ERR_HEADERS_TIMEOUT' : errorCode(error);
      const retry = neverSent.has(code) || (call.idempotent && (brokenConnection.has(code) || deadline.aborted));
      const cause = deadline.aborted ? Object.assign(new Error('no answer'), { code }) : error;
      return { state: 'broken', error: connectionError(cause, this.#connection.server), retry };
    }
  }

  async #request(call: Call, dispatcher: Connection['requests'], signal: AbortSignal) {
    const query = new URLSearchParams(call.query).toString();
    return await request(`${this.#connection.server}${call.path}${query === '' ? '' : `?${query}`}`, {
      method: call.method,
      dispatcher,
      signal,
      headers: {
        Accept: call.accept ?? 'application/json',
        'User-Agent': this.#options.userAgent,
        ...(call.body === undefined ? {} : { 'Content-Type': call.contentType ?? 'application/json' }),
        ...(await this.#connection.authorize()),
      },
      ...(call.body === undefined ? {} : { body: JSON.stringify(call.body) }),
    });
  }

  #backoff(attempt: number): number {
    const random = this.#options.random ?? Math.random;
    return firstBackoffMs * 2 ** (attempt - 1) * (0.5 + random());
  }

  #count(verb: string): void {
    this.requestCounts.set(verb, (this.requestCounts.get(verb) ?? 0) + 1);
  }
}

type Outcome =
  | { state: 'answered'; answer: Answer }
  | { state: 'refused'; error: ApiError; retry: boolean; retryAfterMs?: number }
  | { state: 'broken'; error: Failure; retry: boolean; retryAfterMs?: number };

function parse(text: string): Json | undefined {
  try {
    return JSON.parse(text) as Json;
  } catch {
    return text;
  }
}

function loginPage(server: string): Failure {
  return new Failure(`${new URL(server).host} answered with a web page instead of the Kubernetes API`, {
    hint: 'A proxy or a login page stands in between: see HTTPS_PROXY and NO_PROXY.',
  });
}

/** `299 - "text"`, several of them joined by commas: RFC 7234, section 5.5. */
function warningsOf(header: string | string[] | undefined): string[] {
  const text = Array.isArray(header) ? header.join(', ') : (header ?? '');
  return [...text.matchAll(/\b\d{3} \S+ "(?<text>(?:[^"\\]|\\.)*)"/g)].map((match) =>
    (match.groups?.['text'] ?? '').replaceAll(/\\(?<char>.)/g, '$<char>'),
  );
}
