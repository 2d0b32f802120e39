import { at, equal, isObject, numberAt, objectAt, stringAt, type Json } from '../base/json.ts';
import type { KubernetesObject } from '../kubernetes/object.ts';

export function isOwnedBy(object: KubernetesObject, owner: KubernetesObject): boolean {
  return object.metadata.ownerReferences?.some(({ uid }) => uid === owner.metadata.uid) === true;
}

/** The ReplicaSet of the version that a Deployment wants: its template is that of the Deployment (kubernetes/kubectl deploymentutil). */
export function newReplicaSet(
  deployment: KubernetesObject,
  replicaSets: readonly KubernetesObject[],
): KubernetesObject | undefined {
  const wanted = withoutHash(at(deployment, 'spec', 'template'));
  return ownedBy(deployment, replicaSets)
    .filter((set) => equal(withoutHash(at(set, 'spec', 'template')), wanted))
    .sort((left, right) =>
      (left.metadata.creationTimestamp ?? '').localeCompare(right.metadata.creationTimestamp ?? ''),
    )[0];
}

/** The pods of a workload, whatever their version. */
export function podsOf(
  workload: KubernetesObject,
  pods: readonly KubernetesObject[],
  replicaSets: readonly KubernetesObject[],
): KubernetesObject[] {
  if (workload.kind === 'Pod') return pods.filter(({ metadata }) => metadata.uid === workload.metadata.uid);
  return ownedByAny([workload, ...ownedBy(workload, replicaSets)], pods);
}

/**
 * Of the pods that a workload selects those that are its own, as far as they tell: not those of a Job, or of another Deployment, with
 * the same labels. A Deployment names its ReplicaSets after itself and the hash that their pods get (kubernetes pkg/controller/deployment,
 * getNewReplicaSet).
 */
export function ownAmong(workload: KubernetesObject, selected: readonly KubernetesObject[]): KubernetesObject[] {
  if (workload.kind === 'Pod') return selected.filter(({ metadata }) => metadata.uid === workload.metadata.uid);
  if (workload.kind !== 'Deployment') return selected.filter((pod) => isOwnedBy(pod, workload));
  return selected.filter(({ metadata }) => {
    const set = `${workload.metadata.name}-${metadata.labels?.['pod-template-hash'] ?? ''}`;
    return metadata.ownerReferences?.some(({ kind, name }) => kind === 'ReplicaSet' && name === set) === true;
  });
}

/** The pods of the version that was written; pods of older ones say nothing about it. */
export function podsOfNewRevision(
  workload: KubernetesObject,
  pods: readonly KubernetesObject[],
  replicaSets: readonly KubernetesObject[],
): KubernetesObject[] {
  switch (workload.kind) {
    case 'Deployment': {
      const set = newReplicaSet(workload, replicaSets);
      return set === undefined ? [] : ownedBy(set, pods);
    }
    case 'StatefulSet': {
      // Until its controller has seen the change, the update revision is still the one before.
      if ((numberAt(workload, 'status', 'observedGeneration') ?? 0) < (workload.metadata.generation ?? 0)) return [];
      const revision = stringAt(workload, 'status', 'updateRevision');
      return ownedBy(workload, pods).filter(
        ({ metadata }) => metadata.labels?.['controller-revision-hash'] === revision,
      );
    }
    case 'DaemonSet': {
      const generation = String(numberAt(workload, 'metadata', 'generation') ?? '');
      const annotation = workload.metadata.annotations?.['deprecated.daemonset.template.generation'] ?? generation;
      return ownedBy(workload, pods).filter(
        ({ metadata }) => metadata.labels?.['pod-template-generation'] === annotation,
      );
    }
    case 'Pod':
      return pods.filter((pod) => pod.metadata.uid === workload.metadata.uid);
    default:
      return ownedBy(workload, pods);
  }
}

const indexes = new WeakMap<readonly KubernetesObject[], ReturnType<typeof byOwner>>();

/**
 * Those of a list that an object owns, in its order. A look at a release asks for those of each workload, and a namespace may have
 * thousands of pods: a list is put in order once, so that it must not be changed afterwards.
 */
export function ownedBy(owner: KubernetesObject, objects: readonly KubernetesObject[]): KubernetesObject[] {
  const index = indexes.get(objects) ?? byOwner(objects);
  indexes.set(objects, index);
  return [...(index.get(owner.metadata.uid ?? '') ?? [])];
}

/** Those that any of these owns, each once. */
export function ownedByAny(
  owners: readonly KubernetesObject[],
  objects: readonly KubernetesObject[],
): KubernetesObject[] {
  return [...new Set(owners.flatMap((owner) => ownedBy(owner, objects)))];
}

/** Objects by the uids of their owners. */
export function byOwner(objects: readonly KubernetesObject[]): Map<string, KubernetesObject[]> {
  const index = new Map<string, KubernetesObject[]>();
  for (const object of objects) {
    for (const { uid } of object.metadata.ownerReferences ?? []) {
      const owned = index.get(uid);
      if (owned === undefined) index.set(uid, [object]);
      else owned.push(object);
    }
  }
  return index;
}

/** What an object owns, and what that owns. */
export function descendantsOf(
  object: KubernetesObject,
  index: ReadonlyMap<string, readonly KubernetesObject[]>,
): KubernetesObject[] {
  const found = new Set<KubernetesObject>();
  const queue = [object];
  for (let owner = queue.pop(); owner !== undefined; owner = queue.pop()) {
    for (const child of index.get(owner.metadata.uid ?? '') ?? []) {
      if (found.has(child)) continue;
      found.add(child);
      queue.push(child);
    }
  }
  return [...found];
}

/** A template without the label by which a ReplicaSet tells its pods apart. */
export function withoutHash(template: Json | undefined): Json {
  if (!isObject(template)) return null;
  const labels = { ...objectAt(template, 'metadata', 'labels') };
  delete labels['pod-template-hash'];
  return { ...template, metadata: { ...objectAt(template, 'metadata'), labels } };
}
