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
  if (isEvicted(pod)) return [diagnostic({ ...base, message: `one of its pods was evicted: ${message}` })];
  if (!isRejected(pod)) return [];
  const node = stringAt(pod, 'spec', 'nodeName') ?? '';
  const why = message.replace(/^Pod was rejected: (?:Pod )?/, '');
  return [diagnostic({ ...base, message: `the node "${node}" rejected one of its pods: ${why}` })];
}

/** What is to be done about a pod whose phase is Failed. */
export function endedHint(pod: KubernetesObject): string {
  if (stringAt(pod, 'status', 'reason') === 'DeadlineExceeded') {
    return 'Find out why it takes so long, or raise activeDeadlineSeconds.';
  }
  if (isEvicted(pod)) return evictedHint(saidAt(pod, 'status', 'message') ?? '');
  return isRejected(pod)
    ? 'Fix what the node rejects: its requests, its nodeName, its ports or its sysctls.'
    : 'Check the logs of its containers.';
}

/** By the admission of its kubelet: OutOfcpu, NodePorts, NodeAffinity, UnexpectedAdmissionError, SysctlForbidden, … */
function isRejected(pod: KubernetesObject): boolean {
  const reason = stringAt(pod, 'status', 'reason') ?? '';
  return reason !== '' && reason !== 'DeadlineExceeded' && listAt(pod, 'status', 'containerStatuses').length === 0;
}

/** What a pod uses beyond its own limit is its own; what its node lacks is not. */
function evictedHint(message: string): string {
  return message.includes('exceed') && !/node was low/i.test(message)
    ? 'Raise the limit in the message (sizeLimit of an emptyDir, or ephemeral-storage), or make it write less.'
    : 'Set the requests of its containers to what they really use, or add nodes.';
}
