import { objectAt, objectsAt, stringAt, stringsAt } from '../../base/json.ts';
import { timeOf } from '../../kubernetes/conditions.ts';
import type { KubernetesObject } from '../../kubernetes/object.ts';
import { diagnostic, type Sign } from './sign.ts';

/** A kubelet that is down never says that a pod has ended: after its time it holds nothing that is worth waiting for. */
const overdueMs = 60_000;

/** When an old pod was last seen to end beside a new one, milliseconds since the epoch by the server's clock. */
export type LastHeld = Map<string, number>;

/**
 * Pods that share a GPU may not both fit in its memory: the new one crashes until the old one has ended, which heals
 * (serving-progressive-rollout#204). A crash of that time does not speak against the version.
 * @param signs those of `pod`
 * @param beside `old`: pods of other versions of the workload
 */
export function withHeldDevice(
  pod: KubernetesObject,
  signs: readonly Sign[],
  { old, now, lastHeld }: { old: readonly KubernetesObject[]; now: number; lastHeld: LastHeld },
): Sign[] {
  const [device] = devicesOf(pod);
  const node = stringAt(pod, 'spec', 'nodeName');
  if (device === undefined || node === undefined) return [...signs];
  const holder = old.find((other) => isEndingOn(other, node, now) && devicesOf(other).includes(device));
  const key = `${device} of ${pod.metadata.uid ?? pod.metadata.name}`;
  if (holder !== undefined) lastHeld.set(key, now);
  const heldAt = lastHeld.get(key);
  if (heldAt === undefined) return [...signs];
  return signs.map((sign) => {
    const { cause } = sign;
    if (sign.state !== 'final' || cause.reason !== 'CrashLoopBackOff') return sign;
    if (holder === undefined && (startOfCrash(pod, cause.container) ?? Infinity) > heldAt) return sign;
    const why =
      holder === undefined
        ? `when it started, an old pod on the same node still held its ${device}; waiting for its next start`
        : `old pod "${holder.metadata.name}" is still terminating on the same node and may hold its ${device}`;
    return diagnostic({ ...cause, message: `${cause.message}; ${why}` });
  });
}

function isEndingOn(pod: KubernetesObject, node: string, now: number): boolean {
  const endsAt = timeOf(pod.metadata.deletionTimestamp);
  return endsAt !== undefined && now < endsAt + overdueMs && stringAt(pod, 'spec', 'nodeName') === node;
}

/** When the run of a container began that has ended last. */
function startOfCrash(pod: KubernetesObject, container: string | undefined): number | undefined {
  const status = ['containerStatuses', 'initContainerStatuses']
    .flatMap((list) => objectsAt(pod, 'status', list))
    .find((each) => each['name'] === container);
  const ended = objectAt(status, 'state', 'terminated');
  const last = Object.keys(ended).length > 0 ? ended : objectAt(status, 'lastState', 'terminated');
  return timeOf(stringAt(last, 'startedAt'));
}

/** The devices that a pod asks for, by the names of their resources: `nvidia.com/gpu`. */
function devicesOf(pod: KubernetesObject): string[] {
  const containers = ['containers', 'initContainers'].flatMap((list) => objectsAt(pod, 'spec', list));
  const names = containers.flatMap((container) => Object.keys(stringsAt(container, 'resources', 'limits')));
  return [...new Set(names)].filter((name) => /^(?!(?:[\w-]+\.)*kubernetes\.io\/)[\w.-]+\//.test(name));
}
