import { boundedText } from '../base/bounded-text.ts';
import type { Clock } from '../base/clock.ts';
import { errorCode, Failure, messageOf } from '../base/errors.ts';
import { createHttp } from '../http/create-http.ts';
import { noAnswer, type Http } from '../http/http.ts';
import type { Json, JsonObject } from '../base/json.ts';
import { limits } from '../base/limits.ts';
import { meaningOf, proxyRefusal } from '../http/network-error.ts';
import { faultOf, isPassingStatus } from '../http/passing.ts';
import { proxyFor } from '../http/proxy.ts';
import { retry, retryAfterOf, type Tried } from '../http/retry.ts';
import type { Environment } from './hosts.ts';

interface WebRequest {
  method?: 'GET' | 'POST';
  url: string;
  headers?: Record<string, string>;
  /** Sent as JSON. */
  json?: JsonObject;
  /** Sent as a form. */
  form?: Record<string, string>;
  /** What it is for, after "cannot": `get cluster "bootcamp"`. */
  purpose: string;
  /** For servers of the machine itself, which no proxy knows and which speak no TLS: the metadata server. */
  local?: boolean;
  /** The answer need not be JSON. */
  plainText?: boolean;
  /** Whether an answer that is no success may be different soon, beside those that pass for everybody. */
  mayPass?: (answer: WebAnswer) => boolean;
  /** How often it is sent at most; 5 by default. */
  attempts?: number;
  /** How long one attempt may take; 10 s by default. */
  deadlineMs?: number;
}

export interface WebAnswer {
  status: number;
  /** Null when it is no JSON. */
  json: Json;
  text: string;
  headers: Readonly<Record<string, string | string[] | undefined>>;
}

interface WebOptions {
  clock: Clock;
  /** `HTTPS_PROXY`, `NO_PROXY` and the like. */
  env: Environment;
  signal?: AbortSignal;
  /** From 0 to 1; spreads retries. */
  random?: () => number;
}

const defaultAttempts = 5;
const defaultDeadlineMs = 10_000;
const pace = { firstMs: 250, lastMs: 4_000 };
/** A server that asks for more patience than this gets an error instead. */
const maxRetryAfterMs = 20_000;

/** Nothing came back, or something that is no answer of the API that was asked. */
export class WebError extends Failure {}

/**
 * Asks the servers that signing in needs: with a deadline, repeated when they are busy or the connection breaks (all of
 * these questions may be asked twice), through the proxy of the environment. Redirects are not followed: what they lead to
 * must not see credentials.
 */
export class Web {
  readonly #options: WebOptions;
  readonly #http: Http;
  readonly #direct = createHttp();

  constructor(options: WebOptions) {
    this.#options = options;
    this.#http = createHttp({ proxyTo: (server) => proxyFor(server, options.env) });
  }

  /** Any answer, also a refusal. @throws WebError when there is none */
  async ask(question: WebRequest): Promise<WebAnswer> {
    const { clock, signal, random } = this.#options;
    const url = checked(question);
    const attempts = question.attempts ?? defaultAttempts;
    return await retry(async () => this.#tried(question, await this.#once(question, url)), {
      clock,
      pace,
      signal,
      random,
      attempts,
    });
  }

  close(): void {
    this.#http.destroy();
    this.#direct.destroy();
  }

  #tried(question: WebRequest, answer: WebAnswer | WebError): Tried<WebAnswer> {
    if (answer instanceof WebError) {
      const giveUp = () => {
        throw answer;
      };
      return faultOf(answer.cause) === 'lasting' ? giveUp() : { state: 'passing', giveUp };
    }
    const retryAfterMs = retryAfterOf(answer.headers, this.#options.clock);
    const isFinal = !mayPass(question, answer) || (retryAfterMs ?? 0) > maxRetryAfterMs;
    return isFinal ? { state: 'done', result: answer } : { state: 'passing', giveUp: () => answer, retryAfterMs };
  }

  async #once(question: WebRequest, url: URL): Promise<WebAnswer | WebError> {
    const proxy = question.local === true ? undefined : proxyFor(url, this.#options.env);
    const deadline = AbortSignal.timeout(question.deadlineMs ?? defaultDeadlineMs);
    const { signal } = this.#options;
    try {
      const response = await (question.local === true ? this.#direct : this.#http).request(url, {
        method: question.method ?? 'GET',
        signal: signal === undefined ? deadline : AbortSignal.any([signal, deadline]),
        headers: { Accept: 'application/json', 'User-Agent': 'gke-rollout', ...typeOf(question), ...question.headers },
        ...bodyOf(question),
      });
      const text = await boundedText(response.body, url.host, limits.signInAnswer);
      const { status, headers } = response;
      if (status >= 300 && status < 400) return redirected(question, url, headers['location']);
      const json = parse(text);
      if (status < 300 && json === undefined && question.plainText !== true) return notJson(question, url);
      return { status, json: json ?? null, text, headers };
    } catch (error) {
      signal?.throwIfAborted();
      if (error instanceof Failure) return refused(question, error);
      return unreachable(question, url, proxy, deadline.aborted ? noAnswer() : error);
    }
  }
}

