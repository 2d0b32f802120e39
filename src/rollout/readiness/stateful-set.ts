import { numberAt, stringAt } from '../../base/json.ts';
import type { KubernetesObject } from '../../kubernetes/object.ts';
import type { Verdict } from '../verdict.ts';
import { heldBack, isObserved, notObserved, pods, progressing, ready, type Facts, type Rule, surplus } from './rule.ts';

export const statefulSet: Rule = {
  kinds: [{ kind: 'StatefulSet', group: 'apps' }],
  ready:
    'the change is observed, all pods from the partition on are updated, all pods are ready, none is surplus; without a partition the update revision is current; with minReadySeconds all are available; OnDelete is accepted, not awaited',
  failed: 'only through its pods',
  source: 'kubernetes pkg/controller/statefulset; kubectl rollout_status.go; missing updatedReplicas count as 0',
  judge,
};

function judge(object: KubernetesObject, facts: Facts): Verdict {
  if (!isObserved(object, facts)) return notObserved;
  const wanted = numberAt(object, 'spec', 'replicas') ?? 1;
  const existing = numberAt(object, 'status', 'replicas') ?? 0;
  const readyPods = numberAt(object, 'status', 'readyReplicas') ?? 0;
  const available = numberAt(object, 'status', 'availableReplicas') ?? 0;
  const updateRevision = stringAt(object, 'status', 'updateRevision');
  const currentRevision = stringAt(object, 'status', 'currentRevision');
  const isCurrent = updateRevision === currentRevision;
  const updated = numberAt(object, 'status', 'updatedReplicas') ?? (isCurrent ? existing : 0);
  const isOnDelete = stringAt(object, 'spec', 'updateStrategy', 'type') === 'OnDelete';
  if (isOnDelete && !isCurrent && updated < wanted) {
    const held = `its update strategy is OnDelete: ${updated} of ${pods(wanted)} updated`;
    return heldBack('unchecked', held, `${held}; delete the others to update them`);
  }
  const partition = numberAt(object, 'spec', 'updateStrategy', 'rollingUpdate', 'partition') ?? 0;
  const toUpdate = Math.max(0, wanted - partition);
  const minReady = numberAt(object, 'spec', 'minReadySeconds') ?? 0;
  if (updated < toUpdate) return progressing(`${updated} of ${pods(toUpdate)} updated, ${readyPods} ready`);
  if (readyPods < wanted) return progressing(`${readyPods} of ${pods(wanted)} ready`);
  if (existing > wanted) return progressing(surplus(existing - wanted));
  if (minReady > 0 && available < wanted)
    return progressing(`${available} of ${pods(wanted)} available (minReadySeconds is ${minReady})`);
  // With OnDelete older servers never move the current revision on (kubernetes#73492).
  if (partition === 0 && !isCurrent && !isOnDelete)
    return progressing('waiting for the new revision to become the current one');
  if (partition === 0) return ready(`${pods(readyPods)} ready`);
  const message = `${pods(readyPods)} ready, ${updated} updated (partition is ${partition})`;
  if (isCurrent || updated >= wanted) return ready(message);
  return heldBack('ready', `its partition is ${partition}: ${updated} of ${pods(wanted)} updated`, message);
}
