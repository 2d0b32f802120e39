import { formatDuration, type Clock } from '../base/clock.ts';
import { Pace } from '../base/pace.ts';
import type { Reporter } from '../base/reporter.ts';
import { describeRef, keyOf, refOf, type KubernetesObject } from '../kubernetes/object.ts';
import { isWorkload } from '../manifests/kinds.ts';
import type { Decision } from './decide.ts';
import { ToldStates } from './told-states.ts';
import { topicOf } from './verdict.ts';

/** What pods are busy with is told where it takes them longer. */
const longWorkMs = 10_000;

/** One object that is waited for. */
interface Waited {
  object: KubernetesObject;
  /** Whether it was written: of what is well as it was found nothing is told. */
  changed: boolean;
  decision: Decision;
}

/** How long a wait may still take, in ms. */
interface TimeLeft {
  ms: number;
  /** While the clock stands still: for how long it may do so. */
  standstillMs: number | undefined;
}

/** What was told of an object: its states, and since when its pods are busy with each sort of work. */
interface Told {
  states: ToldStates;
  works: Map<string, number>;
}

/** What was told of each object, by its key. */
export type Tellings = Map<string, Told>;

interface WaitLogOptions {
  reporter: Reporter;
  clock: Clock;
  /** What the time is used for in which all has to stay ready: `step 2 of 3: 25 %`. */
  holdTitle?: string;
  /** What earlier waits of the run have told; this one adds what it tells. */
  told?: Tellings;
}

/** What a wait tells in the log: each state of an object once, what takes long, and what is still waited for. */
export class WaitLog {
  readonly #options: WaitLogOptions;
  readonly #told: Tellings;
  #pace: Pace;
  #isStill = false;

  constructor(options: WaitLogOptions) {
    this.#options = options;
    this.#told = options.told ?? new Map<string, Told>();
    this.#pace = new Pace(options.clock.now());
  }

  /**
   * Call with each object whenever it was looked at.
   * @param isLast nothing comes after it
   */
  state({ object, changed, decision }: Waited, isLast = false): void {
    const { verdict, suspicion, work } = decision;
    const { states } = this.#of(object);
    const isFirst = states.last === undefined;
    if (verdict.state !== 'progressing' && isFirst && !changed) return;
    const text =
      // With its mark, so that what was told while it might still heal is told once more when it is final.
      verdict.state === 'failed' ? `✗ ${verdict.cause.message}` : `${describeRef(refOf(object))}: ${verdict.message}`;
    const isTrouble = suspicion !== undefined && work === undefined;
    const trouble = isTrouble ? { trouble: topicOf(suspicion) } : undefined;
    const now = this.#options.clock.now();
    const isDue = isLast
      ? states.tell(text, now)
      : states.isDue(text, now, verdict.state === 'progressing' ? trouble : 'end');
    if (!isDue || (isFirst && verdict.state === 'ready' && !isWorkload(object))) return;
    this.#options.reporter.info(verdict.state === 'ready' ? `✓ ${text}` : text);
  }

  /** All is ready for the first time, and has to stay so for as long. */
  hold(ms: number): void {
    const { holdTitle } = this.#options;
    if (holdTitle === undefined || ms === 0) return;
    this.#pace = new Pace(this.#options.clock.now());
    this.#options.reporter.info(`${holdTitle} · ${formatDuration(ms)} left`);
  }

  /**
   * Call from time to time.
   * @param pending what is still waited for
   * @param holdMs how long it has to stay ready, once it is
   */
  progress(pending: readonly Waited[], left: TimeLeft, holdMs: number | undefined): void {
    const now = this.#options.clock.now();
    for (const waited of pending) this.#longWork(waited, now);
    const wasStill = this.#isStill;
    this.#isStill = left.standstillMs !== undefined;
    // That the clock stands still is worth a line at once.
    if (this.#isStill && !wasStill) this.#pace.told(now);
    else if (!this.#pace.isDue(now)) return;
    const { reporter, holdTitle } = this.#options;
    const time = timeOf(left);
    for (const { object, decision } of pending) {
      const { verdict, work } = decision;
      if (verdict.state !== 'progressing') continue;
      const what = work === undefined ? verdict.message : `${verdict.message}; ${work}`;
      reporter.info(`still waiting (${time}) for ${describeRef(refOf(object))}: ${what}`);
    }
    if (pending.length === 0 && holdTitle !== undefined && holdMs !== undefined)
      reporter.info(`${holdTitle} · ${formatDuration(holdMs)} left`);
  }

  /** Each sort of work of an object gets one line. */
  #longWork({ object, decision: { work, suspicion } }: Waited, now: number): void {
    if (work === undefined || suspicion === undefined) return;
    const { works } = this.#of(object);
    const key = `${suspicion.reason} ${suspicion.container ?? ''} ${suspicion.topic ?? ''}`;
    const since = works.get(key) ?? now;
    works.set(key, since);
    if (now - since < longWorkMs) return;
    works.set(key, Infinity);
    this.#options.reporter.info(`${describeRef(refOf(object))}: ${work}`);
  }

  #of(object: KubernetesObject): Told {
    const key = keyOf(refOf(object));
    const known = this.#told.get(key) ?? { states: new ToldStates(), works: new Map<string, number>() };
    this.#told.set(key, known);
    return known;
  }
}

function timeOf({ ms, standstillMs }: TimeLeft): string {
  const left = formatDuration(Math.max(0, ms));
  return standstillMs === undefined
    ? `${left} left`
    : `timeout paused with ${left} left, for ${formatDuration(standstillMs)} at most`;
}
