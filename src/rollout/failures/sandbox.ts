import { objectsAt, stringAt } from '../../base/json.ts';
import { isTrue } from '../../kubernetes/conditions.ts';
import { refOf, type KubernetesObject } from '../../kubernetes/object.ts';
import type { Cause } from '../verdict.ts';
import type { ObjectEvent } from './events.ts';
import { diagnostic, mayHeal, type Sign } from './sign.ts';

/** What a pod refers to may be made a moment later. */
const missingGraceMs = 10_000;
/** Of texts that nobody here has written. */
const maxTextLength = 500;

type Base = Pick<Cause, 'reason' | 'object' | 'since'>;

/** What keeps a pod from having its sandbox: its volumes, its network, its devices (condition PodReadyToStartContainers). */
export function sandboxSigns(pod: KubernetesObject, event: ObjectEvent): Sign[] {
  if (!isWaitingForSandbox(pod)) return [];
  const base = { reason: event.reason, object: refOf(pod), since: event.firstAt };
  const told = (hint: string) => [diagnostic({ ...base, message: event.message.slice(0, maxTextLength), hint })];
  switch (event.reason) {
    case 'FailedMount':
      return [mountSign(event.message, base)];
    case 'FailedAttachVolume':
      return [attachSign(event.message, base)];
    case 'FailedMapVolume':
    case 'VolumeFailedDelete':
      return told('Check the volume, its driver and the node.');
    case 'VolumePermissionChangeInProgress':
      return told(
        'Set "fsGroupChangePolicy: OnRootMismatch" in the pod securityContext, so not all volume files are changed at each start.',
      );
    case 'FailedCreatePodSandBox':
      return told(
        /RuntimeHandler|runtime handler|no runtime for/i.test(event.message)
          ? 'Fix runtimeClassName, or use nodes that have this runtime.'
          : 'Check the network plugin of the node, and that it has addresses left.',
      );
    case 'FailedResourceClaimCreation':
      // Made since.
      return objectsAt(pod, 'status', 'resourceClaimStatuses').length > 0
        ? []
        : [resourceClaimSign(event.message, base)];
    case 'FailedPrepareDynamicResources':
      return [resourceClaimSign(event.message, base)];
    case 'FailedBinding':
      return told('Fix what the message says; check the quota of the namespace for claims.');
    default:
      return [];
  }
}

/** Events stay after what they tell of has healed: with its sandbox up, a pod has its volumes and its network. */
function isWaitingForSandbox(pod: KubernetesObject): boolean {
  return stringAt(pod, 'status', 'phase') === 'Pending' && !isTrue(pod, 'PodReadyToStartContainers');
}

/** What a volume refers to has to be there; what drivers and nodes say of a volume may pass. */
function mountSign(message: string, base: Base): Sign {
  const missing = /(?<kind>configmap|secret) "(?<name>[^"]+)" not found/.exec(message)?.groups;
  const key = /(?<kind>configmap|secret) references non-existent (?:config|secret) key: (?<name>\S+)/.exec(message);
  const found = missing ?? key?.groups;
  const volume = /for volume "(?<name>[^"]+)"/.exec(message)?.groups?.['name'];
  const what = volume === undefined ? 'a volume' : `volume "${volume}"`;
  if (found === undefined) return foreignMountSign(message, what, base);
  const kind = found['kind'] === 'secret' ? 'Secret' : 'ConfigMap';
  const name = `"${found['name'] ?? ''}"`;
  return mayHeal(missingGraceMs, {
    ...base,
    path: ['volumes'],
    ...(missing === undefined
      ? {
          message: `${what} cannot be mounted: its ${kind} has no key ${name}`,
          hint: `Add the key to the ${kind}, or fix the volume's items.`,
        }
      : {
          message: `${what} cannot be mounted: there is no ${kind} ${name}`,
          hint: `Add the ${kind} to the manifests, or fix its name.`,
        }),
  });
}

function foreignMountSign(message: string, what: string, base: Base): Sign {
  const driver = /driver name (?<name>\S+) not found in the list of registered CSI drivers/.exec(message)?.groups?.[
    'name'
  ];
  if (driver !== undefined) {
    return diagnostic({
      ...base,
      path: ['volumes'],
      message: `${what} cannot be mounted: the node has no CSI driver "${driver}"`,
      hint: 'Install this driver on the nodes, or fix its name; it may also still be starting.',
    });
  }
  const hostPath = /hostPath type check failed: (?<why>.*)$/s.exec(message)?.groups?.['why'];
  if (hostPath !== undefined) {
    return diagnostic({
      ...base,
      path: ['volumes'],
      message: `${what} cannot be mounted: ${hostPath.slice(0, maxTextLength)}`,
      hint: 'Fix path and type of the hostPath, or create it on the node.',
    });
  }
  return diagnostic({
    ...base,
    message: message.slice(0, maxTextLength),
    hint: 'Check the volume, its driver and the node.',
  });
}

function attachSign(message: string, base: Base): Sign {
  return diagnostic({
    ...base,
    message: message.slice(0, maxTextLength),
    hint: message.startsWith('Multi-Attach')
      ? 'Its volume can be on one node at a time: use the strategy Recreate, or an access mode for several nodes.'
      : 'Check the volume, its driver and the node.',
  });
}

function resourceClaimSign(message: string, base: Base): Sign {
  const claim = /PodResourceClaim (?<name>[^:]{1,253}):/.exec(message)?.groups?.['name'];
  const template = /resource claim template "(?<name>[^"]+)": .{0,500}not found/.exec(message)?.groups?.['name'];
  const path = ['resourceClaims'];
  if (template === undefined) {
    return diagnostic({
      ...base,
      path,
      message: message.slice(0, maxTextLength),
      hint: 'Check its resourceClaims, their device class, and the device driver on the node.',
    });
  }
  return mayHeal(missingGraceMs, {
    ...base,
    path,
    message: `its ResourceClaim${claim === undefined ? '' : ` "${claim}"`} cannot be created: there is no ResourceClaimTemplate "${template}"`,
    hint: 'Add the ResourceClaimTemplate to the manifests, or fix its name.',
  });
}
