import { spawn } from 'node:child_process';
import { closeSync, existsSync, openSync, readFileSync } from 'node:fs';
import { Resolver } from 'node:dns/promises';
import { connect } from 'node:net';
import { join } from 'node:path';

import { apiOf, create, type Api } from './api.ts';
import { ensureBuilt, type Binaries } from './build.ts';
import { makeCgroups } from './cgroups.ts';
import { down, freeIndex, remove } from './down.ts';
import { addFakeNode, type Capacity } from './fake-node.ts';
import { withLock } from './lock.ts';
import { connectNode, networkOf, type Network } from './network.ts';
import { filesOf, registryUrl, writeNode, type NodeOptions } from './node.ts';
import { createPki } from './pki.ts';
import { run, waitUntil } from './run.ts';
import { initFile, initOf, nodeOf, readState, writeState } from './state.ts';
import { searchPath, tool } from './tools.ts';

export { down, leftovers } from './down.ts';
export { ensureBuilt, sampleVersions, type Binaries } from './build.ts';
export { fakeNodeTaint } from './fake-node.ts';

export type PartAction = 'start' | 'stop' | 'restart' | 'kill';

export interface Cluster {
  name: string;
  /** Chooses the addresses. */
  index: number;
  /** Path of a kubeconfig with all rights; its certificates are inside, so its text works anywhere on this machine. */
  kubeconfig: string;
  server: string;
  /** The machine as the node and its pods reach it: webhooks that tests serve listen here. */
  machine: string;
  binaries: Binaries;
  down(): Promise<void>;
  /** Puts the images of a `docker save` archive on the node. */
  importImage(tarPath: string): Promise<void>;
  /**
   * Acts on a part such as `kube-apiserver` and returns when its process is gone or new: `stop` (SIGTERM) keeps it down
   * until `start`, `kill` (SIGKILL) does not.
   */
  part(action: PartAction, part: string): Promise<void>;
  /** Runs a command inside the node and returns its stdout. */
  exec(argv: readonly string[]): Promise<string>;
  kubectl(args: readonly string[], input?: string): Promise<string>;
  /** A Ready node that nothing runs on; see `addFakeNode` in fake-node.ts. */
  addFakeNode(name: string, capacity?: Capacity): Promise<void>;
}

/**
 * Brings up the cluster of this name, or returns it when it is already up (whatever options it was made with). Takes some
 * seconds once all is built. Throws when it is not up within a minute; what it got to is left to be looked at.
 */
export async function up(name: string, options: NodeOptions = {}): Promise<Cluster> {
  if (!/^[a-z0-9][a-z0-9-]{0,19}$/.test(name)) {
    throw new Error(`a cluster cannot be named "${name}"; use up to 20 of a-z, 0-9 and -`);
  }
  if (process.getuid?.() !== 0) {
    throw new Error('a cluster needs root to make its namespaces; use sudo env "PATH=$PATH" "HOME=$HOME"');
  }
  const binaries = await ensureBuilt();
  return await withLock(`cluster-${name}`, async () => {
    if (nodeOf(name) !== undefined && readState(name) !== undefined) return clusterOf(name, binaries);
    await remove(name);
    const started = Date.now();
    const cluster = await start(name, binaries, options);
    process.stderr.write(`cluster: ${name} is up after ${((Date.now() - started) / 1000).toFixed(1)} s\n`);
    return cluster;
  });
}

/** A cluster that is already up, for commands that only use it. */
export async function existing(name: string): Promise<Cluster> {
  if (nodeOf(name) === undefined) throw new Error(`no cluster "${name}" is up; run "script/cluster up ${name}"`);
  return clusterOf(name, await ensureBuilt());
}

/** Sends a line to the init of the node and returns its answer. */
export function control(name: string, line: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const connection = connect(filesOf(name).socket, () => connection.write(`${line}\n`));
    let answer = '';
    connection.on('data', (chunk) => (answer += chunk.toString()));
    connection.on('end', () => {
      resolve(answer.trim());
    });
    connection.on('error', reject);
  });
}

async function start(name: string, binaries: Binaries, options: NodeOptions): Promise<Cluster> {
  const index = await withLock('index', () => {
    const free = freeIndex();
    writeState(name, { index: free });
    return Promise.resolve(free);
  });
  const network = networkOf(index);
  const files = filesOf(name);
  const addresses = [network.node, network.apiService, '127.0.0.1'];
  const pki = await createPki(join(files.folder, 'pki'), addresses, binaries['node'] ?? '');
  writeNode(name, network, pki, binaries, options);
  makeCgroups(name);
  const node = startNode(name, binaries);
  const cluster = clusterOf(name, binaries);
  const api = apiOf(cluster.server, pki.ca, pki.pairs.admin);
  try {
    await connectNode(node, network);
    await Promise.all([waitForNode(name, api, network), importImages(cluster, binaries)]);
  } catch (error) {
    const log = readFileSync(join(files.logs, 'init.log'), 'utf8').trim();
    const message = `cluster "${name}" did not come up; look into ${files.logs}`;
    throw new Error(log === '' ? message : `${message}; its init says: ${log}`, { cause: error });
  }
  return cluster;
}

