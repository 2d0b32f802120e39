import { booleanAt, numberAt, ownValue } from '../../base/json.ts';
import type { KubernetesObject } from '../../kubernetes/object.ts';
import { condition, isTrue } from '../../kubernetes/conditions.ts';
import type { Verdict } from '../verdict.ts';
import { failed, pods, progressing, ready, type Rule } from './rule.ts';
import { suspended } from './suspended.ts';

export const job: Rule = {
  kinds: [{ kind: 'Job', group: 'batch' }],
  ready:
    'Complete (or SuccessCriteriaMet) is True; a suspended Job is accepted, in a queue of Kueue once it has waited there for 15 s',
  failed: 'Failed or FailureTarget is True',
  source: 'kubernetes pkg/controller/job; kubernetes#123775 for FailureTarget',
  judge,
};

const hints: Readonly<Record<string, string>> = {
  BackoffLimitExceeded: 'Check the logs of its pods; raise backoffLimit if it should be retried more often.',
  DeadlineExceeded: 'Find out why it takes so long, or raise activeDeadlineSeconds.',
  PodFailurePolicy: 'Check the exit code and the log of its pod: its podFailurePolicy fails the Job for it.',
};

function judge(object: KubernetesObject): Verdict {
  const failure = [condition(object, 'Failed'), condition(object, 'FailureTarget')].find(
    (found) => found?.status === 'True',
  );
  if (failure !== undefined) {
    return failed(
      object,
      failure.reason,
      `failed: ${failure.message}`,
      ownValue(hints, failure.reason) ?? 'Check the logs of its pods.',
    );
  }
  if (isTrue(object, 'Complete') || isTrue(object, 'SuccessCriteriaMet')) return ready('completed');
  if (booleanAt(object, 'spec', 'suspend') === true) return suspended(object);
  const wanted = numberAt(object, 'spec', 'completions') ?? 1;
  const succeeded = numberAt(object, 'status', 'succeeded') ?? 0;
  const failures = numberAt(object, 'status', 'failed') ?? 0;
  const tried = failures === 0 ? '' : `, ${pods(failures)} failed`;
  return progressing(
    `${succeeded} of ${pods(wanted)} completed, ${numberAt(object, 'status', 'active') ?? 0} running${tried}`,
  );
}
