import { load } from 'js-yaml';

import {
  booleanAt,
  isObject,
  numberAt,
  objectAt,
  objectsAt,
  stringAt,
  type Json,
  type JsonObject,
} from '../../../base/json.ts';
import { remembered } from '../../../base/remembered.ts';
import { saidAt } from '../../../base/said.ts';
import { condition, conditionsOf, isTrue, timeOf } from '../../../kubernetes/conditions.ts';
import type { KubernetesObject } from '../../../kubernetes/object.ts';
import type { Verdict } from '../../verdict.ts';
import {
  failed,
  heldBack,
  isObserved,
  isSince,
  notObserved,
  pods,
  progressing,
  ready,
  troubled,
  type Accepted,
  type Child,
  type Facts,
  type Progressing,
  type Rule,
} from '../rule.ts';
import { suspended } from '../suspended.ts';
import { changesTemplate } from '../template-change.ts';
import { keptPods } from '../kept-pods.ts';
import { waitingFor } from './conditions.ts';
import { countPods, countPodsOfService } from './ray-pods.ts';
import { isAsBefore, staleGraceMs } from './stale.ts';

const group = 'ray.io';
const cluster: Child = { apiVersion: 'ray.io/v1', kind: 'RayCluster' };

export const rayService: Rule = {
  kinds: [{ kind: 'RayService', group }],
  ready:
    'the change is observed, no cluster is pending, no upgrade or rollback is in progress, Ready is True, each application of serveConfigV2 is RUNNING, and this has stayed so for 5 s (with incremental upgrades: 15 s have passed since the write); said to be held back where its upgradeStrategy is None and its RayCluster is not what it wants, also when that was written before; one that is suspended is accepted, in a queue of Kueue once it has waited there for 15 s',
  failed:
    'its validation has failed, or its initializing timeout is over (at once); an application is DEPLOY_FAILED or UNHEALTHY, for 60 s; its RayCluster cannot make pods, for 30 s; it has no serve endpoint any more, for 120 s',
  source:
    'kuberay ray-operator/controllers/ray/rayservice_controller.go: Ready says only that an endpoint serves, and a failed validation leaves the observed generation as it is',
  children: [cluster],
  runsPods: true,
  judge: judgeService,
};

export const rayCluster: Rule = {
  kinds: [{ kind: 'RayCluster', group }],
  ready:
    'HeadPodReady and RayClusterProvisioned are True and as many workers are ready as are desired, and this has stayed so for 3 s (15 s where its observedGeneration stays behind); said to be held back as long as pods of it are older than what it wants of them, also when that was written before; one that is suspended is accepted, in a queue of Kueue once it has waited there for 15 s',
  failed: 'ReplicaFailure is True for 30 s',
  source:
    'kuberay ray-operator/controllers/ray/utils/consistency.go: a new generation alone does not update the status; RayClusterProvisioned stays True once it is',
  runsPods: true,
  judge: judgeCluster,
};

export const rayJob: Rule = {
  kinds: [{ kind: 'RayJob', group }],
  ready:
    'its deployment is Complete and its job has SUCCEEDED; one that is suspended is accepted, in a queue of Kueue once it has waited there for 15 s',
  failed: 'its deployment is Failed or ValidationFailed, or its job was STOPPED or has FAILED',
  source: 'kuberay ray-operator/apis/ray/v1/rayjob_types.go; a job that is over is not run again by a change',
  children: [cluster, { apiVersion: 'batch/v1', kind: 'Job' }],
  runsPods: true,
  judge: judgeJob,
};

/** A change of the configuration alone is made in place: the applications of before may show as RUNNING once more. */
const serveQuietMs = 5000;
/** With incremental upgrades the status is written again every 2 s, so that it is never quiet. */
const serveSettleMs = 15_000;
const applicationGraceMs = 60_000;
const endpointsGraceMs = 120_000;
const replicaGraceMs = 30_000;
const clusterQuietMs = 3000;
const unobservedQuietMs = 15_000;

function judgeService(object: KubernetesObject, facts: Facts): Verdict {
  const failure = serviceFailure(object, facts);
  if (failure !== undefined) return failure;
  if (!isObserved(object, facts)) return notObserved;
  if (booleanAt(object, 'spec', 'suspend') === true)
    return isTrue(object, 'Suspended') ? suspended(object) : progressing('suspending');
  const [active, pending] = ['activeServiceStatus', 'pendingServiceStatus'].map((side) =>
    objectAt(object, 'status', side),
  );
  const isGoingBack = isTrue(object, 'RollbackInProgress');
  const next = stringAt(pending, 'rayClusterName') ?? '';
  const isMoving = next !== '' || isGoingBack || isTrue(object, 'UpgradeInProgress');
  const side = (next === '' ? active : pending) ?? {};
  const verdict = isMoving
    ? progressing(describeMove(active ?? {}, side, isGoingBack))
    : judgeActive(object, side, facts);
  if (verdict.state !== 'progressing') return verdict;
  const trouble = applicationTrouble(object, side) ?? clusterTrouble(facts, stringAt(side, 'rayClusterName') ?? '');
  return trouble === undefined ? verdict : { ...trouble, message: verdict.message };
}

