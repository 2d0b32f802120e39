import { groupOf, type KubernetesObject } from '../../kubernetes/object.ts';

const autoscaler = 'a preview has a fixed number of pods';
const certificate = 'a certificate per preview hits the rate limits of its issuer; use a wildcard certificate';

const kinds: Readonly<Record<string, string>> = {
  'autoscaling/HorizontalPodAutoscaler': autoscaler,
  'autoscaling.k8s.io/VerticalPodAutoscaler': autoscaler,
  'autoscaling.gke.io/MultidimPodAutoscaler': autoscaler,
  'keda.sh/ScaledObject': autoscaler,
  'keda.sh/ScaledJob': 'a preview must not process a queue that others process',
  'policy/PodDisruptionBudget': 'with one replica it would only block node drains',
};

/** With hosts of their own (pawtograder/platform#822, gitpod-io/gitpod#6291). */
const kindsWithHosts: Readonly<Record<string, string>> = {
  'cert-manager.io/Certificate': certificate,
  'networking.gke.io/ManagedCertificate': certificate,
};

interface Surroundings {
  /** Of the preview. */
  namespace: string;
  from?: string;
  host?: string;
  clusterScoped: 'fail' | 'skip';
}

/** Why an object of the manifests is not in a preview; undefined for one that is. */
export function whyLeftOut(
  object: KubernetesObject,
  { namespace, from, host, clusterScoped }: Surroundings,
): string | undefined {
  const { kind, apiVersion, metadata } = object;
  if (kind === 'Namespace' && apiVersion === 'v1' && [namespace, from].includes(metadata.name)) {
    return 'a preview has its own namespace';
  }
  if (metadata.namespace === undefined && clusterScoped === 'skip') {
    return 'it is cluster-scoped, and the preview uses the existing one (cluster-scoped: skip)';
  }
  const key = `${groupOf(apiVersion)}/${kind}`;
  return kinds[key] ?? (host === undefined ? undefined : kindsWithHosts[key]);
}
