import { ownValue } from '../base/json.ts';
import { groupOf, type ObjectRef } from '../kubernetes/object.ts';
import { customKindOf, customLayerOf } from './custom-kinds.ts';

/** When an object is applied: each layer may need those before it. */
export type Layer =
  /** What defines kinds and places: all else may need it. */
  | 'foundations'
  /**
   * What stands before a pod can be made as it is meant: what admission looks at (quota, limits, priorities, accounts), what
   * the pod mounts or reads, and Services, since a pod is told their addresses when it starts.
   */
  | 'surroundings'
  /** What runs pods. */
  | 'workloads'
  /** What looks at workloads and Services: autoscalers, budgets, routes. */
  | 'observers'
  /**
   * What the server asks, or goes by, about each write from then on. Once one of them is there, all else had better be, and
   * what it calls had better answer: a webhook without pods behind it refuses those pods, too.
   */
  | 'gates';

type Trait =
  /** What others have added to it changes what pods run or get. */
  | 'additionsCount'
  /** Pods read it. */
  | 'config'
  /** Its content decides what pods answer, and no controller changes that by itself. */
  | 'decidesAnswers'
  /** It makes the server know kinds. */
  | 'definesKinds'
  /** It decides where requests go. */
  | 'directsTraffic'
  /** Its pods end by themselves, or it has none: they do not stay when the template changes. */
  | 'hasNoLastingPods'
  /** Its pods have names, storage or nodes of their own, so that two versions cannot run side by side. */
  | 'hasSinglePods'
  /** It may hold data that cannot be made again. */
  | 'keepsData'
  /** It leads requests from outside of the cluster to Services. */
  | 'leadsFromOutside'
  /** It has `spec.paused`. */
  | 'pausable'
  /** It does its work once, and must not do it again by itself. */
  | 'runsOnce'
  /** The number of its pods stands in `spec.replicas`. */
  | 'scalable';

interface Traits {
  /** As lists ask for it. */
  apiVersion: string;
  /** Absent: `observers`. */
  layer?: Layer;
  is?: readonly Trait[];
  /** Where it has its pod template; absent: at `spec.template`. */
  template?: readonly string[];
  /** Its controller replaces the pods when the template changes, and keeps earlier versions in objects of this kind. */
  history?: 'ReplicaSet' | 'ControllerRevision';
  /** Fields under which others name it. */
  namedIn?: readonly string[];
}

/**
 * What is known of kinds. What a kind has not is left out; a kind that is not here has no trait, and its template, if any, at
 * `spec.template` (custom-kinds.ts has those of others that run pods). When it is ready is no trait but a rule (src/rollout/readiness). Where kinds are listed for the user, they
 * come in this order.
 */
