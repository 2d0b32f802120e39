import { ownValue } from '../base/json.ts';
import type { Finding } from './answer.ts';
import { withVersion, type Check, type Expected } from './check.ts';
import type { Question } from './direct.ts';
import { checkEachPod } from './each-pod.ts';
import { measure, type Side, type Surroundings } from './measure.ts';
import type { CheckResult } from './result.ts';
import { assertDistinct, countVersions, learnVersion, type Measurement } from './share.ts';
import type { Plan } from './sides.ts';
import { shareAttempts, type WantedShare } from './share-evidence.ts';
import { mostRequests, Trial } from './trial.ts';
import { forecast, forecastShare, judgeShare } from './verdict.ts';
import type { Way } from './ways.ts';

/** A version that has just come up is slow at first: that much of it is not measured. */
const warmUpRequests = 5;
const pauseMs = 1000;

export interface Assignment {
  check: Check;
  plan: Plan;
  /** In percent; only of a canary. */
  wantedShare?: number | undefined;
  /** What the share was before, in percent. */
  formerShare?: number | undefined;
  /** What `{version}` stands for; undefined when nothing asks for it. */
  version?: string | undefined;
}

/**
 * Carries one check out until it is decided either way, or until the deadline.
 * @throws Failure when it cannot be asked at all, such as for a right that is missing
 */
export async function runCheck(assignment: Assignment, surroundings: Surroundings): Promise<CheckResult> {
  const { check, plan, version } = assignment;
  const expected = version === undefined ? check.expected : withVersion(check.expected, version);
  const question = questionOf(check);
  if (check.eachPod) return await checkEachPod(check, expected, plan.candidatePods, question, surroundings);
  const sides = await sidesOf(assignment, expected, question, surroundings);
  const expectedToTake = forecast(check);
  if (expectedToTake !== undefined) surroundings.reporter.info(`check "${check.name}": ${expectedToTake}`);
  const unreached = await reach(check, sides, question, surroundings);
  if (unreached !== undefined) return unreached;
  const result = await decide(check, sides, question, surroundings);
  if (result.verdict !== 'pass' || plan.shared === undefined) return result;
  return await withShare(assignment, plan.shared, question, result, surroundings);
}

export function questionOf({ target, method, headers, send, timeoutMs }: Check): Question {
  const url = target.kind === 'url' ? new URL(target.url) : undefined;
  return {
    method,
    path: target.kind === 'service' ? target.path : `${url?.pathname ?? ''}${url?.search ?? ''}`,
    headers,
    ...(send === undefined ? {} : { send }),
    timeoutMs,
  };
}

/** The candidate, and the stable version beside it where there is one. */
async function sidesOf(
  { check, plan }: Assignment,
  expected: Expected,
  question: Question,
  surroundings: Surroundings,
): Promise<Side[]> {
  const { version: place } = check;
  // An address that leads to both versions may answer with either.
  const isMixed = plan.shared === plan.candidate;
  const version =
    place === undefined || isMixed ? undefined : await learnVersion(plan.candidatePods, question, place, surroundings);
  return [
    { way: plan.candidate, expectation: { expected, place, version } },
    ...(plan.stable === undefined ? [] : [{ way: plan.stable, expectation: { expected: check.expected, place } }]),
  ];
}

/**
 * Waits until all sides answer at all, and lets them warm up where figures are to be measured. What the application answers
 * does not matter yet.
 * @returns a result when the deadline comes first
 */
