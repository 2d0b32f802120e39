import { booleanAt, objectsAt, ownValue, stringAt } from '../../base/json.ts';
import { saidAt } from '../../base/said.ts';
import { condition, isTrue, timeOf, type StatusCondition } from '../../kubernetes/conditions.ts';
import type { KubernetesObject } from '../../kubernetes/object.ts';
import { reasonIn } from './legacy.ts';

/** How it is with what waits in a queue. */
export interface Standing {
  /** `barred`: Kueue lets it in only after a change of the workload or of the queue. */
  state: 'waits' | 'barred' | 'admitted';
  /** As Kueue calls it: `WaitingForQuota`, `ExceedsMaxQuota`. */
  reason: string;
  /** In words. */
  words: string;
  /** What Kueue says beside that; may be empty. */
  message: string;
  /** What to do about it. */
  hint: string;
  /** Since when, milliseconds since the epoch by the server's clock. */
  since?: number;
}

type Told = Pick<Standing, 'words' | 'hint'>;

const raise = 'raise the input "timeout" if it may just take longer';
const seeQueue = `Free up quota of its ClusterQueue or have it raised; ${raise}.`;
const fixSelectors = 'Fix its nodeSelector, affinity and tolerations, or use a queue with a flavor that fits.';

/** Of what waits its turn (kubernetes-sigs/kueue apis/kueue/v1beta2, reasons of the condition QuotaReserved). */
const waits: Readonly<Record<string, Told>> = {
  WaitingForQuota: { words: 'waiting for quota', hint: seeQueue },
  WaitingForPreemptedWorkloads: {
    words: 'waiting for preempted workloads to terminate',
    hint: `Check the pods that are being preempted; ${raise}.`,
  },
  WaitingForPodsReady: {
    words: 'waiting for workloads admitted before it to become ready',
    hint: `Check the workloads that Kueue admitted before it; ${raise}.`,
  },
  // Others may go meanwhile: it is measured by what is used now.
  TopologyPlacementFailed: {
    words: 'there is no room in the topology that it asks for',
    hint: `Free up or add nodes in one domain of the topology, or loosen the topology request; ${raise}.`,
  },
  Suspended: {
    words: 'its queue is not active',
    hint: `Check the LocalQueue and ClusterQueue: their stopPolicy and conditions; ${raise}.`,
  },
  AdmissionGated: {
    words: 'held by an admission gate',
    hint: `Check the controller that its annotation kueue.x-k8s.io/admission-gated-by names; ${raise}.`,
  },
};

/** Of what no waiting helps. */
const barred: Readonly<Record<string, Told>> = {
  ExceedsMaxQuota: {
    words: 'it asks for more than its queue can ever give',
    hint: 'Lower its requests or its number of pods, have the quota of its ClusterQueue raised, or use another queue.',
  },
  NoMatchingFlavor: { words: 'no flavor of its queue fits it', hint: fixSelectors },
  Misconfigured: {
    words: 'the workload or its queue is misconfigured',
    hint: 'Fix what the message says: the queue that its label kueue.x-k8s.io/queue-name names, or the workload.',
  },
  Deactivated: {
    words: 'its Workload is deactivated',
    hint: 'Find out why it was deactivated, then set spec.active of the Workload to true, or deploy again.',
  },
};

/** What a Workload of Kueue says about its pods; undefined before Kueue has looked at it. */
export function standingOf(workload: KubernetesObject): Standing | undefined {
  const evicted = evictionOf(workload);
  if (booleanAt(workload, 'spec', 'active') === false) {
    const { updatedAt, message = '' } = evicted ?? {};
    return { state: 'barred', reason: 'Deactivated', ...told(barred, 'Deactivated'), message, ...since(updatedAt) };
  }
  const reserved = condition(workload, 'QuotaReserved');
  if (reserved?.status === 'True') return isTrue(workload, 'Admitted') ? admitted(workload) : checksOf(workload);
  if (reserved?.status !== 'False') return undefined;
  const standing = unreserved(reserved);
  return evicted === undefined ? standing : { ...standing, words: `${standing.words}${describe(evicted, reserved)}` };
}

function unreserved({ reason: given, message, updatedAt }: StatusCondition): Standing {
  const reason = reasonOf(given, message);
  const isBarred = ownValue(barred, reason) !== undefined;
  const words = isBarred ? told(barred, reason) : (ownValue(waits, reason) ?? { words: 'waiting', hint: seeQueue });
  return { state: isBarred ? 'barred' : 'waits', reason, ...words, message, ...since(updatedAt) };
}

/** In the terms of today: older ones are `Pending` for all that waits, and `Inadmissible` for all that is wrong with queues. */
function reasonOf(reason: string, message: string): string {
  if (reason === 'Inadmissible') return /\bis (?:inactive|stopped)$/.test(message) ? 'Suspended' : 'Misconfigured';
  if (reason !== 'Pending') return reason;
  const known = reasonIn(message);
  if (known !== undefined) return known;
  return message.includes('insufficient unused quota') ? 'WaitingForQuota' : reason;
}

function admitted(workload: KubernetesObject): Standing {
  const hint = 'Check that the controller of Kueue is running: it removes the scheduling gate.';
  const at = condition(workload, 'Admitted')?.updatedAt;
  return { state: 'admitted', reason: 'Admitted', words: '', message: '', hint, ...since(at) };
}

/** It has quota, and others have a say: a ProvisioningRequest for nodes, another cluster. */
function checksOf(workload: KubernetesObject): Standing | undefined {
  const checks = objectsAt(workload, 'status', 'admissionChecks').map((check) => ({
    name: stringAt(check, 'name') ?? '',
    state: stringAt(check, 'state') ?? '',
    message: (saidAt(check, 'message') ?? '').trim(),
    at: timeOf(stringAt(check, 'lastTransitionTime')),
  }));
  const check = checks.find(({ state }) => state === 'Rejected') ?? checks.find(({ state }) => state !== 'Ready');
  if (check === undefined) return undefined;
  const { name, state, message, at } = check;
  const isRejected = state === 'Rejected';
  return {
    state: isRejected ? 'barred' : 'waits',
    reason: isRejected ? 'AdmissionCheckRejected' : 'AdmissionCheckPending',
    words: isRejected ? `its admission check "${name}" was rejected` : `waiting for its admission check "${name}"`,
    message,
    hint: isRejected
      ? `Fix what the admission check "${name}" says, then deploy again.`
      : `Nodes of a ProvisioningRequest come when there is capacity, which may take hours; ${raise}.`,
    ...since(at),
  };
}

function evictionOf(workload: KubernetesObject): StatusCondition | undefined {
  const found = condition(workload, 'Evicted');
  return found?.status === 'True' ? found : undefined;
}

const evictions: Readonly<Record<string, string>> = {
  Preempted: 'preempted earlier',
  PodsReadyTimeout: 'evicted earlier because its pods were not ready in time',
  AdmissionCheck: 'evicted earlier by an admission check',
  NodeFailures: 'evicted earlier because its node failed',
};

/** `; preempted earlier: …`; Kueue mostly says the same of the quota, too. */
function describe({ reason, message }: StatusCondition, reserved: StatusCondition): string {
  const words = ownValue(evictions, reason) ?? `evicted earlier (${reason})`;
  return `; ${words}${message === '' || message === reserved.message ? '' : ` (${message})`}`;
}

function told(of: Readonly<Record<string, Told>>, reason: string): Told {
  return ownValue(of, reason) ?? { words: reason, hint: seeQueue };
}

function since(time: number | undefined): { since?: number } {
  return time === undefined ? {} : { since: time };
}