const kinds: Readonly<Record<string, Traits>> = {
  Deployment: {
    apiVersion: 'apps/v1',
    layer: 'workloads',
    is: ['scalable', 'pausable', 'additionsCount'],
    history: 'ReplicaSet',
  },
  StatefulSet: {
    apiVersion: 'apps/v1',
    layer: 'workloads',
    is: ['scalable', 'hasSinglePods', 'additionsCount'],
    history: 'ControllerRevision',
  },
  DaemonSet: {
    apiVersion: 'apps/v1',
    layer: 'workloads',
    is: ['hasSinglePods', 'additionsCount'],
    history: 'ControllerRevision',
  },
  ReplicaSet: { apiVersion: 'apps/v1', layer: 'workloads', is: ['scalable'] },
  ReplicationController: { apiVersion: 'v1', layer: 'workloads', is: ['scalable'] },
  Job: { apiVersion: 'batch/v1', layer: 'workloads', is: ['hasNoLastingPods', 'runsOnce', 'additionsCount'] },
  CronJob: {
    apiVersion: 'batch/v1',
    layer: 'workloads',
    is: ['hasNoLastingPods', 'additionsCount'],
    template: ['spec', 'jobTemplate', 'spec', 'template'],
  },
  Pod: { apiVersion: 'v1', layer: 'workloads', template: [] },
  PodTemplate: { apiVersion: 'v1', is: ['hasNoLastingPods'], template: ['template'] },

  CustomResourceDefinition: {
    apiVersion: 'apiextensions.k8s.io/v1',
    layer: 'foundations',
    is: ['definesKinds', 'keepsData'],
  },
  Namespace: { apiVersion: 'v1', layer: 'foundations', is: ['keepsData'] },

  ConfigMap: {
    apiVersion: 'v1',
    layer: 'surroundings',
    is: ['config', 'decidesAnswers', 'additionsCount'],
    namedIn: ['configMap', 'configMapRef', 'configMapKeyRef'],
  },
  Secret: {
    apiVersion: 'v1',
    layer: 'surroundings',
    is: ['config', 'decidesAnswers', 'additionsCount'],
    namedIn: ['secret', 'secretRef', 'secretKeyRef', 'imagePullSecrets', 'tls'],
  },
  Service: {
    apiVersion: 'v1',
    layer: 'surroundings',
    is: ['directsTraffic', 'decidesAnswers', 'additionsCount'],
    namedIn: ['service', 'backendRefs', 'serviceName'],
  },
  ServiceAccount: { apiVersion: 'v1', layer: 'surroundings', namedIn: ['serviceAccountName', 'subjects'] },
  PersistentVolume: { apiVersion: 'v1', layer: 'surroundings', is: ['keepsData'] },
  PersistentVolumeClaim: { apiVersion: 'v1', layer: 'surroundings', is: ['keepsData'] },
  LimitRange: { apiVersion: 'v1', layer: 'surroundings' },
  ResourceQuota: { apiVersion: 'v1', layer: 'surroundings' },
  Role: { apiVersion: 'rbac.authorization.k8s.io/v1', layer: 'surroundings', namedIn: ['roleRef'] },
  RoleBinding: { apiVersion: 'rbac.authorization.k8s.io/v1', layer: 'surroundings' },
  ClusterRole: { apiVersion: 'rbac.authorization.k8s.io/v1', layer: 'surroundings', namedIn: ['roleRef'] },
  ClusterRoleBinding: { apiVersion: 'rbac.authorization.k8s.io/v1', layer: 'surroundings' },
  NetworkPolicy: { apiVersion: 'networking.k8s.io/v1', layer: 'surroundings' },
  IngressClass: { apiVersion: 'networking.k8s.io/v1', layer: 'surroundings' },
  PriorityClass: { apiVersion: 'scheduling.k8s.io/v1', layer: 'surroundings' },
  RuntimeClass: { apiVersion: 'node.k8s.io/v1', layer: 'surroundings' },
  StorageClass: { apiVersion: 'storage.k8s.io/v1', layer: 'surroundings' },
  DeviceClass: { apiVersion: 'resource.k8s.io/v1', layer: 'surroundings' },
  ResourceClaimTemplate: { apiVersion: 'resource.k8s.io/v1', layer: 'surroundings' },

  Ingress: { apiVersion: 'networking.k8s.io/v1', is: ['directsTraffic', 'leadsFromOutside'] },
  HTTPRoute: { apiVersion: 'gateway.networking.k8s.io/v1', is: ['directsTraffic', 'leadsFromOutside'] },
  GRPCRoute: { apiVersion: 'gateway.networking.k8s.io/v1', is: ['directsTraffic', 'leadsFromOutside'] },
  TLSRoute: { apiVersion: 'gateway.networking.k8s.io/v1', is: ['leadsFromOutside'] },
  TCPRoute: { apiVersion: 'gateway.networking.k8s.io/v1alpha2', is: ['leadsFromOutside'] },
  VirtualService: { apiVersion: 'networking.istio.io/v1', is: ['leadsFromOutside'] },
  Gateway: { apiVersion: 'gateway.networking.k8s.io/v1', is: ['directsTraffic'] },
  EndpointSlice: { apiVersion: 'discovery.k8s.io/v1', is: ['directsTraffic'] },

  APIService: { apiVersion: 'apiregistration.k8s.io/v1', layer: 'gates' },
  MutatingAdmissionPolicy: { apiVersion: 'admissionregistration.k8s.io/v1', layer: 'gates' },
  MutatingAdmissionPolicyBinding: { apiVersion: 'admissionregistration.k8s.io/v1', layer: 'gates' },
  MutatingWebhookConfiguration: { apiVersion: 'admissionregistration.k8s.io/v1', layer: 'gates' },
  ValidatingAdmissionPolicy: { apiVersion: 'admissionregistration.k8s.io/v1', layer: 'gates' },
  ValidatingAdmissionPolicyBinding: { apiVersion: 'admissionregistration.k8s.io/v1', layer: 'gates' },
  ValidatingWebhookConfiguration: { apiVersion: 'admissionregistration.k8s.io/v1', layer: 'gates' },
};

