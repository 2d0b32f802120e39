import { InvalidInput } from '../base/errors.ts';
import { objectAt, setAt, stringAt } from '../base/json.ts';
import type { KubernetesObject } from '../kubernetes/object.ts';
import { isRoute } from './kinds.ts';
import { leadsOutside } from './exposure.ts';
import { trimmed } from './lines.ts';
import type { Manifest } from './manifest.ts';

/** Kubernetes accepts 1 s to 1 day (core/v1 ClientIPConfig). */
const longestSeconds = 86_400;

interface SessionAffinity {
  /** `none` or `client-ip`; undefined leaves all Services as they are. */
  affinity: string | undefined;
  timeoutMs: number;
  /** The names of the Services that are meant; by default those that requests from outside come to. */
  services: readonly string[];
}

/**
 * Lets Services send the requests of one client address to one pod, or spread them again, in place. Call it once namespaces
 * are set.
 * @param routes what leads to Services in the cluster, beside the manifests
 * @returns the names of the Services that are meant
 * @throws InvalidInput when there is no such Service, or the time is more than Kubernetes accepts
 */
export function setSessionAffinity(
  manifests: readonly Manifest[],
  { affinity, timeoutMs, services }: SessionAffinity,
  routes: readonly KubernetesObject[],
): string[] {
  if (affinity === undefined) return [];
  const timeoutSeconds = Math.round(timeoutMs / 1000);
  if (affinity === 'client-ip' && (timeoutSeconds < 1 || timeoutSeconds > longestSeconds)) {
    throw new InvalidInput(
      `the input "session-affinity-timeout" is ${timeoutSeconds}s, which Kubernetes does not accept`,
      {
        hint: 'Use 1s to 24h.',
      },
    );
  }
  const meant = servicesMeant(manifests, trimmed(services), routes);
  for (const object of meant) {
    setAt(object, ['spec', 'sessionAffinity'], affinity === 'client-ip' ? 'ClientIP' : 'None');
    if (affinity === 'client-ip') setAt(object, ['spec', 'sessionAffinityConfig'], { clientIP: { timeoutSeconds } });
    else delete objectAt(object, 'spec')['sessionAffinityConfig'];
  }
  return meant.map(({ metadata }) => metadata.name);
}

function servicesMeant(
  manifests: readonly Manifest[],
  named: readonly string[],
  routes: readonly KubernetesObject[],
): KubernetesObject[] {
  const objects = manifests.map(({ object }) => object);
  const services = objects.filter(
    (object) =>
      object.kind === 'Service' && object.apiVersion === 'v1' && stringAt(object, 'spec', 'type') !== 'ExternalName',
  );
  if (services.length === 0) {
    throw new InvalidInput('the input "session-affinity" has no effect: there is no Service in the manifests', {
      hint: 'Remove it, or add the manifest of the Service.',
    });
  }
  const names = services.map(({ metadata }) => metadata.name).join(', ');
  if (named.length === 0) {
    const outside = services.filter((service) => leadsOutside(service, [...objects.filter(isRoute), ...routes]));
    if (outside.length > 0) return outside;
    throw new InvalidInput(
      `the input "session-affinity" has no effect: no Service in the manifests gets requests from outside: ${names}`,
      { hint: 'List the intended Services in the input "session-affinity-services", or remove it.' },
    );
  }
  const unknown = named.find((name) => !services.some(({ metadata }) => metadata.name === name));
  if (unknown !== undefined) {
    throw new InvalidInput(
      `the input "session-affinity-services" has "${unknown}", but the Services in the manifests are ${names}`,
      { hint: 'Fix the name.' },
    );
  }
  return services.filter(({ metadata }) => named.includes(metadata.name));
}