/** What it says of itself that waiting does not heal. */
function serviceFailure(object: KubernetesObject, facts: Facts): Verdict | undefined {
  const found = condition(object, 'Ready');
  if (found?.status !== 'False') return undefined;
  const { reason, message } = found;
  // It is looked at no more after that, whatever is written.
  if (reason === 'InitializingTimeout')
    return failed(object, reason, message, 'Delete the RayService and deploy again: it cannot recover.');
  // A validation that fails leaves the generation as it was; one that succeeds leaves this reason until an endpoint serves.
  if (reason !== 'ValidationFailed' || isObserved(object, facts)) return undefined;
  const hint = 'Fix what the message says in the manifest.';
  const isNew = !facts.changed || isSince(timeOf(stringAt(object, 'status', 'lastUpdateTime')), facts);
  return isNew ? failed(object, reason, message, hint) : troubled(object, staleGraceMs, { reason, message, hint });
}

function judgeActive(object: KubernetesObject, active: JsonObject, facts: Facts): Verdict {
  const found = condition(object, 'Ready');
  if (found?.reason === 'ZeroServeEndpoints') {
    const { reason, message } = found;
    const hint = 'Check the logs of its Ray pods and the status of its Serve applications.';
    return troubled(object, endpointsGraceMs, { reason, message, hint });
  }
  // KubeRay before 1.3 sets no conditions.
  const isServing =
    conditionsOf(object).length === 0
      ? stringAt(object, 'status', 'serviceStatus') === 'Running'
      : found?.status === 'True';
  if (!isServing) return waitingFor('Ready', found);
  const states = statesOf(active);
  const wanted = wantedApplications(object) ?? [...states.keys()];
  const running = wanted.filter((name) => states.get(name) === 'RUNNING');
  const message = `${running.length} of ${wanted.length === 1 ? '1 application' : `${wanted.length} applications`} running`;
  if (running.length < wanted.length || states.size === 0) return progressing(`${message}${others(states)}`);
  const upgrade = stringAt(object, 'spec', 'upgradeStrategy', 'type');
  const isIncremental = ['trafficRoutedPercent', 'targetCapacity'].some((field) => field in active);
  return {
    ...(upgrade === 'None' ? keptByService(object, active, message, facts) : ready(message)),
    ...(isIncremental ? { sinceWriteMs: serveSettleMs } : { quietMs: serveQuietMs }),
  };
}

/** Ready; held back where pods of its cluster are not what it wants them to be. */
function keptByService(object: KubernetesObject, active: JsonObject, message: string, facts: Facts): Accepted {
  const why = 'its upgradeStrategy is None: a change of rayClusterConfig has no effect';
  const counted = countPodsOfService(object, stringAt(active, 'rayClusterName') ?? '', facts);
  if (counted === undefined) {
    const told = `${message}; ${why}`;
    return changesTemplate(facts) ? heldBack('ready', why, told) : ready(told);
  }
  if (counted.old === 0) return ready(`${message}; ${why}`);
  const held = `${why}: ${counted.all - counted.old} of ${pods(counted.all)} updated`;
  return heldBack('ready', held, `${message}; ${held}`);
}

/** `moving to RayCluster "web-b": 50 % of traffic, capacity 100 %; application "llm" is DEPLOYING` */
function describeMove(active: JsonObject, side: JsonObject, isGoingBack: boolean): string {
  const what = (stringAt(active, 'rayClusterName') ?? '') === '' ? 'starting' : 'moving to';
  const numbers = [
    { value: numberAt(side, 'trafficRoutedPercent'), is: (value: number) => `${value} % of traffic` },
    { value: numberAt(side, 'targetCapacity'), is: (value: number) => `capacity ${value} %` },
  ].flatMap(({ value, is }) => (value === undefined ? [] : is(value)));
  const name = stringAt(side, 'rayClusterName') ?? '';
  const moving = isGoingBack ? 'rolling back' : `${what} RayCluster "${name}"`;
  return `${moving}${numbers.length === 0 ? '' : `: ${numbers.join(', ')}`}${others(statesOf(side))}`;
}

/** Of the applications of one cluster: `RUNNING`, `DEPLOYING`, `DEPLOY_FAILED`, … by name. */
function statesOf(side: JsonObject): Map<string, string> {
  return new Map(
    Object.entries(objectAt(side, 'applicationStatuses')).map(([name, one]) => [name, stringAt(one, 'status') ?? '']),
  );
}

/** Their messages say more. */
const broken: readonly string[] = ['DEPLOY_FAILED', 'UNHEALTHY'];

/** `; application "llm" is DEPLOYING` */
function others(states: ReadonlyMap<string, string>): string {
  return [...states]
    .filter(([, state]) => state !== 'RUNNING' && !broken.includes(state))
    .map(([name, state]) => `; application "${name}" is ${state}`)
    .join('');
}

