import { numberAt, objectAt, objectsAt, stringAt, type JsonObject } from '../../base/json.ts';
import { saidAt } from '../../base/said.ts';
import { refOf, type KubernetesObject } from '../../kubernetes/object.ts';
import { podTemplatePath } from '../../manifests/pod-template.ts';
import { timeOf } from '../../kubernetes/conditions.ts';
import type { Cause } from '../verdict.ts';
import type { ObjectEvent } from './events.ts';
import { imageSign } from './image.ts';
import { killedByProbe, probeHint } from './probe.ts';
import { diagnostic, final, type Sign } from './sign.ts';
import { configSign, startSign, type Where } from './start.ts';

/** One crash at start is common (a database that is not up yet); the third start in a row tells. */
const crashesUntilFinal = 2;
/** With other pods of the version running well, more has to happen before one of them speaks for all. */
const crashesBesideHealthy = 4;

/** What the containers of a pod show; `events` are the pod's. `healthySiblings`: other pods of the same version are ready. */
export function containerSigns(
  pod: KubernetesObject,
  healthySiblings: boolean,
  events: readonly ObjectEvent[] = [],
): Sign[] {
  return ['initContainerStatuses', 'containerStatuses'].flatMap((list) =>
    objectsAt(pod, 'status', list).flatMap((status) =>
      signsOf(pod, status, list === 'initContainerStatuses', healthySiblings, events),
    ),
  );
}

/** The volume whose image a container waits for: the kubelet says it of the container (kubernetes KEP-4639). */
function imageVolumeIn(
  pod: KubernetesObject,
  message: string,
): { what: string; image: string; path: (string | number)[] } | undefined {
  return objectsAt(pod, 'spec', 'volumes')
    .map((volume, index) => ({
      what: `volume "${stringAt(volume, 'name') ?? ''}"`,
      image: stringAt(volume, 'image', 'reference') ?? '',
      path: ['volumes', index, 'image', 'reference'],
    }))
    .find(({ image }) => image !== '' && message.includes(`"${image}"`));
}

function signsOf(
  pod: KubernetesObject,
  status: JsonObject,
  isInit: boolean,
  healthySiblings: boolean,
  events: readonly ObjectEvent[],
): Sign[] {
  const name = stringAt(status, 'name') ?? '';
  const waiting = objectAt(status, 'state', 'waiting');
  const reason = stringAt(waiting, 'reason') ?? '';
  const message = saidAt(waiting, 'message') ?? '';
  const index = objectsAt(pod, 'spec', isInit ? 'initContainers' : 'containers').findIndex(
    (container) => container['name'] === name,
  );
  const container = objectsAt(pod, 'spec', isInit ? 'initContainers' : 'containers')[index];
  const image = stringAt(container, 'image') ?? stringAt(status, 'image') ?? '';
  const object = refOf(pod);
  const path = index === -1 ? [] : [isInit ? 'initContainers' : 'containers', index];

  const owner = imageVolumeIn(pod, message) ?? { what: `container "${name}"`, image, path: [...path, 'image'] };
  const pull = imageSign(reason, message, { ...owner, object });
  if (pull !== undefined) return [pull];
  const role = !isInit ? '' : stringAt(container, 'restartPolicy') === 'Always' ? 'sidecar ' : 'init ';
  const what = `${role}container "${name}"`;
  switch (reason) {
    case 'CreateContainerConfigError':
      return [configSign(what, message, { object, path })];
    case 'CreateContainerError':
    case 'RunContainerError':
    case 'StartError':
      return [startSign(what, reason, message, { object, path })];
    default:
      return crashSigns(pod, status, what, { object, path, container: name }, healthySiblings, (startedAt) =>
        killedByProbe(container, events, startedAt),
      );
  }
}

