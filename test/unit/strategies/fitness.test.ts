import { describe, expect, test } from '@jest/globals';

import type { JsonObject } from '../../../src/base/json.ts';
import type { KubernetesObject } from '../../../src/kubernetes/object.ts';
import { refuseCustom } from '../../../src/strategies/fitness.ts';
import { thrownBy } from '../manifests/build.ts';
import { compared, deployment } from './plan-lines.ts';

function custom(apiVersion: string, kind: string, spec: JsonObject): KubernetesObject {
  return { apiVersion, kind, metadata: { name: 'llm', namespace: 'shop' }, spec };
}

const groups = (image: string, replicas = 2) =>
  custom('leaderworkerset.x-k8s.io/v1', 'LeaderWorkerSet', {
    replicas,
    leaderWorkerTemplate: { workerTemplate: { spec: { containers: [{ name: 'vllm', image }] } } },
  });
const model = (uri: string) =>
  custom('serving.kserve.io/v1beta1', 'InferenceService', { predictor: { model: { storageUri: uri } } });
const training = (image: string) =>
  custom('jobset.x-k8s.io/v1alpha2', 'JobSet', {
    replicatedJobs: [{ name: 'a', template: { spec: { template: { spec: { containers: [{ name: 'a', image }] } } } } }],
  });
const widget = (image: string) =>
  custom('example.test/v1', 'Widget', { template: { spec: { containers: [{ name: 'a', image }] } } });

describe('a custom resource that would get new pods, beside no Deployment whose new version can be tried', () => {
  test.each<[string, KubernetesObject, KubernetesObject, 'canary' | 'blue-green', string]>([
    ['LeaderWorkerSet', groups('a:2'), groups('a:1'), 'canary', ': its own controller replaces the pods'],
    [
      'InferenceService',
      model('gs://b/2'),
      model('gs://b/1'),
      'blue-green',
      '; to try a version first, use its own "spec.predictor.canaryTrafficPercent"',
    ],
    ['Widget', widget('a:2'), widget('a:1'), 'canary', ': its own controller replaces the pods'],
  ])('is refused: %s', (kind, object, live, strategy, own) => {
    const error = thrownBy(() => {
      refuseCustom([compared(deployment('web', 1)), compared(object, live)], strategy);
    });
    expect(error).toMatchObject({
      message: `${kind} "llm" would get new pods, but the strategy "${strategy}" works with Deployments only`,
      hint: `Deploy it with the strategy "rolling"${own}.`,
    });
  });

  test.each<[string, KubernetesObject, KubernetesObject | null]>([
    ['is new', groups('a:1'), null],
    ['gets another number of groups', groups('a:1', 3), groups('a:1', 2)],
    ['does its work once', training('a:2'), training('a:1')],
  ])('is not refused where it %s', (_, object, live) => {
    expect(() => {
      refuseCustom([compared(object, live)], 'canary');
    }).not.toThrow();
  });
});
