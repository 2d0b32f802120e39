import { numberAt } from '../../base/json.ts';
import type { KubernetesObject } from '../../kubernetes/object.ts';
import type { Verdict } from '../verdict.ts';
import { isObserved, notObserved, pods, progressing, ready, type Facts, type Rule, surplus } from './rule.ts';

export const replicaSet: Rule = {
  kinds: [
    { kind: 'ReplicaSet', group: 'apps' },
    { kind: 'ReplicationController', group: '' },
  ],
  ready: 'the change is observed, all pods are available, none is surplus',
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
  return ready(`${pods(available)} available`);
}
