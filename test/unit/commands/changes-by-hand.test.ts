import { describe, expect, test } from '@jest/globals';

import type { JsonObject } from '../../../src/base/json.ts';
import { describeChangesByHand } from '../../../src/commands/changes-by-hand.ts';
import { keyOf, refOf, type KubernetesObject } from '../../../src/kubernetes/object.ts';
import { fields, objectOf, owner, updater } from '../release/build.ts';

const since = '2026-01-01T00:00:00.000Z';
const containers = (image: string) => [{ name: 'web', image }];
const pod = (image: string) => ({ spec: { containers: containers(image) } });

function changes(recorded: KubernetesObject, now?: KubernetesObject): string[] {
  const running = new Map(now === undefined ? [] : [[keyOf(refOf(recorded)), now]]);
  return describeChangesByHand([recorded], running, since).map(({ text }) => text);
}

describe('what somebody has deleted of the version that runs', () => {
  test.each([
    ['apps/v1', 'Deployment', { spec: { template: pod('r.test/web:1') } }],
    ['batch/v1', 'CronJob', {}],
    ['v1', 'Pod', pod('r.test/web:1')],
    ['v1', 'Service', {}],
    ['v1', 'ConfigMap', {}],
    ['v1', 'Secret', {}],
    ['leaderworkerset.x-k8s.io/v1', 'LeaderWorkerSet', {}],
  ])('is a change: %s %s', (apiVersion, kind, body) => {
    expect(changes(objectOf(apiVersion, kind, body))).toEqual([`${kind} "a": someone deleted it`]);
  });

  test.each<[string, KubernetesObject]>([
    ['a Job', objectOf('batch/v1', 'Job', {})],
    ['a Pod that ends by itself', objectOf('v1', 'Pod', { spec: { restartPolicy: 'Never' } })],
    ['a custom resource whose pods end', objectOf('jobset.x-k8s.io/v1alpha2', 'JobSet', {})],
    ['what has a time to live', objectOf('example.com/v1', 'Run', { spec: { ttlSeconds: 60, template: pod('a') } })],
    ['what runs no pods and decides no answers', objectOf('policy/v1', 'PodDisruptionBudget', {})],
  ])('is none where it is %s', (_, recorded) => {
    expect(changes(recorded)).toEqual([]);
  });
});

describe('what somebody has changed of a custom resource', () => {
  const time = '2026-01-02T00:00:00Z';
  const kserve = 'serving.kserve.io/v1beta1';

  /** An object of which somebody has changed the field at a path, and which is now as `body` says. */
  function edited(recorded: KubernetesObject, body: JsonObject, ...path: string[]): KubernetesObject {
    const managedFields = [owner(fields('spec', 'x')), updater('kubectl-edit', fields(...path), { time })];
    return { ...recorded, metadata: { ...recorded.metadata, managedFields }, ...body };
  }

  const groups = (image: string, env: JsonObject = {}) => ({
    spec: { leaderWorkerTemplate: { size: 2, workerTemplate: { spec: { containers: containers(image), ...env } } } },
  });
  const ray = (image: string, replicas = 1) => ({
    spec: { rayClusterConfig: { workerGroupSpecs: [{ groupName: 'gpu', replicas, template: pod(image) }] } },
  });
  const predictor = (image: string, minReplicas: number) => ({
    spec: { predictor: { minReplicas, containers: containers(image) } },
  });
  const nim = (tag: string) => ({ spec: { replicas: 1, image: { repository: 'nvcr.test/nim', tag } } });
  const llm = (image: string) => ({ spec: { worker: { containers: containers(image) } } });

  test.each<[string, string, JsonObject, JsonObject, string[]]>([
    [
      'leaderworkerset.x-k8s.io/v1',
      'LeaderWorkerSet',
      groups('a:1'),
      groups('a:2'),
      ['spec', 'leaderWorkerTemplate', 'workerTemplate', 'spec', 'containers', 'image'],
    ],
    [kserve, 'InferenceService', predictor('a:1', 1), predictor('a:2', 1), ['spec', 'predictor', 'containers']],
    ['ray.io/v1', 'RayService', ray('a:1'), ray('a:2'), ['spec', 'rayClusterConfig', 'workerGroupSpecs']],
    ['apps.nvidia.com/v1alpha1', 'NIMService', nim('1'), nim('2'), ['spec', 'image', 'tag']],
    ['serving.kserve.io/v1alpha1', 'LLMInferenceService', llm('a:1'), llm('a:2'), ['spec', 'worker', 'containers']],
  ])('is seen: %s %s', (apiVersion, kind, before, after, path) => {
    const recorded = objectOf(apiVersion, kind, before);
    expect(changes(recorded, edited(recorded, after, ...path))).toEqual([
      `${kind} "a": "kubectl-edit" has changed ${path.join('.')} (${time})`,
    ]);
  });

  test.each<[string, string, string, JsonObject, JsonObject, string[]]>([
    [
      'a number of pods in a list that has one owner',
      'ray.io/v1',
      'RayService',
      ray('a:1', 1),
      ray('a:1', 5),
      ['spec', 'rayClusterConfig', 'workerGroupSpecs'],
    ],
    [
      'a number of pods beside a pod',
      kserve,
      'InferenceService',
      predictor('a:1', 1),
      predictor('a:1', 5),
      ['spec', 'predictor', 'minReplicas'],
    ],
    [
      'an addition, which a rollback leaves',
      'leaderworkerset.x-k8s.io/v1',
      'LeaderWorkerSet',
      groups('a:1'),
      groups('a:1', { hostNetwork: true }),
      ['spec', 'leaderWorkerTemplate', 'workerTemplate', 'spec', 'hostNetwork'],
    ],
  ])('is none where it is %s', (_, apiVersion, kind, before, after, path) => {
    const recorded = objectOf(apiVersion, kind, before);
    expect(changes(recorded, edited(recorded, after, ...path))).toEqual([]);
  });

  test('nor what its own controller has written', () => {
    const recorded = objectOf('ray.io/v1', 'RayService', ray('a:1'));
    const written = fields('spec', 'rayClusterConfig', 'workerGroupSpecs');
    const managedFields = [updater('kuberay-operator', written, { time })];
    const now = { ...recorded, metadata: { ...recorded.metadata, managedFields }, ...ray('a:2') };
    expect(changes(recorded, now)).toEqual([]);
  });
});
