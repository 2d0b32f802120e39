import { objectAt, objectsAt, stringAt } from '../../base/json.ts';
import { refOf, type KubernetesObject } from '../../kubernetes/object.ts';
import type { Cause } from '../verdict.ts';
import type { ObjectEvent } from './events.ts';
import { diagnostic, mayHeal, type Sign } from './sign.ts';

/** A claim of a pod: one that it names, or one that is made for it (`ephemeral`) and is called after pod and volume. */
interface Claim {
  name: string;
  /** How it is spoken of. */
  what: string;
}

const missingGraceMs = 10_000;
const maxTextLength = 500;

export function claimsOf(pod: KubernetesObject): Claim[] {
  return objectsAt(pod, 'spec', 'volumes').flatMap((volume): Claim[] => {
    const claimName = stringAt(volume, 'persistentVolumeClaim', 'claimName');
    if (claimName !== undefined) return [{ name: claimName, what: `PersistentVolumeClaim "${claimName}"` }];
    if (Object.keys(objectAt(volume, 'ephemeral')).length === 0) return [];
    const name = stringAt(volume, 'name') ?? '';
    return [{ name: `${pod.metadata.name}-${name}`, what: `the claim of its ephemeral volume "${name}"` }];
  });
}

/**
 * Why a claim of the pod is missing or not bound (kubernetes/kubernetes#77993); undefined when the scheduler waits for
 * something else. `events` holds those of its claims too.
 * @param message the scheduler's; empty where it has said nothing and waits for the volume to be made
 */
export function claimSign(
  pod: KubernetesObject,
  events: readonly ObjectEvent[],
  message: string,
  unboundGraceMs: number,
): Sign | undefined {
  const missing = /persistentvolumeclaim "(?<name>[^"]+)" not found/.exec(message)?.groups?.['name'];
  const base = { reason: 'Unschedulable', object: refOf(pod), path: ['volumes'] };
  if (missing !== undefined) {
    return mayHeal(missingGraceMs, {
      ...base,
      message: `there is no PersistentVolumeClaim "${missing}"`,
      hint: 'Add the PersistentVolumeClaim to the manifests, or fix its name.',
    });
  }
  if (message !== '' && !/unbound immediate PersistentVolumeClaims|ephemeral volume controller/.test(message)) {
    return undefined;
  }
  const claims = claimsOf(pod);
  for (const claim of claims) {
    const told = latest(events.filter(({ kind, name }) => kind === 'PersistentVolumeClaim' && name === claim.name));
    const sign = told === undefined ? undefined : eventSign(claim, told, base, unboundGraceMs);
    if (sign !== undefined) return sign;
  }
  // Without a word of the scheduler it waits only for a volume that is being made, and that is told by an event.
  const [first] = claims;
  if (message === '' || first === undefined) return undefined;
  return diagnostic({
    ...base,
    message: `${first.what} is not bound`,
    hint: 'Check its events, its StorageClass and the PersistentVolumes.',
  });
}

const telling = new Set(['ProvisioningFailed', 'FailedBinding', 'ExternalProvisioning']);

function latest(events: readonly ObjectEvent[]): ObjectEvent | undefined {
  return events
    .filter(({ reason }) => telling.has(reason))
    .toSorted((left, right) => left.lastAt - right.lastAt)
    .at(-1);
}

function eventSign(
  { what }: Claim,
  event: ObjectEvent,
  base: Pick<Cause, 'reason' | 'object' | 'path'>,
  unboundGraceMs: number,
): Sign | undefined {
  const cause = (why: string, hint: string): Cause => ({
    ...base,
    since: event.firstAt,
    message: `${what} is not bound: ${why}`,
    hint,
  });
  switch (event.reason) {
    case 'ProvisioningFailed': {
      const storageClass = /storageclass[\w.]{0,60} "(?<name>[^"]+)" not found/.exec(event.message)?.groups?.['name'];
      return storageClass === undefined
        ? diagnostic(cause(event.message.slice(0, maxTextLength), 'Fix what the message says.'))
        : mayHeal(
            missingGraceMs,
            cause(`there is no StorageClass "${storageClass}"`, 'Fix storageClassName, or create the StorageClass.'),
          );
    }
    case 'FailedBinding':
      return mayHeal(
        unboundGraceMs,
        event.message.includes('no storage class is set')
          ? cause(
              'it has no StorageClass, and no PersistentVolume is available for it',
              'Set storageClassName, make a StorageClass the default of the cluster, or create a PersistentVolume for it.',
            )
          : cause(event.message.slice(0, maxTextLength), 'Fix what the message says.'),
      );
    case 'ExternalProvisioning': {
      const provisioner = /external provisioner '(?<name>[^']+)'/.exec(event.message)?.groups?.['name'] ?? '';
      return diagnostic(
        cause(
          `its provisioner "${provisioner}" has not created the volume yet`,
          'Check that this provisioner is running, and what it reports for the claim.',
        ),
      );
    }
    default:
      return undefined;
  }
}
