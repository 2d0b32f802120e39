import { describe, expect, test } from '@jest/globals';

import type { Json, JsonObject } from '../../../src/base/json.ts';
import { at, numberAt } from '../../../src/base/json.ts';
import { configReferences } from '../../../src/manifests/config-references.ts';
import { setImages } from '../../../src/manifests/images.ts';
import type { Manifest } from '../../../src/manifests/manifest.ts';
import { rankOf } from '../../../src/manifests/order.ts';
import {
  describeImage,
  hasPods,
  imagesOf,
  isCustomWorkload,
  podContentOf,
  podTemplatePath,
} from '../../../src/manifests/pod-template.ts';
import { setReplicas } from '../../../src/manifests/replicas.ts';
import { deployment, manifest, problemsIn, thrownBy } from './build.ts';

const pod = (image: string, name = 'vllm', more: JsonObject = {}) => ({ containers: [{ name, image }], ...more });
const template = (image: string, name?: string, more?: JsonObject) => ({ spec: pod(image, name, more) });

const leaderWorkerSet = (more: JsonObject = {}) =>
  manifest({
    apiVersion: 'leaderworkerset.x-k8s.io/v1',
    kind: 'LeaderWorkerSet',
    metadata: { name: 'llm' },
    spec: {
      replicas: 2,
      leaderWorkerTemplate: { size: 4, leaderTemplate: template('r.test/a:1'), workerTemplate: template('r.test/a:1') },
      ...more,
    },
  });
const ray = (image = 'r.test/ray:1') => ({
  headGroupSpec: { template: template(image, 'ray-head') },
  workerGroupSpecs: [
    { groupName: 'gpu', template: template(image, 'ray-worker') },
    { groupName: 'cpu', template: template(image, 'ray-worker') },
  ],
});
const rayService = () =>
  manifest({
    apiVersion: 'ray.io/v1',
    kind: 'RayService',
    metadata: { name: 'llm' },
    spec: { rayClusterConfig: ray() },
  });
const inferenceService = (predictor: JsonObject) =>
  manifest({
    apiVersion: 'serving.kserve.io/v1beta1',
    kind: 'InferenceService',
    metadata: { name: 'iris' },
    spec: { predictor },
  });
const nimService = (image: JsonObject) =>
  manifest({
    apiVersion: 'apps.nvidia.com/v1alpha1',
    kind: 'NIMService',
    metadata: { name: 'llama' },
    spec: { image },
  });
const argoRollout = (spec: JsonObject) =>
  manifest({ apiVersion: 'argoproj.io/v1alpha1', kind: 'Rollout', metadata: { name: 'web' }, spec });

/** `leader/vllm at spec.….image: r.test/a:1` */
const placesOf = ({ object }: Manifest) =>
  imagesOf(object).map(({ name, path, image }) => `${name} at ${path.join('.')}: ${image ?? '-'}`);

