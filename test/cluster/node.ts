import { join } from 'node:path';

import { cacheFolder, write, type Binaries } from './build.ts';
import type { KeyPair, Pki } from './pki.ts';

/** Addresses of one cluster. Everything that tests send goes to these ranges; no route leads out of them. */
export interface Network {
  /** Ends of the link: the machine's and the node's. */
  machine: string;
  node: string;
  services: string;
  pods: string;
  loadBalancers: string;
  /** The first address of the service range. */
  apiService: string;
  dns: string;
  link: string;
}

/** Clusters are numbered from 0 to 63. */
export function networkOf(index: number): Network {
  return {
    machine: `10.200.${index}.1`,
    node: `10.200.${index}.2`,
    services: `10.201.${index}.0/24`,
    pods: `10.202.${index}.0/24`,
    loadBalancers: `10.203.${index}.0/24`,
    apiService: `10.201.${index}.1`,
    dns: `10.201.${index}.10`,
    link: `gkr${index}`,
  };
}

export const registry = 'registry.test';
const registryPort = 5000;
const registryUpstream = 5001;

export interface NodeFiles {
  folder: string;
  init: string;
  socket: string;
  logs: string;
  containerdSocket: string;
  kubeconfig: string;
  registryUrl: string;
  cgroup: string;
}

export interface NodeOptions {
  /** How long a LoadBalancer Service waits for its address. */
  loadBalancerDelay?: string;
  /** Bytes per second at which repositories `slow/…` are served. */
  slowRate?: number;
  /** For tests of sign-in: `--authentication-token-webhook-config-file=…`, `--token-auth-file=…`. */
  extraApiServerFlags?: readonly string[];
}

export function stateFolder(name: string): string {
  return join(cacheFolder, 'clusters', name);
}

