import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';

import { numberAt, objectAt, type Json } from '../../src/base/json.ts';

export interface SteadyLoadOptions {
  perSecond?: number;
  /** It ends by itself after this long, whatever becomes of the test. */
  maxSeconds?: number;
}

/** Requests of a stretch of time. */
export interface Tally {
  sent: number;
  /** Answers with a status of 2xx, by version. */
  answers: Record<string, number>;
  /** All others, by what went wrong: `connect: connection refused`, `read: timeout`, `status 502`. */
  lost: Record<string, number>;
}

export interface LoadEnd extends Tally {
  /** What it reached: on a machine that is too slow, less than it was to be. */
  perSecond: number;
}

/** The requests of a tenth of a second, as `server load` prints them; times in milliseconds since the epoch. */
interface Window extends Tally {
  fromMs: number;
}

const windowMs = 100;

/**
 * A steady load on an address: so many requests a second, each on a connection of its own, sent when their time has come
 * whatever became of those before. A process of its own (`server load` of the sample), so that the tests do not slow it down.
 */
export class SteadyLoad implements AsyncDisposable {
  readonly #process: ChildProcess;
  readonly #windows: Window[] = [];
  readonly #ended: Promise<unknown>;
  #perSecond = 0;
  #waiting: (() => void)[] = [];

  constructor(url: string, { perSecond = 500, maxSeconds = 1200 }: SteadyLoadOptions = {}) {
    const program = process.env['TEST_SAMPLE'] ?? '';
    if (program === '') throw new Error('TEST_SAMPLE is not set: run the suite through script/test');
    const args = ['load', '--url', url, '--rate', String(perSecond), '--duration', `${maxSeconds}s`];
    this.#process = spawn(program, args, { stdio: ['ignore', 'pipe', 'inherit'] });
    const { stdout } = this.#process;
    if (stdout === null) throw new Error('the load has no output');
    const lines = createInterface({ input: stdout });
    lines.on('line', (line) => {
      this.#take(JSON.parse(line) as Json);
    });
    this.#ended = once(lines, 'close');
  }

  /** Resolves when all that was sent until then (milliseconds since the epoch) has ended. */
  async reaches(time: number): Promise<void> {
    while ((this.#windows.at(-1)?.fromMs ?? 0) + windowMs < time) {
      if (this.#process.exitCode !== null) throw new Error('the load has ended before its time');
      await Promise.race([new Promise<void>((resolve) => this.#waiting.push(resolve)), this.#ended]);
    }
  }

  /**
   * Requests that were sent between two times, milliseconds since the epoch, whenever they ended. When the load has reached
   * the second of them, all of them have.
   */
  sentBetween(from: number, to: number): Tally {
    return sum(this.#windows.filter(({ fromMs }) => fromMs >= from && fromMs + windowMs <= to));
  }

  /** When the first answer of a version came after a time, and the last one; undefined where there was none. */
  spanOf(version: string, after = 0): { first: number; last: number } | undefined {
    const own = this.#windows.filter(({ fromMs, answers }) => fromMs >= after && (answers[version] ?? 0) > 0);
    const [first] = own;
    const last = own.at(-1);
    return first === undefined || last === undefined ? undefined : { first: first.fromMs, last: last.fromMs };
  }

  /** When requests were lost, for people who look for the cause: `14:03:07.2 status 502 × 12`. */
  losses(): string[] {
    return this.#windows.flatMap(({ fromMs, lost }) =>
      Object.entries(lost).map(
        ([cause, count]) => `${new Date(fromMs).toISOString().slice(11, 21)} ${cause} × ${count}`,
      ),
    );
  }

  /** Ends the load and waits for the answers that are still under way. */
  async stop(): Promise<LoadEnd> {
    this.#process.kill('SIGTERM');
    await this.#ended;
    return { ...sum(this.#windows), perSecond: this.#perSecond };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  #take(line: Json): void {
    const fromMs = numberAt(line, 'fromMs');
    const sent = numberAt(line, 'sent') ?? 0;
    if (fromMs === undefined) {
      this.#perSecond = numberAt(line, 'perSecond') ?? 0;
      return;
    }
    const counts = (name: string) => objectAt(line, name) as Record<string, number>;
    this.#windows.push({ fromMs, sent, answers: counts('answers'), lost: counts('lost') });
    for (const resolve of this.#waiting.splice(0)) resolve();
  }
}

function sum(windows: readonly Tally[]): Tally {
  const result: Tally = { sent: 0, answers: {}, lost: {} };
  for (const { sent, answers, lost } of windows) {
    result.sent += sent;
    for (const [version, count] of Object.entries(answers)) add(result.answers, version, count);
    for (const [cause, count] of Object.entries(lost)) add(result.lost, cause, count);
  }
  return result;
}

function add(counts: Record<string, number>, key: string, count: number): void {
  counts[key] = (counts[key] ?? 0) + count;
}

export function totalOf(counts: Record<string, number>): number {
  return Object.values(counts).reduce((all, count) => all + count, 0);
}
