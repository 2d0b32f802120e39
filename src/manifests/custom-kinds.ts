import { ownValue } from '../base/json.ts';
import { groupOf, type ObjectRef } from '../kubernetes/object.ts';

type Steps = readonly string[];

/** Where objects of a kind have a pod. Paths are from the root of the object; `*` stands for each entry of a list. */
export interface PodPlace {
  /** To the pod spec; it may have fields of the kind's own beside those of one. */
  spec: Steps;
  /** To the map with the `labels` and `annotations` that these pods get. */
  metadata: Steps;
  /** What tells these pods from the others of the object: a word, or the field of a list's entry that says it. */
  of?: string | { field: string };
  /** Fields of the pod spec that are one container each. */
  single?: Steps;
}

/** A kind of others that runs pods. */
export interface CustomKind {
  pods: readonly PodPlace[];
  /** The map with `repository` and `tag` of the only image that it has outside of a pod spec. */
  image?: Steps;
  /** What decides how many pods there are: `spec.replicas` can be set like that of a Deployment. */
  numberIn: string;
  /** Its pods end by themselves. */
  ends?: true;
  /** The field by which its own controller has a new version tried by a share of the requests. */
  triesBy?: string;
}

/** What an object is applied with that Kubernetes itself has no kind for. */
export type CustomLayer = 'surroundings' | 'workloads' | 'observers';

function template(path: Steps, of?: PodPlace['of']): PodPlace {
  return { spec: [...path, 'spec'], metadata: [...path, 'metadata'], ...(of === undefined ? {} : { of }) };
}

function rayCluster(path: Steps): PodPlace[] {
  return [
    template([...path, 'headGroupSpec', 'template'], 'head'),
    template([...path, 'workerGroupSpecs', '*', 'template'], { field: 'groupName' }),
  ];
}

/** A part of an InferenceService: a pod spec with fields of its own, of which `model` and those before it are a container. */
function component(name: string): PodPlace {
  const path = ['spec', name];
  return { spec: path, metadata: path, of: name, single: servers };
}

/** kserve/kserve pkg/apis/serving/v1beta1/predictor.go, explainer.go */
const servers = [
  'model',
  'sklearn',
  'xgboost',
  'tensorflow',
  'pytorch',
  'triton',
  'onnx',
  'huggingface',
  'pmml',
  'lightgbm',
  'paddle',
  'art',
];

/** Both of an LLMInferenceService and of its `prefill`: the pod specs lie beside the labels that they get. */
function llmWorkload(path: Steps, [main, worker]: readonly [string, string]): PodPlace[] {
  return [
    { spec: [...path, 'template'], metadata: path, of: main },
    { spec: [...path, 'worker'], metadata: path, of: worker },
  ];
}

const atTemplate = [template(['spec', 'template'])];

/**
 * Kinds of others that run pods, by `Kind.group`. One that is not here runs pods when it has a pod template at `spec.template`,
 * as most do. Where each has them: kubernetes-sigs/lws api/leaderworkerset/v1, kubernetes-sigs/jobset api/jobset/v1alpha2,
 * ray-project/kuberay ray-operator/apis/ray/v1, kserve/kserve pkg/apis/serving, knative/serving pkg/apis/serving/v1,
 * argoproj/argo-rollouts pkg/apis/rollouts/v1alpha1, kedacore/keda apis/keda/v1alpha1, NVIDIA/k8s-nim-operator api/apps/v1alpha1.
 */