/** Groups of Kubernetes itself that have a dot. Other groups that end in `.k8s.io` are of projects beside it. */
const dottedGroups = new Set([
  'admissionregistration.k8s.io',
  'apiextensions.k8s.io',
  'apiregistration.k8s.io',
  'authentication.k8s.io',
  'authorization.k8s.io',
  'certificates.k8s.io',
  'coordination.k8s.io',
  'discovery.k8s.io',
  'events.k8s.io',
  'flowcontrol.apiserver.k8s.io',
  'internal.apiserver.k8s.io',
  'networking.k8s.io',
  'node.k8s.io',
  'rbac.authorization.k8s.io',
  'resource.k8s.io',
  'scheduling.k8s.io',
  'storage.k8s.io',
  'storagemigration.k8s.io',
]);

type KindOf = Pick<ObjectRef, 'apiVersion' | 'kind'>;

/** Whether the kind is of Kubernetes itself: others reuse its names, such as Knative's Service and Volcano's Job. */
export function isBuiltIn({ apiVersion }: Pick<ObjectRef, 'apiVersion'>): boolean {
  const group = groupOf(apiVersion);
  return !group.includes('.') || dottedGroups.has(group);
}

/**
 * Whether the kind is made like those of Kubernetes: its own, and the custom resources of its community (Gateway API,
 * LeaderWorkerSet, Kueue). Their status is written by controllers alone, and pods, selectors and labels in them have the same types.
 */
export function isLikeBuiltIn({ apiVersion }: Pick<ObjectRef, 'apiVersion'>): boolean {
  return isBuiltIn({ apiVersion }) || /\.(?:x-)?k8s\.io$/.test(groupOf(apiVersion));
}

// What holds for Kubernetes' own kinds alone.

/** Whether the kind is one of Kubernetes' own that run pods. */
export function isWorkload(object: KindOf): boolean {
  return ownTraits(object)?.layer === 'workloads';
}

/** Where an object of the kind has its pod template, if it has one alone: the path of the map with the pod's `metadata` and `spec`. */
export function templatePlace(object: KindOf): readonly string[] {
  return ownTraits(object)?.template ?? ['spec', 'template'];
}

// What holds for Kubernetes' own kinds, and for those of others of which it is known.

/** Whether the kind is one whose number of pods, or of groups of pods, stands in `spec.replicas`. */
export function isScalable(object: KindOf): boolean {
  return ownTraits(object)?.is?.includes('scalable') === true || customKindOf(object)?.numberIn === 'spec.replicas';
}

/**
 * Whether there are pods of it that stay although its template changes; a kind that nobody knows may have some. A Job has run,
 * or runs to its end; a CronJob makes new pods anyhow.
 */
export function keepsItsPods(object: KindOf): boolean {
  return ownTraits(object)?.is?.includes('hasNoLastingPods') !== true && customKindOf(object)?.ends !== true;
}

/** The layer that the kind belongs to; undefined for custom resources that nobody knows, where it depends on what they hold. */
export function layerOf(object: KindOf): Layer | undefined {
  return isBuiltIn(object) ? (ownTraits(object)?.layer ?? 'observers') : customLayerOf(object);
}

// What holds for a kind of this very group alone.

export function isDeployment({ apiVersion, kind }: KindOf): boolean {
  return kind === 'Deployment' && groupOf(apiVersion) === 'apps';
}

/** Whether it is config that pods read: a ConfigMap or a Secret. */
export function isConfig(object: KindOf): boolean {
  return isIn('config', object.kind) && object.apiVersion === traitsOf(object.kind)?.apiVersion;
}

/** Whether it leads requests from outside to Services. */
export function isRoute(object: KindOf): boolean {
  return isIn('leadsFromOutside', object.kind) && isOfItsGroup(object);
}

