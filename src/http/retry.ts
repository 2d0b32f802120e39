import type { Clock } from '../base/clock.ts';

/** How long the pauses between attempts are, in milliseconds: each is twice the one before, up to the last. */
interface Pace {
  firstMs: number;
  lastMs: number;
}

export interface RetryOptions {
  clock: Clock;
  pace: Pace;
  /** Ends a pause. */
  signal?: AbortSignal | undefined;
  /** From 0 to 1; spreads the attempts of many. */
  random?: (() => number) | undefined;
  /** How many there are at most; by default `until` alone counts. */
  attempts?: number | undefined;
}

/** How an attempt has ended. One that was in vain for good throws. */
export type Tried<T> = { state: 'done'; result: T } | Passing<T>;

/** What stood in the way may be gone soon. */
export interface Passing<T> {
  state: 'passing';
  /** What comes of it when there is no other attempt: an answer all the same, or an error that it throws. */
  giveUp: () => T;
  /** Milliseconds for which the server asks; the pause is at least as long. */
  retryAfterMs?: number | undefined;
  /** The next attempt begins until then or never, milliseconds since the epoch; by default at any time. */
  until?: number | undefined;
  /** Done before the next attempt, and only if there is one: such as renewing credentials. */
  mend?: (() => Promise<void>) | undefined;
  /** What `mend` does is all that was missing. */
  atOnce?: boolean | undefined;
}

/**
 * Tries again what may pass: with growing pauses, spread by chance and never shorter than the server asks for, until the
 * attempts or the time are used up. What may pass is for whoever asks to say, who alone knows what was asked.
 * @throws what an attempt or its `giveUp` throws; the reason of the signal
 */
export async function retry<T>(attempt: () => Promise<Tried<T>>, options: RetryOptions): Promise<T> {
  const { clock, pace, signal, random, attempts = Infinity } = options;
  for (let count = 1; ; count += 1) {
    const tried = await attempt();
    if (tried.state === 'done') return tried.result;
    const pause = tried.atOnce === true ? 0 : Math.max(tried.retryAfterMs ?? 0, pauseMs(pace, count, random));
    if (count >= attempts || clock.now() + pause > (tried.until ?? Infinity)) return tried.giveUp();
    if (pause > 0) await clock.sleep(pause, signal);
    await tried.mend?.();
  }
}

/** The pause behind attempt number `count`, from 1: between half and one and a half of what the pace says. */
export function pauseMs({ firstMs, lastMs }: Pace, count: number, random: () => number = Math.random): number {
  return Math.min(firstMs * 2 ** (count - 1), lastMs) * (0.5 + random());
}

/**
 * For how many milliseconds a server asks by `Retry-After`: seconds, or a date by the clock of whoever has answered (RFC 9110,
 * section 10.2.3). Undefined for anything else.
 */
export function retryAfterOf(
  headers: Readonly<Record<string, string | string[] | undefined>>,
  clock: Clock,
): number | undefined {
  const text = String(headers['retry-after'] ?? '').trim();
  if (/^\d+$/.test(text)) return Number(text) * 1000;
  const until = Date.parse(text);
  if (!/^[A-Z][a-z]+, /.test(text) || Number.isNaN(until)) return undefined;
  const sentAt = Date.parse(String(headers['date'] ?? ''));
  return Math.max(0, until - (Number.isNaN(sentAt) ? clock.now() : sentAt));
}
