import { setImmediate as nextTurn } from 'node:timers/promises';

import { boundedText, startOf } from '../base/bounded-text.ts';
import type { Clock } from '../base/clock.ts';
import { errorCode, Failure, messageOf } from '../base/errors.ts';
import { noAnswer, type Http, type HttpResponse } from '../http/http.ts';
import { faultOf, isPassingStatus } from '../http/passing.ts';
import { retry, retryAfterOf, type RetryOptions } from '../http/retry.ts';
import { unlessSilent } from '../http/silence.ts';
import { isObject, stringAt, type Json, type JsonObject } from '../base/json.ts';
import { limits } from '../base/limits.ts';
import { TimeLimit } from '../base/time-limit.ts';
import type { Connection, Headers, Problem } from './connect/endpoint.ts';
import { AnswerBrokeOff, ApiError, connectionError, ForeignAnswer } from './errors.ts';
import { observed, type OnRequest } from './observed.ts';
import { ownStatus } from './proxied.ts';
import { valuesOf } from './secret-values.ts';
import { ServerTime } from './server-time.ts';
import { serverWords } from './server-words.ts';
import type { Attempt } from './attempt.ts';

export interface Call {
  method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  path: string;
  query?: Record<string, string>;
  body?: Json;
  contentType?: string;
  accept?: string;
  /** Whether sending it twice does no harm; only then is it repeated after a broken connection or a 5xx. */
  idempotent: boolean;
  /** Whether it changes something of the user's: then the guard is asked before each attempt. */
  guarded?: boolean;
  /** What the answer must be; what is none of it comes from somebody else. */
  expects?: 'object' | 'list';
  /** What the error says when the server refuses. */
  attempt: Attempt;
  /** Gives this one call up. */
  signal?: AbortSignal;
}

export interface Answer {
  body: Json;
  /** The text as it came, for answers that are no JSON. */
  text: string;
  /** The texts of the `Warning:` headers. */
  warnings: string[];
}

/** A request of somebody else that the server only passes on. */
interface Passage {
  method: string;
  /** With its query, encoded. */
  path: string;
  headers: Readonly<Record<string, string>>;
  body?: string;
  timeoutMs: number;
  signal?: AbortSignal;
}

interface Passed {
  status: number;
  headers: Record<string, string>;
  body: string;
  durationMs: number;
}

export interface TransportOptions {
  clock: Clock;
  signal?: AbortSignal;
  /** Told of each object that is sent, and of each that is read by itself, so that what is secret in it can be hidden. */
  onObject?: (object: JsonObject) => void;
  onRequest?: OnRequest;
  /** `gke-rollout/1.2.3`. */
  userAgent: string;
  /** Whether the server is known to have answered before, so that there is hope as long as it does not. */
  hasAnswered?: boolean;
  /** Until when calls are repeated; by default only their own patience counts. */
  limit?: TimeLimit;
  /** From 0 to 1; spreads retries. */
  random?: () => number;
  /** How long one attempt may take; 30 s by default. */
  attemptDeadlineMs?: number;
  /** How long a watch may be silent before it counts as dead; 45 s by default. */
  watchIdleMs?: number;
}

const defaultDeadlineMs = 30_000;
/** Going on after a silence costs one request, finding out about a dead connection late costs a deploy its time. */
const defaultWatchIdleMs = 45_000;
/** A server that asks for more patience than this gets an error instead. */
const maxRetryAfterMs = 30_000;
/** How long a call is repeated to a server that may be starting up: control planes of one zone do go away for a while. */
const patienceMs = 60_000;
/** The same where waiting has little hope: the server has never answered, or says itself that it has failed. */
const shortPatienceMs = 10_000;
/** How long a call is repeated all the same when the time of the run is over: most faults are gone by then. */
const lastPatienceMs = 5000;
/** Once such a call was in vain, others are not tried for this long, so that what comes at the end does not add up. */
const pauseMs = 10_000;
const pace = { firstMs: 200, lastMs: 5000 };

/**
 * There is nobody of that name, or no connection came about with whoever is there: where the cluster has answered before, its name
 * may be unknown, or somebody else there, for a while.
 */
const nameOrCertificate = /^(ENOTFOUND$|CERT_|DEPTH_ZERO|SELF_SIGNED|UNABLE_TO_|ERR_TLS_|ERR_SSL_|EPROTO)/;

