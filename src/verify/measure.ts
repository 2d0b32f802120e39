import type { Clock } from '../base/clock.ts';
import { mapConcurrently } from '../base/concurrency.ts';
import type { Reporter } from '../base/reporter.ts';
import { judgeAttempt, type Expectation, type Finding } from './answer.ts';
import type { Question } from './direct.ts';
import type { Way } from './ways.ts';

/** What a verification is done with, and until when. */
export interface Surroundings {
  clock: Clock;
  reporter: Reporter;
  signal: AbortSignal;
  /** Milliseconds since the epoch. */
  deadline: number;
}

/** One version, or all of them behind one address. */
export interface Side {
  way: Way;
  expectation: Expectation;
}

/** As many as a small application bears beside its users. */
const concurrency = 8;

/** What did not even get out of the runner is not tried again at once. */
const pauseAfterLossMs = 1000;

/**
 * Asks all sides the same number of times, in turn, so that they see the same moments. What is found is taken in the order in
 * which it was asked: fast answers come first, and to stop at them would say too much of the version. At the deadline, and once
 * it is enough, it stops: what is under way then counts for nothing.
 * @param enough is told each turn, the findings of all sides; `true` ends it
 * @returns the findings of each side, as many of each
 * @throws what a way throws; the reason of the signal
 */
export async function measure(
  sides: readonly Side[],
  question: Question,
  times: number,
  surroundings: Surroundings,
  enough: (turn: readonly Finding[]) => boolean = () => false,
): Promise<Finding[][]> {
  const turns = new Turns(sides.length, enough);
  const queue = Array.from({ length: times }, (_, turn) => sides.map((side, index) => ({ side, index, turn }))).flat();
  const stop = new AbortController();
  await untilDeadline(surroundings, async (deadline) => {
    const signal = AbortSignal.any([deadline, stop.signal]);
    try {
      await mapConcurrently(queue, concurrency, async ({ side, index, turn }) => {
        if (stop.signal.aborted) return;
        const finding = judgeAttempt(await side.way.ask(question, signal), side.expectation);
        if (turns.put(turn, index, finding)) stop.abort(new Error('it is enough'));
        if (finding.state === 'lost') await surroundings.clock.sleep(pauseAfterLossMs, signal);
      });
    } catch (error) {
      deadline.throwIfAborted();
      if (!stop.signal.aborted) throw error;
    }
  });
  return turns.findings;
}

/** Brings findings, which come in any order, into that of the questions. */
class Turns {
  /** Of each side, without gaps. */
  readonly findings: Finding[][];
  readonly #enough: (turn: readonly Finding[]) => boolean;
  readonly #early = new Map<number, (Finding | undefined)[]>();
  #next = 0;
  #isOver = false;

  constructor(sides: number, enough: (turn: readonly Finding[]) => boolean) {
    this.findings = Array.from({ length: sides }, () => []);
    this.#enough = enough;
  }

  /** @returns whether it is enough */
  put(turn: number, side: number, finding: Finding): boolean {
    const found = this.#early.get(turn) ?? this.findings.map(() => undefined);
    found[side] = finding;
    this.#early.set(turn, found);
    while (!this.#isOver) {
      const whole = this.#early.get(this.#next)?.filter((one) => one !== undefined) ?? [];
      if (whole.length < this.findings.length) break;
      this.#early.delete(this.#next);
      this.#next += 1;
      for (const [index, one] of whole.entries()) this.findings[index]?.push(one);
      this.#isOver = this.#enough(whole);
    }
    return this.#isOver;
  }
}

/** Runs the work with a signal that aborts at the deadline, and takes that end for a good one. */
export async function untilDeadline(
  { clock, deadline, signal }: Omit<Surroundings, 'reporter'>,
  work: (signal: AbortSignal) => Promise<void>,
): Promise<void> {
  const over = new AbortController();
  const done = new AbortController();
  const alarm = clock
    .sleep(Math.max(0, deadline - clock.now()), AbortSignal.any([signal, done.signal]))
    .then(() => {
      over.abort(new Error('the deadline has passed'));
    })
    .catch(() => undefined);
  try {
    await work(AbortSignal.any([signal, over.signal]));
  } catch (error) {
    signal.throwIfAborted();
    if (!over.signal.aborted) throw error;
  } finally {
    done.abort(new Error('the work is done'));
    await alarm;
  }
}
