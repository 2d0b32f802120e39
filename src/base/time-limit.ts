import type { Clock } from './clock.ts';

/**
 * How long a run may go on trying: one limit at a time, for everything in it that waits or asks again. Each part of a run begins
 * its own: the work, the look at what has failed, the undo, the last words.
 */
export class TimeLimit {
  readonly #clock: Clock;
  #until = Number.POSITIVE_INFINITY;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Milliseconds since the epoch; without an end before the first part that has one. */
  get until(): number {
    return this.#until;
  }

  get isOver(): boolean {
    return this.#clock.now() >= this.#until;
  }

  /** A part of the run that may take `ms` begins now. */
  begin(ms: number): void {
    this.#until = this.#clock.now() + ms;
  }

  /** What is planned, such as a step of a canary that is to last so long, uses nothing up. */
  extend(ms: number): void {
    this.#until += ms;
  }
}