/** The names of the applications in its `serveConfigV2`; undefined where it cannot be read. */
function wantedApplications(object: KubernetesObject): readonly string[] | undefined {
  return applicationsIn(stringAt(object, 'spec', 'serveConfigV2') ?? '');
}

/** An object is looked at twice a second, and its text is long: the last few that were parsed are kept. */
export const applicationsIn = remembered(8, (text: string): readonly string[] | undefined => {
  try {
    const config = load(text) as Json;
    if (!isObject(config)) return undefined;
    return objectsAt(config, 'applications').map((one) => stringAt(one, 'name') ?? 'default');
  } catch {
    return undefined;
  }
});

function applicationTrouble(object: KubernetesObject, side: JsonObject): Progressing | undefined {
  for (const [name, one] of Object.entries(objectAt(side, 'applicationStatuses'))) {
    const reason = stringAt(one, 'status') ?? '';
    if (!broken.includes(reason)) continue;
    const said = (saidAt(one, 'message') ?? '').trim();
    const message = `application "${name}" is ${reason}${said === '' ? '' : `: ${said}`}`;
    const hint = 'Fix what the message says; the log of the head pod has the rest.';
    return troubled(object, applicationGraceMs, { reason, message, hint });
  }
  return undefined;
}

function clusterTrouble({ descendants }: Facts, name: string): Progressing | undefined {
  const child = descendants?.find(({ kind, metadata }) => kind === cluster.kind && metadata.name === name);
  return child === undefined ? undefined : replicaFailure(child);
}

/** It is taken away as soon as the pods are made, so that it is never old. */
function replicaFailure(object: KubernetesObject): Progressing | undefined {
  const found = condition(object, 'ReplicaFailure');
  if (found?.status !== 'True') return undefined;
  const { reason, message } = found;
  return troubled(object, replicaGraceMs, { reason, message, hint: 'Fix what the message says.' });
}

function judgeCluster(object: KubernetesObject, facts: Facts): Verdict {
  if (booleanAt(object, 'spec', 'suspend') === true)
    return isTrue(object, 'RayClusterSuspended') ? suspended(object) : progressing('suspending');
  const failure = replicaFailure(object);
  if (failure !== undefined) return failure;
  const wanted = numberAt(object, 'status', 'desiredWorkerReplicas') ?? 0;
  const workers = numberAt(object, 'status', 'readyWorkerReplicas') ?? 0;
  // Operators before 1.3 set no conditions.
  const hasConditions = objectsAt(object, 'status', 'conditions').length > 0;
  if (!hasConditions && stringAt(object, 'status', 'state') !== 'ready')
    return progressing('its state is not ready yet');
  for (const type of hasConditions ? ['HeadPodReady', 'RayClusterProvisioned'] : []) {
    const found = condition(object, type);
    if (found?.status !== 'True') return waitingFor(type, found);
  }
  const message = `head and ${workers} of ${wanted} workers ready`;
  if (workers < wanted) return progressing(message);
  return {
    ...keptByCluster(object, message, facts),
    quietMs: isObserved(object, facts) ? clusterQuietMs : unobservedQuietMs,
  };
}

/** Ready; held back where pods of it are older than what it wants: most changes of a RayCluster are for new pods only. */
function keptByCluster(object: KubernetesObject, message: string, facts: Facts): Accepted {
  if (stringAt(object, 'spec', 'upgradeStrategy', 'type') === 'Recreate') return ready(message);
  const { all, old } = countPods(object, facts) ?? { all: 0, old: 0 };
  if (old === 0) return ready(message);
  const { held, told } = keptPods('KubeRay replaces no pods', all - old, all);
  return heldBack('ready', held, `${message}; ${told}`);
}

function judgeJob(object: KubernetesObject, facts: Facts): Verdict {
  const status = objectAt(object, 'status');
  const state = stringAt(status, 'jobDeploymentStatus') ?? '';
  const job = stringAt(status, 'jobStatus') ?? '';
  const reason = stringAt(status, 'reason') ?? '';
  const said = saidAt(status, 'message') ?? '';
  const cause = { reason: reason === '' ? state : reason, message: said === '' ? state : said };
  switch (state) {
    case 'ValidationFailed': {
      const hint = 'Fix what the message says in the manifest.';
      return isAsBefore(object, facts, 'status')
        ? troubled(object, staleGraceMs, { ...cause, hint })
        : failed(object, cause.reason, cause.message, hint);
    }
    case 'Failed':
      return failed(
        object,
        cause.reason,
        `failed: ${cause.message}`,
        'Check the log of its job, then delete it and deploy again.',
      );
    case 'Complete':
      if (job === 'SUCCEEDED') return ready('succeeded');
      return failed(object, job, `its job is ${job}${said === '' ? '' : `: ${said}`}`, 'Check the log of its job.');
    case 'Suspended':
      return booleanAt(object, 'spec', 'suspend') === true ? suspended(object) : progressing('resuming');
    case '':
      return notObserved;
    default:
      return progressing(`${state.toLowerCase()}${job === '' ? '' : `; its job is ${job}`}`);
  }
}
