/** Kinds as rules name them, where no cluster can be asked. `test/e2e/rights` compares this with what a cluster serves. */
import { Failure } from '../../src/base/errors.ts';
import { closest } from '../../src/base/similar.ts';
import { groupOf, type ObjectRef } from '../../src/kubernetes/object.ts';

/** A kind as rules name it. */
export interface KnownKind {
  group: string;
  resource: string;
  namespaced: boolean;
}

/** The kinds of Kubernetes itself, by group, and those of others that most clusters of GKE have, or that run pods. */
const namespacedKinds: Readonly<Record<string, string>> = {
  '': 'ConfigMap Endpoints Event LimitRange PersistentVolumeClaim Pod PodTemplate ReplicationController ResourceQuota Secret Service ServiceAccount',
  apps: 'ControllerRevision DaemonSet Deployment ReplicaSet StatefulSet',
  'apps.nvidia.com': 'NIMCache NIMService',
  'argoproj.io': 'Rollout',
  autoscaling: 'HorizontalPodAutoscaler',
  batch: 'CronJob Job',
  'cloud.google.com': 'BackendConfig',
  'coordination.k8s.io': 'Lease',
  'discovery.k8s.io': 'EndpointSlice',
  'events.k8s.io': 'Event',
  'gateway.networking.k8s.io': 'GRPCRoute Gateway HTTPRoute ReferenceGrant TCPRoute TLSRoute UDPRoute',
  'inference.networking.k8s.io': 'InferencePool',
  'jobset.x-k8s.io': 'JobSet',
  'keda.sh': 'ScaledJob ScaledObject TriggerAuthentication',
  'kueue.x-k8s.io': 'LocalQueue Workload',
  'leaderworkerset.x-k8s.io': 'LeaderWorkerSet',
  'networking.gke.io': 'FrontendConfig GCPBackendPolicy GCPGatewayPolicy HealthCheckPolicy ManagedCertificate',
  'networking.istio.io': 'DestinationRule Gateway ServiceEntry VirtualService',
  'networking.k8s.io': 'Ingress NetworkPolicy',
  policy: 'PodDisruptionBudget',
  'ray.io': 'RayCluster RayJob RayService',
  'rbac.authorization.k8s.io': 'Role RoleBinding',
  'resource.k8s.io': 'ResourceClaim ResourceClaimTemplate',
  'serving.knative.dev': 'Configuration Revision Route Service',
  'serving.kserve.io': 'InferenceGraph InferenceService LLMInferenceService LLMInferenceServiceConfig ServingRuntime',
  'storage.k8s.io': 'CSIStorageCapacity',
};

const clusterWideKinds: Readonly<Record<string, string>> = {
  '': 'Namespace Node PersistentVolume',
  'admissionregistration.k8s.io':
    'MutatingAdmissionPolicy MutatingAdmissionPolicyBinding MutatingWebhookConfiguration ValidatingAdmissionPolicy ValidatingAdmissionPolicyBinding ValidatingWebhookConfiguration',
  'apiextensions.k8s.io': 'CustomResourceDefinition',
  'apiregistration.k8s.io': 'APIService',
  'certificates.k8s.io': 'CertificateSigningRequest',
  'flowcontrol.apiserver.k8s.io': 'FlowSchema PriorityLevelConfiguration',
  'gateway.networking.k8s.io': 'GatewayClass',
  'networking.k8s.io': 'IPAddress IngressClass ServiceCIDR',
  'node.k8s.io': 'RuntimeClass',
  'rbac.authorization.k8s.io': 'ClusterRole ClusterRoleBinding',
  'resource.k8s.io': 'DeviceClass ResourceSlice',
  'scheduling.k8s.io': 'PriorityClass',
  'storage.k8s.io': 'CSIDriver CSINode StorageClass VolumeAttachment VolumeAttributesClass',
};

/** All of them, by `group/Kind`. */
export const knownKinds: ReadonlyMap<string, KnownKind> = new Map([
  ...entriesOf(namespacedKinds, true),
  ...entriesOf(clusterWideKinds, false),
]);

function entriesOf(kinds: Readonly<Record<string, string>>, namespaced: boolean): [string, KnownKind][] {
  return Object.entries(kinds).flatMap(([group, names]) =>
    names
      .split(' ')
      .map((kind): [string, KnownKind] => [`${group}/${kind}`, { group, resource: pluralOf(kind), namespaced }]),
  );
}

/** As `UnsafeGuessKindToResource` has it (k8s.io/apimachinery pkg/api/meta/restmapper.go). */
export function pluralOf(kind: string): string {
  const name = kind.toLowerCase();
  if (name.endsWith('endpoints')) return name;
  if (name.endsWith('s')) return `${name}es`;
  return /[^aeiou]y$/.test(name) ? `${name.slice(0, -1)}ies` : `${name}s`;
}

/**
 * Of kinds that somebody names: `Certificate=certificates.cert-manager.io`.
 * @throws Failure for a line of another form
 */
export function kindsNamed(lines: readonly string[], namespaced: boolean): Map<string, KnownKind> {
  return new Map(
    lines.map((line) => {
      const { kind, resource, group } =
        /^(?<kind>[A-Z]\w*)=(?<resource>[a-z0-9]+)\.(?<group>\S+)$/.exec(line)?.groups ?? {};
      if (kind === undefined || resource === undefined || group === undefined) {
        const option = namespaced ? '--resource' : '--cluster-resource';
        throw new Failure(
          `"${option} ${line}" is not of the form KIND=PLURAL.GROUP, as in Certificate=certificates.cert-manager.io`,
        );
      }
      return [`${group}/${kind}`, { group, resource, namespaced }];
    }),
  );
}

/** One line on a kind that nobody knows. */
export function describeUnknown({ apiVersion, kind }: Pick<ObjectRef, 'apiVersion' | 'kind'>): string {
  const group = groupOf(apiVersion);
  const known = [...knownKinds.keys()]
    .filter((key) => key.startsWith(`${group}/`))
    .map((key) => key.slice(group.length + 1));
  const meant = closest(kind, known);
  if (meant !== undefined) return `${kind} of ${apiVersion} is not a kind: did you mean ${meant}?`;
  return `${kind} of ${apiVersion} is a custom resource, and its plural is not known: add "--resource ${kind}=PLURAL.${group}" ("kubectl api-resources" has it), or the manifest of its CustomResourceDefinition`;
}
