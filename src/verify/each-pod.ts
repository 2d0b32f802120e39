import { mapConcurrently } from '../base/concurrency.ts';
import { judgeAttempt, problemWords, type Finding } from './answer.ts';
import type { Check, Expected } from './check.ts';
import type { Question } from './direct.ts';
import { untilDeadline, type Surroundings } from './measure.ts';
import type { CheckResult } from './result.ts';
import type { PodWay } from './sides.ts';

const pauseMs = 2000;
const concurrency = 8;

/**
 * Asks each pod until it has answered right once, all of them side by side, until the deadline: a pod may be ready long before
 * its model is loaded.
 */
export async function checkEachPod(
  check: Check,
  expected: Expected,
  pods: readonly PodWay[],
  question: Question,
  surroundings: Surroundings,
): Promise<CheckResult> {
  const via = "through the API server's proxy, each pod by itself";
  if (pods.length === 0) {
    return { check: check.name, verdict: 'fail', message: 'there is no new pod to check', via, requests: 0, errors: 0 };
  }
  const last = new Map<string, Finding>();
  let requests = 0;
  let errors = 0;
  const askUntilRight = async ({ pod, way }: PodWay, signal: AbortSignal) => {
    for (;;) {
      const finding = judgeAttempt(await way.ask(question, signal), { expected });
      requests += 1;
      last.set(pod.metadata.name, finding);
      if (finding.state === 'right') return;
      if (finding.state === 'wrong') errors += 1;
      await surroundings.clock.sleep(pauseMs, signal);
    }
  };
  await untilDeadline(surroundings, async (signal) => {
    await mapConcurrently(pods, concurrency, (pod) => askUntilRight(pod, signal));
  });
  const bad = pods.flatMap(({ pod: { metadata } }) => {
    const finding = last.get(metadata.name);
    return finding?.state === 'right' ? [] : [{ finding, text: `Pod "${metadata.name}": ${describe(finding)}` }];
  });
  const facts = { check: check.name, via, requests, errors };
  if (bad.length === 0) {
    const message = `${pods.length} of ${pods.length} new pods answered correctly`;
    return { ...facts, verdict: 'pass', message };
  }
  const texts = bad.slice(0, 5).map(({ text }) => text);
  const message = `${bad.length} of ${pods.length} new pods never answered correctly: ${texts.join('; ')}`;
  // Requests that never reached a pod say nothing of it.
  const verdict = bad.some(({ finding }) => finding?.state === 'wrong') ? 'fail' : 'inconclusive';
  return { ...facts, verdict, message };
}

function describe(finding: Finding | undefined): string {
  if (finding === undefined) return 'not checked in time';
  if (finding.state === 'wrong') return `${problemWords[finding.problem]}: ${finding.message}`;
  return finding.state === 'lost' ? finding.message : 'right';
}
