import type { Finding } from './answer.ts';
import type { Check } from './check.ts';
import { compare, nothingCompared } from './comparison.ts';
import { p95 } from './percentile.ts';
import type { CheckFigures } from './result.ts';
import { count, emptyTally, errorsOf, requestsOf, type Tally } from './tally.ts';
import { judge, requestsNeeded, verdictOn, type Seen, type Verdict } from './verdict.ts';

/** The candidate and the stable version are compared each time both have been asked so often. */
const interval = 20;

/** More than this decides nothing: the rate is too near to its limit. */
export const mostRequests = 100_000;

/** After an alarm it goes on all the same; decided is decided. */
type TrialState = 'open' | 'alarm' | 'decided';

/**
 * One check while it is under way: takes what was found, request by request, and says when that is enough.
 *
 * A first alarm is not yet the end. After a pause it must go on with fresh requests: the wrong answers of one bad moment are one
 * piece of evidence, not many. This asks for more before a fail, never for less.
 */
export class Trial {
  readonly #check: Check;
  readonly #stable: Tally | undefined;
  /** Since the last round with wrong answers, where every answer must be right. */
  #candidate = emptyTally();
  #slow = { bad: 0, requests: 0 };
  #beside = { errors: nothingCompared, slow: nothingCompared };
  #interval: (readonly Finding[])[] = [];
  /** Wrong and slow ones so far at the first alarm. */
  #badAtAlarm: number | undefined;
  #bad = 0;
  #state: TrialState = 'open';

  constructor(check: Check, hasStable: boolean) {
    this.#check = check;
    this.#stable = hasStable ? emptyTally() : undefined;
  }

  /** After what was taken last. */
  get state(): TrialState {
    return this.#state;
  }

  get verdict(): Verdict {
    return judge(this.#check, this.#seen());
  }

  /** Of the requests that were judged. */
  get figures(): CheckFigures & { stable?: CheckFigures } {
    return {
      ...figuresOf(this.#candidate),
      ...(this.#stable === undefined ? {} : { stable: figuresOf(this.#stable) }),
    };
  }

  /** How many requests to each side it takes at least from now on to pass. */
  get wanted(): number {
    const needed = requestsNeeded(this.#check, errorsOf(this.#candidate), this.#slow.bad);
    const missing = Math.max(
      this.#check.requests - requestsOf(this.#candidate),
      this.#isRate() ? needed - this.#slow.requests : 0,
      1,
    );
    return Math.min(missing, Math.max(0, mostRequests - this.#slow.requests));
  }

  /**
   * Takes what was found at the same moment: at the candidate, and at the stable version where there is one. The order is that in
   * which they were asked; else the fast answers would come first and say more than they may.
   */
  take([candidate, stable]: readonly Finding[]): TrialState {
    if (candidate === undefined) throw new TypeError('a trial needs a candidate');
    const slowBefore = this.#candidate.slow;
    count(this.#candidate, candidate, this.#check);
    if (candidate.state !== 'lost') {
      const isSlow = this.#candidate.slow > slowBefore;
      this.#slow = { bad: this.#slow.bad + Number(isSlow), requests: this.#slow.requests + 1 };
      this.#bad += Number(isSlow || candidate.state === 'wrong');
    }
    if (stable !== undefined && this.#stable !== undefined) {
      count(this.#stable, stable, this.#check);
      this.#interval.push([candidate, stable]);
      if (this.#interval.length === interval) this.#closeInterval();
    }
    this.#state = this.#outcome();
    return this.#state;
  }

  /** Makes the round with wrong answers the past, where every answer must be right: fresh ones must show it. */
  afterAlarm(): void {
    if (this.#check.maxErrorRate === undefined && errorsOf(this.#candidate) > 0) this.#candidate = emptyTally();
  }

  #outcome(): TrialState {
    const verdict = verdictOn(this.#check, this.#seen());
    if (verdict === 'pass') return 'decided';
    if (verdict === 'inconclusive') return 'open';
    if (this.#badAtAlarm === undefined) {
      this.#badAtAlarm = this.#bad;
      return 'alarm';
    }
    return this.#bad > this.#badAtAlarm ? 'decided' : 'open';
  }

  #isRate(): boolean {
    return this.#check.maxErrorRate !== undefined || this.#check.maxP95Ms !== undefined;
  }

  #closeInterval(): void {
    const [candidate, stable] = [0, 1].map((side) => {
      const tally = emptyTally();
      for (const findings of this.#interval) {
        const finding = findings[side];
        if (finding !== undefined) count(tally, finding, this.#check);
      }
      return tally;
    });
    this.#interval = [];
    if (candidate === undefined || stable === undefined) return;
    const of = (tally: Tally, bad: number) => ({ bad, requests: requestsOf(tally) });
    this.#beside = {
      errors: compare(this.#beside.errors, of(candidate, errorsOf(candidate)), of(stable, errorsOf(stable))),
      slow: compare(this.#beside.slow, of(candidate, candidate.slow), of(stable, stable.slow)),
    };
  }

  #seen(): Seen {
    return {
      candidate: this.#candidate,
      slow: this.#slow,
      ...(this.#stable === undefined ? {} : { stable: this.#stable }),
      beside: this.#beside,
    };
  }
}

function figuresOf(tally: Tally): CheckFigures {
  const latency = p95(tally.durationsMs);
  return {
    requests: requestsOf(tally),
    errors: errorsOf(tally),
    ...(latency === undefined ? {} : { p95Ms: latency }),
  };
}
