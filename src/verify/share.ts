import { ownValue, putOwn } from '../base/json.ts';
import { Failure } from '../base/errors.ts';
import { judgeAttempt, type Expectation } from './answer.ts';
import type { Expected, VersionPlace } from './check.ts';
import type { Question } from './direct.ts';
import { measure, type Surroundings } from './measure.ts';
import type { PodWay } from './sides.ts';
import type { Way } from './ways.ts';

/** What a measurement of the share counted. */
export interface Measurement {
  /** Of the answers that told their version, in percent. */
  percent: number;
  /** Answers that told their version. */
  requests: number;
  /** Requests whose answer told none, or that got no answer; without those that were lost on the way. */
  unknown: number;
  byVersion: Record<string, number>;
}

/** Any answer will do: what counts is who made it. */
const anything: Expected = { status: [{ from: 100, to: 599 }], headers: {}, json: [] };

const attempts = 5;
const pauseMs = 1000;

/**
 * What a version says of itself, learnt from its pods: the first of them that answers with a version counts.
 * @throws Failure when none says any
 */
export async function learnVersion(
  pods: readonly PodWay[],
  question: Question,
  place: VersionPlace,
  { clock, signal }: Surroundings,
): Promise<string> {
  let seen = 'it has no pod';
  for (let attempt = 0; attempt < attempts; attempt += 1) {
    const asked = pods[attempt % pods.length];
    if (asked === undefined) break;
    const finding = judgeAttempt(await asked.way.ask(question, signal), { expected: anything, place });
    if (finding.state !== 'lost' && finding.version !== undefined) return finding.version;
    const why = finding.state === 'right' ? 'its response has no version' : finding.message;
    seen = `Pod "${asked.pod.metadata.name}": ${why}`;
    await clock.sleep(pauseMs, signal);
  }
  const where = place.kind === 'header' ? `the header "${place.name}"` : 'the JSON';
  throw new Failure(`cannot tell the versions apart by ${where} of ${question.path}: ${seen}`, {
    hint: 'Have the application return its version there, or fix "version" in the input "verify".',
  });
}

/**
 * Asks one address again and again, on a new connection each time, and counts which version answers.
 * @param candidate what the candidate says as its version
 * @param enough is asked after each answer; `true` ends it
 */
export async function countVersions(
  way: Way,
  candidate: string,
  { question, place }: { question: Question; place: VersionPlace },
  requests: number,
  surroundings: Surroundings,
  enough: (measured: Measurement) => boolean = () => false,
): Promise<Measurement> {
  const expectation: Expectation = { expected: anything, place };
  const byVersion: Record<string, number> = {};
  let [unknown, known] = [0, 0];
  const measured = (): Measurement => {
    const percent = known === 0 ? 0 : (100 * (ownValue(byVersion, candidate) ?? 0)) / known;
    return { percent, requests: known, unknown, byVersion };
  };
  await measure([{ way, expectation }], question, requests, surroundings, ([finding]) => {
    if (finding === undefined || finding.state === 'lost') return false;
    const { version } = finding;
    if (version === undefined) unknown += 1;
    else {
      known += 1;
      putOwn(byVersion, version, (ownValue(byVersion, version) ?? 0) + 1);
    }
    return enough(measured());
  });
  return measured();
}

/** @throws Failure when both versions say the same */
export function assertDistinct(candidate: string, stable: string): void {
  if (candidate !== stable) return;
  throw new Failure(`the candidate and the stable version both report the version "${candidate}"`, {
    hint: 'Have each version return a different value, such as its image tag, or fix "version" in the input "verify".',
  });
}