async function reach(
  check: Check,
  sides: readonly Side[],
  question: Question,
  surroundings: Surroundings,
): Promise<CheckResult | undefined> {
  const { clock, deadline, signal } = surroundings;
  const hasClaim = check.maxErrorRate !== undefined || check.maxP95Ms !== undefined;
  let last: Finding | undefined;
  for (let answered = 0; answered < (hasClaim ? warmUpRequests : 1);) {
    if (clock.now() >= deadline) {
      const why = last === undefined || last.state === 'right' ? 'no time was left' : last.message;
      const facts = { check: check.name, via: via(sides), requests: 0, errors: 0 };
      // What did not get as far as the candidate says nothing of it.
      const verdict = last?.state === 'wrong' ? 'fail' : 'inconclusive';
      return { ...facts, verdict, message: `it could not be reached before the deadline: ${why}` };
    }
    const found = (await measure(sides, question, 1, surroundings)).flat();
    const silent = found.find((finding) => !isAnswer(finding));
    if (silent === undefined && found.length === sides.length) {
      answered += 1;
    } else {
      last = silent;
      await clock.sleep(pauseMs, signal);
    }
  }
  return undefined;
}

function isAnswer(finding: Finding): boolean {
  return (
    finding.state === 'right' ||
    (finding.state === 'wrong' && finding.durationMs !== undefined && finding.problem !== 'balancer')
  );
}

async function decide(
  check: Check,
  sides: readonly Side[],
  question: Question,
  surroundings: Surroundings,
): Promise<CheckResult> {
  const { clock, deadline, signal, reporter } = surroundings;
  const trial = new Trial(check, sides.length > 1);
  const ended = (suffix = ''): CheckResult => {
    const { verdict, message } = trial.verdict;
    return { check: check.name, verdict, message: `${message}${suffix}`, via: via(sides), ...trial.figures };
  };
  for (;;) {
    await measure(sides, question, trial.wanted, surroundings, (turn) => trial.take(turn) !== 'open');
    const { verdict, message } = trial.verdict;
    if (trial.state === 'decided') return ended();
    if (clock.now() >= deadline) return ended(verdict === 'fail' ? '' : ', and the deadline has passed');
    if (trial.wanted === 0) return ended(verdict === 'fail' ? '' : `, but the check stops after ${mostRequests}`);
    if (trial.state === 'open') continue;
    reporter.info(`check "${check.name}": ${message}; checking once more, to be sure`);
    trial.afterAlarm();
    await clock.sleep(pauseMs, signal);
  }
}

/** Measures the share where the check says how to tell the versions apart, and judges it where one is wanted. */
async function withShare(
  { check, plan, wantedShare, formerShare }: Assignment,
  shared: Way,
  question: Question,
  result: CheckResult,
  surroundings: Surroundings,
): Promise<CheckResult> {
  const { version: place } = check;
  if (place === undefined || wantedShare === undefined) return result;
  const [candidate, stable] = await Promise.all([
    learnVersion(plan.candidatePods, question, place, surroundings),
    learnVersion(plan.stablePods, question, place, surroundings),
  ]);
  assertDistinct(candidate, stable);
  const share: WantedShare = {
    wanted: wantedShare / 100,
    tolerance: check.shareTolerance / 100,
    ...(formerShare === undefined ? {} : { former: formerShare / 100 }),
  };
  const { clock, deadline, reporter, signal } = surroundings;
  reporter.info(`check "${check.name}": ${forecastShare(share)}`);
  const verdictOf = (measured: Measurement) => {
    const ofCandidate = ownValue(measured.byVersion, candidate) ?? 0;
    const { unknown, requests } = measured;
    return judgeShare({ candidate: ofCandidate, stable: requests - ofCandidate, unknown }, share);
  };
  for (let attempt = 1; ; attempt += 1) {
    const measured = await countVersions(shared, candidate, { question, place }, mostRequests, surroundings, (so) => {
      return verdictOf(so).verdict !== 'inconclusive';
    });
    const { verdict, message } = verdictOf(measured);
    if (verdict === 'fail' && attempt < shareAttempts && clock.now() < deadline) {
      reporter.info(`check "${check.name}": ${message}; checking once more, to be sure`);
      await clock.sleep(pauseMs, signal);
      continue;
    }
    return {
      ...result,
      verdict,
      message: `${result.message}; ${message} (asked ${shared.description})`,
      share: { wanted: wantedShare, measured: measured.percent, requests: measured.requests },
    };
  }
}

function via([side]: readonly Side[]): string {
  return side?.way.description ?? '';
}