/** Writes all configuration of a node below its state folder and says where things are. */
export function writeNode(
  name: string,
  network: Network,
  pki: Pki,
  binaries: Binaries,
  options: NodeOptions,
  cgroupVersion: 1 | 2,
): NodeFiles {
  const folder = stateFolder(name);
  const path = (...parts: string[]) => join(folder, ...parts);
  const binary = (program: string) => {
    const found = binaries[program];
    if (found === undefined) throw new Error(`${program} was not built`);
    return found;
  };
  const server = `https://${network.node}:6443`;
  const local = 'https://127.0.0.1:6443';
  const json = (file: string, value: unknown) => write(path(file), JSON.stringify(value, undefined, 2));
  const config = (file: string, pair: KeyPair, url: string) => json(file, kubeconfig(url, pki.ca, pair));
  const cgroup = `gke-rollout-${name}`;
  const containerdSocket = path('containerd.sock');
  const logs = path('logs');
  const socket = path('control.sock');
  write(path('logs/.keep'), '');

  const adminConfig = config('kubeconfig', pki.admin, server);
  const controllerConfig = config('controller-manager.kubeconfig', pki['controller-manager'], local);
  const schedulerConfig = config('scheduler.kubeconfig', pki.scheduler, local);
  const proxyConfig = config('proxy.kubeconfig', pki.proxy, local);
  const kubeletConfig = config('kubelet.kubeconfig', pki.kubelet, local);

  const hosts = write(path('hosts'), `127.0.0.1 localhost\n${network.node} node ${registry}\n`);
  const resolv = write(path('resolv.conf'), `nameserver ${network.node}\noptions timeout:1 attempts:1\n`);
  const podResolv = write(path('pod-resolv.conf'), `nameserver ${network.dns}\n`);

  write(
    path('containerd.toml'),
    `version = 2
root = "${path('containerd/root')}"
state = "/run/containerd"
[grpc]
  address = "${containerdSocket}"
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "${registry}/pause:1"
  restrict_oom_score_adj = true
  [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
    runtime_type = "io.containerd.runc.v2"
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "${path('cni/bin')}"
    conf_dir = "${path('cni/conf')}"
  [plugins."io.containerd.grpc.v1.cri".registry]
    config_path = "${path('certs.d')}"
`,
  );
  write(
    path(`certs.d/${registry}/hosts.toml`),
    `server = "http://127.0.0.1:${registryPort}"\n[host."http://127.0.0.1:${registryPort}"]\n  capabilities = ["pull", "resolve"]\n`,
  );
  json('cni/conf/10-bridge.conflist', {
    cniVersion: '1.0.0',
    name: 'pods',
    plugins: [
      {
        type: 'bridge',
        bridge: 'cni0',
        isGateway: true,
        hairpinMode: true,
        ipam: {
          type: 'host-local',
          dataDir: '/run/cni-ipam',
          ranges: [[{ subnet: network.pods }]],
          routes: [{ dst: '0.0.0.0/0' }],
        },
      },
    ],
  });
  json('kubelet.yaml', {
    apiVersion: 'kubelet.config.k8s.io/v1beta1',
    kind: 'KubeletConfiguration',
    authentication: { anonymous: { enabled: false }, x509: { clientCAFile: pki.ca }, webhook: { enabled: true } },
    authorization: { mode: 'Webhook' },
    tlsCertFile: pki.kubelet.cert,
    tlsPrivateKeyFile: pki.kubelet.key,
    cgroupDriver: 'cgroupfs',
    cgroupRoot: `/${cgroup}`,
    cgroupsPerQOS: true,
    enforceNodeAllocatable: ['pods'],
    ...(cgroupVersion === 1 ? { failCgroupV1: false } : {}),
    failSwapOn: false,
    containerRuntimeEndpoint: `unix://${containerdSocket}`,
    clusterDNS: [network.dns],
    clusterDomain: 'cluster.local',
    resolvConf: podResolv,
    podLogsDir: path('pod-logs'),
    localStorageCapacityIsolation: false,
    evictionHard: {
      'memory.available': '0%',
      'nodefs.available': '0%',
      'imagefs.available': '0%',
      'nodefs.inodesFree': '0%',
    },
    imageGCHighThresholdPercent: 100,
    serializeImagePulls: false,
    registryPullQPS: 0,
    eventRecordQPS: 0,
    kubeAPIQPS: 100,
    kubeAPIBurst: 200,
    maxPods: 250,
    nodeStatusUpdateFrequency: '5s',
    syncFrequency: '10s',
    shutdownGracePeriod: '0s',
  });
  json('proxy.yaml', {
    apiVersion: 'kubeproxy.config.k8s.io/v1alpha1',
    kind: 'KubeProxyConfiguration',
    mode: 'iptables',
    hostnameOverride: 'node',
    clientConnection: { kubeconfig: proxyConfig },
    clusterCIDR: network.pods,
    conntrack: { maxPerCore: 0 },
    iptables: { minSyncPeriod: '0s', masqueradeAll: true },
  });
  write(
    path('Corefile'),
    `cluster.local:53 {
  bind ${network.node}
  kubernetes cluster.local {
    kubeconfig ${adminConfig} admin
    ttl 1
  }
}
.:53 {
  bind ${network.node}
  template ANY ANY {
    rcode NXDOMAIN
  }
}
`,
  );
  json('lb.json', {
    server: local,
    ca: pki.ca,
    cert: pki.admin.cert,
    key: pki.admin.key,
    prefix: network.loadBalancers.replace(/0\/24$/, ''),
    first: 10,
    last: 250,
    delay: options.loadBalancerDelay ?? '1s',
  });
  json('registry-front.json', {
    listen: `:${registryPort}`,
    upstream: `http://127.0.0.1:${registryUpstream}`,
    slowRate: options.slowRate ?? 1_000_000,
  });
  json('registry.yaml', {
    version: 0.1,
    log: { level: 'warn' },
    storage: { filesystem: { rootdirectory: path('registry') } },
    http: { addr: `127.0.0.1:${registryUpstream}`, relativeurls: true },
  });

  const node = binary('node');
  const parts = [
    {
      name: 'etcd',
      argv: [
        binary('etcd'),
        '--name=node',
        `--data-dir=${path('etcd')}`,
        '--listen-client-urls=http://127.0.0.1:2379',
        '--advertise-client-urls=http://127.0.0.1:2379',
        '--listen-peer-urls=http://127.0.0.1:2380',
        '--initial-advertise-peer-urls=http://127.0.0.1:2380',
        '--initial-cluster=node=http://127.0.0.1:2380',
        '--unsafe-no-fsync=true',
        '--log-level=warn',
      ],
    },
    {
      name: 'kube-apiserver',
      argv: [
        binary('kube-apiserver'),
        '--etcd-servers=http://127.0.0.1:2379',
        '--bind-address=0.0.0.0',
        '--secure-port=6443',
        `--advertise-address=${network.node}`,
        `--tls-cert-file=${pki.apiserver.cert}`,
        `--tls-private-key-file=${pki.apiserver.key}`,
        `--client-ca-file=${pki.ca}`,
        `--kubelet-client-certificate=${pki.admin.cert}`,
        `--kubelet-client-key=${pki.admin.key}`,
        `--kubelet-certificate-authority=${pki.ca}`,
        '--kubelet-preferred-address-types=InternalIP',
        '--authorization-mode=Node,RBAC',
        `--service-cluster-ip-range=${network.services}`,
        '--service-account-issuer=https://kubernetes.default.svc',
        `--service-account-key-file=${pki.serviceAccountKey}`,
        `--service-account-signing-key-file=${pki.serviceAccountKey}`,
        '--allow-privileged=true',
        ...(options.extraApiServerFlags ?? []),
      ],
    },
    {
      name: 'kube-controller-manager',
      argv: [
        binary('kube-controller-manager'),
        `--kubeconfig=${controllerConfig}`,
        `--service-account-private-key-file=${pki.serviceAccountKey}`,
        `--root-ca-file=${pki.ca}`,
        '--use-service-account-credentials=true',
        '--leader-elect=false',
        '--kube-api-qps=100',
        '--kube-api-burst=200',
        // Nodes that tests add without a kubelet stay as they were made.
        '--node-monitor-grace-period=24h',
      ],
    },
    {
      name: 'kube-scheduler',
      argv: [binary('kube-scheduler'), `--kubeconfig=${schedulerConfig}`, '--leader-elect=false'],
    },
    { name: 'containerd', argv: ['/usr/bin/containerd', '--config', path('containerd.toml')] },
    {
      name: 'kubelet',
      argv: [
        binary('kubelet'),
        `--config=${path('kubelet.yaml')}`,
        `--kubeconfig=${kubeletConfig}`,
        `--root-dir=${path('kubelet')}`,
        `--node-ip=${network.node}`,
        '--hostname-override=node',
      ],
    },
    { name: 'kube-proxy', argv: [binary('kube-proxy'), `--config=${path('proxy.yaml')}`] },
    { name: 'coredns', argv: [binary('coredns'), '-conf', path('Corefile')] },
    { name: 'registry', argv: [binary('registry'), 'serve', path('registry.yaml')] },
    { name: 'registry-front', argv: [node, 'registry-front', path('registry-front.json')] },
    { name: 'lb', argv: [node, 'lb', path('lb.json')] },
  ];
  const setup = [
    ['mount', '-t', 'tmpfs', 'tmpfs', '/run'],
    ['mkdir', '-p', '/var/lib/cni', '/var/log/containers'],
    ['mount', '-t', 'tmpfs', 'tmpfs', '/var/lib/cni'],
    ['mount', '-t', 'tmpfs', 'tmpfs', '/var/log/containers'],
    ['mount', '--bind', hosts, '/etc/hosts'],
    ['mount', '--bind', resolv, '/etc/resolv.conf'],
    ['hostname', 'node'],
    ['ip', 'link', 'set', 'lo', 'up'],
    ['ip', 'address', 'add', `${network.node}/30`, 'dev', 'eth0'],
    ['ip', 'link', 'set', 'eth0', 'up'],
    ...[network.services, network.loadBalancers].map((range) => ['ip', 'route', 'add', range, 'via', network.machine]),
    ['sysctl', '-qw', 'net.ipv4.ip_forward=1', 'net.bridge.bridge-nf-call-iptables=1'],
  ];
  const init = json('node.json', { setup, parts, socket, logs });
  return {
    folder,
    init,
    socket,
    logs,
    containerdSocket,
    kubeconfig: adminConfig,
    registryUrl: `http://${network.node}:${registryPort}`,
    cgroup,
  };
}

/** JSON is YAML, so this is a kubeconfig; certificates are named by path. */
function kubeconfig(server: string, ca: string, pair: KeyPair): unknown {
  return {
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: 'embedded', cluster: { server, 'certificate-authority': ca } }],
    users: [{ name: 'admin', user: { 'client-certificate': pair.cert, 'client-key': pair.key } }],
    contexts: [{ name: 'admin', context: { cluster: 'embedded', user: 'admin' } }],
    'current-context': 'admin',
  };
}
