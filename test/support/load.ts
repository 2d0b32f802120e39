import { request } from 'node:http';

export interface LoadResult {
  sent: number;
  /** Answers by their status and `X-Version` header: `200 1.0.0`. */
  answers: Map<string, number>;
  /** Requests without an answer: `ECONNREFUSED`, `ECONNRESET`, `timeout`, … */
  lost: Map<string, number>;
}

/**
 * Sends `perSecond` requests a second to `url`, each on a connection of its own, until stopped or until `maxSeconds`
 * have passed. A request counts as lost when it gets no answer within 5 s.
 */
export class Load {
  readonly #result: LoadResult = { sent: 0, answers: new Map(), lost: new Map() };
  readonly #timer: NodeJS.Timeout;
  readonly #pending = new Set<Promise<void>>();

  constructor(url: string, perSecond: number, maxSeconds = 300) {
    const deadline = Date.now() + maxSeconds * 1000;
    const tickMs = 20;
    let owed = 0;
    this.#timer = setInterval(() => {
      if (Date.now() > deadline) clearInterval(this.#timer);
      owed += (perSecond * tickMs) / 1000;
      for (; owed >= 1; owed -= 1) this.#track(this.#one(url));
    }, tickMs);
  }

  /** Ends the load and waits for the answers that are still under way. */
  async stop(): Promise<LoadResult> {
    clearInterval(this.#timer);
    await Promise.all(this.#pending);
    return this.#result;
  }

  #track(work: Promise<void>): void {
    this.#pending.add(work);
    void work.finally(() => this.#pending.delete(work));
  }

  #one(url: string): Promise<void> {
    this.#result.sent += 1;
    return new Promise((resolve) => {
      const call = request(url, { agent: false, timeout: 5000 }, (response) => {
        const version = response.headers['x-version'];
        count(this.#result.answers, `${response.statusCode ?? 0} ${typeof version === 'string' ? version : '-'}`);
        response.resume();
        response.on('close', resolve);
      });
      call.on('timeout', () => call.destroy(Object.assign(new Error('timeout'), { code: 'timeout' })));
      call.on('error', (error: NodeJS.ErrnoException) => {
        count(this.#result.lost, error.code ?? error.message);
        resolve();
      });
      call.end();
    });
  }
}

export function total(counts: Map<string, number>): number {
  return [...counts.values()].reduce((sum, value) => sum + value, 0);
}

function count(counts: Map<string, number>, key: string): void {
  counts.set(key, (counts.get(key) ?? 0) + 1);
}
