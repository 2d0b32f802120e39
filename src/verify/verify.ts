import type { KubernetesClient } from '../kubernetes/client.ts';
import { needsVersion, type Check } from './check.ts';
import type { Surroundings } from './measure.ts';
import type { CheckResult } from './result.ts';
import { runCheck } from './run-check.ts';
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
    const { wantedShare, formerShare } = sides;
    const result = await runCheck({ check, plan, version, wantedShare, formerShare }, surroundings);
    surroundings.reporter.info(describeResult(result));
    results.push(result);
    if (result.verdict !== 'pass') break;
  }
  return results;
}

/** A line for the log: `check "/healthz": pass: 20 of 20 requests were answered correctly, p95 3 ms (asked at …)`. */
function describeResult({ check, verdict, message, via }: CheckResult): string {
  return `check "${check}": ${verdict}: ${message} (asked ${via})`;
}
