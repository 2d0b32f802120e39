import { listAt, numberAt, objectAt, objectsAt, stringAt, type JsonObject } from '../../base/json.ts';
import type { KubernetesObject } from '../../kubernetes/object.ts';
import type { ObjectEvent } from './events.ts';

export const probeHint = 'Check its log, and path, port and delays of the probe.';

const maxAnswerLength = 300;

/** `readiness`, `liveness` or `startup`, of an Unhealthy event. */
function probeOf(event: ObjectEvent): string {
  return /^(?<kind>Readiness|Liveness|Startup) probe/.exec(event.message)?.groups?.['kind']?.toLowerCase() ?? '';
}

/** The container that an Unhealthy event tells of; without its name in the event, the first that has such a probe. */
export function probedContainer(pod: KubernetesObject, event: ObjectEvent): JsonObject | undefined {
  const containers = ['containers', 'initContainers'].flatMap((list) => objectsAt(pod, 'spec', list));
  return (
    containers.find((container) => container['name'] === event.container) ??
    containers.find((container) => Object.keys(objectAt(container, `${probeOf(event)}Probe`)).length > 0)
  );
}

/** `its liveness probe (GET /healthz)`, and how it fails. */
export function describeProbe(container: JsonObject | undefined, event: ObjectEvent): { what: string; answer: string } {
  const kind = probeOf(event);
  const probe = objectAt(container, `${kind}Probe`);
  const asks = question(probe);
  return { what: `${kind} probe${asks === '' ? '' : ` (${asks})`}`, answer: answerOf(event.message, probe) };
}

function question(probe: JsonObject): string {
  const path = stringAt(probe, 'httpGet', 'path');
  if (path !== undefined) return `GET ${path}`;
  const command = listAt(probe, 'exec', 'command').filter((word) => typeof word === 'string');
  if (command.length > 0) return command.join(' ').slice(0, 100);
  const port = probe['tcpSocket'] === undefined ? undefined : objectAt(probe, 'tcpSocket')['port'];
  return typeof port === 'number' || typeof port === 'string' ? `TCP port ${port}` : '';
}

/** The kubelet passes on what Go's network code says; what is behind it is one of three things most of the time. */
function answerOf(message: string, probe: JsonObject): string {
  const status = /HTTP probe failed with statuscode: (?<status>\d+)/.exec(message)?.groups?.['status'];
  if (status !== undefined) return `it answers with status ${status}`;
  const refused = /:(?<port>\d+): connect: connection refused/.exec(message)?.groups?.['port'];
  if (refused !== undefined) return `nothing is listening on port ${refused}`;
  if (/i\/o timeout|deadline exceeded|timed out|timeout: failed/i.test(message)) {
    return `no response within ${numberAt(probe, 'timeoutSeconds') ?? 1}s`;
  }
  const answer = message.replace(/^\w+ probe (?:failed|errored)(?: and resulted in unknown state)?: ?/, '');
  return answer.slice(0, maxAnswerLength);
}

/**
 * The probe for which the kubelet has killed the run of a container that started then (ms since the epoch), and since when it
 * has done so: it says it with an event "Killing". The container's own exit code tells nothing then.
 */
export function killedByProbe(
  container: JsonObject | undefined,
  events: readonly ObjectEvent[],
  startedAt: number,
): { what: string; answer: string; since: number } | undefined {
  const name = stringAt(container, 'name') ?? '';
  const killing = events.find(
    (event) =>
      event.reason === 'Killing' &&
      event.lastAt >= startedAt &&
      /^Container (?<name>\S+) failed (?:liveness|startup) probe/.exec(event.message)?.groups?.['name'] === name,
  );
  if (killing === undefined) return undefined;
  const kind = /(?<kind>liveness|startup) probe/.exec(killing.message)?.groups?.['kind'] ?? '';
  const unhealthy = events
    .filter((event) => event.reason === 'Unhealthy' && probeOf(event) === kind && (event.container ?? name) === name)
    .sort((left, right) => left.lastAt - right.lastAt)
    .at(-1);
  const probe = unhealthy === undefined ? { what: `${kind} probe`, answer: '' } : describeProbe(container, unhealthy);
  return { ...probe, since: killing.firstAt };
}