/** Starts the node's first process in namespaces of its own; all others are its children and end with it. */
function startNode(name: string, binaries: Binaries): number {
  const log = openSync(join(filesOf(name).logs, 'init.log'), 'a');
  const namespaces = ['--net', '--mount', '--pid', '--uts', '--fork', '--kill-child', '--mount-proc'];
  const node = spawn('unshare', [...namespaces, binaries['node'] ?? '', 'init', initFile(name)], {
    detached: true,
    stdio: ['ignore', log, log],
    // The registry would look for a collector of traces.
    env: { PATH: searchPath, OTEL_TRACES_EXPORTER: 'none' },
  });
  closeSync(log);
  node.unref();
  if (node.pid === undefined) throw new Error('"unshare" did not start');
  return node.pid;
}

/** Waits until the node runs pods, and until its Services and names work, which no pod could do without. */
async function waitForNode(name: string, api: Api, network: Network): Promise<void> {
  const until = async (what: string, probe: () => Promise<boolean>) => {
    await waitUntil(what, 60_000, async () => {
      if (nodeOf(name) === undefined) throw new Error('the node has ended');
      return await probe();
    });
  };
  const answers = async (path: string, pattern: RegExp) => {
    const { status, body } = await api('GET', path);
    return status === 200 && pattern.test(body);
  };
  await until('the API server is ready', () => answers('/readyz', /^ok$/));
  await createNameService(api, network);
  const resolver = new Resolver({ timeout: 100, tries: 1 });
  resolver.setServers([network.dns]);
  await Promise.all([
    until('the node is ready', () => answers('/api/v1/nodes/node', /"type": ?"Ready",\s*"status": ?"True"/)),
    until('the default service account is there', () =>
      answers('/api/v1/namespaces/default/serviceaccounts/default', /./),
    ),
    until('names of Services resolve', async () => {
      const found = await resolver.resolve4('kubernetes.default.svc.cluster.local');
      return found.includes(network.apiService);
    }),
    until('the registry answers', async () => (await fetch(`${registryUrl(network)}/v2/`)).ok),
  ]);
}

/** CoreDNS is a process of the node, so its Service has no selector and an EndpointSlice by hand. */
async function createNameService(api: Api, network: Network): Promise<void> {
  const metadata = { name: 'kube-dns', namespace: 'kube-system' };
  const ports = [
    { name: 'dns', port: 53, protocol: 'UDP' },
    { name: 'dns-tcp', port: 53, protocol: 'TCP' },
  ];
  await create(api, '/api/v1/namespaces/kube-system/services', {
    apiVersion: 'v1',
    kind: 'Service',
    metadata,
    spec: { clusterIP: network.dns, ports },
  });
  await create(api, '/apis/discovery.k8s.io/v1/namespaces/kube-system/endpointslices', {
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: { ...metadata, labels: { 'kubernetes.io/service-name': 'kube-dns' } },
    addressType: 'IPv4',
    endpoints: [{ addresses: [network.node], conditions: { ready: true } }],
    ports,
  });
}

async function importImages(cluster: Cluster, binaries: Binaries): Promise<void> {
  const { containerdSocket } = filesOf(cluster.name);
  await waitUntil('containerd listens', 60_000, () => Promise.resolve(existsSync(containerdSocket)));
  await waitUntil('the images are on the node', 30_000, async () => {
    await cluster.importImage(binaries['images.tar'] ?? '');
    return true;
  });
}

function clusterOf(name: string, binaries: Binaries): Cluster {
  const state = readState(name);
  if (state === undefined) throw new Error(`there is no cluster "${name}"; run "script/cluster up ${name}"`);
  const files = filesOf(name);
  const network = networkOf(state.index);
  const server = `https://${network.node}:6443`;
  return {
    name,
    index: state.index,
    kubeconfig: files.kubeconfig,
    server,
    machine: network.machine,
    binaries,
    down: () => down(name),
    importImage: async (tarPath) => {
      await run(tool('ctr'), [
        '--address',
        files.containerdSocket,
        '--namespace',
        'k8s.io',
        'images',
        'import',
        tarPath,
      ]);
    },
    part: async (action, part) => {
      const answer = await control(name, `${action} ${part}`);
      if (answer !== 'ok') throw new Error(answer);
    },
    exec: (argv) => run('nsenter', enter(name, argv)),
    kubectl: (args, input = '') =>
      run(binaries['kubectl'] ?? '', ['--kubeconfig', files.kubeconfig, ...args], { input }),
    addFakeNode: async (node, capacity = {}) => {
      const pair = { cert: join(files.folder, 'pki/admin.crt'), key: join(files.folder, 'pki/admin.key') };
      await addFakeNode(apiOf(server, join(files.folder, 'pki/ca.crt'), pair), node, capacity);
    },
  };
}

/** Arguments of `nsenter` for a command inside the node. */
export function enter(name: string, argv: readonly string[]): string[] {
  const node = nodeOf(name);
  const init = node === undefined ? undefined : initOf(node);
  if (init === undefined) throw new Error(`no cluster "${name}" is up; run "script/cluster up ${name}"`);
  return ['--target', String(init), '--all', '--', ...argv];
}
