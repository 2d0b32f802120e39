import { setImmediate as turn } from 'node:timers/promises';

import type { Clock } from '../../src/base/clock.ts';

/** Time that stands still until `runFor` moves it, from one sleeper to the next. */
export class FakeClock implements Clock {
  /** The length of every sleep that was begun. */
  readonly sleeps: number[] = [];
  #now = Date.UTC(2026, 0, 1);
  #sleepers: { until: number; wake: () => void }[] = [];

  now(): number {
    return this.#now;
  }

  async sleep(ms: number, signal?: AbortSignal): Promise<void> {
    signal?.throwIfAborted();
    this.sleeps.push(ms);
    await new Promise<void>((resolve, reject) => {
      const sleeper = { until: this.#now + ms, wake: resolve };
      this.#sleepers.push(sleeper);
      signal?.addEventListener('abort', () => {
        this.#sleepers = this.#sleepers.filter((other) => other !== sleeper);
        reject(signal.reason as Error);
      });
    });
  }

  /** Lets `ms` pass; between two sleepers everything that can go on without time does. */
  async runFor(ms: number): Promise<void> {
    const end = this.#now + ms;
    for (;;) {
      for (let turns = 0; turns < 3; turns += 1) await turn();
      const next = this.#sleepers.toSorted((left, right) => left.until - right.until)[0];
      if (next === undefined || next.until > end) break;
      this.#sleepers = this.#sleepers.filter((sleeper) => sleeper !== next);
      this.#now = next.until;
      next.wake();
    }
    this.#now = end;
  }
}

/** Time that passes at once: for code that only waits between attempts. */
export class HastyClock implements Clock {
  readonly sleeps: number[] = [];
  #now = Date.UTC(2026, 0, 1);

  now(): number {
    return this.#now;
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    signal?.throwIfAborted();
    this.sleeps.push(ms);
    this.#now += ms;
    return Promise.resolve();
  }
}
