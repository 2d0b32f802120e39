import type { KubernetesClient } from '../kubernetes/client.ts';
import { needsVersion, type Check, type VersionPlace, type Via } from './check.ts';
import type { Surroundings } from './measure.ts';
import type { CheckResult } from './result.ts';
import { questionOf, runCheck } from './run-check.ts';
import { assertDistinct, countVersions, learnVersion, type Measurement } from './share.ts';
import { planOf, versionOfImages, type Sides } from './sides.ts';

/**
 * Carries the checks out, those of each pod first, until one does not pass: what comes after it is of no use then.
 * @returns the results so far, in the order in which they were made; `assertPassed` turns a bad one into an error
 * @throws Failure when a check cannot be asked at all; the reason of the signal
 */
export async function verify(
  client: KubernetesClient,
  checks: readonly Check[],
  sides: Sides,
  surroundings: Surroundings,
): Promise<CheckResult[]> {
  const results: CheckResult[] = [];
  for (const check of checks.toSorted((left, right) => Number(right.eachPod) - Number(left.eachPod))) {
    const plan = await planOf(client, check, sides, surroundings.signal);
    const version = needsVersion(check) ? versionOfImages(plan.candidatePods.map(({ pod }) => pod)) : undefined;
    const result = await runCheck({ check, plan, version, wantedShare: sides.wantedShare }, surroundings);
    surroundings.reporter.info(describeResult(result));
    results.push(result);
    if (result.verdict !== 'pass') break;
  }
  return results;
}

/** A line for the log: `check "/healthz": pass: 20 of 20 requests were answered right, p95 3 ms (asked at …)`. */
export function describeResult({ check, verdict, message, via }: CheckResult): string {
  return `check "${check}": ${verdict}: ${message} (asked ${via})`;
}

export interface ShareOptions {
  version: VersionPlace;
  /** What is asked; `/` by default. */
  path?: string;
  /** 400 by default: a share of 10 % within ±3 points. */
  requests?: number;
  /** The only way to ask; by default the first one that is reachable. */
  via?: Via;
}

/**
 * The share of requests at the workload's own address that reaches the candidate.
 * @throws Failure when the versions cannot be told apart, or their address cannot be asked
 */
export async function measureShare(
  client: KubernetesClient,
  sides: Sides,
  { version, path = '/', requests = 400, via }: ShareOptions,
  surroundings: Surroundings,
): Promise<Measurement> {
  const check: Check = {
    name: 'share',
    line: 0,
    target: { kind: 'service', path },
    ...(via === undefined ? {} : { via }),
    eachPod: false,
    method: 'GET',
    headers: {},
    expected: { status: [{ from: 100, to: 599 }], headers: {}, json: [] },
    requests,
    timeoutMs: 10_000,
    version,
    shareTolerance: 5,
  };
  const plan = await planOf(client, check, sides, surroundings.signal);
  const question = questionOf(check);
  const [candidate, stable] = await Promise.all([
    learnVersion(plan.candidatePods, question, version, surroundings),
    sides.stable === undefined ? undefined : learnVersion(plan.stablePods, question, version, surroundings),
  ]);
  if (stable !== undefined) assertDistinct(candidate, stable);
  return await countVersions(plan.shared ?? plan.candidate, candidate, question, version, requests, surroundings);
}