test.each<[string, Manifest, string[]]>([
  [
    'LeaderWorkerSet',
    leaderWorkerSet(),
    [
      'leader/vllm at spec.leaderWorkerTemplate.leaderTemplate.spec.containers.0.image: r.test/a:1',
      'worker/vllm at spec.leaderWorkerTemplate.workerTemplate.spec.containers.0.image: r.test/a:1',
    ],
  ],
  [
    'LeaderWorkerSet whose leader is made like its workers',
    leaderWorkerSet({ leaderWorkerTemplate: { workerTemplate: template('r.test/a:1') } }),
    ['worker/vllm at spec.leaderWorkerTemplate.workerTemplate.spec.containers.0.image: r.test/a:1'],
  ],
  [
    'JobSet',
    manifest({
      apiVersion: 'jobset.x-k8s.io/v1alpha2',
      kind: 'JobSet',
      spec: { replicatedJobs: [{ name: 'train', template: { spec: { template: template('r.test/t:1', 'main') } } }] },
    }),
    ['train/main at spec.replicatedJobs.0.template.spec.template.spec.containers.0.image: r.test/t:1'],
  ],
  [
    'RayService',
    rayService(),
    [
      'head/ray-head at spec.rayClusterConfig.headGroupSpec.template.spec.containers.0.image: r.test/ray:1',
      'gpu/ray-worker at spec.rayClusterConfig.workerGroupSpecs.0.template.spec.containers.0.image: r.test/ray:1',
      'cpu/ray-worker at spec.rayClusterConfig.workerGroupSpecs.1.template.spec.containers.0.image: r.test/ray:1',
    ],
  ],
  [
    'RayCluster',
    manifest({ apiVersion: 'ray.io/v1', kind: 'RayCluster', spec: { headGroupSpec: ray().headGroupSpec } }),
    ['head/ray-head at spec.headGroupSpec.template.spec.containers.0.image: r.test/ray:1'],
  ],
  [
    'RayJob',
    manifest({
      apiVersion: 'ray.io/v1',
      kind: 'RayJob',
      spec: {
        rayClusterSpec: { headGroupSpec: ray().headGroupSpec },
        submitterPodTemplate: template('r.test/submit:1', 'submit'),
      },
    }),
    [
      'head/ray-head at spec.rayClusterSpec.headGroupSpec.template.spec.containers.0.image: r.test/ray:1',
      'submitter/submit at spec.submitterPodTemplate.spec.containers.0.image: r.test/submit:1',
    ],
  ],
  [
    'InferenceService with its model, a worker and a transformer',
    manifest({
      apiVersion: 'serving.kserve.io/v1beta1',
      kind: 'InferenceService',
      spec: {
        predictor: {
          model: { modelFormat: { name: 'vllm' }, image: 'r.test/m:1' },
          workerSpec: { containers: [{ name: 'worker-container', image: 'r.test/w:1' }] },
        },
        transformer: pod('r.test/t:1', 'kserve-container'),
      },
    }),
    [
      'predictor/model at spec.predictor.model.image: r.test/m:1',
      'predictor worker/worker-container at spec.predictor.workerSpec.containers.0.image: r.test/w:1',
      'transformer/kserve-container at spec.transformer.containers.0.image: r.test/t:1',
    ],
  ],
  [
    'LLMInferenceService',
    manifest({
      apiVersion: 'serving.kserve.io/v1alpha2',
      kind: 'LLMInferenceService',
      spec: {
        template: pod('r.test/a:1', 'main'),
        worker: pod('r.test/a:1', 'main'),
        prefill: { template: pod('r.test/a:1', 'main') },
        router: { scheduler: { template: pod('r.test/epp:1', 'main') } },
      },
    }),
    [
      'main/main at spec.template.containers.0.image: r.test/a:1',
      'worker/main at spec.worker.containers.0.image: r.test/a:1',
      'prefill/main at spec.prefill.template.containers.0.image: r.test/a:1',
      'scheduler/main at spec.router.scheduler.template.containers.0.image: r.test/epp:1',
    ],
  ],
  [
    'ScaledJob',
    manifest({
      apiVersion: 'keda.sh/v1alpha1',
      kind: 'ScaledJob',
      spec: { jobTargetRef: { template: template('r.test/a:1', 'work') } },
    }),
    ['work at spec.jobTargetRef.template.spec.containers.0.image: r.test/a:1'],
  ],
  [
    'NIMService',
    nimService({ repository: 'nvcr.io/nim/llama', tag: '1.0.0' }),
    ['llama-ctr at spec.image.repository: nvcr.io/nim/llama:1.0.0'],
  ],
  [
    'Rollout with volumes of images',
    argoRollout({
      template: template('r.test/a:1', 'web', { volumes: [{ name: 'model', image: { reference: 'r.test/m:1' } }] }),
    }),
    [
      'web at spec.template.spec.containers.0.image: r.test/a:1',
      'volume model at spec.template.spec.volumes.0.image.reference: r.test/m:1',
    ],
  ],
  ['Rollout of a Deployment', argoRollout({ workloadRef: { kind: 'Deployment', name: 'web' } }), []],
])('the images of a %s are known, and it is applied with the workloads', (_, of, places) => {
  expect(placesOf(of)).toStrictEqual(places);
  expect(hasPods(of.object)).toBe(true);
  expect(isCustomWorkload(of.object)).toBe(true);
  expect(rankOf(of.object)).toBe(2);
});

