import { objectsAt, stringAt, stringsAt } from '../../base/json.ts';
import { condition } from '../../kubernetes/conditions.ts';
import type { KubernetesObject } from '../../kubernetes/object.ts';

const kueueGate = 'kueue.x-k8s.io/admission';
const kueueQueue = 'kueue.x-k8s.io/queue-name';
const flexStart = 'cloud.google.com/gke-flex-start';
/** By which a pod waits for the nodes of a ProvisioningRequest (kubernetes/autoscaler). */
const provisioning = [
  'autoscaling.x-k8s.io/consume-provisioning-request',
  'cluster-autoscaler.kubernetes.io/consume-provisioning-request',
];

/** What Kubernetes itself says of any gate. */
const ofEveryGate = /^Scheduling is blocked due to non-empty scheduling gates$/;

/** Of a pod that Kueue holds back (kubernetes-sigs/kueue pkg/controller/jobs/pod): its queue, and what the pod says beside that. */
export interface KueueHold {
  queue?: string;
  message: string;
}

/** Undefined for pods that are not held back, or not by Kueue. */
export function kueueHold(pod: KubernetesObject): KueueHold | undefined {
  const scheduled = condition(pod, 'PodScheduled');
  if (scheduled?.status !== 'False' || scheduled.reason !== 'SchedulingGated') return undefined;
  const gates = objectsAt(pod, 'spec', 'schedulingGates').map((gate) => stringAt(gate, 'name') ?? '');
  const queue = pod.metadata.labels?.[kueueQueue];
  if (!gates.includes(kueueGate) && queue === undefined) return undefined;
  return {
    ...(queue === undefined ? {} : { queue }),
    message: ofEveryGate.test(scheduled.message) ? '' : scheduled.message,
  };
}

/** Whether a pod asks for nodes that come when there is capacity, which may take hours by design (GKE flex-start). */
export function isFlexStart(pod: KubernetesObject): boolean {
  const annotations = pod.metadata.annotations ?? {};
  return (
    stringsAt(pod, 'spec', 'nodeSelector')[flexStart] === 'true' ||
    provisioning.some((annotation) => annotations[annotation] !== undefined)
  );
}

/** Whether a pod without a node waits for its turn, so that time says nothing about it. */
export function isQueued(pod: KubernetesObject): boolean {
  const scheduled = condition(pod, 'PodScheduled');
  if (scheduled?.status !== 'False') return false;
  return kueueHold(pod) !== undefined || (scheduled.reason === 'Unschedulable' && isFlexStart(pod));
}
