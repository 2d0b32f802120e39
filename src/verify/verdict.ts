import type { Check } from './check.ts';
import { evidenceOfWorse, type Comparison } from './comparison.ts';
import {
  evidenceAbove,
  evidenceBelow,
  falseAlarm,
  falsePass,
  isAlarm,
  isPass,
  requestsToFail,
  requestsToPass,
  slowPart,
  typical,
  typicallyToFail,
  typicallyToPass,
  type Counts,
} from './evidence.ts';
import { isInEffect, isOff, typicallyForShare, type SeenShare, type WantedShare } from './share-evidence.ts';
import { p95 } from './percentile.ts';
import { describeErrors, errorsOf, requestsOf, type Tally } from './tally.ts';

/** `inconclusive` is what too few requests are: never a pass, and not yet a failure. */
export interface Verdict {
  verdict: 'pass' | 'fail' | 'inconclusive';
  message: string;
}

type Limits = Pick<Check, 'requests' | 'maxErrorRate' | 'maxP95Ms'>;

/** What was seen of the candidate, and of the stable version beside it where there is one. */
export interface Seen {
  candidate: Tally;
  /** Of all requests, also of those of a round with wrong answers that was made once more. */
  slow: Counts;
  stable?: Tally;
  /** How the candidate compares with it. */
  beside: { errors: Comparison; slow: Comparison };
}

/** How many requests that count it takes at least before the check may pass, with so many wrong and slow ones among them. */
export function requestsNeeded({ requests, maxErrorRate, maxP95Ms }: Limits, errors = 0, slow = 0): number {
  return Math.max(
    requests,
    maxErrorRate === undefined ? 1 : requestsToPass(maxErrorRate, errors),
    maxP95Ms === undefined ? 1 : requestsToPass(slowPart, slow),
  );
}

/**
 * Judges what was measured, at whatever time.
 *
 * Errors: without a `max-error-rate` every answer must be right. With one, the rate must be shown to be below it for a pass, and
 * above it, or worse than that of the stable version, for a fail. Latency: the same, of the part of the requests that is slower
 * than the limit for the 95th percentile.
 */
export function judge(check: Limits, seen: Seen): Verdict {
  const { verdict, tell } = judgeAll(check, seen);
  return { verdict, message: tell() };
}

/** The verdict alone: it is asked for after every request. */
export function verdictOn(check: Limits, seen: Seen): Verdict['verdict'] {
  return judgeAll(check, seen).verdict;
}

/** A verdict whose words are made when they are wanted. */
interface Part {
  verdict: Verdict['verdict'];
  tell: () => string;
}

function judgeAll(check: Limits, seen: Seen): Part {
  const parts = [judgeErrors(check, seen), judgeLatency(check, seen)];
  const failed = parts.filter(({ verdict }) => verdict === 'fail');
  if (failed.length > 0) return { verdict: 'fail', tell: () => join(failed) };
  if (requestsOf(seen.candidate) < check.requests || parts.some(({ verdict }) => verdict === 'inconclusive')) {
    return { verdict: 'inconclusive', tell: () => tooFew(check, seen) };
  }
  return { verdict: 'pass', tell: () => join(parts) };
}

function judgeErrors({ requests: wanted, maxErrorRate }: Limits, { candidate, stable, beside }: Seen): Part {
  const [bad, requests] = [errorsOf(candidate), requestsOf(candidate)];
  const seen = `${bad} of ${requests} requests failed`;
  if (maxErrorRate === undefined) {
    if (bad === 0)
      return { verdict: 'pass', tell: () => `${requests} of ${requests} requests were answered correctly` };
    return {
      verdict: requests < wanted ? 'inconclusive' : 'fail',
      tell: () => `${seen}: ${describeErrors(candidate)}`,
    };
  }
  const limit = percent(maxErrorRate);
  if (isAlarm(evidenceAbove({ bad, requests }, maxErrorRate))) {
    const why = `more than the ${limit} allowed, with ${sure(falseAlarm)} confidence`;
    return { verdict: 'fail', tell: () => `${seen} (${why}): ${describeErrors(candidate)}` };
  }
  if (stable !== undefined && isAlarm(evidenceOfWorse(beside.errors))) {
    const why = `${errorsOf(stable)} of ${requestsOf(stable)} of the stable version at the same time`;
    const worse = `worse, with ${sure(falseAlarm)} confidence`;
    return { verdict: 'fail', tell: () => `${seen}, but only ${why} (${worse}): ${describeErrors(candidate)}` };
  }
  const verdict = isPass(evidenceBelow({ bad, requests }, maxErrorRate)) ? 'pass' : 'inconclusive';
  return { verdict, tell: () => `${seen} (fewer than ${limit} do, with ${sure(falsePass)} confidence)` };
}

