import type { JsonObject } from '../base/json.ts';
import type { KubernetesObject, ObjectRef } from '../kubernetes/object.ts';

/** Pods that a strategy is about to have beside those that run now. */
export interface Surge {
  /** The workload whose pods they are; its namespace, where it has one, is the one that counts. */
  ref: ObjectRef;
  /** `metadata` and `spec` of the new pods. */
  template: JsonObject;
  /** How many more pods there are at the same time at most. */
  extra: number;
  /** How many running pods of `ref` are gone before these come. */
  freed?: number;
}

/**
 * What is to be done where pods have no room beside the old ones: end the run before its first write, try anyway, or let the
 * rolling update of this run replace them in place.
 */
export type OnLowCapacity = 'fail' | 'warn' | 'in-place';

/**
 * What brings the pods; `promotion` is the rolling update at the end of a canary, `rolling update` any other, `extra group` that of
 * a LeaderWorkerSet, `new cluster` that of a RayService.
 */
type Subject = 'canary' | 'blue-green' | 'promotion' | 'rolling update' | 'extra group' | 'new cluster';

/** `revision`: an earlier version, as it is recorded; `cluster`: what runs, started anew as it is. */
export type Source = 'revision' | 'cluster';

export interface CapacityOptions {
  /** Named in messages; also decides what they advise. */
  strategy?: Subject;
  /** False where it makes no room that pods are replaced in place: there are to be more of them. */
  inPlace?: boolean;
  /** Where the workload comes from, if not from manifests that can be changed: decides what messages advise. */
  source?: Source;
  /** Objects that will be made beside the pods and their ReplicaSets, for quotas of `count/…`. */
  creates?: readonly ObjectRef[];
  /** Where it is known from elsewhere, such as the node pools of GKE's API, whether nodes may be added. */
  autoscaler?: 'present' | 'absent';
}

export interface Shortage {
  ref: ObjectRef;
  message: string;
  hint: string;
  /** Whether it will not help to try: no autoscaler can raise a quota, or add nodes where there is none. */
  certain: boolean;
  /** Of what there is too little, as nodes and quotas call it: `nvidia.com/gpu`, `requests.nvidia.com/gpu`, `pods`. */
  lacking: readonly string[];
}

export type CapacityReport = { notices: string[] } & ({ state: 'fits' } | { state: 'short'; shortages: Shortage[] });

/** With all that was left out. */
export type Wanted = Required<Surge> & { ref: { namespace: string } };

export type AskedFor = Wanted & {
  /** The pods that go before; undefined where pods may not be looked at. */
  leaving: KubernetesObject[] | undefined;
  /** Those that would go if each new pod took the place of one. */
  replaced: KubernetesObject[] | undefined;
};

/** An object that will be made, by a name that quotas have for its kind. */
export interface CreatedKind {
  namespace: string;
  resource: string;
}
