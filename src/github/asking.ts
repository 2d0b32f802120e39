import { Octokit } from '@octokit/core';

import type { Clock } from '../base/clock.ts';
import { isObject, stringsAt } from '../base/json.ts';
import { noAnswer } from '../http/http.ts';
import { faultOf, isPassingStatus } from '../http/passing.ts';
import { retry, type Tried } from '../http/retry.ts';
import { limitedError, refusalOf, unreachableError } from './explain.ts';
import type { Answer, Question } from './questions.ts';
import { waitOf } from './rate-limit.ts';
import { Transport } from './transport.ts';

export interface AskingOptions {
  token: string;
  /** `https://api.github.com`, `https://github.example.com/api/v3` */
  apiUrl: string;
  clock: Clock;
  /** `HTTPS_PROXY`, `NO_PROXY` and the like. */
  env: Readonly<Record<string, string | undefined>>;
  /** Ends a call under way; it then throws the signal's reason. */
  signal?: AbortSignal | undefined;
  /** From 0 to 1; spreads retries. */
  random?: (() => number) | undefined;
  /** For how many milliseconds one run waits for GitHub in all; by default a minute. */
  patienceMs?: number | undefined;
  /** How long one attempt may take, in milliseconds; 10 s by default. */
  deadlineMs?: number | undefined;
}

const defaultPatienceMs = 60_000;
const defaultDeadlineMs = 10_000;
/** Once the patience is used up, a call is one attempt that is not waited for much longer. */
const lateDeadlineMs = 3_000;
const pace = { firstMs: 500, lastMs: 8_000 };
const mostAttempts = 5;

type Came = { answer: Answer } | { error: unknown };

/**
 * Asks GitHub: one attempt after the other where that does no harm, writes one at a time, and all waiting of a run within one
 * budget, so that a deploy is never long in GitHub's hands.
 */
export class Asking {
  readonly #options: AskingOptions;
  readonly #transport: Transport;
  #octokit: Octokit | undefined;
  #lastWrite: Promise<unknown> = Promise.resolve();
  #patienceMs: number;
  /** GitHub wants to be left alone until then, milliseconds since the epoch; asking on makes it worse. */
  #closed: { until: number; status: number } | undefined;

  constructor(options: AskingOptions) {
    this.#options = options;
    this.#transport = new Transport(options.env);
    this.#patienceMs = options.patienceMs ?? defaultPatienceMs;
  }

  /** @throws GitHubError for everything that is no success nor allowed; the reason of the signal */
  async ask(question: Question): Promise<Answer> {
    if (question.route.startsWith('GET ')) return await this.#tryAll(question);
    // GitHub asks for it: "make requests serially" (docs.github.com/rest/using-the-rest-api/best-practices).
    const turn = this.#lastWrite.then(async () => await this.#tryAll(question));
    this.#lastWrite = turn.catch(() => undefined);
    return await turn;
  }

  close(): void {
    this.#transport.close();
  }

  async #tryAll(question: Question): Promise<Answer> {
    const { clock, signal, random } = this.#options;
    let count = 0;
    const attempt = async () => {
      count += 1;
      this.#refuseWhileClosed(question);
      const startedAt = clock.now();
      const tried = this.#judge(question, await this.#once(question), count);
      if (tried.state === 'passing') this.#patienceMs -= clock.now() - startedAt;
      return tried;
    };
    const waiting: Clock = {
      now: () => clock.now(),
      sleep: async (ms, ended) => {
        this.#patienceMs -= ms;
        await clock.sleep(ms, ended);
      },
    };
    const attempts = this.#patienceMs > 0 ? mostAttempts : 1;
    return await retry(attempt, { clock: waiting, pace, signal, random, attempts });
  }

  #judge(question: Question, came: Came, count: number): Tried<Answer> {
    const until = this.#options.clock.now() + this.#patienceMs;
    if ('error' in came) {
      const fault = faultOf(came.error);
      const giveUp = () => {
        throw unreachableError(question, new URL(this.#options.apiUrl).host, came.error);
      };
      const mayRepeat = fault === 'never sent' || (fault === 'cut off' && question.repeatable);
      return mayRepeat ? { state: 'passing', giveUp, until } : giveUp();
    }
    const { answer } = came;
    if (answer.status < 300 || question.allowed?.includes(answer.status) === true)
      return { state: 'done', result: answer };
    const waitMs = waitOf(answer, this.#options.clock, count);
    if (waitMs !== undefined) {
      const giveUp = () => this.#close(question, answer.status, waitMs);
      return { state: 'passing', giveUp, retryAfterMs: waitMs, until };
    }
    const giveUp = () => {
      throw refusalOf(question, answer);
    };
    return isPassingStatus(answer.status) && question.repeatable ? { state: 'passing', giveUp, until } : giveUp();
  }

  #close(question: Question, status: number, waitMs: number): never {
    this.#closed = { until: this.#options.clock.now() + waitMs, status };
    throw limitedError(question, status, waitMs);
  }

  #refuseWhileClosed(question: Question): void {
    const left = (this.#closed?.until ?? 0) - this.#options.clock.now();
    if (left > 0) throw limitedError(question, this.#closed?.status ?? 429, left);
  }

  async #once({ route, parameters }: Question): Promise<Came> {
    const { signal, deadlineMs = defaultDeadlineMs } = this.#options;
    signal?.throwIfAborted();
    const octokit = (this.#octokit ??= this.#makeOctokit());
    const deadline = AbortSignal.timeout(this.#patienceMs > 0 ? deadlineMs : Math.min(deadlineMs, lateDeadlineMs));
    const ended = signal === undefined ? deadline : AbortSignal.any([signal, deadline]);
    try {
      return { answer: answerOf(await octokit.request(route, { ...parameters, request: { signal: ended } })) };
    } catch (error) {
      signal?.throwIfAborted();
      const response = error instanceof Error && 'response' in error ? error.response : undefined;
      if (response !== undefined) return { answer: answerOf(response) };
      return { error: deadline.aborted ? noAnswer(error) : error };
    }
  }

  #makeOctokit(): Octokit {
    const nothing = () => undefined;
    return new Octokit({
      auth: this.#options.token,
      baseUrl: this.#options.apiUrl.replace(/\/$/, ''),
      userAgent: 'gke-rollout',
      // It would print what servers say.
      log: { debug: nothing, info: nothing, warn: nothing, error: nothing },
      request: { fetch: this.#transport.fetch.bind(this.#transport) },
    });
  }
}

/** What octokit has made of an answer, believed in nothing but its status. */
function answerOf(response: unknown): Answer {
  const { status, headers, data } = isObject(response) ? response : {};
  return {
    status: typeof status === 'number' ? status : 0,
    headers: stringsAt(isObject(headers) ? headers : {}),
    data: data ?? null,
  };
}
