import { InvalidInput } from '../base/errors.ts';
import { objectAt, setAt, stringAt } from '../base/json.ts';
import type { Manifest } from './manifest.ts';

/** Kubernetes accepts 1 s to 1 day (core/v1 ClientIPConfig). */
const longestSeconds = 86_400;

/**
 * Lets the Services send the requests of one client address to one pod, or spread them again, in place.
 * @param affinity `none` or `client-ip`; undefined leaves them as they are
 * @throws InvalidInput when there is no Service, or the time is more than Kubernetes accepts
 */
export function setSessionAffinity(
  manifests: readonly Manifest[],
  affinity: string | undefined,
  timeoutMs: number,
): void {
  if (affinity === undefined) return;
  const services = manifests.filter(
    ({ object }) =>
      object.kind === 'Service' && object.apiVersion === 'v1' && stringAt(object, 'spec', 'type') !== 'ExternalName',
  );
  if (services.length === 0) {
    throw new InvalidInput('the input "session-affinity" has no effect: there is no Service in the manifests', {
      hint: 'Remove it, or add the manifest of the Service.',
    });
  }
  const timeoutSeconds = Math.round(timeoutMs / 1000);
  if (affinity === 'client-ip' && (timeoutSeconds < 1 || timeoutSeconds > longestSeconds)) {
    throw new InvalidInput(
      `the input "session-affinity-timeout" is ${timeoutSeconds}s, which Kubernetes does not accept`,
      {
        hint: 'Write 1s to 24h.',
      },
    );
  }
  for (const { object } of services) {
    setAt(object, ['spec', 'sessionAffinity'], affinity === 'client-ip' ? 'ClientIP' : 'None');
    if (affinity === 'client-ip') setAt(object, ['spec', 'sessionAffinityConfig'], { clientIP: { timeoutSeconds } });
    else delete objectAt(object, 'spec')['sessionAffinityConfig'];
  }
}