/** Credentials travel encrypted, or not at all beyond this machine. */
function checked({ url, purpose, local }: WebRequest): URL {
  const parsed = URL.parse(url);
  if (parsed === null) {
    throw new WebError(`cannot ${purpose}: "${url}" is not a URL`, {
      hint: 'Fix it where the credentials come from.',
    });
  }
  if (parsed.protocol === 'https:' || local === true || isLoopback(parsed.hostname)) return parsed;
  throw new WebError(`cannot ${purpose}: "${parsed.origin}" is not https, so anyone on the network could read it`, {
    hint: 'Use an address that starts with https://.',
  });
}

function isLoopback(hostname: string): boolean {
  return hostname === 'localhost' || hostname === '[::1]' || /^127\.\d+\.\d+\.\d+$/.test(hostname);
}

function typeOf({ json, form }: WebRequest): Record<string, string> {
  if (json !== undefined) return { 'Content-Type': 'application/json' };
  return form === undefined ? {} : { 'Content-Type': 'application/x-www-form-urlencoded' };
}

function bodyOf({ json, form }: WebRequest): { body?: string } {
  if (json !== undefined) return { body: JSON.stringify(json) };
  return form === undefined ? {} : { body: new URLSearchParams(form).toString() };
}

function mayPass(question: WebRequest, answer: WebAnswer): boolean {
  const { status } = answer;
  return isPassingStatus(status) || (status >= 400 && question.mayPass?.(answer) === true);
}

function unreachable({ purpose }: WebRequest, url: URL, proxy: URL | undefined, error: unknown): WebError {
  const code = errorCode(error);
  const refused = proxyRefusal(error);
  const through = proxy === undefined ? '' : ` through the proxy ${proxy.host}`;
  // An empty reason helped nobody (google-github-actions/get-gke-credentials#322).
  const why = refused === undefined ? (meaningOf(code) ?? messageOf(error)) : `the proxy answered ${refused}`;
  const hint =
    refused === 407
      ? 'Put the name and password of the proxy into its URL.'
      : proxy !== undefined
        ? 'Check that this proxy is running and allows the address, or add it to NO_PROXY.'
        : 'Check that this runner can reach the address: a closed network needs HTTPS_PROXY or Private Google Access.';
  const code_ = code === '' || why.includes(code) ? '' : ` (${code})`;
  return new WebError(`cannot ${purpose}: cannot reach ${url.host}${through}: ${why}${code_}`, { cause: error, hint });
}

function refused({ purpose }: WebRequest, { message, hint = '' }: Failure): WebError {
  return new WebError(`cannot ${purpose}: ${message}`, { hint });
}

function redirected({ purpose }: WebRequest, url: URL, location: string | string[] | undefined): WebError {
  const target = URL.parse(String(location ?? ''), url.href)?.host ?? 'another address';
  return new WebError(`cannot ${purpose}: ${url.host} redirects to ${target}, where credentials must not be sent`, {
    hint: 'Check for a proxy or login page in between: HTTPS_PROXY, NO_PROXY.',
  });
}

function notJson({ purpose }: WebRequest, url: URL): WebError {
  return new WebError(`cannot ${purpose}: ${url.host} did not answer with JSON`, {
    hint: 'Check for a proxy or login page in between: HTTPS_PROXY, NO_PROXY.',
  });
}

function parse(text: string): Json | undefined {
  try {
    return JSON.parse(text) as Json;
  } catch {
    return undefined;
  }
}