test.each([
  { apiVersion: 'external-secrets.io/v1', kind: 'ExternalSecret', spec: { target: { template: {} } } },
  { apiVersion: 'bitnami.com/v1alpha1', kind: 'SealedSecret', spec: { template: { metadata: {} } } },
  {
    apiVersion: 'serving.kserve.io/v1alpha1',
    kind: 'LLMInferenceServiceConfig',
    spec: { template: pod('r.test/a:1') },
  },
  { apiVersion: 'inference.networking.k8s.io/v1', kind: 'InferencePool', spec: {} },
  { apiVersion: 'v1', kind: 'PodTemplate', template: template('r.test/a:1') },
])('a $kind runs no pods', (object) => {
  expect(hasPods(manifest(object).object)).toBe(false);
});

describe('the input "images"', () => {
  test('reaches each pod of a custom resource', () => {
    const manifests = [leaderWorkerSet(), rayService(), inferenceService({ model: { image: 'r.test/a:0' } })];
    setImages(manifests, undefined, ['r.test/a:2', 'r.test/ray:2']);
    expect(manifests.flatMap(({ object }) => imagesOf(object).map(({ image }) => image))).toStrictEqual([
      'r.test/a:2',
      'r.test/a:2',
      'r.test/ray:2',
      'r.test/ray:2',
      'r.test/ray:2',
      'r.test/a:2',
    ]);
  });

  test.each([
    ['a tag', ['nvcr.io/nim/llama:2'], { repository: 'nvcr.io/nim/llama', tag: '2' }],
    [
      'a tag that is pinned',
      [`nvcr.io/nim/llama:2@sha256:${'0'.repeat(64)}`],
      { repository: 'nvcr.io/nim/llama', tag: `2@sha256:${'0'.repeat(64)}` },
    ],
    [
      'another registry with a port',
      ['nvcr.io/nim/llama=localhost:5000/llama'],
      { repository: 'localhost:5000/llama', tag: '1.0.0' },
    ],
  ])('gives a NIMService, whose repository and tag have fields of their own, %s', (_, lines, image) => {
    const nim = nimService({ repository: 'nvcr.io/nim/llama', tag: '1.0.0' });
    setImages([nim], undefined, lines);
    expect(at(nim.object, 'spec', 'image')).toStrictEqual(image);
  });

  test('cannot give a NIMService a digest alone', () => {
    const nim = nimService({ repository: 'nvcr.io/nim/llama', tag: '1.0.0' });
    const digest = `sha256:${'0'.repeat(64)}`;
    expect(() => setImages([nim], digest, [])).toThrow(
      'the image of NIMService "llama" is pinned by digest, but this kind has a field for the tag only',
    );
  });

  test('says which of several pods has an image that no node could pull', () => {
    const { object } = leaderWorkerSet();
    const names = imagesOf(object).map(describeImage);
    expect(names).toStrictEqual(['container "vllm" (leader)', 'container "vllm" (worker)']);
    expect(describeImage({ name: 'gpu/volume model' })).toBe('volume "model" (gpu)');
    expect(describeImage({ name: 'web' })).toBe('container "web"');
  });
});

