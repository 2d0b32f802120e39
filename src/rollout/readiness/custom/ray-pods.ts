import { at, equal, isObject, objectAt, objectsAt, stringAt, type JsonObject } from '../../../base/json.ts';
import { timeOf } from '../../../kubernetes/conditions.ts';
import type { KubernetesObject } from '../../../kubernetes/object.ts';
import { isOwnedBy } from '../../ownership.ts';
import { isOlderThanTemplate, lastingPods, showsOther, type Shown } from '../kept-pods.ts';
import { isSince, type Facts } from '../rule.ts';
import { beforeWrite } from '../template-change.ts';

/** How many pods of a cluster there are, and how many of them are not of what it is to be. */
export interface Counted {
  all: number;
  old: number;
}

/** The head group or a group of workers, as a RayCluster has it. */
interface Group {
  /** Empty for the head. */
  name: string;
  spec: JsonObject;
}

/** How many pods there are of a group, or for how long, and what leads to them. */
const besidePods = new Set([
  'replicas',
  'minReplicas',
  'maxReplicas',
  'scaleStrategy',
  'idleTimeoutSeconds',
  'suspend',
  'serviceType',
  'headService',
  'enableIngress',
]);

/** KubeRay writes command and arguments of its own around those of the template. */
const shown: readonly Shown[] = ['image', 'env'];

/** The pods of a RayCluster against its groups; undefined where they may not be seen. */
export function countPods(cluster: KubernetesObject, facts: Facts): Counted | undefined {
  if (facts.descendants === undefined) return undefined;
  const before = facts.changed ? beforeWrite(facts) : undefined;
  const changed = before === undefined ? [] : changedGroups(groupsIn(before, ['spec']), groupsIn(cluster, ['spec']));
  const groups = groupsIn(cluster, ['spec']);
  const pods = lastingPods(facts.descendants);
  const old = pods.filter((pod) => {
    const group = groups.find(({ name }) => name === groupOf(pod));
    if (group !== undefined && showsOther(objectAt(pod, 'spec'), podSpecOf(group), shown))
      return isOlderThanTemplate(pod, cluster, placeOf(group));
    const isChanged = changed.some(({ isShown, name }) => name === groupOf(pod) && !isShown);
    return isChanged && !isSince(timeOf(pod.metadata.creationTimestamp), facts);
  });
  return { all: pods.length, old: old.length };
}

/**
 * The pods of the RayCluster with this name against what a RayService wants of it: its operator writes that into clusters that it makes
 * anew alone. Undefined where they may not be seen.
 */
export function countPodsOfService(
  service: KubernetesObject,
  name: string,
  { descendants }: Facts,
): Counted | undefined {
  const cluster = descendants?.find((one) => one.kind === 'RayCluster' && one.metadata.name === name);
  if (descendants === undefined || cluster === undefined) return undefined;
  const changed = changedGroups(
    groupsIn(cluster, ['spec']),
    groupsIn(service, ['spec', 'rayClusterConfig']),
    isOtherCopy,
  );
  const pods = lastingPods(descendants).filter((pod) => isOwnedBy(pod, cluster));
  if (!isOlderThanTemplate(cluster, service, ['f:spec', 'f:rayClusterConfig'])) return { all: pods.length, old: 0 };
  const old = pods.filter((pod) => changed.some((group) => group.name === groupOf(pod)));
  return { all: pods.length, old: old.length };
}

/** Groups whose pods are to be others than before, and whether the pods themselves show that. */
function changedGroups(
  before: readonly Group[],
  now: readonly Group[],
  isOther = isOtherGroup,
): { name: string; isShown: boolean }[] {
  return now.flatMap((group) => {
    const known = before.find(({ name }) => name === group.name);
    if (known === undefined || !isOther(known, group)) return [];
    return [{ name: group.name, isShown: showsOther(podSpecOf(known), podSpecOf(group), shown) }];
  });
}

function isOtherGroup(before: Group, now: Group): boolean {
  return !equal(podsContentOf(before), podsContentOf(now));
}

function podsContentOf({ spec }: Group): JsonObject {
  return Object.fromEntries(Object.entries(spec).filter(([field]) => !besidePods.has(field)));
}

/** By what the server fills in nowhere: it may have been filled in on one side alone. */
function isOtherCopy(copy: Group, original: Group): boolean {
  return (
    showsOther(podSpecOf(copy), podSpecOf(original), [...shown, 'command', 'args']) ||
    !equal(objectAt(copy.spec, 'rayStartParams'), objectAt(original.spec, 'rayStartParams'))
  );
}

function groupsIn(object: KubernetesObject, path: readonly string[]): Group[] {
  const head = at(object, ...path, 'headGroupSpec');
  return [
    ...(isObject(head) ? [{ name: '', spec: head }] : []),
    ...objectsAt(object, ...path, 'workerGroupSpecs').map((spec) => ({
      name: stringAt(spec, 'groupName') ?? '',
      spec,
    })),
  ];
}

function podSpecOf({ spec }: Group): JsonObject {
  return objectAt(spec, 'template', 'spec');
}

/** Where `managedFields` of a RayCluster tell of it; the groups of workers are one list to them. */
function placeOf({ name }: Group): string[] {
  return ['f:spec', name === '' ? 'f:headGroupSpec' : 'f:workerGroupSpecs'];
}

/** By the labels that KubeRay gives it (ray-operator/controllers/ray/utils/constant.go). */
function groupOf({ metadata: { labels = {} } }: KubernetesObject): string | undefined {
  return labels['ray.io/node-type'] === 'head' ? '' : labels['ray.io/group'];
}
