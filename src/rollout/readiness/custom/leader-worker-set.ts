import { numberAt } from '../../../base/json.ts';
import { condition, isTrue } from '../../../kubernetes/conditions.ts';
import type { KubernetesObject } from '../../../kubernetes/object.ts';
import type { Verdict } from '../../verdict.ts';
import { heldBack, isObserved, notObserved, progressing, ready, type Facts, type Rule } from '../rule.ts';

export const leaderWorkerSet: Rule = {
  kinds: [{ kind: 'LeaderWorkerSet', group: 'leaderworkerset.x-k8s.io' }],
  ready:
    'the change is observed, all groups from the partition on are updated, all are ready, no surge is left, Available is True and no update is in progress',
  failed: 'only through the pods of its groups',
  source: 'kubernetes-sigs/lws api/leaderworkerset/v1, controller updateConditions; lws#779 for a surge that stays',
  children: [{ apiVersion: 'apps/v1', kind: 'StatefulSet' }],
  runsPods: true,
  judge,
};

/** Leader pods may be missing for a moment, and a group without a StatefulSet is not counted. */
const quietMs = 3000;

function judge(object: KubernetesObject, facts: Facts): Verdict {
  if (!isObserved(object, facts)) return notObserved;
  const wanted = numberAt(object, 'spec', 'replicas') ?? 1;
  const partition = numberAt(object, 'spec', 'rolloutStrategy', 'rollingUpdateConfiguration', 'partition') ?? 0;
  const existing = numberAt(object, 'status', 'replicas') ?? 0;
  const updated = numberAt(object, 'status', 'updatedReplicas') ?? 0;
  const readyGroups = numberAt(object, 'status', 'readyReplicas') ?? 0;
  const toUpdate = Math.max(0, wanted - partition);
  if (updated < toUpdate) return progressing(`${updated} of ${groups(toUpdate)} updated, ${readyGroups} ready`);
  if (readyGroups < wanted) return progressing(`${readyGroups} of ${groups(wanted)} ready`);
  if (existing > wanted) return progressing(`${existing - wanted} extra ${noun(existing - wanted)} of its surge left`);
  if (isTrue(object, 'UpdateInProgress') && partition === 0) return progressing('its update is in progress');
  // Without groups it is never set.
  if (wanted > 0 && condition(object, 'Available')?.status !== 'True') return progressing('not Available yet');
  const message = `${groups(readyGroups)} ready`;
  if (partition === 0 || updated >= wanted) return { ...ready(message), quietMs };
  const held = `its partition is ${partition}: ${updated} of ${groups(wanted)} updated`;
  return { ...heldBack('ready', held, `${message}, ${updated} updated (partition is ${partition})`), quietMs };
}

/** `1 group`, `2 groups` */
function groups(count: number): string {
  return `${count} ${noun(count)}`;
}

function noun(count: number): string {
  return count === 1 ? 'group' : 'groups';
}
