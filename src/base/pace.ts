import type { Clock } from './clock.ts';

/** Before, what changes tells enough. */
const firstMs = 60_000;
const everyMs = 30_000;

/** When a wait says that it goes on: after the first minute, and then every 30 s. */
export class Pace {
  #next: number;

  /** @param startedAt milliseconds since the epoch */
  constructor(startedAt: number) {
    this.#next = startedAt + firstMs;
  }

  /** Call as often as there is something that could be told. @returns whether it is to be told now */
  isDue(now: number): boolean {
    if (now < this.#next) return false;
    this.told(now);
    return true;
  }

  /** It was told, whether it was due or not. */
  told(now: number): void {
    this.#next = now + everyMs;
  }
}

/** Sleeps, and tells from time to time how much is left. Rejects with the signal's reason when aborted. */
export async function sleepTelling(
  clock: Clock,
  ms: number,
  signal: AbortSignal,
  tell: (leftMs: number) => void,
): Promise<void> {
  const until = clock.now() + ms;
  const pace = new Pace(clock.now());
  for (let left = ms; left > 0; left = until - clock.now()) {
    if (pace.isDue(clock.now())) tell(left);
    await clock.sleep(Math.min(left, everyMs), signal);
  }
}
