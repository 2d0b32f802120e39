import { stringAt } from '../../base/json.ts';
import { refOf, type KubernetesObject } from '../../kubernetes/object.ts';
import { condition, isTrue, type StatusCondition } from '../../kubernetes/conditions.ts';
import type { Cause } from '../verdict.ts';
import { containerSigns } from './container.ts';
import type { ObjectEvent } from './events.ts';
import { describeProbe, probedContainer, probeHint } from './probe.ts';
import { diagnostic, mayHeal, type Sign } from './sign.ts';

export interface Graces {
  /** For a pod that fits nowhere while no autoscaler says that it makes room, ms. */
  unschedulableMs: number;
  /** No sign ends the wait before it has been there for this long, ms. */
  leastMs?: number;
}

export const defaultGraces: Graces = { unschedulableMs: 120_000 };

const mountGraceMs = 10_000;
const probesUntilTold = 3;
/** Of texts that nobody here has written. */
const maxTextLength = 500;
/** An autoscaler that has answered is believed for this long. */
const scaleUpMs = 15 * 60_000;

/** All that a pod of the new version shows. Ending pods, and pods that were evicted, say nothing about the version. */
export function podSigns(
  pod: KubernetesObject,
  events: readonly ObjectEvent[],
  healthySiblings: boolean,
  now: number,
  graces: Graces = defaultGraces,
): Sign[] {
  if (pod.metadata.deletionTimestamp !== undefined || isEvicted(pod)) return [];
  return [
    ...containerSigns(pod, healthySiblings, events),
    ...schedulingSigns(pod, events, now, graces),
    ...events.flatMap((event) => eventSigns(pod, event)),
  ];
}

function isEvicted(pod: KubernetesObject): boolean {
  const reason = stringAt(pod, 'status', 'reason') ?? '';
  return ['Evicted', 'Preempting', 'NodeShutdown', 'Terminated', 'NodeLost', 'Shutdown'].includes(reason);
}

function schedulingSigns(pod: KubernetesObject, events: readonly ObjectEvent[], now: number, graces: Graces): Sign[] {
  const scheduled = condition(pod, 'PodScheduled');
  if (scheduled?.status !== 'False' || scheduled.reason !== 'Unschedulable') return [];
  const claim = claimSign(pod, events, scheduled);
  if (claim !== undefined) return [claim];
  const cause = {
    reason: 'Unschedulable',
    message: `no node fits: ${inWords(scheduled.message)}`,
    hint: 'Lower what the pod asks for, free or add nodes, or correct its nodeSelector, affinity and tolerations.',
    object: refOf(pod),
    path: ['resources'],
    ...(scheduled.updatedAt === undefined ? {} : { since: scheduled.updatedAt }),
  };
  const lastOf = (reason: string) =>
    events
      .filter((event) => event.reason === reason)
      .sort((left, right) => left.lastAt - right.lastAt)
      .at(-1);
  const scaleUp = lastOf('TriggeredScaleUp');
  const failedScaleUp = lastOf('FailedScaleUp');
  // It tries other zones and kinds of nodes by itself, so that one failure is not the end.
  if (failedScaleUp !== undefined && failedScaleUp.lastAt >= (scaleUp?.lastAt ?? 0)) {
    const why = failedScaleUp.message.slice(0, maxTextLength);
    return [mayHeal(graces.unschedulableMs, { ...cause, message: `${cause.message}; the autoscaler failed: ${why}` })];
  }
  if (scaleUp !== undefined && now - scaleUp.lastAt < scaleUpMs)
    return [diagnostic({ ...cause, message: `${cause.message}; the autoscaler is adding a node` })];
  const cannotScale = lastOf('NotTriggerScaleUp');
  if (cannotScale === undefined) return [mayHeal(graces.unschedulableMs, cause)];
  return [
    mayHeal(graces.unschedulableMs / 2, {
      ...cause,
      message: `${cause.message}; the autoscaler cannot help: ${cannotScale.message}`,
    }),
  ];
}

/** A claim that is missing, or that asks for a class of storage that is; `events` holds those of its claims too. */
function claimSign(
  pod: KubernetesObject,
  events: readonly ObjectEvent[],
  { message, updatedAt }: StatusCondition,
): Sign | undefined {
  const base = {
    reason: 'Unschedulable',
    object: refOf(pod),
    path: ['volumes'],
    ...(updatedAt === undefined ? {} : { since: updatedAt }),
  };
  const missing = /persistentvolumeclaim "(?<name>[^"]+)" not found/.exec(message)?.groups?.['name'];
  if (missing !== undefined) {
    return mayHeal(mountGraceMs, {
      ...base,
      message: `there is no PersistentVolumeClaim "${missing}"`,
      hint: 'Put the PersistentVolumeClaim into the manifests, or correct its name.',
    });
  }
  const refusal = events.findLast((event) => event.reason === 'ProvisioningFailed');
  if (refusal === undefined || !message.includes('unbound immediate PersistentVolumeClaims')) return undefined;
  const what = `PersistentVolumeClaim "${refusal.name}" is not bound`;
  const storageClass = /storageclass\S* "(?<name>[^"]+)" not found/.exec(refusal.message)?.groups?.['name'];
  if (storageClass === undefined) {
    return diagnostic({
      ...base,
      message: `${what}: ${refusal.message.slice(0, maxTextLength)}`,
      hint: 'Correct what the message names.',
    });
  }
  return mayHeal(mountGraceMs, {
    ...base,
    message: `${what}: there is no StorageClass "${storageClass}"`,
    hint: 'Correct storageClassName, or create the StorageClass.',
  });
}

