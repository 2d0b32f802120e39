import { formatDuration } from '../base/clock.ts';
import { refOf, type KubernetesObject } from '../kubernetes/object.ts';
import { eventsOf, type ObjectEvent } from './failures/events.ts';
import { describeLogProgress } from './stages/log-progress.ts';
import { othersTook } from './stages/others.ts';
import { stageOf, type LogsSeen, type Stage } from './stages/stage.ts';
import type { Cause } from './verdict.ts';

/** What a pod of the new version is busy with: all is well while it lasts, and it is the cause when time runs out over it. */
export interface Work
  extends
    Required<Pick<Cause, 'reason' | 'message' | 'topic' | 'hint' | 'object'>>,
    Pick<Cause, 'container' | 'since'> {
  stage: Stage;
}

/** So that a slow start is told from a hang: of each pod that has something to say. */
export function worksOf(
  pods: readonly KubernetesObject[],
  events: readonly ObjectEvent[],
  now: number,
  logs?: LogsSeen,
): Work[] {
  return pods.flatMap((pod) => {
    const stage = stageOf(pod, eventsOf(pod, events), logs);
    const work = stage === undefined ? undefined : workAt(stage, now);
    if (stage === undefined || work === undefined) return [];
    return { ...work, topic: `stage ${stage.name}`, object: refOf(pod), stage };
  });
}

const mostTold = 3;

/**
 * Those that are worth telling, the first pod's first: one pod for each stage, with what the stage took elsewhere.
 * @param all the pods of the workload, of whatever version
 */
export function tellWorks(
  works: readonly Work[],
  all: readonly KubernetesObject[],
  events: readonly ObjectEvent[],
): Work[] {
  const distinct = [...new Map(works.toReversed().map((work) => [work.topic, work])).values()].toReversed();
  return distinct.slice(0, mostTold).map((work) => {
    const others = all.filter(({ metadata }) => metadata.name !== work.object.name);
    return { ...work, message: `${work.message}${othersTook(work.stage, others, events)}` };
  });
}

/** `pod web-a: …; pod web-b: …` */
export function describeWorks(works: readonly Work[]): string {
  return works.map(({ object, message }) => `pod ${object.name}: ${message}`).join('; ');
}

type PodWork = Omit<Work, 'object' | 'topic' | 'stage'>;

const raise = 'raise the input "timeout" if it just needs more time';

/** Undefined for stages of which the signs of failure tell more. */
function workAt(stage: Stage, now: number): PodWork | undefined {
  const { container, since } = stage;
  const base = {
    ...(since === undefined ? {} : { since }),
    ...(container === undefined ? {} : { container: container.name }),
  };
  const time = formatDuration(Math.max(0, now - (since ?? now)));
  switch (stage.name) {
    case 'queue':
    case 'node':
      return undefined;
    case 'volumes':
      return {
        ...base,
        reason: 'ContainerCreating',
        message: `mounting its volumes for ${time}`,
        hint: `Check the events of the pod and of its claims; ${raise}.`,
      };
    case 'image':
      return {
        ...base,
        reason: 'Pulling',
        message: `pulling image "${stage.image ?? ''}" for ${time}`,
        hint: `Make the image smaller or pre-pull it on the nodes; ${raise}.`,
      };
    default:
      return { ...base, ...containerWork(stage, time, now) };
  }
}

function containerWork(stage: Stage, time: string, now: number): Pick<Work, 'reason' | 'message' | 'hint'> {
  const { name: stageName, container, progress } = stage;
  const name = container?.name ?? '';
  const what = `${container?.kind === 'main' ? '' : `${container?.kind ?? ''} `}container "${name}"`;
  if (container?.kind === 'init') {
    return {
      reason: 'ContainersNotInitialized',
      message:
        progress === undefined
          ? `${what} has been running for ${time}, and the other containers wait for it`
          : `${what} has been loading weights for ${time}${figures(stage)}`,
      hint: `Check its log for what it is waiting for; ${raise}.`,
    };
  }
  const reason = 'ContainersNotReady';
  if (progress !== undefined && (stageName === 'weights' || stageName === 'compile')) {
    const does = stageName === 'weights' ? 'loading weights' : 'compiling and warming up its model';
    return {
      reason,
      message: `${what} has been ${does} for ${time}${figures(stage)}`,
      hint: `Check its log; ${raise}.`,
    };
  }
  const running = formatDuration(Math.max(0, now - (container?.startedAt ?? now)));
  if (container?.allowedMs !== undefined) {
    return {
      reason,
      message: `${what} has been starting for ${running}; its startup probe allows ${formatDuration(container.allowedMs)}`,
      hint: `Check its log; ${raise}.`,
    };
  }
  return {
    reason,
    message: `${what} has been running for ${running}, but is not ready yet`,
    hint: `Check its log and its readiness probe; ${raise}.`,
  };
}

/** `: 40 %, 2 of 5 shards` */
function figures({ progress }: Stage): string {
  const told = progress === undefined ? '' : describeLogProgress(progress);
  return told === '' ? '' : `: ${told}`;
}
