import { formatDuration } from '../../base/clock.ts';
import { describeRef, keyOf, refOf, type KubernetesObject } from '../../kubernetes/object.ts';
import type { Decision } from '../decide.ts';
import type { Cause } from '../verdict.ts';
import { describeLogProgress } from './log-progress.ts';
import { isFurther } from './stage.ts';
import { isMeasured, type Start } from './start.ts';

/** How long a wait may go on without a step forward. */
export interface NoProgressLimit {
  ms: number;
  /** Whether it holds only for starts that say how far they are: of others it is not known whether they stand still. */
  ofMeasured: boolean;
}

/** Where nobody has set another one. */
export const defaultNoProgress: NoProgressLimit = { ms: 600_000, ofMeasured: true };

/** One object that is waited for. */
interface Waited {
  object: KubernetesObject;
  decision: Decision;
}

/** Looks at hundreds of pods cost milliseconds, and a wait has many. */
const everyMs = 500;

/** So many pods may come in place of others and be counted from their beginning. */
const replacements = 3;

/**
 * Measures how long a wait has gone without a step forward of anything that it is for. Only what is further than before counts: a
 * container that crashes and begins again has to get further than it was, and pods that come again and again in place of others do
 * not count for ever.
 */
export class NoProgressClock {
  readonly #limit: NoProgressLimit | undefined;
  readonly #steps = new Map<string, Steps>();
  #idleMs = 0;
  #lookedAt: number | undefined;
  #fewestPending = Infinity;

  /** @param limit when undefined, or 0 ms, the clock never runs out */
  constructor(limit: NoProgressLimit | undefined) {
    this.#limit = limit === undefined || limit.ms === 0 ? undefined : limit;
  }

  /**
   * @param pending what is waited for
   * @param now milliseconds since the epoch
   * @param isPaused whether the clock of the wait stands still too
   */
  look<T extends Waited>(
    pending: readonly T[],
    startsOf: (waited: T) => Start,
    { now, serverNow, isPaused }: { now: number; serverNow: number; isPaused: boolean },
  ): Stuck<T> | undefined {
    if (this.#limit === undefined || now - (this.#lookedAt ?? -Infinity) < everyMs) return undefined;
    const passed = now - (this.#lookedAt ?? now);
    this.#lookedAt = now;
    const found = pending.map((waited) => {
      const { object, decision } = waited;
      const key = keyOf(refOf(object));
      const steps = this.#steps.get(key) ?? new Steps();
      this.#steps.set(key, steps);
      const start = startsOf(waited);
      const { verdict } = decision;
      const hasMoved = steps.take(start, verdict.state === 'progressing' ? verdict.message : '', serverNow);
      return { waited, start, steps, hasMoved };
    });
    const isFewer = pending.length < this.#fewestPending;
    this.#fewestPending = Math.min(this.#fewestPending, pending.length);
    const runs =
      !isPaused &&
      !found.some(({ waited, start }) => start.isWaiting || isTimed(waited.decision)) &&
      (!this.#limit.ofMeasured || found.some(({ start }) => start.isMeasured));
    if (isFewer || found.some(({ hasMoved }) => hasMoved)) this.#idleMs = 0;
    else if (runs) this.#idleMs += passed;
    if (this.#idleMs < this.#limit.ms) return undefined;
    const [stuck] = found.toSorted((left, right) => weightOf(right.start) - weightOf(left.start));
    return stuck === undefined
      ? undefined
      : { waited: stuck.waited, cause: causeOf(stuck.waited, stuck.start, stuck.steps, this.#limit.ms) };
  }
}

interface Stuck<T> {
  waited: T;
  cause: Cause;
}

function isTimed({ verdict }: Decision): boolean {
  return verdict.state === 'progressing' && verdict.isTimed === true;
}

function weightOf({ isMeasured: isTold, pods }: Start): number {
  return isTold ? 2 : pods.some(({ stage }) => stage !== undefined) ? 1 : 0;
}

/** How far one object has ever come. */
class Steps {
  /** The furthest of each pod, by its uid, those included that are gone. */
  readonly #best = new Map<string, number[]>();
  readonly #movedAt = new Map<string, number>();
  readonly #words = new Set<string>();
  #counts: number[] | undefined;
  #mostAtOnce = 0;

  /** @returns whether it is further than it ever was */
  take({ pods, counts, tellsByWords }: Start, words: string, now: number): boolean {
    this.#mostAtOnce = Math.max(this.#mostAtOnce, pods.length);
    const known = this.#counts ?? counts;
    const hasRisen = counts.some((count, index) => count > (known[index] ?? 0));
    this.#counts = counts.map((count, index) => Math.max(count, known[index] ?? 0));
    const isNews = tellsByWords && !this.#words.has(words);
    this.#words.add(words);
    const moved = pods.filter(({ pod, position }) => this.#takePod(uidOf(pod), position, now));
    return hasRisen || isNews || moved.length > 0;
  }

  #takePod(uid: string, position: readonly number[], now: number): boolean {
    const best = this.#best.get(uid) ?? this.#begin(uid);
    if (!this.#movedAt.has(uid)) this.#movedAt.set(uid, now);
    if (!isFurther(position, best)) return false;
    this.#best.set(uid, [...position]);
    this.#movedAt.set(uid, now);
    return true;
  }

  /** Where a pod that was not seen before begins to count. */
  #begin(uid: string): number[] {
    const isFresh = this.#best.size < this.#mostAtOnce + replacements;
    const furthest = [...this.#best.values()].reduce((left, right) => (isFurther(right, left) ? right : left), []);
    const begin = isFresh ? [] : furthest;
    this.#best.set(uid, begin);
    return begin;
  }

  movedAt(pod: KubernetesObject): number | undefined {
    return this.#movedAt.get(uidOf(pod));
  }
}

function uidOf({ metadata }: KubernetesObject): string {
  return metadata.uid ?? metadata.name;
}

function causeOf({ object, decision }: Waited, { pods }: Start, steps: Steps, ms: number): Cause {
  const { verdict, suspicion, work } = decision;
  const name = describeRef(refOf(object));
  const stuck = pods.find(({ stage }) => isMeasured(stage)) ?? pods.find(({ stage }) => stage !== undefined);
  const trouble =
    suspicion === undefined || work !== undefined ? undefined : suspicion.message.replace(`${name}: `, '');
  const begin = `${name}: no progress for ${formatDuration(ms)}: `;
  if (stuck?.stage === undefined) {
    const words = trouble ?? (verdict.state === 'progressing' ? verdict.message : '');
    return {
      ...(suspicion ?? { object: refOf(object) }),
      reason: 'NoProgress',
      message: `${begin}${words}`,
      hint: suspicion?.hint ?? 'Raise the input "no-progress-timeout" if it just takes longer.',
    };
  }
  const { pod, stage } = stuck;
  const since = steps.movedAt(pod);
  const told = stage.progress === undefined ? '' : describeLogProgress(stage.progress);
  const at = since === undefined ? '' : ` since ${new Date(since).toISOString().slice(11, 16)} UTC`;
  return {
    reason: 'NoProgress',
    message: `${begin}pod ${pod.metadata.name} is at stage "${stage.name}"${told === '' ? '' : ` (${told})`}${at}${trouble === undefined ? '' : `; ${trouble}`}`,
    hint: 'Check its log; raise the input "no-progress-timeout" if this stage just takes longer.',
    object: refOf({ ...pod, apiVersion: 'v1', kind: 'Pod' }),
    ...(stage.container === undefined ? {} : { container: stage.container.name }),
    ...(since === undefined ? {} : { since }),
  };
}
