import {
  booleanAt,
  equal,
  numberAt,
  objectAt,
  objectsAt,
  stringAt,
  type Json,
  type JsonObject,
} from '../../base/json.ts';
import { isTrue } from '../../kubernetes/conditions.ts';
import { groupOf, type KubernetesObject } from '../../kubernetes/object.ts';
import type { Growth, PodsWanted } from './growth.ts';

/** By which a pod tells its RayCluster. */
const clusterLabel = 'ray.io/cluster';

/**
 * The whole second cluster that a RayService makes for a change of its rayClusterConfig, by default, before the first one goes;
 * undefined where it makes none. Serve applications may run before each worker does, so that only what keeps out each replica of a
 * worker group keeps them from running (ray-project/kuberay rayservice_controller shouldPrepareNewCluster, calculateStatus).
 */
export function growthOfCluster(live: KubernetesObject, next: KubernetesObject): Growth | undefined {
  if (next.kind !== 'RayService' || groupOf(next.apiVersion) !== 'ray.io') return undefined;
  const [before, config] = [live, next].map((object) => objectAt(object, 'spec', 'rayClusterConfig'));
  const type = stringAt(next, 'spec', 'upgradeStrategy', 'type') ?? 'NewCluster';
  const isSuspended = booleanAt(next, 'spec', 'suspend') === true || booleanAt(config, 'suspend') === true;
  const active = stringAt(live, 'status', 'activeServiceStatus', 'rayClusterName') ?? '';
  if (before === undefined || config === undefined || type !== 'NewCluster' || isSuspended) return undefined;
  if (!isSettled(live) || active === '' || !needsNewCluster(before, config)) return undefined;
  const groups = groupsOf(config);
  const { apiVersion, metadata } = live;
  const { namespace, name } = metadata;
  return {
    what: 'new cluster',
    pods: groups.map(({ template, count }) => ({ template, count })),
    parts: groups.map(({ template, hosts }) => [{ template, count: hosts }]),
    inPlace: {
      owner: { apiVersion, kind: 'RayCluster', name: active, ...(namespace === undefined ? {} : { namespace }) },
      count: mostOf(before),
    },
    // A cluster that was replaced is kept for a minute.
    isLeaving: ({ [clusterLabel]: cluster = active }) => cluster !== active && cluster.startsWith(`${name}-`),
  };
}

function isSettled(live: KubernetesObject): boolean {
  return (
    (numberAt(live, 'status', 'observedGeneration') ?? 0) >= (live.metadata.generation ?? 0) &&
    (stringAt(live, 'status', 'pendingServiceStatus', 'rayClusterName') ?? '') === '' &&
    !isTrue(live, 'UpgradeInProgress') &&
    !isTrue(live, 'RollbackInProgress')
  );
}

/** Numbers of workers are changed in place, and worker groups are added at the end. */
function needsNewCluster(before: JsonObject, next: JsonObject): boolean {
  const kept = objectsAt(before, 'workerGroupSpecs').length;
  const content = (config: JsonObject, count = Infinity): Json => ({
    ...config,
    upgradeStrategy: null,
    workerGroupSpecs: objectsAt(config, 'workerGroupSpecs').slice(0, count).map(withoutNumbers),
  });
  return !equal(content(before), content(next)) && !equal(content(before), content(next, Math.max(1, kept)));
}

function withoutNumbers(group: JsonObject): JsonObject {
  const scaling = { ...objectAt(group, 'scaleStrategy'), workersToDelete: null };
  return { ...group, replicas: null, minReplicas: null, maxReplicas: null, scaleStrategy: scaling };
}

type Group = PodsWanted & { hosts: number };

/** Its head, and each group of workers that it begins with. */
function groupsOf(config: JsonObject): Group[] {
  const head = { template: objectAt(config, 'headGroupSpec', 'template'), count: 1, hosts: 1 };
  const isScaled = booleanAt(config, 'enableInTreeAutoscaling') === true;
  const workers = objectsAt(config, 'workerGroupSpecs').map((group): Group => {
    const hosts = numberAt(group, 'numOfHosts') ?? 1;
    const replicas = isScaled ? (numberAt(group, 'minReplicas') ?? 0) : replicasOf(group);
    const isSuspended = booleanAt(group, 'suspend') === true;
    return { template: objectAt(group, 'template'), count: isSuspended ? 0 : replicas * hosts, hosts };
  });
  return [head, ...workers].filter(({ count }) => count > 0);
}

/** Between its least and its most (kuberay utils GetWorkerGroupDesiredReplicas). */
function replicasOf(group: JsonObject): number {
  const [least, most] = [numberAt(group, 'minReplicas') ?? 0, numberAt(group, 'maxReplicas') ?? Infinity];
  return Math.min(most, Math.max(least, numberAt(group, 'replicas') ?? least));
}

/** How many pods it has at most. */
function mostOf(config: JsonObject): number {
  const workers = objectsAt(config, 'workerGroupSpecs').map((group) => {
    const most = Math.max(replicasOf(group), numberAt(group, 'maxReplicas') ?? 0);
    return most * (numberAt(group, 'numOfHosts') ?? 1);
  });
  return workers.reduce((sum, count) => sum + count, 1);
}
