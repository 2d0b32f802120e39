import type { KubernetesObject } from '../kubernetes/object.ts';
import type { ObjectEvent } from './failures/events.ts';

/** All that is known of the cluster at one moment. */
export interface Snapshot {
  pods: readonly KubernetesObject[];
  replicaSets: readonly KubernetesObject[];
  events: readonly ObjectEvent[];
  /** Only where DaemonSets are waited for, and where nodes may be seen. */
  nodes?: readonly KubernetesObject[];
}
