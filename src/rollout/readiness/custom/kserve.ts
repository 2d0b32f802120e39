import { numberAt, objectAt, objectsAt, stringAt } from '../../../base/json.ts';
import { saidAt } from '../../../base/said.ts';
import { condition } from '../../../kubernetes/conditions.ts';
import type { KubernetesObject } from '../../../kubernetes/object.ts';
import type { Verdict } from '../../verdict.ts';
import { deployment } from '../deployment.ts';
import { failed, progressing, ready, troubled, unchecked, type Child, type Facts, type Rule } from '../rule.ts';
import { directChildren, judgeChildren, quietAfter } from './children.ts';
import { waitingFor, type Failing } from './conditions.ts';
import { knativeChildren, knativeService } from './knative.ts';
import { leaderWorkerSet } from './leader-worker-set.ts';
import { acceptSlow } from './patience.ts';
import { isAsBefore, lastingFailureOf, staleGraceMs } from './stale.ts';

const group = 'serving.kserve.io';

/** In Standard mode Deployments, in Knative mode Knative Services with all that they make. */
const served: readonly Child[] = [{ apiVersion: 'serving.knative.dev/v1', kind: 'Service' }, ...knativeChildren];

export const inferenceService: Rule = {
  kinds: [{ kind: 'InferenceService', group }],
  ready:
    'its Deployments or Knative Services are ready by their own rules, its components, IngressReady and Ready are True, its model is up to date, each canary is ready, and its status has stayed so for 3 s (15 s where nothing shows that KServe has seen the change); its observedGeneration is not looked at; one that is stopped is accepted',
  failed:
    'its Deployment or Knative Service has failed, its spec is invalid (at once; 30 s while its serving runtime is missing), or its model has failed to load for 60 s',
  source:
    'kserve pkg/apis/serving/v1beta1/inference_service_status.go; kserve#6081 for its observedGeneration, #4626 for a Ready that stays',
  children: served,
  runsPods: true,
  judge: judgeService,
};

export const inferenceGraph: Rule = {
  kinds: [{ kind: 'InferenceGraph', group }],
  ready:
    'its Deployment or Knative Service is ready by its own rule, Ready is True, and its status has stayed so for 3 s (15 s where nothing shows that KServe has seen the change)',
  failed: 'its Deployment or Knative Service has failed',
  source:
    'kserve pkg/controller/v1alpha1/inferencegraph: with a Deployment its Ready is True once that has a condition Available, whatever it says',
  children: served,
  runsPods: true,
  judge: (object, facts) => judgeServed(object, facts, ['Ready']) ?? settledServed(object, facts, 'graph ready'),
};

export const llmInferenceService: Rule = {
  kinds: [{ kind: 'LLMInferenceService', group }],
  ready:
    'its Deployments and LeaderWorkerSets are ready by their own rules, PresetsCombined, WorkloadsReady, RouterReady and Ready are True, and its status has stayed so for 3 s (15 s where nothing shows that KServe has seen the change)',
  failed:
    'one of its Deployments has failed, or PresetsCombined is False for 30 s (ConfigNotFound, CombineBaseError, InvalidRenderedConfig), said after this write',
  source: 'kserve pkg/apis/serving/v1alpha2/llm_inference_service_lifecycle.go; it keeps no observedGeneration',
  children: [
    { apiVersion: 'apps/v1', kind: 'Deployment' },
    { apiVersion: 'apps/v1', kind: 'StatefulSet' },
    { apiVersion: 'leaderworkerset.x-k8s.io/v1', kind: 'LeaderWorkerSet' },
  ],
  runsPods: true,
  judge: judgeLlm,
};

export const localModelCache: Rule = {
  kinds: ['LocalModelCache', 'LocalModelNamespaceCache'].map((kind) => ({ kind, group })),
  ready:
    'each ready node of its groups has the model, and its status has stayed so for 10 s; accepted after 60 s without any node, since one may come with the first pod',
  failed: 'a node has failed to download the model for 60 s',
  source: 'kserve pkg/apis/serving/v1alpha1/local_model_cache_status.go; it keeps no observedGeneration',
  judge: judgeCache,
};

const runtimeGraceMs = 30_000;
const loadGraceMs = 60_000;
const presetsGraceMs = 30_000;
const downloadGraceMs = 60_000;
const cacheQuietMs = 10_000;
const nodesMs = 60_000;

