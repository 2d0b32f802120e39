import { at, numberAt, objectAt } from '../../base/json.ts';
import { groupOf, refOf, type KubernetesObject } from '../../kubernetes/object.ts';
import { podsOf } from '../../manifests/pod-template.ts';
import { resolveShare } from '../../manifests/rolling-update.ts';
import type { Growth, PodsWanted } from './growth.ts';

/**
 * The extra group with which an update of a LeaderWorkerSet has to begin; undefined where it may let an old group go first. Its
 * maxUnavailable is 1 by default, and rounded down (kubernetes-sigs/lws leaderworkerset_controller rollingUpdateParameters: until
 * the groups of the surge are ready, it updates as many others as may be unavailable).
 */
export function growthOfGroups(live: KubernetesObject, next: KubernetesObject): Growth | undefined {
  if (next.kind !== 'LeaderWorkerSet' || groupOf(next.apiVersion) !== 'leaderworkerset.x-k8s.io') return undefined;
  const replicas = podsOf(next);
  const rolling = objectAt(next, 'spec', 'rolloutStrategy', 'rollingUpdateConfiguration');
  const surge = resolveShare(at(rolling, 'maxSurge') ?? 0, replicas, Math.ceil);
  const unavailable = resolveShare(at(rolling, 'maxUnavailable') ?? 1, replicas, Math.floor);
  const isWhole = (numberAt(rolling, 'partition') ?? 0) === 0;
  if (replicas === 0 || surge === 0 || unavailable > 0 || !isWhole || !isSettled(live, replicas)) return undefined;
  const group = groupIn(next);
  const size = group.reduce((sum, { count }) => sum + count, 0);
  const grows = replicas > (numberAt(live, 'status', 'replicas') ?? 0);
  return {
    what: 'extra group',
    pods: group,
    parts: [group],
    inPlace: { owner: refOf(next), count: size },
    isLeaving: () => false,
    grows,
    ...(replicas > 1 || grows
      ? {}
      : { note: 'With 1 replica, nothing serves from then on until the new group is ready.' }),
  };
}

/** A leader, and the workers beside it; all alike where the leader has no template of its own. */
function groupIn(object: KubernetesObject): PodsWanted[] {
  const of = objectAt(object, 'spec', 'leaderWorkerTemplate');
  const size = numberAt(of, 'size') ?? 1;
  const [leader, worker] = [objectAt(of, 'leaderTemplate'), objectAt(of, 'workerTemplate')];
  if (Object.keys(leader).length === 0) return [{ template: worker, count: size }];
  return [
    { template: leader, count: 1 },
    { template: worker, count: size - 1 },
  ];
}

/** Whether all its groups are of the version that it has now, and none of them goes anyway. */
function isSettled(live: KubernetesObject, replicas: number): boolean {
  const [existing, updated, observed] = ['replicas', 'updatedReplicas', 'observedGeneration'].map(
    (field) => numberAt(live, 'status', field) ?? 0,
  );
  return (observed ?? 0) >= (live.metadata.generation ?? 0) && existing === updated && (existing ?? 0) <= replicas;
}
