import { mkdirSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';

import type { Binaries } from './build.ts';
import { write } from './cache.ts';
import { cgroupOf, cgroupVersion } from './cgroups.ts';
import { registry } from './images.ts';
import type { Network } from './network.ts';
import { localServer, partsOf } from './parts.ts';
import { kubeconfig, type Pki } from './pki.ts';
import { initFile, stateFolder } from './state.ts';

const registryPort = 5000;
const registryBehindFront = 5001;

export interface NodeOptions {
  /** How long a LoadBalancer Service waits for its address, as a Go duration; `1s` when left out. */
  loadBalancerDelay?: string;
  /** Bytes per second at which blobs of `slow/…` are served; 1,000,000 when left out. */
  slowRate?: number;
  /**
   * For tests of sign-in: `--authentication-token-webhook-config-file=…`, `--token-auth-file=…`; or what makes them of
   * `Cluster.machine`, where webhooks listen.
   */
  extraApiServerFlags?: readonly string[] | ((machine: string) => readonly string[]);
}

/** Where the things of a node lie that are used from outside. */
export interface NodeFiles {
  folder: string;
  kubeconfig: string;
  /** The control socket of the node's init. */
  socket: string;
  containerdSocket: string;
  logs: string;
}

export function filesOf(name: string): NodeFiles {
  const folder = stateFolder(name);
  return {
    folder,
    kubeconfig: join(folder, 'kubeconfig'),
    socket: join(folder, 'control.sock'),
    containerdSocket: join(folder, 'containerd.sock'),
    logs: join(folder, 'logs'),
  };
}

/** The registry as the machine reaches it. */
export function registryUrl({ node }: Pick<Network, 'node'>): string {
  return `http://${node}:${registryPort}`;
}

/** Writes all configuration of a node below its state folder. */
export function writeNode(name: string, network: Network, pki: Pki, binaries: Binaries, options: NodeOptions): void {
  const { folder, containerdSocket, logs, socket } = filesOf(name);
  const path = (...parts: string[]) => join(folder, ...parts);
  const json = (file: string, value: unknown) => write(path(file), JSON.stringify(value, undefined, 2));

  mkdirSync(logs, { recursive: true });
  write(path('kubeconfig'), kubeconfig(`https://${network.node}:6443`, pki, 'admin'));
  for (const holder of ['controller-manager', 'scheduler', 'proxy', 'kubelet', 'admin'] as const) {
    write(path(`${holder}.kubeconfig`), kubeconfig(localServer, pki, holder));
  }
  write(path('hosts'), `127.0.0.1 localhost\n${network.node} node ${registry}\n`);
  write(path('resolv.conf'), `nameserver ${network.node}\noptions timeout:1 attempts:1\n`);
  write(path('pod-resolv.conf'), `nameserver ${network.dns}\n`);
  write(path('Corefile'), corefile(network.node, path('admin.kubeconfig')));

  write(path('containerd.toml'), containerdToml(folder, containerdSocket));
  write(path('certs.d', registry, 'hosts.toml'), hostsToml());
  json('cni/conf/10-bridge.conflist', bridge(network));
  mkdirSync(path('cni/bin'), { recursive: true });
  for (const plugin of ['bridge', 'loopback', 'host-local']) {
    symlinkSync(binaries[plugin] ?? '', path('cni/bin', plugin));
  }
  json('kubelet.yaml', kubelet(name, network, pki));
  json('proxy.yaml', {
    apiVersion: 'kubeproxy.config.k8s.io/v1alpha1',
    kind: 'KubeProxyConfiguration',
    mode: 'iptables',
    hostnameOverride: 'node',
    clientConnection: { kubeconfig: path('proxy.kubeconfig') },
    clusterCIDR: network.pods,
    conntrack: { maxPerCore: 0 },
    // Answers to a pod that called a Service come back through the node and not over the bridge, past its rules.
    iptables: { minSyncPeriod: '0s', masqueradeAll: true },
  });
  json('registry.yaml', {
    version: 0.1,
    log: { level: 'warn', accesslog: { disabled: true } },
    storage: { filesystem: { rootdirectory: path('registry/storage') } },
    http: { addr: `127.0.0.1:${registryBehindFront}`, relativeurls: true, secret: name },
  });
  json('registry-front.json', {
    listen: `:${registryPort}`,
    upstream: `http://127.0.0.1:${registryBehindFront}`,
    slowRate: options.slowRate ?? 1_000_000,
  });
  json('lb.json', {
    server: localServer,
    ca: pki.ca,
    ...pki.pairs.admin,
    prefix: network.loadBalancers.replace(/0\/24$/, ''),
    first: 10,
    last: 250,
    delay: options.loadBalancerDelay ?? '1s',
  });
  for (const part of ['storage', 'changes', 'work']) mkdirSync(path('registry', part), { recursive: true });

  const { extraApiServerFlags: flags = [] } = options;
  const apiServerFlags = typeof flags === 'function' ? flags(network.machine) : flags;
  const parts = partsOf(folder, network, pki, binaries, apiServerFlags);
  const setup = setUp(folder, network, binaries['registry-storage'] ?? '');
  write(initFile(name), JSON.stringify({ setup, parts, socket, logs }, undefined, 2));
}

/** What the init of the node does before it starts the parts. */
function setUp(folder: string, network: Network, registryStorage: string): string[][] {
  const path = (...parts: string[]) => join(folder, ...parts);
  const layers = `lowerdir=${registryStorage},upperdir=${path('registry/changes')},workdir=${path('registry/work')}`;
  return [
    ['mount', '-t', 'tmpfs', 'tmpfs', '/run'],
    ['mkdir', '-p', '/var/lib/cni', '/var/log/containers'],
    ['mount', '-t', 'tmpfs', 'tmpfs', '/var/lib/cni'],
    ['mount', '-t', 'tmpfs', 'tmpfs', '/var/log/containers'],
    ['mount', '--bind', path('hosts'), '/etc/hosts'],
    // Where systemd resolves names, this is a link into the /run that has just been covered.
    ['sh', '-c', '[ -e /etc/resolv.conf ] || install -D /dev/null "$(readlink -m /etc/resolv.conf)"'],
    ['mount', '--bind', path('resolv.conf'), '/etc/resolv.conf'],
    ['mount', '-t', 'overlay', 'overlay', '-o', layers, path('registry/storage')],
    ['hostname', 'node'],
    ['ip', 'link', 'set', 'lo', 'up'],
    ['ip', 'address', 'add', `${network.node}/30`, 'dev', 'eth0'],
    ['ip', 'link', 'set', 'eth0', 'up'],
    // A process of the node that calls a Service needs a route before kube-proxy's rules change the address.
    ...[network.services, network.loadBalancers].map((range) => ['ip', 'route', 'add', range, 'via', network.machine]),
    ['sysctl', '-qw', 'net.ipv4.ip_forward=1'],
  ];
}

function containerdToml(folder: string, socket: string): string {
  return `version = 2
root = "${join(folder, 'containerd')}"
state = "/run/containerd"
[grpc]
  address = "${socket}"
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "${registry}/pause:1"
  restrict_oom_score_adj = true
  [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
    runtime_type = "io.containerd.runc.v2"
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "${join(folder, 'cni/bin')}"
    conf_dir = "${join(folder, 'cni/conf')}"
  [plugins."io.containerd.grpc.v1.cri".registry]
    config_path = "${join(folder, 'certs.d')}"
`;
}

/** Plain HTTP for the registry of the node. */
function hostsToml(): string {
  const url = `http://127.0.0.1:${registryPort}`;
  return `server = "${url}"\n[host."${url}"]\n  capabilities = ["pull", "resolve"]\n`;
}

function bridge(network: Network): unknown {
  const ipam = {
    type: 'host-local',
    dataDir: '/run/cni-ipam',
    ranges: [[{ subnet: network.pods }]],
    routes: [{ dst: '0.0.0.0/0' }],
  };
  return {
    cniVersion: '1.0.0',
    name: 'pods',
    plugins: [{ type: 'bridge', bridge: 'cni0', isGateway: true, hairpinMode: true, ipam }],
  };
}

function kubelet(name: string, network: Network, pki: Pki): unknown {
  return {
    apiVersion: 'kubelet.config.k8s.io/v1beta1',
    kind: 'KubeletConfiguration',
    authentication: { anonymous: { enabled: false }, x509: { clientCAFile: pki.ca }, webhook: { enabled: true } },
    authorization: { mode: 'Webhook' },
    tlsCertFile: pki.pairs.kubelet.cert,
    tlsPrivateKeyFile: pki.pairs.kubelet.key,
    cgroupDriver: 'cgroupfs',
    cgroupRoot: `/${cgroupOf(name)}`,
    // Unknown to older kubelets and pointless in version 2, so it is only said where it is needed.
    ...(cgroupVersion() === 1 ? { failCgroupV1: false } : {}),
    failSwapOn: false,
    containerRuntimeEndpoint: `unix://${filesOf(name).containerdSocket}`,
    // Without a DNS address every pod gets a warning event.
    clusterDNS: [network.dns],
    clusterDomain: 'cluster.local',
    resolvConf: join(stateFolder(name), 'pod-resolv.conf'),
    podLogsDir: join(stateFolder(name), 'pod-logs'),
    localStorageCapacityIsolation: false,
    evictionHard: {
      'memory.available': '0%',
      'nodefs.available': '0%',
      'imagefs.available': '0%',
      'nodefs.inodesFree': '0%',
    },
    // Never collects images: a full disk of the machine must not take the sample away.
    imageGCHighThresholdPercent: 100,
    serializeImagePulls: false,
    registryPullQPS: 0,
    eventRecordQPS: 0,
    kubeAPIQPS: 100,
    kubeAPIBurst: 200,
    maxPods: 250,
    shutdownGracePeriod: '0s',
  };
}

/** The cluster's own names, and an answer at once for all others. */
function corefile(address: string, adminConfig: string): string {
  return `cluster.local:53 {
  bind ${address}
  kubernetes cluster.local {
    kubeconfig ${adminConfig} embedded
    ttl 1
  }
}
.:53 {
  bind ${address}
  template ANY ANY {
    rcode NXDOMAIN
  }
}
`;
}