function crashSigns(
  pod: KubernetesObject,
  status: JsonObject,
  what: string,
  where: Where,
  healthySiblings: boolean,
  killedBy: (startedAt: number) => ReturnType<typeof killedByProbe>,
): Sign[] {
  const restarts = numberAt(status, 'restartCount') ?? 0;
  const ended = objectAt(status, 'state', 'terminated');
  const last = Object.keys(ended).length > 0 ? ended : objectAt(status, 'lastState', 'terminated');
  if (Object.keys(last).length === 0) return [];
  const isRunning = Object.keys(objectAt(status, 'state', 'running')).length > 0;
  const exitCode = numberAt(last, 'exitCode') ?? 0;
  const lastReason = stringAt(last, 'reason') ?? '';
  // A Job's pod or an init container is meant to end.
  if (
    exitCode === 0 &&
    Object.keys(ended).length > 0 &&
    (isInitEnded(pod, status) || stringAt(pod, 'spec', 'restartPolicy') !== 'Always')
  )
    return [];
  if (lastReason === 'ContainerCannotRun' || lastReason === 'StartError') {
    return [startSign(what, lastReason, saidAt(last, 'message') ?? '', where)];
  }
  if (isRunning && restarts < crashesUntilFinal) return [];
  const probe = killedBy(timeOf(stringAt(last, 'startedAt')) ?? 0);
  const since = probe?.since ?? timeOf(stringAt(last, 'finishedAt'));
  const cause: Cause = {
    ...where,
    ...describeEnd(what, lastReason, exitCode, restarts, probe),
    ...(since === undefined ? {} : { since }),
  };
  const limit = healthySiblings ? crashesBesideHealthy : crashesUntilFinal;
  const isLooping =
    stringAt(status, 'state', 'waiting', 'reason') === 'CrashLoopBackOff' || Object.keys(ended).length > 0;
  return [
    // A Job counts the tries of its pods itself, up to its backoffLimit; its pods are never to be restarted always.
    restarts >= limit && isLooping && (stringAt(pod, 'spec', 'restartPolicy') ?? 'Always') === 'Always'
      ? final(cause)
      : diagnostic(cause),
  ];
}

function isInitEnded(pod: KubernetesObject, status: JsonObject): boolean {
  return objectsAt(pod, 'status', 'initContainerStatuses').includes(status);
}

/** @param restarts how often the container was started again */
export function describeEnd(
  what: string,
  reason: string,
  exitCode: number,
  restarts: number,
  probe: ReturnType<typeof killedByProbe>,
): Pick<Cause, 'reason' | 'message' | 'topic' | 'hint'> {
  const times = restarts === 0 ? '' : restarts === 1 ? '1 restart' : `${restarts} restarts`;
  if (reason === 'OOMKilled') {
    return {
      reason: 'OOMKilled',
      message: `${what} was killed for exceeding its memory limit (OOMKilled, exit code ${exitCode}${times === '' ? '' : `, ${times}`})`,
      topic: `${what} exceeds its memory limit`,
      hint: 'Raise resources.limits.memory, or reduce its memory usage.',
    };
  }
  if (probe !== undefined) {
    const why = probe.answer === '' ? '' : `: ${probe.answer}`;
    return {
      reason: 'Unhealthy',
      message: `${what} is killed by its ${probe.what}${why}${times === '' ? '' : ` (${times})`}`,
      topic: `${what} is killed by its ${probe.what}${why}`,
      hint: probeHint,
    };
  }
  const ends = exitCode === 0 ? ['exited', 'keeps exiting'] : ['crashed', 'keeps crashing'];
  const explained = explainExitCode(exitCode);
  const counted = times === '' ? '' : `${explained === '' ? ',' : ';'} ${times}`;
  return {
    reason: 'CrashLoopBackOff',
    message: `${what} ${ends[restarts === 0 ? 0 : 1] ?? ''} (exit code ${exitCode}${explained}${counted})`,
    topic: `${what} ends with exit code ${exitCode}${explained}`,
    hint: exitCode === 0 ? 'Its program has to keep running: check its command.' : 'Check the last lines of its log.',
  };
}

function explainExitCode(code: number): string {
  const known: Readonly<Record<number, string>> = {
    0: ': its program has finished',
    126: ': its program is not executable',
    127: ': its program was not found',
    134: ': SIGABRT, it aborted',
    137: ': SIGKILL, often a failing liveness probe or lack of memory',
    139: ': SIGSEGV, invalid memory access',
    143: ': SIGTERM, often a failing liveness probe',
  };
  return known[code] ?? (code > 128 && code < 160 ? `: signal ${code - 128}` : '');
}

/** The path of a field of a pod's container in the workload that made the pod. */
export function pathInWorkload(workload: KubernetesObject, path: (string | number)[]): (string | number)[] {
  return [...(podTemplatePath(workload) ?? []), 'spec', ...path];
}
