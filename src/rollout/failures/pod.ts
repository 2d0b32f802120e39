import { objectAt, objectsAt, stringAt } from '../../base/json.ts';
import { refOf, type KubernetesObject } from '../../kubernetes/object.ts';
import { condition } from '../conditions.ts';
import { containerSigns } from './container.ts';
import type { ObjectEvent } from './events.ts';
import { diagnostic, mayHeal, type Sign } from './sign.ts';

export interface Graces {
  /** For a pod that fits nowhere while no autoscaler says that it makes room, ms. */
  unschedulableMs: number;
}

export const defaultGraces: Graces = { unschedulableMs: 120_000 };

const mountGraceMs = 10_000;
const probesUntilTold = 3;
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
    ...containerSigns(pod, healthySiblings),
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
  const cause = {
    reason: 'Unschedulable',
    message: `no node fits: ${inWords(scheduled.message)}`,
    hint: 'Lower what the pod asks for, free or add nodes, or correct its nodeSelector, affinity and tolerations.',
    object: refOf(pod),
    path: ['resources'],
    ...(scheduled.updatedAt === undefined ? {} : { since: scheduled.updatedAt }),
  };
  const scalesUp = events.some((event) => event.reason === 'TriggeredScaleUp' && now - event.lastAt < scaleUpMs);
  if (scalesUp) return [diagnostic({ ...cause, message: `${cause.message}; the autoscaler is adding a node` })];
  const cannotScale = events.find((event) => event.reason === 'NotTriggerScaleUp');
  if (cannotScale === undefined) return [mayHeal(graces.unschedulableMs, cause)];
  return [
    mayHeal(graces.unschedulableMs / 2, {
      ...cause,
      message: `${cause.message}; the autoscaler cannot help: ${cannotScale.message}`,
    }),
  ];
}

/** `0/3 nodes are available: 3 Insufficient cpu. preemption: …` → the part that says why. */
function inWords(message: string): string {
  return message
    .replace(/\s*preemption:.*$/s, '')
    .replace(/^0\/(?<nodes>\d+) nodes are available: /, '')
    .replaceAll(/Insufficient (?<resource>[\w./-]+)/g, 'with too little $<resource>')
    .replace(/\.$/, '')
    .replaceAll(/(?<number>\d+) node\(s\)/g, '$<number> node(s)');
}

function eventSigns(pod: KubernetesObject, event: ObjectEvent): Sign[] {
  const object = refOf(pod);
  const base = { reason: event.reason, object, since: event.firstAt };
  switch (event.reason) {
    case 'FailedMount': {
      const missing = /(?<kind>configmap|secret) "(?<name>[^"]+)" not found/.exec(event.message)?.groups;
      if (missing === undefined || !isWaitingForContainers(pod))
        return [diagnostic({ ...base, message: event.message })];
      const kind = missing['kind'] === 'secret' ? 'Secret' : 'ConfigMap';
      return [
        mayHeal(mountGraceMs, {
          ...base,
          message: `a volume cannot be mounted: there is no ${kind} "${missing['name'] ?? ''}"`,
          hint: `Put the ${kind} into the manifests, or correct its name.`,
          path: ['volumes'],
        }),
      ];
    }
    case 'FailedCreatePodSandBox':
    case 'FailedAttachVolume':
      return isWaitingForContainers(pod) ? [diagnostic({ ...base, message: event.message.slice(0, 500) })] : [];
    case 'Unhealthy':
      // A server needs a moment to listen: its first failing probes say nothing.
      return isReadyPod(pod) || event.count < probesUntilTold ? [] : [diagnostic(probeCause(pod, event, base))];
    default:
      return [];
  }
}

function probeCause(
  pod: KubernetesObject,
  event: ObjectEvent,
  base: { object: ReturnType<typeof refOf>; since: number },
) {
  const probe =
    /^(?<kind>Readiness|Liveness|Startup) probe/i.exec(event.message)?.groups?.['kind']?.toLowerCase() ?? '';
  const container = objectsAt(pod, 'spec', 'containers').find(
    (candidate) => Object.keys(objectAt(candidate, `${probe}Probe`)).length > 0,
  );
  const httpGet = objectAt(container, `${probe}Probe`, 'httpGet');
  const path = stringAt(httpGet, 'path');
  const asks = path === undefined ? '' : ` (GET ${path})`;
  const answer = event.message.replace(/^\w+ probe (?:failed|errored)(?: and resulted in unknown state)?: ?/, '');
  return {
    ...base,
    reason: 'Unhealthy',
    message: `container "${stringAt(container, 'name') ?? ''}": its ${probe} probe${asks} fails: ${answer}`,
    hint: 'See its log, and whether path, port and delays of the probe are right.',
    path: ['containers'],
  };
}

function isWaitingForContainers(pod: KubernetesObject): boolean {
  return stringAt(pod, 'status', 'phase') === 'Pending';
}

export function isReadyPod(pod: KubernetesObject): boolean {
  return condition(pod, 'Ready')?.status === 'True';
}