/** Sends requests: authenticated, with deadlines and retries, JSON verbatim in both directions. */
export class Transport {
  readonly requestCounts = new Map<string, number>();
  readonly serverTime = new ServerTime();
  /** Refuses writes by throwing; it may wait until then, milliseconds since the epoch. */
  guard: ((until: number) => Promise<void>) | undefined;
  readonly #connection: Connection;
  readonly #options: TransportOptions;
  readonly #limit: TimeLimit;
  /** The last call that was in vain when the time of the run was over. */
  #inVain: { error: Failure; at: number } | undefined;
  /** A server that has answered before and does not now is probably starting again. */
  #hasAnswered: boolean;

  constructor(connection: Connection, options: TransportOptions) {
    this.#connection = connection;
    this.#options = options;
    this.#limit = options.limit ?? new TimeLimit(options.clock);
    this.#hasAnswered = options.hasAnswered ?? false;
  }

  /** @throws ApiError when the server refuses, ConnectionError when it cannot be reached */
  async send(call: Call): Promise<Answer> {
    const started = this.#options.clock.now();
    let hasRenewed = false;
    let afterLostAnswer = false;
    return await retry(
      async () => {
        this.#refuseInVain();
        if (call.guarded === true) await this.guard?.(this.#endOf(started, patienceMs));
        const outcome = await observed(this.#options.onRequest, call, this.#once(call, afterLostAnswer), statusIn);
        if (outcome.state === 'answered') return { state: 'done', result: outcome.answer };
        const status = outcome.state === 'refused' ? outcome.error.status : undefined;
        const mend = outcome.state === 'refused' && status === 401 ? this.#renewalOf(outcome.credentials) : undefined;
        const isFirst401 = status === 401 && !hasRenewed;
        if (!isFirst401 && !outcome.retry) throw outcome.error;
        hasRenewed ||= isFirst401;
        afterLostAnswer ||= outcome.mayBeDone;
        const isHopeful = this.#hasAnswered && status !== 401 && status !== 500;
        return {
          state: 'passing',
          giveUp: () => this.#giveUp(outcome.error),
          retryAfterMs: outcome.retryAfterMs,
          until: isFirst401 ? undefined : this.#endOf(started, isHopeful ? patienceMs : shortPatienceMs),
          mend,
          atOnce: isFirst401,
        };
      },
      this.#retrying(this.#signalOf(call)),
    );
  }

  /** Opens a watch: lines of JSON until the server ends it. Not repeated but for credentials: the caller knows where to go on. */
  async stream(call: Call, signal: AbortSignal): Promise<AsyncIterable<Buffer>> {
    const started = this.#options.clock.now();
    let hasRenewed = false;
    return await retry(async () => {
      const credentials = await this.#connection.authorize();
      const opening = this.#openStream(call, credentials, signal);
      const asked = { ...call, method: 'WATCH' };
      const response = await observed(this.#options.onRequest, asked, opening, ({ status }) => status);
      if (response.status < 300) return { state: 'done', result: response.body };
      const body = parse(await startOf(response.body, limits.verifyAnswer));
      const error = this.#refusal(call, response, body, false);
      if (!(error instanceof ApiError) || mayBeForeign(error, response, body)) throw foreignAnswer(error);
      const isFirst401 = error.status === 401 && !hasRenewed;
      if (!isFirst401 && (error.status !== 401 || !this.#hasAnswered)) throw error;
      hasRenewed = true;
      return {
        state: 'passing',
        giveUp: () => {
          throw error;
        },
        until: isFirst401 ? undefined : this.#endOf(started, shortPatienceMs),
        mend: this.#renewalOf(credentials),
        atOnce: isFirst401,
      };
    }, this.#retrying(signal));
  }

  async #openStream(call: Call, credentials: Headers, signal: AbortSignal): Promise<HttpResponse> {
    this.#count('WATCH');
    const silence = new AbortController();
    const either = AbortSignal.any([signal, silence.signal]);
    const headersTimeoutMs = this.#options.attemptDeadlineMs ?? defaultDeadlineMs;
    try {
      const response = await this.#request(call, credentials, this.#connection.watches, either, headersTimeoutMs);
      const idleMs = this.#options.watchIdleMs ?? defaultWatchIdleMs;
      const giveUp = (reason: Error) => {
        silence.abort(reason);
      };
      return { ...response, body: unlessSilent(response.body, idleMs, giveUp) };
    } catch (error) {
      if (signal.aborted || error instanceof Failure) throw error;
      throw this.#unreachable(error);
    }
  }

  /**
   * Sends a request once and returns whatever is answered; a 401 renews the credentials first.
   * @throws ConnectionError, which is an AnswerBrokeOff once the answer has begun; the reason of a signal, or a TimeoutError
   */
  async pass(passage: Passage): Promise<Passed> {
    for (let refreshed = false; ; refreshed = true) {
      this.#count(passage.method);
      const credentials = await this.#connection.authorize();
      const attempt = this.#passOnce(passage, credentials);
      const passed = await observed(this.#options.onRequest, passage, attempt, ({ status }) => status);
      if (passed.status !== 401 || refreshed || ownStatus(passed.body) === undefined) return passed;
      await this.#connection.refresh(credentials);
    }
  }

  async #passOnce({ method, path, headers, body, timeoutMs, signal }: Passage, credentials: Headers): Promise<Passed> {
    const given = this.#joined(signal);
    const deadline = AbortSignal.timeout(timeoutMs);
    const all = given === undefined ? deadline : AbortSignal.any([given, deadline]);
    const started = performance.now();
    let hasBegun = false;
    try {
      const response = await this.#connection.requests.request(`${this.#connection.server}${path}`, {
        method,
        signal: all,
        headers: { 'User-Agent': this.#options.userAgent, ...headers, ...credentials },
        ...(body === undefined ? {} : { body }),
      });
      hasBegun = true;
      const text = await startOf(response.body, limits.verifyAnswer);
      const flat = Object.entries(response.headers).map(([name, value]) => [name, String(value ?? '')]);
      return {
        status: response.status,
        headers: Object.fromEntries(flat) as Record<string, string>,
        body: text,
        durationMs: performance.now() - started,
      };
    } catch (error) {
      all.throwIfAborted();
      if (hasBegun) throw new AnswerBrokeOff(`the response was cut off: ${messageOf(error)}`, { cause: error });
      throw connectionError(error, this.#connection.server, this.#connection.proxy);
    }
  }

  async #once(call: Call, afterLostAnswer: boolean): Promise<Outcome> {
    this.#count(call.method);
    const signal = this.#signalOf(call);
    const deadline = AbortSignal.timeout(this.#attemptMs());
    try {
      const credentials = await this.#connection.authorize();
      const sentAt = this.#options.clock.now();
      const response = await this.#request(
        call,
        credentials,
        this.#connection.requests,
        signal === undefined ? deadline : AbortSignal.any([signal, deadline]),
      );
      const answeredAt = this.#options.clock.now();
      const text = await boundedText(response.body, 'an answer of the API server', limits.apiAnswer);
      // A connection of HTTP/1.1 is free one turn after the answer; the next request would open another one before.
      await nextTurn();
      const body = parse(text);
      if (response.status < 300) {
        const expectsJson = call.accept !== '*/*';
        if (isWebPage(response) || (expectsJson && typeof body === 'string') || !isExpected(call, body))
          return this.#foreign(call, notTheApi(this.#connection.server));
        this.#hasAnswered = true;
        this.#learnTime(call, response, body, { sentAt, answeredAt });
        const isSecret = call.attempt.plural === 'secrets';
        const words = (warning: string) => serverWords(warning, { values: valuesSent(call), isSecret });
        return {
          state: 'answered',
          answer: { body: body ?? null, text, warnings: warningsOf(response.headers['warning']).map(words) },
        };
      }
      const error = this.#refusal(call, response, body, afterLostAnswer);
      if (!(error instanceof ApiError)) return this.#foreign(call, error);
      if (mayBeForeign(error, response, body))
        return this.#foreign(call, error.status === 404 ? notTheApi(this.#connection.server) : error);
      return this.#refused(call, error, credentials);
    } catch (error) {
      signal?.throwIfAborted();
      if (error instanceof Failure) throw error;
      return this.#broken(call, deadline.aborted ? noAnswer() : error);
    }
  }

  #refused(call: Call, error: ApiError, credentials: Headers): Outcome {
    const { retryAfterMs, status } = error;
    if (status < 500 && status !== 401) this.#hasAnswered = true;
    // 429 and a 5xx with Retry-After were not carried out; any other that passes may have been.
    const wasTurnedAway = status === 429 || (status >= 500 && retryAfterMs !== undefined);
    const mayBeDone = isPassingStatus(status) && !wasTurnedAway;
    const retry =
      (retryAfterMs ?? 0) <= maxRetryAfterMs &&
      ((isPassingStatus(status) && (wasTurnedAway || call.idempotent)) ||
        // Those who look after credentials may be away, too.
        (status === 401 && this.#hasAnswered));
    return { state: 'refused', error, credentials, retry, mayBeDone, retryAfterMs };
  }

  #broken(call: Call, error: unknown): Outcome {
    const fault = faultOf(error);
    const retry =
      fault === 'never sent' ||
      (fault === 'cut off' && call.idempotent) ||
      (fault === 'lasting' && this.#hasAnswered && nameOrCertificate.test(errorCode(error)));
    return { state: 'broken', error: this.#unreachable(error), retry, mayBeDone: fault === 'cut off' };
  }

  #learnTime(
    { method }: Call,
    { headers }: HttpResponse,
    body: Json | undefined,
    { sentAt, answeredAt }: { sentAt: number; answeredAt: number },
  ): void {
    this.serverTime.learnFromDate(String(headers['date'] ?? ''), sentAt, answeredAt);
    if (method !== 'POST') return;
    this.serverTime.learnFromCreation(stringAt(body, 'metadata', 'creationTimestamp'), sentAt, answeredAt);
  }

  /**
   * An answer of somebody in between, such as a load balancer whose servers start again: it passes, where the API has answered
   * before. Whether the request was carried out is not known.
   */
  #foreign(call: Call, error: Failure): Outcome {
    return {
      state: 'broken',
      error: foreignAnswer(error),
      retry: call.idempotent && this.#hasAnswered,
      mayBeDone: true,
    };
  }

  /** A redirect leads to a login page: the API server itself does not redirect what we ask. */
  #refusal(call: Call, response: HttpResponse, body: Json | undefined, afterLostAnswer: boolean): Failure {
    if (response.status < 400) return notTheApi(this.#connection.server);
    const retryAfterMs = retryAfterOf(response.headers, this.#options.clock);
    const problem = problemOf(response.status, body);
    const advice = problem === undefined ? undefined : this.#connection.advise(problem);
    return new ApiError(response.status, body, call.attempt, {
      afterLostAnswer,
      values: valuesSent(call),
      ...(advice === undefined ? {} : { advice }),
      ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
    });
  }

  #unreachable(error: unknown): Failure {
    const { server, proxy } = this.#connection;
    return connectionError(error, server, proxy, this.#connection.advise('unreachable'));
  }

  async #request(
    call: Call,
    credentials: Headers,
    http: Http,
    signal: AbortSignal,
    headersTimeoutMs = 0,
  ): Promise<HttpResponse> {
    const query = new URLSearchParams(call.query).toString();
    return await http.request(`${this.#connection.server}${call.path}${query === '' ? '' : `?${query}`}`, {
      method: call.method,
      headersTimeoutMs,
      signal,
      headers: {
        Accept: call.accept ?? 'application/json',
        'User-Agent': this.#options.userAgent,
        ...(call.body === undefined ? {} : { 'Content-Type': call.contentType ?? 'application/json' }),
        ...credentials,
      },
      ...(call.body === undefined ? {} : { body: JSON.stringify(call.body) }),
    });
  }

  #signalOf(call: Call): AbortSignal | undefined {
    return this.#joined(call.signal);
  }

  #joined(given: AbortSignal | undefined): AbortSignal | undefined {
    const signals = [this.#options.signal, given].filter((signal) => signal !== undefined);
    return signals.length > 1 ? AbortSignal.any(signals) : signals[0];
  }

  /** Until when a call that began then is repeated. */
  #endOf(started: number, patience: number): number {
    return Math.min(started + patience, Math.max(this.#limit.until, started + lastPatienceMs));
  }

  #attemptMs(): number {
    const left = this.#limit.until - this.#options.clock.now();
    return Math.min(this.#options.attemptDeadlineMs ?? defaultDeadlineMs, Math.max(left, lastPatienceMs));
  }

  #refuseInVain(): void {
    if (this.#inVain === undefined || !this.#limit.isOver) return;
    if (this.#options.clock.now() - this.#inVain.at < pauseMs) throw this.#inVain.error;
  }

  #giveUp(error: Failure): never {
    if (this.#limit.isOver) this.#inVain = { error, at: this.#options.clock.now() };
    throw error;
  }

  /** Only before a request that is going to use the new ones. */
  #renewalOf(refused: Headers): () => Promise<void> {
    return async () => {
      await this.#connection.refresh(refused);
    };
  }

  #retrying(signal: AbortSignal | undefined): RetryOptions {
    const { clock, random } = this.#options;
    return { clock, pace, signal, random };
  }

  #count(verb: string): void {
    this.requestCounts.set(verb, (this.requestCounts.get(verb) ?? 0) + 1);
  }
}

/** `mayBeDone`: whether the request may have been carried out all the same. */
type Outcome =
  | { state: 'answered'; answer: Answer }
  | {
      state: 'refused';
      error: ApiError;
      credentials: Headers;
      retry: boolean;
      mayBeDone: boolean;
      retryAfterMs?: number | undefined;
    }
  | { state: 'broken'; error: Failure; retry: boolean; mayBeDone: boolean; retryAfterMs?: never };

function statusIn(outcome: Outcome): number | undefined {
  if (outcome.state === 'answered') return 200;
  return outcome.state === 'refused' ? outcome.error.status : undefined;
}

/** Nothing for questions: what is asked for holds nothing secret. */
function valuesSent({ body, attempt }: Call): string[] {
  if (body === undefined || body === null || typeof body !== 'object') return [];
  // Operations of a patch, and what is merged, come without a kind.
  const sent = Array.isArray(body) ? { operations: body } : body;
  return valuesOf(attempt.plural === 'secrets' ? { kind: 'Secret', ...sent } : sent);
}

function problemOf(status: number, body: Json | undefined): Problem | undefined {
  if (status === 401) return 'not-authenticated';
  return status === 403 && stringAt(body, 'kind') !== 'Status' ? 'refused-on-the-way' : undefined;
}

function parse(text: string): Json | undefined {
  try {
    return JSON.parse(text) as Json;
  } catch {
    return text;
  }
}

/** Statuses with which somebody on the way refuses too: whoever believes them ends a deploy, or an undo, for nothing. */
const foreignStatuses = new Set([400, 403, 404, 405, 422]);

function mayBeForeign({ status }: ApiError, response: HttpResponse, body: Json | undefined): boolean {
  return foreignStatuses.has(status) && isForeign(response, body);
}

/**
 * Whether a refusal is none of the API server's: its own are a Status, but for paths that it does not know, and carry the ID by
 * which it is found in the audit log (kubernetes apiserver pkg/endpoints/filters/audit_init.go).
 */
function isForeign(response: HttpResponse, body: Json | undefined): boolean {
  return stringAt(body, 'kind') !== 'Status' && response.headers['audit-id'] === undefined;
}

function foreignAnswer({ message, hint }: Failure): ForeignAnswer {
  return new ForeignAnswer(message, hint === undefined ? {} : { hint });
}

/** A Status is no object: with it the server answers deletions, and whoever takes it for one records it. */
function isExpected({ expects, method }: Call, body: Json | undefined): boolean {
  if (expects === undefined) return true;
  const kind = stringAt(body, 'kind');
  const isTyped = kind !== undefined && stringAt(body, 'apiVersion') !== undefined;
  if (kind === 'Status' && method !== 'DELETE') return false;
  return isTyped || (expects === 'list' && isObject(body) && Array.isArray(body['items']));
}

function isWebPage(response: HttpResponse): boolean {
  return String(response.headers['content-type'] ?? '').startsWith('text/html');
}

function notTheApi(server: string): Failure {
  return new Failure(`${new URL(server).host} did not answer like a Kubernetes API server`, {
    hint: 'A proxy or login page is in between, or the address is wrong: check the kubeconfig, HTTPS_PROXY and NO_PROXY.',
  });
}

/** `299 - "text"`, several of them joined by commas: RFC 7234, section 5.5. */
function warningsOf(header: string | string[] | undefined): string[] {
  const text = Array.isArray(header) ? header.join(', ') : (header ?? '');
  return [...text.matchAll(/\b\d{3} \S+ "(?<text>(?:[^"\\]|\\.)*)"/g)].map((match) =>
    (match.groups?.['text'] ?? '').replaceAll(/\\(?<char>.)/g, '$<char>'),
  );
}
