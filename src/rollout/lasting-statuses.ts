import { objectsAt, stringAt, type JsonObject } from '../base/json.ts';
import type { KubernetesObject } from '../kubernetes/object.ts';

/** The status of a container that runs as long as its pod does. */
export interface LastingStatus {
  name: string;
  status: JsonObject;
  /** `container "web"`, `sidecar container "proxy"` */
  what: string;
}

/** Of the main containers first, then of native sidecars: init containers that are restarted always (kubernetes KEP-753). */
export function lastingStatuses(pod: KubernetesObject): LastingStatus[] {
  const sidecars = objectsAt(pod, 'spec', 'initContainers')
    .filter(isSidecar)
    .map(({ name }) => name);
  const described = (list: string, role: string) =>
    objectsAt(pod, 'status', list).map((status): LastingStatus => {
      const name = stringAt(status, 'name') ?? '';
      return { name, status, what: `${role}container "${name}"` };
    });
  return [
    ...described('containerStatuses', ''),
    ...described('initContainerStatuses', 'sidecar ').filter(({ name }) => sidecars.includes(name)),
  ];
}

/** Whether an init container is a native sidecar. */
export function isSidecar(container: JsonObject): boolean {
  return container['restartPolicy'] === 'Always';
}
