import { numberAt, objectsAt, stringAt, type JsonObject } from '../base/json.ts';
import type { KubernetesObject } from '../kubernetes/object.ts';

/** One port of a Service that can be asked over HTTP. */
export interface ServicePort {
  number: number;
  scheme: 'http' | 'https';
  /** A number, or the name of a port of the pods. */
  target: string;
}

/**
 * The port that is meant.
 * @param wanted its number or name; absent: the one called `http`, then port 80, then the first
 * @returns undefined when the Service has no such port
 */
export function servicePort(service: KubernetesObject, wanted: string | undefined): ServicePort | undefined {
  const ports = objectsAt(service, 'spec', 'ports').filter(
    (port) => (stringAt(port, 'protocol') ?? 'TCP') === 'TCP' && numberAt(port, 'port') !== undefined,
  );
  const found =
    wanted === undefined
      ? (ports.find((port) => port['name'] === 'http') ?? ports.find((port) => port['port'] === 80) ?? ports[0])
      : ports.find((port) => port['name'] === wanted || String(numberAt(port, 'port')) === wanted);
  return found === undefined ? undefined : describe(found);
}

/** How the ports of a Service are listed in a message: `80 (http), 443`. */
export function listPorts(service: KubernetesObject): string {
  return objectsAt(service, 'spec', 'ports')
    .map((port) => {
      const name = stringAt(port, 'name');
      return `${numberAt(port, 'port') ?? '?'}${name === undefined ? '' : ` (${name})`}`;
    })
    .join(', ');
}

/** The number of the port at a pod, where a name may mean another one in each pod. */
export function podPort(pod: KubernetesObject, target: string): number | undefined {
  if (/^\d+$/.test(target)) return Number(target);
  const ports = objectsAt(pod, 'spec', 'containers').flatMap((container) => objectsAt(container, 'ports'));
  return numberAt(
    ports.find((port) => port['name'] === target),
    'containerPort',
  );
}

function describe(port: JsonObject): ServicePort {
  const number = numberAt(port, 'port') ?? 0;
  const isHttps = number === 443 || stringAt(port, 'appProtocol') === 'https' || stringAt(port, 'name') === 'https';
  const target = stringAt(port, 'targetPort') ?? numberAt(port, 'targetPort') ?? number;
  return { number, scheme: isHttps ? 'https' : 'http', target: String(target) };
}