const kinds: Readonly<Record<string, CustomKind>> = {
  'LeaderWorkerSet.leaderworkerset.x-k8s.io': {
    pods: [
      template(['spec', 'leaderWorkerTemplate', 'leaderTemplate'], 'leader'),
      template(['spec', 'leaderWorkerTemplate', 'workerTemplate'], 'worker'),
    ],
    numberIn: 'spec.replicas',
  },
  'JobSet.jobset.x-k8s.io': {
    pods: [template(['spec', 'replicatedJobs', '*', 'template', 'spec', 'template'], { field: 'name' })],
    numberIn: 'spec.replicatedJobs[].replicas',
    ends: true,
  },
  'RayCluster.ray.io': { pods: rayCluster(['spec']), numberIn: 'spec.workerGroupSpecs[].replicas' },
  'RayService.ray.io': {
    pods: rayCluster(['spec', 'rayClusterConfig']),
    numberIn: 'spec.rayClusterConfig.workerGroupSpecs[].replicas',
  },
  'RayJob.ray.io': {
    pods: [...rayCluster(['spec', 'rayClusterSpec']), template(['spec', 'submitterPodTemplate'], 'submitter')],
    numberIn: 'spec.rayClusterSpec.workerGroupSpecs[].replicas',
    ends: true,
  },
  'InferenceService.serving.kserve.io': {
    pods: [
      component('predictor'),
      {
        spec: ['spec', 'predictor', 'workerSpec'],
        metadata: ['spec', 'predictor'],
        of: 'predictor worker',
      },
      component('transformer'),
      component('explainer'),
    ],
    numberIn: 'spec.predictor.minReplicas',
    triesBy: 'spec.predictor.canaryTrafficPercent',
  },
  'LLMInferenceService.serving.kserve.io': {
    pods: [
      ...llmWorkload(['spec'], ['main', 'worker']),
      ...llmWorkload(['spec', 'prefill'], ['prefill', 'prefill worker']),
      {
        spec: ['spec', 'router', 'scheduler', 'template'],
        metadata: ['spec', 'router', 'scheduler'],
        of: 'scheduler',
      },
    ],
    numberIn: 'spec.replicas',
  },
  'Service.serving.knative.dev': {
    pods: atTemplate,
    numberIn: 'the annotation "autoscaling.knative.dev/min-scale" of spec.template',
    triesBy: 'spec.traffic',
  },
  'Configuration.serving.knative.dev': {
    pods: atTemplate,
    numberIn: 'the annotation "autoscaling.knative.dev/min-scale" of spec.template',
  },
  'Rollout.argoproj.io': { pods: atTemplate, numberIn: 'spec.replicas', triesBy: 'spec.strategy' },
  'ScaledJob.keda.sh': {
    pods: [template(['spec', 'jobTargetRef', 'template'])],
    numberIn: 'spec.maxReplicaCount',
    ends: true,
  },
  'NIMService.apps.nvidia.com': { pods: [], image: ['spec', 'image'], numberIn: 'spec.replicas' },
};

/** Groups all of whose other kinds look at workloads: autoscalers, routes and monitors. */
const observerGroups = new Set([
  'autoscaling.gke.io',
  'autoscaling.k8s.io',
  'gateway.networking.k8s.io',
  'http.keda.sh',
  'inference.networking.k8s.io',
  'inference.networking.x-k8s.io',
  'keda.sh',
  'monitoring.coreos.com',
  'monitoring.googleapis.com',
  'networking.istio.io',
]);

/** Kinds whose layer is not that of their group. */
const layers: Readonly<Record<string, CustomLayer>> = {
  // Its steps name the services that it sends requests to.
  'InferenceGraph.serving.kserve.io': 'observers',
  // An autoscaler that finds none of them reports a failure.
  'ClusterTriggerAuthentication.keda.sh': 'surroundings',
  'TriggerAuthentication.keda.sh': 'surroundings',
};

type KindOf = Pick<ObjectRef, 'apiVersion' | 'kind'>;

/** Undefined for kinds of Kubernetes itself, and those of which nothing is known. */
export function customKindOf(object: KindOf): CustomKind | undefined {
  return ownValue(kinds, keyFor(object));
}

/** Undefined for kinds of which nothing is known. */
export function customLayerOf(object: KindOf): CustomLayer | undefined {
  if (customKindOf(object) !== undefined) return 'workloads';
  const layer = ownValue(layers, keyFor(object));
  return layer ?? (observerGroups.has(groupOf(object.apiVersion)) ? 'observers' : undefined);
}

function keyFor({ apiVersion, kind }: KindOf): string {
  return `${kind}.${groupOf(apiVersion)}`;
}
