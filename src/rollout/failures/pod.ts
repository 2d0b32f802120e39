import { numberAt, stringAt } from '../../base/json.ts';
import { condition, timeOf } from '../../kubernetes/conditions.ts';
import { refOf, type KubernetesObject } from '../../kubernetes/object.ts';
import { lastingStatuses } from '../lasting-statuses.ts';
import { containerSigns } from './container.ts';
import { endedSigns, isEvicted } from './ended.ts';
import type { ObjectEvent } from './events.ts';
import { readinessGateSigns } from './gates.ts';
import { describeProbe, probedContainer, probeHint } from './probe.ts';
import { sandboxSigns } from './sandbox.ts';
import { schedulingSigns } from './scheduling.ts';
import { diagnostic, startSign, type Sign } from './sign.ts';
import { type Graces, defaultGraces } from './graces.ts';

const probesUntilTold = 3;

/** All that a pod of the new version shows. What the containers of ending and evicted pods show says nothing about it. */
export function podSigns(
  pod: KubernetesObject,
  events: readonly ObjectEvent[],
  healthySiblings: boolean,
  now: number,
  graces: Graces = defaultGraces,
): Sign[] {
  if (pod.metadata.deletionTimestamp !== undefined) return [];
  if (isEvicted(pod)) return endedSigns(pod);
  return [
    ...containerSigns(pod, healthySiblings, events),
    ...schedulingSigns(pod, events, now, graces),
    ...events
      .filter(({ kind }) => kind === 'Pod')
      .flatMap((event) => [...sandboxSigns(pod, event), ...probeSigns(pod, event)]),
    ...readinessGateSigns(pod, now),
    ...endedSigns(pod),
  ];
}

function probeSigns(pod: KubernetesObject, event: ObjectEvent): Sign[] {
  // A server needs a moment to listen: its first failing probes say nothing.
  if (event.reason !== 'Unhealthy' || isReadyPod(pod) || event.count < probesUntilTold) return [];
  const container = probedContainer(pod, event);
  const name = stringAt(container, 'name') ?? '';
  const { what, answer } = describeProbe(container, event);
  const cause = {
    reason: event.reason,
    object: refOf(pod),
    since: event.firstAt,
    message: `container "${name}": its ${what} fails: ${answer}`,
    hint: probeHint,
    path: ['containers'],
    container: name,
  };
  const startedAt = firstStart(pod, name);
  return [startedAt === undefined ? diagnostic(cause) : startSign(cause, startedAt)];
}

/** When a container was started, milliseconds since the epoch; undefined for one that does not run, or not for the first time. */
function firstStart(pod: KubernetesObject, name: string): number | undefined {
  const { status } = lastingStatuses(pod).find((each) => each.name === name) ?? {};
  return numberAt(status, 'restartCount') === 0 ? timeOf(stringAt(status, 'state', 'running', 'startedAt')) : undefined;
}

export function isReadyPod(pod: KubernetesObject): boolean {
  return condition(pod, 'Ready')?.status === 'True';
}
