import { stringAt } from '../../../base/json.ts';
import { condition } from '../../../kubernetes/conditions.ts';
import type { KubernetesObject } from '../../../kubernetes/object.ts';
import type { Verdict } from '../../verdict.ts';
import { deployment } from '../deployment.ts';
import { job } from '../job.ts';
import { notObserved, progressing, ready, troubled, type Facts, type Rule } from '../rule.ts';
import { statefulSet } from '../stateful-set.ts';
import { directChildren, judgeChildren, quietAfter } from './children.ts';
import { waitingFor, type Failing } from './conditions.ts';
import { inferenceService } from './kserve.ts';
import { knativeChildren } from './knative.ts';
import { leaderWorkerSet } from './leader-worker-set.ts';
import { lastingFailureOf } from './stale.ts';

const group = 'apps.nvidia.com';

export const nimService: Rule = {
  kinds: [{ kind: 'NIMService', group }],
  ready:
    'what it runs in (Deployment, StatefulSet, LeaderWorkerSet or InferenceService) is ready by its own rule, its state is Ready, and its status has stayed so for 3 s (15 s where nothing shows that its operator has seen the change)',
  failed: 'what it runs in has failed, or Failed is True for 30 s (60 s while its NIMCache is not found)',
  source:
    'NVIDIA/k8s-nim-operator internal/conditions: the types that are written are Ready and Failed, without a generation',
  children: [
    { apiVersion: 'apps/v1', kind: 'StatefulSet' },
    { apiVersion: 'leaderworkerset.x-k8s.io/v1', kind: 'LeaderWorkerSet' },
    { apiVersion: 'serving.kserve.io/v1beta1', kind: 'InferenceService' },
    { apiVersion: 'serving.knative.dev/v1', kind: 'Service' },
    ...knativeChildren,
  ],
  runsPods: true,
  judge: judgeService,
};

export const nimCache: Rule = {
  kinds: [{ kind: 'NIMCache', group }],
  ready: 'its state is Ready and its download Job is completed, and its status has stayed so for 10 s',
  failed:
    'its Job has failed; where that may not be seen, its state is Failed for 60 s: a Job that tries again shows that, too',
  source:
    'NVIDIA/k8s-nim-operator internal/controller/nimcache_controller.go: Failed is written after the first pod that fails',
  children: [{ apiVersion: 'batch/v1', kind: 'Job' }],
  runsPods: true,
  judge: judgeCache,
};

const cacheQuietMs = 10_000;
const cacheGraceMs = 60_000;

const failing: readonly Failing[] = [
  {
    type: 'Failed',
    status: 'True',
    reasons: ['NIMCacheNotFound'],
    graceMs: 60_000,
    hint: 'Deploy the NIMCache that it names, or fix the name.',
  },
  { type: 'Failed', status: 'True', graceMs: 30_000, hint: 'Fix what the message says.' },
];

function judgeService(object: KubernetesObject, facts: Facts): Verdict {
  const rules = [deployment, statefulSet, leaderWorkerSet, inferenceService];
  const children = directChildren(
    object,
    facts,
    rules.flatMap(({ kinds }) => kinds),
  );
  const verdict = lastingFailureOf(object, facts, failing) ?? judgeChildren(children ?? [], facts, rules);
  if (verdict !== undefined) return verdict;
  const state = stringAt(object, 'status', 'state') ?? '';
  if (state === '') return notObserved;
  const found = condition(object, 'Ready');
  if (state !== 'Ready' || found?.status === 'False') return waitingFor('Ready', found);
  return { ...ready('its state is Ready'), quietMs: quietAfter(children, facts) };
}

function judgeCache(object: KubernetesObject, facts: Facts): Verdict {
  const children = directChildren(object, facts, job.kinds);
  const verdict = judgeChildren(children ?? [], facts, [job]);
  if (verdict !== undefined) return verdict;
  const state = stringAt(object, 'status', 'state') ?? '';
  if (state === '') return notObserved;
  const found = condition(object, 'NIM_CACHE_JOB_COMPLETED');
  if (state === 'Failed') {
    const message = found === undefined || found.message === '' ? 'the download of the model failed' : found.message;
    const hint = 'Check the log of its Job, the secret for the registry, and the free space on its volume.';
    return troubled(object, cacheGraceMs, { reason: found?.reason ?? 'Failed', message, hint });
  }
  if (state !== 'Ready') return progressing(`its state is ${state}`);
  // Without a Job, as for a volume that holds the model already, there is no such condition.
  if (found !== undefined && found.status !== 'True') return waitingFor(found.type, found);
  return { ...ready('its state is Ready'), quietMs: cacheQuietMs };
}
