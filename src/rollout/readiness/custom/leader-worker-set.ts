import { numberAt, stringAt } from '../../../base/json.ts';
import { condition, isTrue } from '../../../kubernetes/conditions.ts';
import type { KubernetesObject } from '../../../kubernetes/object.ts';
import { isOwnedBy } from '../../ownership.ts';
import type { Verdict } from '../../verdict.ts';
import {
  heldBack,
  isObserved,
  notObserved,
  progressing,
  ready,
  troubled,
  type Facts,
  type Progressing,
  type Rule,
} from '../rule.ts';

export const leaderWorkerSet: Rule = {
  kinds: [{ kind: 'LeaderWorkerSet', group: 'leaderworkerset.x-k8s.io' }],
  ready:
    'the change is observed, all groups from the partition on are updated, all are ready, no surge is left, Available is True and no update is in progress',
  failed:
    'only through the pods of its groups; a group that has been recreated three times and is not ready counts, too',
  source:
    'kubernetes-sigs/lws api/leaderworkerset/v1, controller updateConditions; lws#779 for an update that never begins',
  children: [{ apiVersion: 'apps/v1', kind: 'StatefulSet' }],
  runsPods: true,
  judge,
};

/** Leader pods may be missing for a moment, and a group without a StatefulSet is not counted. */
const quietMs = 3000;
/** An update in which nothing has moved for this long is worth a word, ms; it never ends the wait. */
const stuckMs = 60_000;

function judge(object: KubernetesObject, facts: Facts): Verdict {
  if (!isObserved(object, facts)) return notObserved;
  const wanted = numberAt(object, 'spec', 'replicas') ?? 1;
  const partition = numberAt(object, 'spec', 'rolloutStrategy', 'rollingUpdateConfiguration', 'partition') ?? 0;
  const existing = numberAt(object, 'status', 'replicas') ?? 0;
  const updated = numberAt(object, 'status', 'updatedReplicas') ?? 0;
  const readyGroups = numberAt(object, 'status', 'readyReplicas') ?? 0;
  const toUpdate = Math.max(0, wanted - partition);
  const isLate = facts.quietMs >= stuckMs && facts.quietMs !== Infinity;
  if (updated < toUpdate) {
    const message = `${updated} of ${groups(toUpdate)} updated, ${readyGroups} ready`;
    const waitsForSurge = wanted === 1 && hasSurge(object) && existing <= wanted && isLeaderHeld(object, facts);
    return isLate && waitsForSurge ? stuck(object, message, surgeNotMade) : progressing(message);
  }
  if (readyGroups < wanted) return progressing(`${readyGroups} of ${groups(wanted)} ready`);
  if (existing > wanted) {
    const message = `${existing - wanted} surge ${noun(existing - wanted)} left`;
    return isLate ? stuck(object, message, surgeNotRemoved) : progressing(message);
  }
  if (isTrue(object, 'UpdateInProgress') && partition === 0) return progressing('its update is in progress');
  // Without groups it is never set.
  if (wanted > 0 && condition(object, 'Available')?.status !== 'True') return progressing('not Available yet');
  const message = `${groups(readyGroups)} ready`;
  if (partition === 0 || updated >= wanted) return { ...ready(message), quietMs };
  const held = `its partition is ${partition}: ${updated} of ${groups(wanted)} updated`;
  return { ...heldBack('ready', held, `${message}, ${updated} updated (partition is ${partition})`), quietMs };
}

const surgeNotMade = {
  reason: 'SurgeNotMade',
  message:
    'its update has not begun: with one replica and a maxSurge, some versions of LeaderWorkerSet never make the extra group (lws#779)',
  hint: 'Set maxSurge to 0, or replicas to 2, or update LeaderWorkerSet.',
};

const surgeNotRemoved = {
  reason: 'SurgeNotRemoved',
  message: 'all its groups are updated and ready, and LeaderWorkerSet has not removed the extra ones',
  hint: 'Check the pods of the groups with the highest numbers and the log of the controller of LeaderWorkerSet.',
};

function stuck(object: KubernetesObject, message: string, cause: Parameters<typeof troubled>[2]): Progressing {
  return { ...troubled(object, Infinity, cause), message };
}

/** A number, or a percentage that is rounded up. */
function hasSurge(object: KubernetesObject): boolean {
  const path = ['spec', 'rolloutStrategy', 'rollingUpdateConfiguration', 'maxSurge'];
  return (numberAt(object, ...path) ?? Number.parseInt(stringAt(object, ...path) ?? '0', 10)) > 0;
}

/** Whether the StatefulSet of its leaders keeps all of them at the version before; so it seems where it may not be seen. */
function isLeaderHeld(object: KubernetesObject, { descendants }: Facts): boolean {
  const leaders = descendants?.find((child) => child.kind === 'StatefulSet' && isOwnedBy(child, object));
  return leaders === undefined || (numberAt(leaders, 'spec', 'updateStrategy', 'rollingUpdate', 'partition') ?? 0) > 0;
}

/** `1 group`, `2 groups` */
function groups(count: number): string {
  return `${count} ${noun(count)}`;
}

function noun(count: number): string {
  return count === 1 ? 'group' : 'groups';
}