function judgeService(object: KubernetesObject, facts: Facts): Verdict {
  if (object.metadata.annotations?.['serving.kserve.io/stop'] === 'true') {
    return condition(object, 'Stopped')?.status === 'True'
      ? unchecked('stopped by its annotation serving.kserve.io/stop')
      : progressing('stopping');
  }
  const failure = modelFailure(object, facts);
  if (failure !== undefined) return failure;
  const parts = ['transformer', 'explainer'].filter((part) => part in objectAt(object, 'spec'));
  const types = ['predictor', ...parts].map((part) => `${part.charAt(0).toUpperCase()}${part.slice(1)}Ready`);
  const waiting = judgeServed(object, facts, [...types, 'IngressReady', 'Ready']) ?? waitingForModel(object, facts);
  if (waiting !== undefined) return waiting;
  return settledServed(object, facts, `${['predictor', ...parts].join(', ')} ready${canaries(object)}`);
}

/** What is still to be waited for of what KServe has made, and then of these conditions. */
function judgeServed(object: KubernetesObject, facts: Facts, types: readonly string[]): Verdict | undefined {
  const verdict = judgeChildren(servedBy(object, facts) ?? [], facts, [deployment, knativeService]);
  if (verdict !== undefined) return verdict;
  for (const type of types) {
    const found = condition(object, type);
    if (found?.status !== 'True') return waitingFor(type, found);
  }
  return undefined;
}

function settledServed(object: KubernetesObject, facts: Facts, message: string): Verdict {
  return { ...ready(message), quietMs: quietAfter(servedBy(object, facts), facts) };
}

function servedBy(object: KubernetesObject, facts: Facts): KubernetesObject[] | undefined {
  return directChildren(object, facts, [...deployment.kinds, ...knativeService.kinds]);
}

/** Only one pod is looked at for the state of the model, and it may be one of the version before: what was so before tells nothing. */
function modelFailure(object: KubernetesObject, facts: Facts): Verdict | undefined {
  const status = objectAt(object, 'status', 'modelStatus');
  const info = objectAt(status, 'lastFailureInfo');
  const said = saidAt(info, 'message') ?? '';
  const isStale = isAsBefore(object, facts, 'status', 'modelStatus');
  if (status['transitionStatus'] === 'InvalidSpec') {
    const reason = stringAt(info, 'reason') ?? 'InvalidSpec';
    const message = `its spec is invalid${said === '' ? '' : `: ${said}`}`;
    const lacksRuntime = ['NoSupportingRuntime', 'RuntimeNotRecognized'].includes(reason);
    const hint = lacksRuntime
      ? 'Name a serving runtime that exists and supports the model.'
      : 'Fix what the message says.';
    if (isStale) return troubled(object, staleGraceMs, { reason, message, hint });
    // It may be applied a moment later.
    return lacksRuntime
      ? troubled(object, runtimeGraceMs, { reason, message, hint })
      : failed(object, reason, message, hint);
  }
  const isBlocked =
    status['transitionStatus'] === 'BlockedByFailedLoad' ||
    stringAt(status, 'states', 'targetModelState') === 'FailedToLoad';
  if (!isBlocked || isStale) return undefined;
  const exitCode = numberAt(info, 'exitCode') ?? 0;
  const message = `its model failed to load${said === '' ? '' : `: ${said}`}${exitCode === 0 ? '' : ` (exit code ${exitCode})`}`;
  const hint = 'Check storageUri, the credentials to read it, and the log of the pod.';
  return troubled(object, loadGraceMs, { reason: stringAt(info, 'reason') ?? 'ModelLoadFailed', message, hint });
}

function waitingForModel(object: KubernetesObject, facts: Facts): Verdict | undefined {
  const status = objectAt(object, 'status');
  const transition = stringAt(status, 'modelStatus', 'transitionStatus') ?? '';
  const state = stringAt(status, 'modelStatus', 'states', 'targetModelState') ?? '';
  if (transition !== '' && transition !== 'UpToDate' && !(state === 'Pending' && isScaledToZero(object, facts)))
    return progressing(`its model is not up to date yet${state === '' ? '' : `: ${state}`}`);
  for (const [name, component] of Object.entries(objectAt(status, 'components'))) {
    const created = stringAt(component, 'latestCreatedRevision') ?? '';
    const newest = stringAt(component, 'latestReadyRevision') ?? '';
    if (created !== newest) return progressing(`revision "${created}" of its ${name} is not ready yet`);
  }
  const waiting = objectsAt(status, 'canaryStatuses').find((canary) => canary['ready'] !== true);
  return waiting === undefined
    ? undefined
    : progressing(`its canary "${stringAt(waiting, 'name') ?? ''}" is not ready yet`);
}

