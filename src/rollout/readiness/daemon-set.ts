import { numberAt, stringAt } from '../../base/json.ts';
import type { KubernetesObject } from '../../kubernetes/object.ts';
import type { Verdict } from '../verdict.ts';
import { heldBack, isObserved, notObserved, pods, progressing, ready, type Facts, type Rule } from './rule.ts';

export const daemonSet: Rule = {
  kinds: [{ kind: 'DaemonSet', group: 'apps' }],
  ready:
    'the change is observed, on every node that wants one the pod is updated and available; OnDelete is accepted, not awaited',
  failed: 'only through its pods',
  source: 'kubernetes pkg/controller/daemon; kubectl rollout_status.go',
  judge,
};

function judge(object: KubernetesObject, facts: Facts): Verdict {
  if (!isObserved(object, facts)) return notObserved;
  const wanted = numberAt(object, 'status', 'desiredNumberScheduled') ?? 0;
  const updated = numberAt(object, 'status', 'updatedNumberScheduled') ?? 0;
  const available = numberAt(object, 'status', 'numberAvailable') ?? 0;
  // On nodes without a pod one of the new version comes by itself.
  const isOnEach = (numberAt(object, 'status', 'currentNumberScheduled') ?? wanted) >= wanted;
  if (stringAt(object, 'spec', 'updateStrategy', 'type') === 'OnDelete' && updated < wanted && isOnEach) {
    const held = `its update strategy is OnDelete: ${updated} of ${pods(wanted)} updated`;
    return heldBack('unchecked', held, `${held}; delete the others to update them`);
  }
  if (updated < wanted) return progressing(`${updated} of ${pods(wanted)} updated, ${available} available`);
  if (available < wanted) return progressing(`${available} of ${pods(wanted)} available`);
  return ready(`${pods(available)} available`);
}