/** `0/3 nodes are available: 3 Insufficient cpu. preemption: …` → the part that says why. */
function inWords(message: string): string {
  const nodes = (count: string) => (count === '1' ? '1 node' : `${count} nodes`);
  const have = (count: string) => `${nodes(count)} ${count === '1' ? 'has' : 'have'}`;
  return message
    .replace(/\s*(?:no new claims to deallocate, *)?preemption:.*$/s, '')
    .replace(/^0\/\d+ nodes are available: /, '')
    .replace(/\.(?: not found)?$/, '')
    .replaceAll(
      /(\d+) Insufficient ([\w./-]+)/g,
      (_, count: string, resource: string) => `${have(count)} too little ${resource}`,
    )
    .replaceAll(
      /(\d+) node\(s\) had untolerated taint(?:\(s\)| \{(\S+): [^}]*\})/g,
      (_, count: string, taint?: string) =>
        `${have(count)} ${taint === undefined ? 'a taint' : `the taint "${taint}"`} that it does not tolerate`,
    )
    .replaceAll(
      /(\d+) node\(s\) didn't match Pod's node affinity\/selector/g,
      (_, count: string) => `${nodes(count)} ${count === '1' ? 'does' : 'do'} not match its nodeSelector or affinity`,
    )
    .replaceAll(/(\d+) node\(s\)/g, (_, count: string) => nodes(count));
}

function eventSigns(pod: KubernetesObject, event: ObjectEvent): Sign[] {
  const object = refOf(pod);
  const base = { reason: event.reason, object, since: event.firstAt };
  switch (event.reason) {
    case 'FailedMount':
      return isWaitingForSandbox(pod) ? [mountSign(event.message, base)] : [];
    case 'FailedCreatePodSandBox':
    case 'FailedAttachVolume':
      return isWaitingForSandbox(pod) ? [diagnostic({ ...base, message: event.message.slice(0, maxTextLength) })] : [];
    case 'Unhealthy':
      // A server needs a moment to listen: its first failing probes say nothing.
      return isReadyPod(pod) || event.count < probesUntilTold ? [] : [diagnostic(probeCause(pod, event, base))];
    default:
      return [];
  }
}

/** What a volume refers to has to be there; what drivers and nodes say of a volume may pass. */
function mountSign(message: string, base: Pick<Cause, 'reason' | 'object' | 'since'>): Sign {
  const missing = /(?<kind>configmap|secret) "(?<name>[^"]+)" not found/.exec(message)?.groups;
  const key = /(?<kind>configmap|secret) references non-existent (?:config|secret) key: (?<name>\S+)/.exec(message);
  const found = missing ?? key?.groups;
  if (found === undefined) return diagnostic({ ...base, message: message.slice(0, maxTextLength) });
  const kind = found['kind'] === 'secret' ? 'Secret' : 'ConfigMap';
  const volume = /for volume "(?<name>[^"]+)"/.exec(message)?.groups?.['name'];
  const what = volume === undefined ? 'a volume' : `volume "${volume}"`;
  const name = `"${found['name'] ?? ''}"`;
  return mayHeal(mountGraceMs, {
    ...base,
    path: ['volumes'],
    ...(missing === undefined
      ? {
          message: `${what} cannot be mounted: its ${kind} has no key ${name}`,
          hint: `Put the key into the ${kind}, or correct the volume's items.`,
        }
      : {
          message: `${what} cannot be mounted: there is no ${kind} ${name}`,
          hint: `Put the ${kind} into the manifests, or correct its name.`,
        }),
  });
}

function probeCause(
  pod: KubernetesObject,
  event: ObjectEvent,
  base: Pick<Cause, 'reason' | 'object' | 'since'>,
): Cause {
  const container = probedContainer(pod, event);
  const { what, answer } = describeProbe(container, event);
  return {
    ...base,
    message: `container "${stringAt(container, 'name') ?? ''}": its ${what} fails: ${answer}`,
    hint: probeHint,
    path: ['containers'],
    container: stringAt(container, 'name') ?? '',
  };
}

/** Events stay after what they tell of has healed: with its sandbox up, a pod has its volumes and its network. */
function isWaitingForSandbox(pod: KubernetesObject): boolean {
  return stringAt(pod, 'status', 'phase') === 'Pending' && !isTrue(pod, 'PodReadyToStartContainers');
}

export function isReadyPod(pod: KubernetesObject): boolean {
  return condition(pod, 'Ready')?.status === 'True';
}
