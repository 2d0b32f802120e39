import { request, type ClientRequest } from 'node:http';

import { waitUntil } from '../cluster/run.ts';

/** One answer of the sample's `/stream`, a line each second; times in milliseconds since the epoch. */
export interface Stream {
  begunMs: number;
  endedMs?: number;
  /** Of whoever answers, as its headers say. */
  pod?: string;
  version?: string;
  lastLine: string;
  /** Why it has ended, if not in order: `ECONNREFUSED`, `ECONNRESET`, `silent`. */
  problem?: string;
}

export interface StreamsOptions {
  /** How long each of them takes. */
  seconds: number;
  /** How often another one begins, each on a connection of its own. */
  everyMs: number;
}

/** A stream brings a line each second: on a busy machine some of them late. */
const silentMs = 20_000;

/** Begins one stream after the other until it is stopped, and notes how each of them ends. */
export class Streams implements AsyncDisposable {
  readonly begun: Stream[] = [];
  readonly #calls = new Set<ClientRequest>();
  readonly #timer: NodeJS.Timeout;
  readonly #seconds: number;

  /** @param address of a Service of the sample, such as `http://10.0.0.1` */
  constructor(address: string, { seconds, everyMs }: StreamsOptions) {
    this.#seconds = seconds;
    const begin = () => {
      this.#begin(`${address}/stream?seconds=${seconds}`);
    };
    this.#timer = setInterval(begin, everyMs);
    begin();
  }

  /** Waits until so many are under way at a time, of one version if it is given. */
  async reach(count: number, version?: string): Promise<void> {
    const what = `${count} streams are under way${version === undefined ? '' : ` from ${version}`}`;
    await waitUntil(what, 120_000, () =>
      Promise.resolve(
        this.begun.filter(
          (stream) =>
            stream.pod !== undefined &&
            stream.endedMs === undefined &&
            (version === undefined || stream.version === version),
        ).length >= count,
      ),
    );
  }

  /** Begins no more, and waits until all that were begun have ended. */
  async stop(): Promise<void> {
    clearInterval(this.#timer);
    await waitUntil('all streams have ended', this.#seconds * 1000 + 2 * silentMs, () =>
      Promise.resolve(this.begun.every(({ endedMs }) => endedMs !== undefined)),
    );
  }

  /** Those that have ended without their last line. */
  get cut(): readonly Stream[] {
    const last = `${this.#seconds} of ${this.#seconds}`;
    return this.begun.filter(
      ({ endedMs, lastLine, problem }) => endedMs !== undefined && (problem !== undefined || lastLine !== last),
    );
  }

  [Symbol.asyncDispose](): Promise<void> {
    clearInterval(this.#timer);
    for (const call of this.#calls) call.destroy();
    return Promise.resolve();
  }

  #begin(url: string): void {
    const stream: Stream = { begunMs: Date.now(), lastLine: '' };
    this.begun.push(stream);
    const end = () => {
      stream.endedMs ??= Date.now();
      this.#calls.delete(call);
    };
    const fail = (error: NodeJS.ErrnoException) => {
      if (stream.endedMs === undefined) stream.problem = error.code ?? error.message;
      end();
    };
    const call = request(url, { agent: false, timeout: silentMs }, (response) => {
      const { 'x-pod': pod, 'x-version': version } = response.headers;
      if (typeof pod === 'string') stream.pod = pod;
      if (typeof version === 'string') stream.version = version;
      let text = '';
      response.setEncoding('utf8').on('data', (chunk: string) => {
        text += chunk;
        stream.lastLine = text.trimEnd().split('\n').at(-1) ?? '';
      });
      response.on('error', fail);
      response.on('close', end);
    });
    this.#calls.add(call);
    call.on('timeout', () => call.destroy(Object.assign(new Error('no line came'), { code: 'silent' })));
    call.on('error', fail);
    call.end();
  }
}