function judgeLatency({ maxP95Ms }: Limits, { candidate, slow, stable, beside }: Seen): Part {
  const p95Of = (tally: Tally | undefined) => {
    const measured = tally === undefined ? undefined : p95(tally.durationsMs);
    return measured === undefined ? undefined : ms(measured);
  };
  if (maxP95Ms === undefined) {
    return { verdict: 'pass', tell: () => (p95Of(candidate) === undefined ? '' : `p95 ${p95Of(candidate) ?? ''}`) };
  }
  const limit = ms(maxP95Ms);
  const figures = () => {
    const ofStable = p95Of(stable);
    const beside = ofStable === undefined ? '' : `, the stable version has ${ofStable}`;
    return `p95 is ${p95Of(candidate) ?? 'unknown'}; the limit is ${limit}${beside}`;
  };
  const of = `${slow.bad} of ${slow.requests} requests had no correct response within ${limit}`;
  const part = percent(slowPart);
  if (isAlarm(evidenceAbove(slow, slowPart))) {
    return {
      verdict: 'fail',
      tell: () => `${figures()}: ${of} (more than ${part}, with ${sure(falseAlarm)} confidence)`,
    };
  }
  if (stable !== undefined && isAlarm(evidenceOfWorse(beside.slow))) {
    const why = `${stable.slow} of ${requestsOf(stable)} of the stable version at the same time`;
    const worse = `worse, with ${sure(falseAlarm)} confidence`;
    return { verdict: 'fail', tell: () => `${figures()}: ${of}, but only ${why} (${worse})` };
  }
  const verdict = isPass(evidenceBelow(slow, slowPart)) ? 'pass' : 'inconclusive';
  return { verdict, tell: () => `${figures()}: ${of} (fewer than ${part}, with ${sure(falsePass)} confidence)` };
}

/** Why it is not decided yet. */
function tooFew(check: Limits, { candidate, slow }: Seen): string {
  const [errors, requests] = [errorsOf(candidate), requestsOf(candidate)];
  const needed = requestsNeeded(check, errors, slow.bad);
  const wrong = errors === 0 ? '' : `, ${errors} of them wrong`;
  const late =
    slow.bad === 0 ? '' : `, ${slow.bad} of them without a correct response within ${ms(check.maxP95Ms ?? 0)}`;
  const lost =
    candidate.lost === 0
      ? ''
      : `; ${candidate.lost} more were lost on the way and do not count: ${candidate.lostBecause ?? ''}`;
  return `too few samples: ${requests} requests${wrong}${late}, at least ${needed} needed${lost}`;
}

/** How many requests a check will take, for the log; nothing for one without a limit. */
export function forecast({ requests, maxErrorRate, maxP95Ms }: Limits): string | undefined {
  const claims = [
    ...(maxErrorRate === undefined ? [] : [{ limit: maxErrorRate, what: 'failing' }]),
    ...(maxP95Ms === undefined ? [] : [{ limit: slowPart, what: `taking longer than ${ms(maxP95Ms)}` }]),
  ].map(({ limit, what }) => {
    const [good, bad] = [percent(typical.good * limit), percent(Math.min(1, typical.bad * limit))];
    const [least, about] = [requestsToPass(limit), typicallyToPass(limit)].map((count) => Math.max(requests, count));
    const pass = `${least} requests to pass (about ${about} at ${good})`;
    const fail = `${requestsToFail(limit)} to fail (about ${typicallyToFail(limit)} at ${bad})`;
    return `to show at most ${percent(limit)} ${what}, it takes at least ${pass}, and at least ${fail}`;
  });
  return claims.length === 0 ? undefined : claims.join('; ');
}

/** How many requests it will take to measure a share, for the log. */
export function forecastShare(share: WantedShare): string {
  const { wanted, tolerance } = share;
  const text = `measuring a share of ${percent(wanted)} ± ${points(100 * tolerance)} takes about ${typicallyForShare(share)} requests`;
  return share.former === undefined ? text : `${text}; the share before was ${percent(share.former)}`;
}

/** Judges a measured share. */
export function judgeShare(seen: SeenShare, share: WantedShare): Verdict {
  const requests = seen.candidate + seen.stable;
  const measured = requests === 0 ? 0 : (100 * seen.candidate) / requests;
  const wanted = `${points(100 * share.wanted)} %`;
  const text = `${points(measured)} % of ${requests} requests reached the candidate, expected: ${wanted}`;
  if (isOff(seen, share)) return { verdict: 'fail', message: `${text} ± ${points(100 * share.tolerance)}` };
  if (isInEffect(seen, share)) return { verdict: 'pass', message: text };
  const unknown = seen.unknown === 0 ? '' : `; ${seen.unknown} more had no version`;
  return { verdict: 'inconclusive', message: `too few samples for the share: ${text}${unknown}` };
}

function join(parts: readonly Part[]): string {
  return parts
    .map(({ tell }) => tell())
    .filter((message) => message !== '')
    .join(', ');
}

/** `0.01` → `99 %`. */
function sure(chanceOfError: number): string {
  return percent(1 - chanceOfError);
}

/** `0.0333` → `3.3 %`. */
function percent(rate: number): string {
  return `${points(rate * 100)} %`;
}

/** At most one digit behind the point; for what is below one, two that say something. */
function points(value: number): string {
  return String(value < 1 ? Number(value.toPrecision(2)) : Number(value.toFixed(1)));
}

function ms(value: number): string {
  return value < 1000 ? `${Math.round(value)} ms` : `${Number((value / 1000).toFixed(2))} s`;
}
