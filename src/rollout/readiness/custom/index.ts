import type { Rule } from '../rule.ts';
import { argoApplication } from './argo-cd.ts';
import { argoRollout } from './argo-rollout.ts';
import { certificate, issuer } from './cert-manager.ts';
import { configConnector } from './config-connector.ts';
import { crossplane } from './crossplane.ts';
import { externalSecret, secretStore } from './external-secrets.ts';
import { flux } from './flux.ts';
import { ingressConfig, managedCertificate, multiCluster, policy, trafficExtension } from './gke.ts';
import { inferencePool } from './inference-pool.ts';
import { istio } from './istio.ts';
import { jobSet } from './job-set.ts';
import { scaledJob, scaledObject, triggerAuthentication } from './keda.ts';
import { knativeService } from './knative.ts';
import { inferenceGraph, inferenceService, llmInferenceService, localModelCache } from './kserve.ts';
import { leaderWorkerSet } from './leader-worker-set.ts';
import { nimCache, nimService } from './nim.ts';
import { managedPrometheus } from './prometheus.ts';
import { rayCluster, rayJob, rayService } from './ray.ts';
import { sealedSecret } from './sealed-secrets.ts';
import { seldonExperiment, seldonModel, seldonPipeline } from './seldon.ts';
import { verticalPodAutoscaler } from './vertical-pod-autoscaler.ts';

/** The rules of custom resources, in the order of docs/rollout-rules.md. */
export const customRules: readonly Rule[] = [
  leaderWorkerSet,
  argoRollout,
  certificate,
  issuer,
  externalSecret,
  secretStore,
  sealedSecret,
  scaledObject,
  scaledJob,
  triggerAuthentication,
  verticalPodAutoscaler,
  managedCertificate,
  ingressConfig,
  policy,
  trafficExtension,
  multiCluster,
  managedPrometheus,
  configConnector,
  crossplane,
  istio,
  flux,
  argoApplication,
  jobSet,
  rayService,
  rayCluster,
  rayJob,
  inferenceService,
  inferenceGraph,
  llmInferenceService,
  localModelCache,
  knativeService,
  inferencePool,
  nimService,
  nimCache,
  seldonModel,
  seldonPipeline,
  seldonExperiment,
];
