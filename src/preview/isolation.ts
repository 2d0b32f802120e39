import type { JsonObject } from '../base/json.ts';
import type { KubernetesObject } from '../kubernetes/object.ts';

export type Isolation = 'none' | 'default' | 'fork';

export interface IsolationOptions {
  profile: Isolation;
  /** Of the preview. */
  namespace: string;
  /** It is reached by a host (`preview-host`), so that no Service needs a load balancer. */
  hasHost: boolean;
  /** How many GPUs of NVIDIA it may ask for in all; absent: none. */
  gpus?: number;
  /** The objects of the manifests: what they limit by themselves is not limited once more. */
  given?: readonly KubernetesObject[];
}

/** All objects of a preview that its manifests do not have. */
const name = 'gke-rollout-preview';

/** Ports of nodes that load balancers take: one for each port of a Service, although nobody uses them. */
const portsOfLoadBalancers = 10;

/**
 * What a preview is kept within, for the manifests of its release. Any cluster takes these objects; a NetworkPolicy does something
 * only where the network enforces it (on GKE: Dataplane V2, or the add-on).
 */
export function isolationObjects(options: IsolationOptions): KubernetesObject[] {
  const { profile, namespace } = options;
  if (profile === 'none') return [];
  const all = [
    resourceQuota(options),
    limitRange(namespace),
    networkPolicy(profile, namespace),
    ...(profile === 'fork' ? [defaultServiceAccount(namespace)] : []),
  ];
  return all.filter((object) => !isGiven(object, options));
}

/**
 * Policies add up: where the manifests keep pods from the internet, another one that lets all pods go there would open it again.
 * Quotas and defaults of two hands contradict each other. For a fork they stay all the same: what is given may not cover all pods.
 */
function isGiven({ apiVersion, kind }: KubernetesObject, { profile, given = [] }: IsolationOptions): boolean {
  return profile !== 'fork' && given.some((object) => object.kind === kind && object.apiVersion === apiVersion);
}

/** Labels of its namespace, by which the API server refuses pods that could take over a node. */
export function podSecurityLabels(profile: Isolation): Record<string, string> {
  if (profile === 'none') return {};
  return { 'pod-security.kubernetes.io/enforce': profile === 'fork' ? 'restricted' : 'baseline' };
}

/** What people should know of it, a line for each. */
export function isolationLines(options: IsolationOptions): string[] {
  const { profile, hasHost, gpus = 0 } = options;
  if (profile === 'none') return ['nothing limits what this preview can use or reach (isolation: none)'];
  const made = new Set(isolationObjects(options).map(({ kind }) => kind));
  const own = (kind: string) => `the ${kind} in the manifests replaces the one of previews`;
  return [
    made.has('ResourceQuota')
      ? `at most 20 pods, 2 CPUs, 4Gi of memory and 5 volumes, ${hasHost ? 'no load balancer' : '1 load balancer'}, ${gpuWords(gpus)} (isolation: ${profile})`
      : own('ResourceQuota'),
    ...(made.has('LimitRange') ? [] : [own('LimitRange')]),
    made.has('NetworkPolicy') ? networkWords[profile] : own('NetworkPolicy'),
  ];
}

const networkWords = {
  default:
    'its pods do not reach the metadata server 169.254.169.254, so they get no node identity and no Workload Identity',
  fork: 'its pods reach each other and the internet, but nothing else in the cluster, no private network and no metadata server; they get no cluster token',
};

function gpuWords(gpus: number): string {
  return gpus === 0 ? 'no GPU' : `${gpus} GPU${gpus === 1 ? '' : 's'}`;
}

/**
 * A quota of load balancers needs one of node ports beside it: each port of such a Service counts as one (kubernetes
 * pkg/quota/v1/evaluator/core/services.go), so that none would mean no load balancer either.
 */
function resourceQuota({ namespace, hasHost, gpus = 0 }: IsolationOptions): KubernetesObject {
  return {
    apiVersion: 'v1',
    kind: 'ResourceQuota',
    metadata: metadata(name, namespace),
    spec: {
      hard: {
        pods: '20',
        'requests.cpu': '2',
        'requests.memory': '4Gi',
        'requests.nvidia.com/gpu': String(gpus),
        persistentvolumeclaims: '5',
        'services.loadbalancers': hasHost ? '0' : '1',
        'services.nodeports': hasHost ? '0' : String(portsOfLoadBalancers),
      },
    },
  };
}

/**
 * Under a quota of requests a container without any is refused; with these, all 20 pods have room for a container and its sidecar.
 * It states no limits: one that nobody has chosen kills what needs more.
 */
function limitRange(namespace: string): KubernetesObject {
  return {
    apiVersion: 'v1',
    kind: 'LimitRange',
    metadata: metadata(name, namespace),
    spec: { limits: [{ type: 'Container', defaultRequest: { cpu: '50m', memory: '100Mi' } }] },
  };
}

/** What tells a machine, and whoever asks from it, who it is: of most clouds, and Google's and Amazon's over IPv6. */
const metadataServers = { v4: ['169.254.169.254/32'], v6: ['fd00:ec2::254/128', 'fd20:ce::254/128'] };

/** Networks that are not the internet: those of clusters, of companies and of links. */
const privateNetworks = {
  v4: ['10.0.0.0/8', '100.64.0.0/10', '127.0.0.0/8', '169.254.0.0/16', '172.16.0.0/12', '192.168.0.0/16'],
  v6: ['fc00::/7', 'fe80::/10'],
};

/**
 * Requests come in from everywhere: which addresses load balancers, their health checks, the API server's proxy and controllers of
 * Ingresses have is different on each cluster, and a policy that forgets one of them makes previews dead. What pods can do to others
 * depends on where they may go, and that is what is limited.
 */
function networkPolicy(profile: 'default' | 'fork', namespace: string): KubernetesObject {
  return {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'NetworkPolicy',
    metadata: metadata(name, namespace),
    spec: {
      podSelector: {},
      policyTypes: ['Egress'],
      egress:
        profile === 'fork'
          ? [toDns, toOwnPods, internet(privateNetworks)]
          : [toDns, toAllPods, internet(metadataServers)],
    },
  };
}

const toOwnPods: JsonObject = { to: [{ podSelector: {} }] };

/** Where pods have identities of their own (Cilium, Dataplane V2), blocks of addresses do not mean them. */
const toAllPods: JsonObject = { to: [{ namespaceSelector: {} }] };

/**
 * Names are asked for at pods of the system, at the cache of each node, or, with Cloud DNS, at the address of the metadata server;
 * behind a Service it is the port of the pod that counts.
 */
const toDns: JsonObject = {
  to: [
    { namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': 'kube-system' } } },
    { ipBlock: { cidr: '169.254.20.10/32' } },
    { ipBlock: { cidr: '169.254.169.254/32' } },
  ],
  ports: [
    { protocol: 'UDP', port: 53 },
    { protocol: 'TCP', port: 53 },
  ],
};

function internet({ v4, v6 }: { v4: string[]; v6: string[] }): JsonObject {
  return { to: [{ ipBlock: { cidr: '0.0.0.0/0', except: v4 } }, { ipBlock: { cidr: '::/0', except: v6 } }] };
}

/** Pods without an account of their own have this one, which Kubernetes makes in each namespace. */
function defaultServiceAccount(namespace: string): KubernetesObject {
  return {
    apiVersion: 'v1',
    kind: 'ServiceAccount',
    metadata: metadata('default', namespace),
    automountServiceAccountToken: false,
  };
}

function metadata(of: string, namespace: string): { name: string; namespace: string } {
  return { name: of, namespace };
}
