import { booleanAt, numberAt, objectsAt, ownValue, stringAt } from '../../../base/json.ts';
import { condition, isTrue } from '../../../kubernetes/conditions.ts';
import type { KubernetesObject } from '../../../kubernetes/object.ts';
import type { Verdict } from '../../verdict.ts';
import { failed, notObserved, progressing, ready, unchecked, type Rule } from '../rule.ts';
import { queueQuietMs } from '../suspended.ts';

export const jobSet: Rule = {
  kinds: [{ kind: 'JobSet', group: 'jobset.x-k8s.io' }],
  ready: 'it is Completed; one that is suspended is accepted, in a queue of Kueue once it has waited there for 15 s',
  failed: 'Failed is True: a job of it has failed, or it has been restarted as often as it may be',
  source: 'kubernetes-sigs/jobset api/jobset/v1alpha2; both states are final, and it keeps no observedGeneration',
  children: [{ apiVersion: 'batch/v1', kind: 'Job' }],
  runsPods: true,
  judge,
};

const hints: Readonly<Record<string, string>> = {
  FailedJobs: 'Check the logs of the pods of that Job.',
  ReachedMaxRestarts:
    'Check the logs of the pods of that Job; raise failurePolicy.maxRestarts if it should be restarted more often.',
  FailJobSetFailurePolicyAction: 'Check the log of that Job: a rule of its failurePolicy fails the JobSet for it.',
};

function judge(object: KubernetesObject): Verdict {
  const state = stringAt(object, 'status', 'terminalState');
  const failure = condition(object, 'Failed');
  if (failure?.status === 'True' || state === 'Failed') {
    const { reason, message } = failure ?? { reason: 'Failed', message: 'failed' };
    return failed(object, reason, message, ownValue(hints, reason) ?? 'Check the logs of its pods.');
  }
  if (isTrue(object, 'Completed') || state === 'Completed') return ready('completed');
  if (booleanAt(object, 'spec', 'suspend') === true) {
    const queue = object.metadata.labels?.['kueue.x-k8s.io/queue-name'];
    if (queue === undefined) return unchecked('it is suspended');
    return { ...unchecked(`waiting in queue "${queue}"`), quietMs: queueQuietMs };
  }
  const parts = objectsAt(object, 'status', 'replicatedJobsStatus');
  if (parts.length === 0) return notObserved;
  const wanted = new Map(
    objectsAt(object, 'spec', 'replicatedJobs').map((one) => [stringAt(one, 'name'), numberAt(one, 'replicas') ?? 1]),
  );
  const told = parts.map((part) => {
    const name = stringAt(part, 'name') ?? '';
    const [good, done] = ['ready', 'succeeded'].map((field) => numberAt(part, field) ?? 0);
    return `${name}: ${good ?? 0} of ${wanted.get(name) ?? 0} ready, ${done ?? 0} completed`;
  });
  const restarts = numberAt(object, 'status', 'restarts') ?? 0;
  const again = restarts === 0 ? '' : `; restarted ${restarts === 1 ? 'once' : `${restarts} times`}`;
  return progressing(`${told.join('; ')}${again}`);
}
