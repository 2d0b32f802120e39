import type { KubernetesObject } from '../kubernetes/object.ts';
import type { ObjectEvent } from './failures/events.ts';
import type { LogsSeen } from './stages/stage.ts';

/** All that is known of the cluster at one moment. */
export interface Snapshot {
  pods: readonly KubernetesObject[];
  replicaSets: readonly KubernetesObject[];
  events: readonly ObjectEvent[];
  /** Only where DaemonSets are waited for, and where nodes may be seen. */
  nodes?: readonly KubernetesObject[];
  /** What the logs of slow starts have told. */
  logs?: LogsSeen;
  /** The Workloads of Kueue in the namespaces in which a pod waits for it, as far as they may be seen. */
  queued?: readonly KubernetesObject[];
  /** What custom resources that are waited for own, beside pods and ReplicaSets; undefined as long as that is not known. */
  owned?: Owned;
}

export interface Owned {
  objects: readonly KubernetesObject[];
  /** Whether some of it may not be seen. */
  isBlind: boolean;
}
