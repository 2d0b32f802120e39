import { numberAt, stringAt } from '../../base/json.ts';
import { describeRef, groupOf, refOf, type KubernetesObject } from '../../kubernetes/object.ts';
import type { Verdict } from '../verdict.ts';
import { heldBack, isObserved, notObserved, pods, progressing, ready, type Facts, type Rule } from './rule.ts';

export const daemonSet: Rule = {
  kinds: [{ kind: 'DaemonSet', group: 'apps' }],
  ready:
    'the change is observed, on every node that wants one the pod is updated and available; one that no node wants is ready, and said to have no pods; OnDelete is accepted, not awaited',
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
  if (wanted === 0) return ready('no pods: no node matches');
  return ready(`${pods(available)} available`);
}

/** Whether it is a DaemonSet that no node wants a pod of: ready by its rule, and yet nothing runs. */
function fitsNoNode(object: KubernetesObject): boolean {
  if (object.kind !== 'DaemonSet' || groupOf(object.apiVersion) !== 'apps') return false;
  const { generation = 0 } = object.metadata;
  const isCurrent = (numberAt(object, 'status', 'observedGeneration') ?? 0) >= generation;
  return isCurrent && numberAt(object, 'status', 'desiredNumberScheduled') === 0;
}

/** `DaemonSet "agent" has no pods: no node matches`; nothing where there are none */
export function describeWithoutNode(objects: readonly KubernetesObject[]): string[] {
  return objects.filter(fitsNoNode).map((object) => `${describeRef(refOf(object))} has no pods: no node matches`);
}
