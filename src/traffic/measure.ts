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

/**
 * Asks all sides the same number of times, in turn, so that they see the same moments. At the deadline it stops: what is under
 * way then counts for nothing.
 * @returns the findings of each side
 * @throws what a way throws; the reason of the signal
 */
export async function measure(
  sides: readonly Side[],
  question: Question,
  times: number,
  surroundings: Surroundings,
): Promise<Finding[][]> {
  const findings = sides.map((): Finding[] => []);
  const queue = Array.from({ length: times }, () => sides.map((side, index) => ({ side, index }))).flat();
  await untilDeadline(surroundings, async (signal) => {
    await mapConcurrently(queue, concurrency, async ({ side, index }) => {
      const attempt = await side.way.ask(question, signal);
      findings[index]?.push(judgeAttempt(attempt, side.expectation));
    });
  });
  return findings;
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
