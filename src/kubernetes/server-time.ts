import type { Clock } from '../base/clock.ts';
import { timeOf } from './conditions.ts';

/** By how much the server's clock is ahead of ours, in ms: at least, and at most. */
interface Lead {
  least: number;
  most: number;
}

/** Below that both clocks agree: what the server tells has no fractions of a second. */
const toleranceMs = 1000;

/**
 * Learns from answers how far the server's clock is from ours. Each answer tells it to the second, and all of them together more
 * exactly (Cristian's algorithm). It begins anew where an answer contradicts those before: one of the clocks was set.
 */
export class ServerTime {
  #lead: Lead | undefined;
  /** By how much what the server writes into objects is ahead of the `Date` of its answers, in ms. */
  #biasMs = 0;

  /** By how many ms the server's clock is ahead of ours; 0 as long as nothing is known, and where both agree. */
  get aheadMs(): number {
    if (this.#lead === undefined) return 0;
    const ahead = middleOf(this.#lead) + this.#biasMs;
    return Math.abs(ahead) < toleranceMs ? 0 : Math.round(ahead);
  }

  /**
   * @param date the header `Date` of an answer
   * @param sentAt when it was asked for by our clock, milliseconds since the epoch
   * @param answeredAt when it came
   */
  learnFromDate(date: string | undefined, sentAt: number, answeredAt: number): void {
    const next = leadOf(date, sentAt, answeredAt);
    if (next === undefined) return;
    this.#lead = common(this.#lead, next) ?? next;
  }

  /**
   * Objects are what counts: who stands in between, such as a gateway, may put the `Date` of its own clock into answers.
   * @param createdAt the `creationTimestamp` of what the server has just made
   */
  learnFromCreation(createdAt: string | undefined, sentAt: number, answeredAt: number): void {
    const made = leadOf(createdAt, sentAt, answeredAt);
    if (made === undefined) return;
    this.#lead ??= made;
    const { least, most } = this.#lead;
    const byNow = { least: least + this.#biasMs, most: most + this.#biasMs };
    if (common(byNow, made) === undefined) this.#biasMs = middleOf(made) - middleOf(this.#lead);
  }
}

/**
 * The time by the clock of the API server, milliseconds since the epoch: for all that is compared with times that it wrote, and
 * for all times that others read in the cluster. How long we wait ourselves is told by our own clock.
 */
export function serverNow({ aheadMs }: { aheadMs: number }, clock: Clock): number {
  return clock.now() + aheadMs;
}

/** The same as text: `2026-01-02T03:04:05.678Z`. */
export function serverTimestamp(server: { aheadMs: number }, clock: Clock): string {
  return new Date(serverNow(server, clock)).toISOString();
}

/** A time, in whole seconds, that was written after the question was sent and before the answer came. */
function leadOf(text: string | undefined, sentAt: number, answeredAt: number): Lead | undefined {
  const time = timeOf(text);
  return time === undefined ? undefined : { least: time - answeredAt, most: time + 1000 - sentAt };
}

function common(one: Lead | undefined, other: Lead): Lead | undefined {
  if (one === undefined) return undefined;
  const both = { least: Math.max(one.least, other.least), most: Math.min(one.most, other.most) };
  return both.least <= both.most ? both : undefined;
}

function middleOf({ least, most }: Lead): number {
  return (least + most) / 2;
}
