import { numberAt } from '../../base/json.ts';
import type { KubernetesObject } from '../../kubernetes/object.ts';
import type { Verdict } from '../verdict.ts';
import { heldBack, isObserved, notObserved, pods, progressing, ready, type Facts, type Rule, surplus } from './rule.ts';
import { changesTemplate } from './template-change.ts';

export const replicaSet: Rule = {
  kinds: [
    { kind: 'ReplicaSet', group: 'apps' },
    { kind: 'ReplicationController', group: '' },
  ],
  ready:
    'the change is observed, all pods are available, none is surplus; said to be held back where the change is one of the template: its controller replaces no pods',
  failed: 'only through its pods',
  source: 'kubernetes pkg/controller/replicaset; kstatus core.go',
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
  const old = oldPods(facts, wanted);
  if (old === 0) return ready(message);
  const held = `its controller replaces no pods: ${wanted - old} of ${pods(wanted)} updated`;
  return heldBack('ready', held, `${message}; ${held}; delete the others to update them`);
}

/** How many of its pods were there before the template changed. */
function oldPods(facts: Facts, wanted: number): number {
  if (!changesTemplate(facts)) return 0;
  return Math.min(wanted, numberAt(facts.before, 'status', 'replicas') ?? 0);
}
