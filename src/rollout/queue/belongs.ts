import { isTrue, timeOf } from '../../kubernetes/conditions.ts';
import type { KubernetesObject } from '../../kubernetes/object.ts';

/** By which a pod names its Workload: one that was made before it, its group's, or the one that it was placed for. */
const names = ['kueue.x-k8s.io/prebuilt-workload-name', 'kueue.x-k8s.io/pod-group-name', 'kueue.x-k8s.io/workload'];

/**
 * The Workload by which Kueue lets a pod in: of its group (the name of the group is the name of its Workload, as for each group of
 * a LeaderWorkerSet), of the pod itself, or of what has made the pod (kubernetes-sigs/kueue pkg/controller/jobs/pod).
 */
export function workloadOf(
  pod: KubernetesObject,
  workloads: readonly KubernetesObject[],
): KubernetesObject | undefined {
  const { namespace, uid, labels = {}, annotations = {}, ownerReferences = [] } = pod.metadata;
  const named = new Set(
    names.flatMap((name) => [labels[name], annotations[name]]).filter((name) => name !== undefined),
  );
  const owners = new Set([uid, ...ownerReferences.map((owner) => owner.uid)]);
  const here = workloads.filter(({ metadata }) => metadata.namespace === namespace);
  const own = here.filter((each) => named.has(each.metadata.name) && isOpen(each));
  const found =
    own.length > 0
      ? own
      : here.filter((each) => each.metadata.ownerReferences?.some(({ uid: of }) => owners.has(of)) && isOpen(each));
  return found.toSorted((left, right) => createdAt(right) - createdAt(left))[0];
}

function isOpen(workload: KubernetesObject): boolean {
  return workload.metadata.deletionTimestamp === undefined && !isTrue(workload, 'Finished');
}

function createdAt({ metadata }: KubernetesObject): number {
  return timeOf(metadata.creationTimestamp) ?? 0;
}