/** Without a pod there is no model whose state could be told (KServe's PropagateModelStatus). */
function isScaledToZero(object: KubernetesObject, { descendants }: Facts): boolean {
  const revisions = Object.values(objectAt(object, 'status', 'components')).map((component) => [
    stringAt(component, 'latestCreatedRevision') ?? '',
    stringAt(component, 'latestReadyRevision') ?? '',
  ]);
  return (
    numberAt(object, 'spec', 'predictor', 'minReplicas') === 0 &&
    descendants?.every(({ kind }) => kind !== 'Pod') === true &&
    revisions.length > 0 &&
    revisions.every(([created, newest]) => created !== '' && created === newest)
  );
}

/** `; canary "v2" gets 10 %` */
function canaries(object: KubernetesObject): string {
  return objectsAt(object, 'status', 'canaryStatuses')
    .map((one) => `; canary "${stringAt(one, 'name') ?? ''}" gets ${numberAt(one, 'trafficPercent') ?? 0} %`)
    .join('');
}

const presets: Failing = {
  type: 'PresetsCombined',
  reasons: ['ConfigNotFound', 'CombineBaseError', 'InvalidRenderedConfig'],
  graceMs: presetsGraceMs,
  hint: 'Fix what the message says in the LLMInferenceServiceConfig that it names, or in the manifest.',
};

function judgeLlm(object: KubernetesObject, facts: Facts): Verdict {
  const failure = lastingFailureOf(object, facts, [presets]);
  if (failure !== undefined) return failure;
  const rules = [deployment, leaderWorkerSet];
  const children = directChildren(
    object,
    facts,
    rules.flatMap(({ kinds }) => kinds),
  );
  const verdict = judgeChildren(children ?? [], facts, rules);
  if (verdict !== undefined) return verdict;
  for (const type of ['PresetsCombined', 'WorkloadsReady', 'RouterReady', 'Ready']) {
    const found = condition(object, type);
    if (found?.status !== 'True') return waitingFor(type, found);
  }
  const degraded = condition(object, 'GroupDegraded');
  const note = degraded?.status === 'True' ? `; members of its group are missing: ${degraded.message}` : '';
  return { ...ready(`workloads and router ready${note}`), quietMs: quietAfter(children, facts) };
}

function judgeCache(object: KubernetesObject, facts: Facts): Verdict {
  const nodes = Object.entries(objectAt(object, 'status', 'nodeStatus'));
  const total = numberAt(object, 'status', 'copies', 'total') ?? 0;
  const available = numberAt(object, 'status', 'copies', 'available') ?? 0;
  const broken = nodes.filter(([, state]) => state === 'NodeDownloadError').map(([name]) => `"${name}"`);
  const done = `model on ${available} of ${total} nodes`;
  if (broken.length > 0 || (numberAt(object, 'status', 'copies', 'failed') ?? 0) > 0) {
    const where = broken.length === 0 ? '' : ` on ${broken.join(', ')}`;
    return troubled(object, downloadGraceMs, {
      reason: 'NodeDownloadError',
      message: `the download of the model failed${where}`,
      hint: 'Check the log of its download Job, sourceModelUri, and the free disk space on the nodes.',
    });
  }
  // A pool that scales from 0 has a node once a pod wants one.
  if (total === 0)
    return acceptSlow(progressing('waiting for the nodes of its groups'), facts, nodesMs, 'not downloaded yet');
  const absent = nodes.filter(([, state]) => state === 'NodeNotReady').length;
  if (available + absent < total || available === 0) return progressing(done);
  const note = absent === 0 ? '' : `; ${absent === 1 ? '1 node is' : `${absent} nodes are`} not ready`;
  return { ...ready(`${done}${note}`), quietMs: cacheQuietMs };
}
