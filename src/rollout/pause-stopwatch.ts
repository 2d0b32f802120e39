import { objectAt } from '../base/json.ts';
import { describeRef, refOf, type KubernetesObject } from '../kubernetes/object.ts';
import { pausedBy, updatedPods } from './pause.ts';
import type { Cause } from './verdict.ts';

/** Measures how long what is waited for has been paused by somebody: that time is none of the wait's own. */
export class PauseStopwatch {
  readonly #timeoutMs: number | undefined;
  #stoodStillMs = 0;
  /** Since when it is paused without a break, and when that was looked at last. */
  #pause: { since: number; seen: number } | undefined;

  /** @param timeoutMs how long one pause is waited for; when undefined none is, and the clock goes on */
  constructor(timeoutMs: number | undefined) {
    this.#timeoutMs = timeoutMs;
  }

  /** @param now milliseconds since the epoch */
  look(isPaused: boolean, now: number): void {
    if (this.#timeoutMs === undefined) return;
    if (this.#pause !== undefined) this.#stoodStillMs += now - this.#pause.seen;
    this.#pause = isPaused ? { since: this.#pause?.since ?? now, seen: now } : undefined;
  }

  /** In all. */
  get stoodStillMs(): number {
    return this.#stoodStillMs;
  }

  /** How long the present pause is still waited for; undefined while the clock runs. */
  get leftMs(): number | undefined {
    if (this.#timeoutMs === undefined || this.#pause === undefined) return undefined;
    return Math.max(0, this.#timeoutMs - (this.#pause.seen - this.#pause.since));
  }

  get isOver(): boolean {
    return this.leftMs === 0;
  }
}

/** What is said when a pause outlasts the wait. */
export function pauseCauseOf({ object }: { object: KubernetesObject }): Cause {
  return {
    reason: 'Paused',
    message: `${describeRef(refOf(object))}: ${updatedPods(object)}; paused ${pausedBy(object)}`,
    hint: 'Run the command "resume" (or kubectl rollout resume) to continue, then re-run this one; "rollback" goes back.',
    object: refOf(object),
  };
}

/** A target as it was written, and not paused where somebody else had paused it by then. */
export function asMeant({
  object,
  asWritten = object,
  paused,
}: {
  object: KubernetesObject;
  asWritten?: KubernetesObject;
  paused?: boolean;
}): KubernetesObject {
  return paused === false ? { ...asWritten, spec: { ...objectAt(asWritten, 'spec'), paused: false } } : asWritten;
}
