import type { Finding } from './answer.ts';
import { withVersion, type Check, type Expected } from './check.ts';
import type { Question } from './direct.ts';
import { checkEachPod } from './each-pod.ts';
import { measure, type Side, type Surroundings } from './measure.ts';
import type { CheckResult } from './result.ts';
import { assertDistinct, countVersions, learnVersion } from './share.ts';
import type { Plan } from './sides.ts';
import { p95 } from './statistics.ts';
import { errorsOf, requestsOf, tallyOf, type Tally } from './tally.ts';
import { judge, judgeShare, samplesNeeded } from './verdict.ts';
import type { Way } from './ways.ts';

/** A version that has just come up is slow at first: that much of it is not measured. */
const warmUpRequests = 5;
const pauseMs = 1000;
/** A bad round must repeat itself with fresh samples before it counts. */
const badRoundsToFail = 2;
/** A share of 10 % within ±3 points. */
const shareRequests = 400;

export interface Assignment {
  check: Check;
  plan: Plan;
  /** In percent; only of a canary. */
  wantedShare?: number | undefined;
  /** What `{version}` stands for; undefined when nothing asks for it. */
  version?: string | undefined;
}

/**
 * Carries one check out until it is decided: a round that passes, two bad ones one after the other, or the deadline.
 * @throws Failure when it cannot be asked at all, such as for a right that is missing
 */
export async function runCheck(assignment: Assignment, surroundings: Surroundings): Promise<CheckResult> {
  const { check, plan, version } = assignment;
  const expected = version === undefined ? check.expected : withVersion(check.expected, version);
  const question = questionOf(check);
  if (check.eachPod) return await checkEachPod(check, expected, plan.candidatePods, question, surroundings);
  const sides = await sidesOf(assignment, expected, question, surroundings);
  const unreached = await reach(check, sides, question, surroundings);
  if (unreached !== undefined) return unreached;
  const result = await rounds(check, sides, question, surroundings);
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
      return { ...facts, verdict: 'fail', message: `it could not be reached until the deadline: ${why}` };
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

async function rounds(
  check: Check,
  sides: readonly Side[],
  question: Question,
  surroundings: Surroundings,
): Promise<CheckResult> {
  const { clock, deadline, signal, reporter } = surroundings;
  let collected = sides.map((): Finding[] => []);
  for (let bad = 0; ;) {
    const found = await measure(sides, question, check.requests, surroundings);
    collected = collected.map((earlier, index) => [...earlier, ...(found[index] ?? [])]);
    const [candidate, stable] = collected.map((findings) => tallyOf(findings, check.timeoutMs));
    if (candidate === undefined) throw new TypeError('a check needs a side');
    const { verdict, message } = judge(check, candidate, stable);
    const result = (outcome: CheckResult['verdict'], text = message): CheckResult => ({
      check: check.name,
      verdict: outcome,
      message: text,
      via: via(sides),
      ...figuresOf(candidate),
      ...(stable === undefined ? {} : { stable: figuresOf(stable) }),
    });
    const isOver = clock.now() >= deadline;
    if (verdict === 'pass') return result('pass');
    if (verdict === 'fail') {
      bad += 1;
      if (bad === badRoundsToFail || isOver) return result('fail');
      reporter.info(`check "${check.name}": ${message}; once more, to be sure`);
      collected = sides.map(() => []);
    } else if (isOver) {
      return result('inconclusive', `${message}, and the deadline has passed`);
    }
    if (requestsOf(candidate) < samplesNeeded(check) && candidate.lost > 0) await clock.sleep(pauseMs, signal);
    if (verdict === 'fail') await clock.sleep(pauseMs, signal);
  }
}

function figuresOf(tally: Tally): { requests: number; errors: number; p95Ms?: number } {
  const latency = p95(tally.durationsMs);
  return {
    requests: requestsOf(tally),
    errors: errorsOf(tally),
    ...(latency === undefined ? {} : { p95Ms: latency }),
  };
}

/** Measures the share where the check says how to tell the versions apart, and judges it where one is wanted. */
async function withShare(
  { check, plan, wantedShare }: Assignment,
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
  for (let bad = 0; ;) {
    const requests = Math.max(shareRequests, check.requests);
    const measured = await countVersions(shared, candidate, question, place, requests, surroundings);
    const { verdict, message } = judgeShare(measured.percent, wantedShare, measured.requests, check.shareTolerance);
    const share = { wanted: wantedShare, measured: measured.percent, requests: measured.requests };
    const text = `${result.message}; ${message} (asked ${measured.via})`;
    const isOver = surroundings.clock.now() >= surroundings.deadline;
    bad += verdict === 'fail' ? 1 : 0;
    if (verdict === 'pass' || isOver || bad === badRoundsToFail) return { ...result, verdict, message: text, share };
    await surroundings.clock.sleep(pauseMs, surroundings.signal);
  }
}

function via([side]: readonly Side[]): string {
  return side?.way.description ?? '';
}
