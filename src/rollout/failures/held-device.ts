import { objectAt, objectsAt, stringAt, stringsAt } from '../../base/json.ts';
import { timeOf } from '../../kubernetes/conditions.ts';
import type { KubernetesObject } from '../../kubernetes/object.ts';
import { isDevice } from '../../manifests/devices.ts';
import { diagnostic, type Sign } from './sign.ts';

/** A kubelet that is down never says that a pod has ended: after its time it holds nothing that is worth waiting for. */
const overdueMs = 60_000;

/** A scheduler looks at a pod once more within moments after there is room. */
const attentionMs = 10_000;

/** When an old pod was last seen to end beside a new one, milliseconds since the epoch by the server's clock. */
type LastHeld = Map<string, number>;

interface Beside {
  /** Pods of other versions of the workload. */
  old: readonly KubernetesObject[];
  /** Milliseconds since the epoch by the server's clock. */
  now: number;
  lastHeld: LastHeld;
}

/**
 * What a pod shows that waits for a device which an old pod holds until it has ended: such a trouble heals.
 * @param signs those of `pod`
 */
export function withHeldDevice(pod: KubernetesObject, signs: readonly Sign[], beside: Beside): Sign[] {
  return stringAt(pod, 'spec', 'nodeName') === undefined
    ? signs.map((sign) => withHeldPlace(pod, sign, beside))
    : withSharedDevice(pod, signs, beside);
}

/**
 * A pod that takes the place of an old one gets no node until that one has ended, which may take all of its grace period: minutes
 * where requests are long.
 */
function withHeldPlace(pod: KubernetesObject, sign: Sign, { old, now, lastHeld }: Beside): Sign {
  const { cause } = sign;
  if (sign.state !== 'mayHeal' || cause.reason !== 'Unschedulable') return sign;
  const device = devicesOf(pod).find((name) => cause.message.includes(`not enough ${name}`));
  if (device === undefined) return sign;
  const holder = old.find((other) => isEnding(other, now) && devicesOf(other).includes(device));
  const key = keyOf(device, pod);
  if (holder === undefined) return now - (lastHeld.get(key) ?? -Infinity) < attentionMs ? diagnostic(cause) : sign;
  lastHeld.set(key, now);
  return diagnostic({
    ...cause,
    message: `${cause.message}; old pod "${holder.metadata.name}" is still terminating and holds its ${device}`,
  });
}

/**
 * Pods that share a GPU may not both fit in its memory: the new one crashes until the old one has ended, which heals
 * (serving-progressive-rollout#204). A crash of that time does not speak against the version.
 */
function withSharedDevice(pod: KubernetesObject, signs: readonly Sign[], { old, now, lastHeld }: Beside): Sign[] {
  const [device] = devicesOf(pod);
  const node = stringAt(pod, 'spec', 'nodeName');
  if (device === undefined || node === undefined) return [...signs];
  const isHere = (other: KubernetesObject) => stringAt(other, 'spec', 'nodeName') === node;
  const holder = old.find((other) => isEnding(other, now) && isHere(other) && devicesOf(other).includes(device));
  const key = keyOf(device, pod);
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

function isEnding(pod: KubernetesObject, now: number): boolean {
  const endsAt = timeOf(pod.metadata.deletionTimestamp);
  return endsAt !== undefined && now < endsAt + overdueMs;
}

function keyOf(device: string, pod: KubernetesObject): string {
  return `${device} of ${pod.metadata.uid ?? pod.metadata.name}`;
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
  return [...new Set(names)].filter(isDevice);
}
