import type { Check } from './check.ts';
import {
  excessAtLeast,
  p95,
  samplesForP95,
  samplesForShare,
  samplesToRuleOut,
  shareTolerance,
  wilsonLower,
  wilsonUpper,
} from './statistics.ts';
import { describeErrors, errorsOf, requestsOf, type Tally } from './tally.ts';

/** `inconclusive` is what too few samples are: never a pass, and not yet a failure. */
export interface Verdict {
  verdict: 'pass' | 'fail' | 'inconclusive';
  message: string;
}

type Limits = Pick<Check, 'requests' | 'maxErrorRate' | 'maxP95Ms'>;

/** How much slower than the stable version, at the same time, the candidate may be although it is above its limit. */
const slackOfStable = 1.25;

/** How many requests that count it takes before the check may pass. */
export function samplesNeeded({ requests, maxErrorRate, maxP95Ms }: Limits): number {
  return Math.max(
    maxErrorRate === undefined ? requests : samplesToRuleOut(maxErrorRate),
    maxP95Ms === undefined ? 1 : samplesForP95,
  );
}

/**
 * Judges what was measured at the candidate, and beside it at the stable version where there is one.
 *
 * Errors: without a `max-error-rate` every answer must be right. With one, the lowest rate that fits what was seen must not be
 * above it, nor be significantly above the stable version's. Latency: the 95th percentile must not be above both the limit
 * and 1.25 times that of the stable version.
 */
export function judge(check: Limits, candidate: Tally, stable?: Tally): Verdict {
  const verdicts = [judgeErrors(check, candidate, stable), judgeLatency(check, candidate, stable)];
  const failed = verdicts.filter(({ verdict }) => verdict === 'fail');
  if (failed.length > 0) return { verdict: 'fail', message: join(failed) };
  const requests = requestsOf(candidate);
  const needed = samplesNeeded(check);
  if (requests < needed) {
    const lost = candidate.lost === 0 ? '' : `; ${candidate.lost} more were lost: ${candidate.lostBecause ?? ''}`;
    const errors = errorsOf(candidate) === 0 ? '' : `, ${errorsOf(candidate)} of them wrong`;
    return {
      verdict: 'inconclusive',
      message: `too few samples: ${requests} requests${errors}, it takes ${needed}${lost}`,
    };
  }
  return { verdict: 'pass', message: join(verdicts) };
}

function judgeErrors({ maxErrorRate }: Limits, candidate: Tally, stable: Tally | undefined): Verdict {
  const [errors, requests] = [errorsOf(candidate), requestsOf(candidate)];
  const seen = `${errors} of ${requests} requests went wrong`;
  if (maxErrorRate === undefined) {
    return errors > 0
      ? { verdict: 'fail', message: `${seen}: ${describeErrors(candidate)}` }
      : { verdict: 'pass', message: `${requests} of ${requests} requests were answered right` };
  }
  const atLeast = wilsonLower(errors, requests);
  if (atLeast > maxErrorRate) {
    const why = `at least ${percent(atLeast)} go wrong, allowed are ${percent(maxErrorRate)}`;
    return { verdict: 'fail', message: `${seen} (${why}): ${describeErrors(candidate)}` };
  }
  if (stable !== undefined) {
    const [stableErrors, stableRequests] = [errorsOf(stable), requestsOf(stable)];
    const excess = excessAtLeast({ errors, requests }, { errors: stableErrors, requests: stableRequests });
    if (excess > 0) {
      const why = `${stableErrors} of ${stableRequests} of the stable version at the same time: at least ${percent(excess)} more`;
      return { verdict: 'fail', message: `${seen}, but only ${why}: ${describeErrors(candidate)}` };
    }
  }
  const atMost = percent(wilsonUpper(errors, requests));
  return { verdict: 'pass', message: `${seen} (at most ${atMost} do, with 95 % confidence)` };
}

function judgeLatency({ maxP95Ms }: Limits, candidate: Tally, stable: Tally | undefined): Verdict {
  const measured = p95(candidate.durationsMs);
  if (measured === undefined) return { verdict: 'pass', message: '' };
  if (maxP95Ms === undefined) return { verdict: 'pass', message: `p95 ${ms(measured)}` };
  const beside =
    stable === undefined || stable.durationsMs.length < samplesForP95 ? undefined : p95(stable.durationsMs);
  const allowed = Math.max(maxP95Ms, slackOfStable * (beside ?? 0));
  const ofStable = beside === undefined ? '' : `, the stable version has ${ms(beside)}`;
  if (candidate.durationsMs.length >= samplesForP95 && measured > allowed) {
    return { verdict: 'fail', message: `p95 is ${ms(measured)}, allowed are ${ms(allowed)}${ofStable}` };
  }
  return { verdict: 'pass', message: `p95 ${ms(measured)} of ${ms(allowed)} allowed${ofStable}` };
}

/**
 * Judges a measured share.
 * @param measured, wanted in percent
 * @param atLeast how far it may be off in any case, in percentage points
 */
export function judgeShare(measured: number, wanted: number, requests: number, atLeast: number): Verdict {
  const needed = samplesForShare(wanted);
  if (requests < needed) {
    return { verdict: 'inconclusive', message: `too few samples for the share: ${requests}, it takes ${needed}` };
  }
  const tolerance = shareTolerance(wanted, requests, atLeast);
  const text = `${points(measured)} % of ${requests} requests reached the candidate, wanted are ${points(wanted)} %`;
  return Math.abs(measured - wanted) <= tolerance
    ? { verdict: 'pass', message: text }
    : { verdict: 'fail', message: `${text} ± ${points(tolerance)}` };
}

function join(verdicts: readonly Verdict[]): string {
  return verdicts
    .map(({ message }) => message)
    .filter((message) => message !== '')
    .join(', ');
}

/** `0.0333` → `3.3 %`. */
function percent(rate: number): string {
  return `${points(rate * 100)} %`;
}

/** At most one digit behind the point, two for what is below one. */
function points(value: number): string {
  return String(Number(value.toFixed(value < 1 ? 2 : 1)));
}

export function ms(value: number): string {
  return value < 1000 ? `${Math.round(value)} ms` : `${Number((value / 1000).toFixed(2))} s`;
}
