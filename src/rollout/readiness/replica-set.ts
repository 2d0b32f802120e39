import { numberAt, objectAt } from '../../base/json.ts';
import { timeOf } from '../../kubernetes/conditions.ts';
import type { KubernetesObject } from '../../kubernetes/object.ts';
import type { Verdict } from '../verdict.ts';
import { isOlderThanTemplate, keptPods, lastingPods, showsOther, type Shown } from './kept-pods.ts';
import {
  heldBack,
  isObserved,
  isSince,
  notObserved,
  pods,
  progressing,
  ready,
  type Facts,
  type Rule,
  surplus,
} from './rule.ts';
import { beforeWrite, changesTemplate } from './template-change.ts';

export const replicaSet: Rule = {
  kinds: [
    { kind: 'ReplicaSet', group: 'apps' },
    { kind: 'ReplicationController', group: '' },
  ],
  ready:
    'the change is observed, all pods are available, none is surplus; said to be held back where pods of it are not of its template, also when that was written before: its controller replaces no pods',
  failed: 'only through its pods',
  source: 'kubernetes pkg/controller/replicaset; kstatus core.go',
  runsPods: true,
  judge,
};

function judge(object: KubernetesObject, facts: Facts): Verdict {
  if (!isObserved(object, facts)) return notObserved;
  const wanted = numberAt(object, 'spec', 'replicas') ?? 1;
  const existing = numberAt(object, 'status', 'replicas') ?? 0;
  const available = numberAt(object, 'status', 'availableReplicas') ?? 0;
  if (existing > wanted) return progressing(surplus(existing - wanted));
  if (available < wanted) return progressing(`${available} of ${pods(wanted)} available`);
  const message = `${pods(available)} available`;
  const old = oldPods(object, facts, wanted);
  if (old === 0) return ready(message);
  const { held, told } = keptPods('its controller replaces no pods', Math.max(0, wanted - old), wanted);
  return heldBack('ready', held, `${message}; ${told}`);
}

const shown: readonly Shown[] = ['image', 'command', 'args', 'env'];

/**
 * How many of its pods were not made from its template: by what they show, and where our write has changed nothing that they would show,
 * by their age; where they may not be seen, those that were there before.
 */
function oldPods(object: KubernetesObject, facts: Facts, wanted: number): number {
  const before = changesTemplate(facts) ? beforeWrite(facts) : undefined;
  if (facts.descendants === undefined)
    return before === undefined ? 0 : Math.min(wanted, numberAt(before, 'status', 'replicas') ?? 0);
  const spec = objectAt(object, 'spec', 'template', 'spec');
  const isHidden = before !== undefined && !showsOther(objectAt(before, 'spec', 'template', 'spec'), spec, shown);
  return lastingPods(facts.descendants).filter((pod) => {
    if (showsOther(objectAt(pod, 'spec'), spec, shown)) return isOlderThanTemplate(pod, object);
    return isHidden && !isSince(timeOf(pod.metadata.creationTimestamp), facts);
  }).length;
}