describe('the input "replicas"', () => {
  test('sets the groups of a LeaderWorkerSet and the pods of a Rollout', () => {
    const manifests = [leaderWorkerSet(), argoRollout({ replicas: 1 })];
    setReplicas(manifests, ['llm=3', 'Rollout/web=5']);
    expect(manifests.map(({ object }) => numberAt(object, 'spec', 'replicas'))).toStrictEqual([3, 5]);
  });

  test.each<[string, string, Manifest, string]>([
    ['iris=3', 'InferenceService "iris"', inferenceService({}), 'spec.predictor.minReplicas'],
    ['2', 'InferenceService "iris"', inferenceService({}), 'spec.predictor.minReplicas'],
    ['RayService/llm=2', 'RayService "llm"', rayService(), 'spec.rayClusterConfig.workerGroupSpecs[].replicas'],
  ])('says of %s where %s has its number of pods', (line, ref, of, field) => {
    const error = thrownBy(() => setReplicas([of], [line]));
    expect(error).toMatchObject({
      message: `the input "replicas" has "${line}", but ${ref} has no "spec.replicas" for its pods`,
      hint: `Its number of pods is set by ${field}: change that in its manifest, and deploy.`,
    });
  });

  test('means a workload that can be scaled where another one of its name cannot', () => {
    const manifests = [inferenceService({}), deployment(['nginx'], 'iris')];
    setReplicas(manifests, ['iris=3']);
    expect(manifests.map(({ object }) => numberAt(object, 'spec', 'replicas'))).toStrictEqual([undefined, 3]);
  });
});

test('config that any pod of it reads is known', () => {
  const reads = (name: string) => ({ envFrom: [{ configMapRef: { name } }] });
  const predictor = {
    model: { image: 'r.test/a:1', ...reads('settings') },
    containers: [{ name: 'proxy', ...reads('proxy') }],
  };
  const names = configReferences(inferenceService(predictor).object).map(({ name }) => name);
  expect(names.toSorted()).toStrictEqual(['proxy', 'settings']);
});

describe('what its pods are', () => {
  const change = (before: JsonObject, after: JsonObject): [Json, Json] => [
    podContentOf(inferenceService(before).object),
    podContentOf(inferenceService(after).object),
  ];

  test('is not changed by how many there are, nor by the share of the requests', () => {
    const [before, after] = change({ minReplicas: 1 }, { minReplicas: 3, canaryTrafficPercent: 10 });
    expect(after).toStrictEqual(before);
    expect(podContentOf(nimService({ tag: '1' }).object)).toStrictEqual({ image: { tag: '1' } });
  });

  test('is changed by labels beside the pod spec', () => {
    const [before, after] = change({ labels: { a: '1' } }, { labels: { a: '2' } });
    expect(after).not.toStrictEqual(before);
  });
});

test('a template has a path where it is the only one', () => {
  expect(podTemplatePath(argoRollout({ template: template('r.test/a:1') }).object)).toStrictEqual(['spec', 'template']);
  expect(podTemplatePath(leaderWorkerSet().object)).toBeUndefined();
  expect(podTemplatePath(inferenceService(pod('r.test/a:1')).object)).toBeUndefined();
});

test('a number where pods of it have a text is found before the server is asked', () => {
  const wrong = {
    metadata: { labels: { version: 1 } },
    spec: { containers: [{ name: 'a', env: [{ name: 'N', value: 8 }] }] },
  };
  const thrown = thrownBy(() => leaderWorkerSet({ leaderWorkerTemplate: { workerTemplate: wrong } }));
  expect(problemsIn(thrown).map(({ message }) => message)).toStrictEqual([
    'spec.leaderWorkerTemplate.workerTemplate.metadata.labels.version of LeaderWorkerSet "llm" must be a string, but is the number 1',
    'spec.leaderWorkerTemplate.workerTemplate.spec.containers[0].env[0].value of LeaderWorkerSet "llm" must be a string, but is a number',
  ]);
  expect(() => inferenceService({ annotations: { version: 2 } })).toThrow(
    'spec.predictor.annotations.version of InferenceService "iris" must be a string, but is the number 2',
  );
});
