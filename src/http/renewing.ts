import type { Clock } from '../base/clock.ts';

/** Something that is good for a while: a token, a certificate. */
export interface Expiring {
  /** Milliseconds since the epoch; absent: until somebody refuses it. */
  expiresAt?: number;
}

/** A request that was authorized just before must still arrive with a good token, and renewing takes its time. */
const marginMs = 60_000;

/** Of what lives only for a moment, at most this share is given away. */
const marginShare = 0.25;

/** After a renewal ahead of time has failed, the next one waits so long; what there is still serves. */
const pauseMs = 5_000;

/**
 * When to renew: a minute ahead of the end, whatever the lifetime, so that tokens of five minutes (those of Workload Identity
 * Federation) serve for four of them and are not asked for with each request (google-github-actions/upload-cloud-storage#364).
 */
export function renewalTime(receivedAt: number, expiresAt: number): number {
  const lifetime = Math.max(0, expiresAt - receivedAt);
  return expiresAt - Math.min(marginMs, lifetime * marginShare);
}

/** Keeps one value and asks for the next one ahead of its end; whoever asks meanwhile shares that one question. */
export class Renewing<T extends Expiring> {
  readonly #ask: () => Promise<T>;
  readonly #clock: Clock;
  #current: { value: T; renewAt: number } | undefined;
  #renewal: Promise<T> | undefined;
  #notBefore = 0;

  constructor(ask: () => Promise<T>, clock: Clock) {
    this.#ask = ask;
    this.#clock = clock;
  }

  /** A value that is good now. @throws what asking throws, once nothing good is left */
  async get(): Promise<T> {
    const current = this.#current;
    if (current === undefined) return await this.#renew();
    const now = this.#clock.now();
    if (now < current.renewAt) return current.value;
    const end = current.value.expiresAt ?? Infinity;
    if (now < Math.min(end, this.#notBefore)) return current.value;
    try {
      return await this.#renew();
    } catch (error) {
      if (this.#clock.now() >= end) throw error;
      this.#notBefore = this.#clock.now() + pauseMs;
      return current.value;
    }
  }

  /** Another value than the one that was refused; asked for once, however many were refused the same. */
  async replace(refused: T): Promise<T> {
    if (this.#current !== undefined && this.#current.value !== refused) return this.#current.value;
    return await this.#renew();
  }

  async #renew(): Promise<T> {
    this.#renewal ??= this.#askNow().finally(() => {
      this.#renewal = undefined;
    });
    return await this.#renewal;
  }

  async #askNow(): Promise<T> {
    const value = await this.#ask();
    const { expiresAt } = value;
    const renewAt = expiresAt === undefined ? Infinity : renewalTime(this.#clock.now(), expiresAt);
    this.#current = { value, renewAt };
    return value;
  }
}