/** Whether its controller makes pods anew when its template changes. Jobs and single Pods cannot change theirs. */
export function renewsPods(object: KindOf): boolean {
  return traitsOf(object.kind)?.history !== undefined && isOfItsGroup(object);
}

/** Workloads, Services and config: their content decides what pods answer. Other kinds are changed by their own controllers all the time. */
export function decidesAnswers(object: KindOf): boolean {
  return isWorkload(object) || (isIn('decidesAnswers', object.kind) && isOfItsGroup(object));
}

// What goes by the name alone: whoever reuses the name of a kind (Knative's Service, Istio's Gateway, Kruise's StatefulSet) means
// the like of it, and here it is the safe side.

/** Whether it may hold data that cannot be made again, so that neither an undo nor a rollback ever deletes it. */
export function keepsData({ kind }: Pick<ObjectRef, 'kind'>): boolean {
  return isIn('keepsData', kind);
}

/** Whether it decides where requests go. */
export function directsTraffic({ kind }: Pick<ObjectRef, 'kind'>): boolean {
  return isIn('directsTraffic', kind);
}

/** Whether two versions of it can run side by side; not when its pods have names, storage or nodes of their own. */
export function canRunTwice({ kind }: Pick<ObjectRef, 'kind'>): boolean {
  return !isIn('hasSinglePods', kind);
}

/** Whether it does its work once: it has not to be there for the version to run, and must not run again by itself. */
export function runsOnce({ kind }: Pick<ObjectRef, 'kind'>): boolean {
  return isIn('runsOnce', kind);
}

export function canBePaused({ kind }: Pick<ObjectRef, 'kind'>): boolean {
  return isIn('pausable', kind);
}

/** Whether it defines kinds: a CustomResourceDefinition. */
export function definesKinds({ kind }: Pick<ObjectRef, 'kind'>): boolean {
  return isIn('definesKinds', kind);
}

/** Whether what others have added to it changes what pods run or get: in workloads that a manifest has, config and Services. */
export function additionsCount({ kind }: Pick<ObjectRef, 'kind'>): boolean {
  return isIn('additionsCount', kind);
}

/** Of which kind the objects are that keep a workload's earlier versions. */
export function historyKeeper({ kind }: Pick<ObjectRef, 'kind'>): 'ReplicaSet' | 'ControllerRevision' | undefined {
  return traitsOf(kind)?.history;
}

/** Under which fields others name an object of the kind: in pod templates, Ingresses, routes, bindings and autoscalers. */
export function fieldsNaming({ kind }: Pick<ObjectRef, 'kind'>): readonly string[] {
  return traitsOf(kind)?.namedIn ?? [];
}

// Lists of kinds.

/** The kinds whose controllers keep earlier versions, all of `apps/v1`. */
export const kindsWithHistory: readonly string[] = namesOf(({ history }) => history !== undefined);

/** The kinds that can be paused, all of `apps/v1`. */
export const pausableKinds: readonly string[] = namesOf(({ is }) => is?.includes('pausable') === true);

/** The kinds that people scale, all of `apps/v1`: a ReplicaSet belongs to its Deployment most of the time. */
export const kindsToScale: readonly string[] = namesOf(
  ({ history, is }) => history !== undefined && is?.includes('scalable') === true,
);

/** Kinds that lead requests from outside to Services. */
export const routeKinds: readonly KindOf[] = namesOf(({ is }) => is?.includes('leadsFromOutside') === true).flatMap(
  (kind) => ({ apiVersion: kinds[kind]?.apiVersion ?? '', kind }),
);

function namesOf(test: (traits: Traits) => boolean): string[] {
  return Object.entries(kinds).flatMap(([kind, traits]) => (test(traits) ? [kind] : []));
}

function traitsOf(kind: string): Traits | undefined {
  return ownValue(kinds, kind);
}

/** Undefined for the kinds of others, whatever their names. */
function ownTraits(object: KindOf): Traits | undefined {
  return isBuiltIn(object) ? traitsOf(object.kind) : undefined;
}

function isIn(trait: Trait, kind: string): boolean {
  return traitsOf(kind)?.is?.includes(trait) === true;
}

function isOfItsGroup({ apiVersion, kind }: KindOf): boolean {
  const known = traitsOf(kind);
  return known !== undefined && groupOf(known.apiVersion) === groupOf(apiVersion);
}
