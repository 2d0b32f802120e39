import { equal, stringAt } from '../../../base/json.ts';
import { shortened } from '../../../base/said.ts';
import { condition } from '../../../kubernetes/conditions.ts';
import { refOf, type KubernetesObject } from '../../../kubernetes/object.ts';
import type { Verdict } from '../../verdict.ts';
import { lookMs, observedGeneration } from '../custom/conditions.ts';
import { isSinceWrite, progressing, ready, unchecked, type Facts } from '../rule.ts';
import { describeExpectation, describeFinding, lookFor, type Expectation, type Finding } from './expectation.ts';
import type { Failing, UserRule } from './user-rule.ts';

/** What is expected of an object, and what it shows of that. */
interface Shown {
  expectation: Expectation;
  finding: Finding;
}

/**
 * The verdict by the user's own rule. Nothing counts before the controller has seen the write; of an object that names no generation, a
 * status that is what it was before the write counts once it has stayed so for a while.
 * @param otherwise what the rule of the kind says, where the user's says nothing of ready
 */
export function judgeByUser(rule: UserRule, object: KubernetesObject, facts: Facts, otherwise: () => Verdict): Verdict {
  if (rule.isNever) return unchecked('not waited for: the input "await" says "never"');
  const seen = observedGeneration(object);
  const isBehind = seen !== undefined && seen < facts.generation;
  const isOld = seen === undefined && facts.changed && equal(object['status'], facts.asWritten['status']);
  const counts = !isBehind && !(isOld && facts.quietMs < lookMs);
  const shown = rule.ready.map((expectation) => ({
    expectation,
    finding: lookFor(expectation, object, facts.generation),
  }));
  const missing = shown.filter(({ finding }) => !finding.holds);
  const waiting = `waiting for ${missing.map(({ expectation }) => describeExpectation(expectation)).join(' and ')}`;
  const failing = firstFailing(rule, object, facts, counts);
  if (failing !== undefined) return failingBy(failing, object, facts, missing.length === 0 ? 'not ready' : waiting);
  if (rule.ready.length === 0) return otherwise();
  if (isBehind)
    return progressing(`waiting for the controller: its status is for generation ${seen}, not ${facts.generation}`);
  if (missing.length > 0) return progressing(`${waiting}: ${describeAll(missing)}`);
  const message = describeAll(shown);
  return isOld ? { ...ready(message), quietMs: lookMs } : ready(message);
}

/** `.status.phase is "Pending", .status.url is not set` */
function describeAll(shown: readonly Shown[]): string {
  return shown.map(({ expectation, finding }) => describeFinding(expectation, finding)).join(', ');
}

/** Of those that hold, the one that may last the shortest. */
function firstFailing(
  { failed }: UserRule,
  object: KubernetesObject,
  facts: Facts,
  counts: boolean,
): Failing | undefined {
  const holding = failed.filter(({ expectation }) => {
    if (!lookFor(expectation, object, facts.generation).holds) return false;
    if (expectation.about !== 'condition') return counts;
    const told = condition(object, expectation.type);
    // Some controllers name no new generation when they refuse it.
    if (told !== undefined && isSinceWrite(told, facts)) return true;
    // One from before the write may go with the controller's next look.
    return counts && (observedGeneration(object) !== undefined || facts.quietMs >= lookMs);
  });
  return holding.toSorted((left, right) => left.graceMs - right.graceMs)[0];
}

/** Final once it has lasted for its grace; at once where it has none. */
function failingBy(
  { expectation, line, graceMs }: Failing,
  object: KubernetesObject,
  { generation }: Facts,
  message: string,
): Verdict {
  const told = expectation.about === 'condition' ? condition(object, expectation.type) : undefined;
  const why = told?.message ?? shortened(stringAt(object, 'status', 'message') ?? '');
  const found = describeFinding(expectation, lookFor(expectation, object, generation));
  const reason = told?.reason ?? '';
  return {
    state: 'progressing',
    message,
    trouble: {
      graceMs,
      cause: {
        reason: reason === '' ? 'Failed' : reason,
        message: why === '' ? found : `${found}: ${why}`,
        topic: describeExpectation(expectation),
        hint: `Fix what its controller reports; by line ${line} of the input "await", this is a failure.`,
        object: refOf(object),
      },
    },
  };
}
