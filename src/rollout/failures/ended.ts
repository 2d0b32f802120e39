import { listAt, stringAt } from '../../base/json.ts';
import { saidAt } from '../../base/said.ts';
import { refOf, type KubernetesObject } from '../../kubernetes/object.ts';
import { diagnostic, type Sign } from './sign.ts';

/** Texts of nodes. */
const maxTextLength = 500;

/** Whether a pod was ended from outside: what its containers show then says nothing about the version. */
export function isEvicted(pod: KubernetesObject): boolean {
  const reason = stringAt(pod, 'status', 'reason') ?? '';
  return ['Evicted', 'Preempting', 'NodeShutdown', 'Terminated', 'NodeLost', 'Shutdown'].includes(reason);
}

/**
 * What a node says of a pod of a workload that it has evicted, or never taken: there is another one in its place by now, so
 * that this explains only what nothing else does.
 */
export function endedSigns(pod: KubernetesObject): Sign[] {
  const message = (saidAt(pod, 'status', 'message') ?? '').trim().slice(0, maxTextLength);
  const reason = stringAt(pod, 'status', 'reason') ?? '';
  const isOwned = (pod.metadata.ownerReferences ?? []).length > 0;
  if (!isOwned || stringAt(pod, 'status', 'phase') !== 'Failed' || message === '' || reason === '') return [];
  const base = { reason, object: refOf(pod), hint: endedHint(pod) };
  if (isEvicted(pod)) return [diagnostic({ ...base, message: `a pod of it was evicted: ${message}` })];
  if (!isRejected(pod)) return [];
  const node = stringAt(pod, 'spec', 'nodeName') ?? '';
  const why = message.replace(/^Pod was rejected: (?:Pod )?/, '');
  return [diagnostic({ ...base, message: `the node "${node}" has rejected a pod of it: ${why}` })];
}

/** What is to be done about a pod whose phase is Failed. */
export function endedHint(pod: KubernetesObject): string {
  if (stringAt(pod, 'status', 'reason') === 'DeadlineExceeded') {
    return 'See why it takes so long, or raise activeDeadlineSeconds.';
  }
  if (isEvicted(pod)) return evictedHint(saidAt(pod, 'status', 'message') ?? '');
  return isRejected(pod)
    ? 'Correct what the node names: what the pod asks for, its nodeName, its ports or its sysctls.'
    : 'See the log of its containers.';
}

/** By the admission of its kubelet: OutOfcpu, NodePorts, NodeAffinity, UnexpectedAdmissionError, SysctlForbidden, … */
function isRejected(pod: KubernetesObject): boolean {
  const reason = stringAt(pod, 'status', 'reason') ?? '';
  return reason !== '' && reason !== 'DeadlineExceeded' && listAt(pod, 'status', 'containerStatuses').length === 0;
}

/** What a pod uses beyond its own limit is its own; what its node lacks is not. */
function evictedHint(message: string): string {
  return message.includes('exceed') && !/node was low/i.test(message)
    ? 'Raise the limit that it names (sizeLimit of an emptyDir, or ephemeral-storage), or make it write less.'
    : 'Give its containers requests as large as what they use, or add nodes.';
}
