import { spawn } from 'node:child_process';
import { closeSync, existsSync, mkdirSync, openSync, readdirSync, readFileSync, rmdirSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';

import { cacheFolder, ensureBuilt, write, type Binaries } from './build.ts';
import { archive, createImage, push, type Image } from './images.ts';
import { networkOf, registry, stateFolder, writeNode, type Network, type NodeFiles, type NodeOptions } from './node.ts';
import { createPki } from './pki.ts';
import { run, tryRun, waitUntil } from './run.ts';
import { sampleVersions } from './versions.ts';

export { ensureBuilt };

export interface Cluster {
  name: string;
  /** Path of a kubeconfig with all rights. */
  kubeconfig: string;
  server: string;
  binaries: Binaries;
  /** Starts, stops (SIGTERM, stays down) or kills (SIGKILL, comes back) a part such as `kube-apiserver`. */
  part(action: 'start' | 'stop' | 'kill', name: string): Promise<void>;
  /** Runs a command inside the node's namespaces. */
  exec(argv: readonly string[]): Promise<string>;
  kubectl(args: readonly string[], input?: string): Promise<string>;
}

interface State {
  name: string;
  index: number;
  /** The `unshare` process; killing it ends the node. */
  pid: number;
  files: NodeFiles;
}

const highestIndex = 63;

/** Brings up the cluster of this name, or returns it when it is already there. Takes some seconds once all is built. */
export async function up(name: string, options: NodeOptions = {}): Promise<Cluster> {
  if (!/^[a-z0-9-]{1,20}$/.test(name)) throw new Error(`a cluster cannot be named "${name}": use a-z, 0-9 and -`);
  const binaries = await ensureBuilt();
  const known = readState(name);
  if (known !== undefined && isAlive(known)) return clusterOf(known, binaries);
  await down(name);

  const started = Date.now();
  const index = freeIndex();
  const network = networkOf(index);
  const folder = stateFolder(name);
  mkdirSync(folder, { recursive: true });
  write(join(folder, 'state.json'), JSON.stringify({ name, index, pid: 0 }));
  const pki = await createPki(join(folder, 'pki'), [network.node, network.apiService, '127.0.0.1']);
  const cgroupVersion = existsSync('/sys/fs/cgroup/cgroup.controllers') ? 2 : 1;
  const files = writeNode(name, network, pki, binaries, options, cgroupVersion);
  await linkCniPlugins(folder, binaries);
  makeCgroups(files.cgroup);

  const pid = startNode(files, binaries);
  const state: State = { name, index, pid, files };
  write(join(folder, 'state.json'), JSON.stringify(state));
  const cluster = clusterOf(state, binaries);
  try {
    await connectNode(pid, network);
    await Promise.all([
      waitUntil(
        'the API server is ready',
        60_000,
        async () => (await cluster.kubectl(['get', '--raw', '/readyz'])) === 'ok',
      ),
      loadImages(files, binaries),
    ]);
    await cluster.kubectl(['apply', '--server-side', '-f', '-'], JSON.stringify(systemObjects(network)));
    await waitUntil('the node is ready', 60_000, async () => {
      const node = await cluster.kubectl([
        'get',
        'node',
        'node',
        '-o',
        'jsonpath={.status.conditions[?(@.type=="Ready")].status}',
      ]);
      return node === 'True';
    });
    await waitUntil('the default service account is there', 30_000, async () => {
      return (await cluster.kubectl(['get', 'serviceaccount', 'default', '-o', 'name'])) !== '';
    });
  } catch (error) {
    throw new Error(`cluster "${name}" did not come up; its logs lie in ${files.logs}`, { cause: error });
  }
  process.stderr.write(`cluster: ${name} is up after ${((Date.now() - started) / 1000).toFixed(1)} s\n`);
  return cluster;
}

/** Ends the cluster and removes all that it left on the machine; does nothing when there is none. */
export async function down(name: string): Promise<void> {
  const folder = stateFolder(name);
  const state = readState(name);
  if (state === undefined) return;
  if (isAlive(state)) process.kill(-state.pid, 'SIGKILL');
  await waitUntil(`the node of ${name} is gone`, 20_000, () => Promise.resolve(!isAlive(state)));
  const network = networkOf(state.index);
  await tryRun('ip', ['link', 'delete', network.link]);
  for (const range of routedRanges(network))
    await tryRun('ip', ['route', 'delete', 'unreachable', range, 'metric', '4000']);
  await waitUntil(`the cgroups of ${name} are gone`, 20_000, () => Promise.resolve(removeCgroups(cgroupName(name))));
  rmSync(folder, { recursive: true, force: true });
}

/** What a cluster of this name still holds on the machine: empty after `down`. */
export async function leftovers(name: string, index: number): Promise<string[]> {
  const network = networkOf(index);
  const routes = await run('ip', ['route', 'show']);
  const links = await run('ip', ['-o', 'link', 'show']);
  const mounts = readFileSync('/proc/self/mountinfo', 'utf8');
  const processes = readdirSync('/proc').filter(
    (pid) => /^\d+$/.test(pid) && commandLine(pid).includes(stateFolder(name)),
  );
  return [
    ...processes.map((pid) => `process ${pid}`),
    ...cgroupFolders(cgroupName(name)).map((path) => `cgroup ${path}`),
    ...routedRanges(network)
      .filter((range) => routes.includes(range))
      .map((range) => `route ${range}`),
    ...(links.includes(`${network.link}@`) ? [`link ${network.link}`] : []),
    ...(mounts.includes(stateFolder(name)) ? ['a mount'] : []),
    ...(existsSync(stateFolder(name)) ? [stateFolder(name)] : []),
  ];
}

export function clusterNames(): string[] {
  const folder = join(cacheFolder, 'clusters');
  return existsSync(folder) ? readdirSync(folder).sort() : [];
}

/** A cluster that is already up, for commands that only use it. */
export async function existing(name: string): Promise<Cluster> {
  const state = readState(name);
  if (state === undefined || !isAlive(state)) throw new Error(`no cluster "${name}" is up: script/cluster up ${name}`);
  return clusterOf(state, await ensureBuilt());
}

export function indexOf(name: string): number | undefined {
  return readState(name)?.index;
}

function clusterOf(state: State, binaries: Binaries): Cluster {
  const { name, files } = state;
  const kubectl = binaries['kubectl'] ?? 'kubectl';
  return {
    name,
    kubeconfig: files.kubeconfig,
    server: `https://${networkOf(state.index).node}:6443`,
    binaries,
    part: async (action, part) => {
      const answer = await control(files.socket, `${action} ${part}`);
      if (answer !== 'ok') throw new Error(answer);
    },
    exec: (argv) => run('nsenter', ['--target', String(initOf(state.pid)), '--all', '--', ...argv]),
    kubectl: (args, input) =>
      run(kubectl, ['--kubeconfig', files.kubeconfig, ...args], input === undefined ? {} : { input }),
  };
}

/** The node's processes live in namespaces of their own and end with the `unshare` process. */
function startNode(files: NodeFiles, binaries: Binaries): number {
  const log = openSync(join(files.logs, 'init.log'), 'a');
  const node = spawn(
    'unshare',
    [
      '--net',
      '--mount',
      '--pid',
      '--uts',
      '--fork',
      '--kill-child',
      '--mount-proc',
      binaries['node'] ?? 'node',
      'init',
      files.init,
    ],
    { detached: true, stdio: ['ignore', log, log], env: { PATH: `/usr/sbin:/sbin:/usr/bin:/bin` } },
  );
  closeSync(log);
  node.unref();
  if (node.pid === undefined) throw new Error('unshare did not start');
  return node.pid;
}

/** The link between the machine and the node; packets for a node that is gone end on the machine. */
async function connectNode(pid: number, network: Network): Promise<void> {
  await waitUntil('the node has started', 5000, () => Promise.resolve(initOf(pid) !== undefined));
  const link = ['link', 'add', network.link, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', String(initOf(pid))];
  // Until unshare has forked into the new namespace, its child may still share the machine's.
  await waitUntil('the link is there', 5000, async () => {
    await run('ip', link);
    return true;
  });
  await run('ip', ['address', 'add', `${network.machine}/30`, 'dev', network.link]);
  await run('ip', ['link', 'set', network.link, 'up']);
  for (const range of routedRanges(network)) {
    await run('ip', ['route', 'replace', 'unreachable', range, 'metric', '4000']);
    await run('ip', ['route', 'replace', range, 'via', network.node]);
  }
}

function routedRanges(network: Network): string[] {
  return [network.services, network.pods, network.loadBalancers];
}

async function linkCniPlugins(folder: string, binaries: Binaries): Promise<void> {
  mkdirSync(join(folder, 'cni/bin'), { recursive: true });
  for (const name of ['bridge', 'loopback', 'host-local']) {
    await run('ln', ['-sf', binaries[name] ?? '', join(folder, 'cni/bin', name)]);
  }
}

/** `pause` and the sample in all versions lie on the node; the registry serves the sample, quickly, slowly or not at all. */
async function loadImages(files: NodeFiles, binaries: Binaries): Promise<void> {
  const binary = (version: string) => binaries[`ctwoc-${version}`] ?? '';
  const samples = sampleVersions.map((version) => createImage('ctwoc', version, binary(version)));
  const pause = createImage('pause', '1', binary('1.0.0'), ['pause']);
  const file = write(join(files.folder, 'images.tar'), archive([pause, ...samples], registry));
  const pushed: Image[] = [
    ...samples.map((image) => ({ ...image, repository: 'pulled/ctwoc' })),
    createImage('slow/ctwoc', '1.0.0', binary('1.0.0'), [], 20_000_000),
  ];
  const ctr = ['--address', files.containerdSocket, '--namespace', 'k8s.io'];
  await Promise.all([
    waitUntil('the images are on the node', 30_000, async () => {
      await run('ctr', [...ctr, 'images', 'import', file]);
      return true;
    }),
    waitUntil('the images are in the registry', 30_000, async () => {
      for (const image of pushed) await push(image, files.registryUrl);
      return true;
    }),
  ]);
  rmSync(file);
}

/** CoreDNS is a process of the node, so its Service has no selector and an EndpointSlice by hand. */
function systemObjects(network: Network): unknown {
  const metadata = { name: 'kube-dns', namespace: 'kube-system' };
  const ports = [
    { name: 'dns', port: 53, protocol: 'UDP' },
    { name: 'dns-tcp', port: 53, protocol: 'TCP' },
  ];
  return {
    apiVersion: 'v1',
    kind: 'List',
    items: [
      { apiVersion: 'v1', kind: 'Service', metadata, spec: { clusterIP: network.dns, ports } },
      {
        apiVersion: 'discovery.k8s.io/v1',
        kind: 'EndpointSlice',
        metadata: { ...metadata, labels: { 'kubernetes.io/service-name': 'kube-dns' } },
        addressType: 'IPv4',
        endpoints: [{ addresses: [network.node], conditions: { ready: true } }],
        ports,
      },
    ],
  };
}

function control(socket: string, line: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const connection = connect(socket, () => connection.write(`${line}\n`));
    let answer = '';
    connection.on('data', (chunk) => (answer += chunk.toString()));
    connection.on('end', () => {
      resolve(answer.trim());
    });
    connection.on('error', reject);
  });
}

/** One line per part: its name and pid. */
export async function partsOf(name: string): Promise<string> {
  const state = readState(name);
  if (state === undefined || !isAlive(state)) return 'down';
  return await control(state.files.socket, 'status');
}

export function logFile(name: string, part: string): string {
  return join(stateFolder(name), 'logs', `${part}.log`);
}

function readState(name: string): State | undefined {
  const path = join(stateFolder(name), 'state.json');
  return existsSync(path) ? (JSON.parse(readFileSync(path, 'utf8')) as State) : undefined;
}

/** A pid may be another's by now: it counts only while it still runs this cluster's node. */
function isAlive(state: State): boolean {
  return state.pid > 0 && commandLine(String(state.pid)).includes(stateFolder(state.name));
}

function commandLine(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8');
  } catch {
    return '';
  }
}

/** The first process inside the node: the only child of `unshare`. */
function initOf(pid: number): number | undefined {
  try {
    const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim();
    return children === '' ? undefined : Number(children.split(' ')[0]);
  } catch {
    return undefined;
  }
}

function freeIndex(): number {
  const taken = new Set(clusterNames().map((name) => readState(name)?.index));
  for (let index = 0; index <= highestIndex; index += 1) if (!taken.has(index)) return index;
  throw new Error(`there are ${highestIndex + 1} clusters already`);
}

function cgroupName(name: string): string {
  return `gke-rollout-${name}`;
}

/** The cgroup v1 hierarchies, or the one of v2. */
function cgroupRoots(): string[] {
  const root = '/sys/fs/cgroup';
  if (existsSync(join(root, 'cgroup.controllers'))) return [root];
  return readdirSync(root)
    .map((name) => join(root, name))
    .filter((path) => existsSync(join(path, 'cgroup.procs')));
}

function cgroupFolders(name: string): string[] {
  return cgroupRoots()
    .map((root) => join(root, name))
    .filter((path) => existsSync(path));
}

/** The kubelet puts its pods below this cgroup, so that clusters do not mix. */
function makeCgroups(name: string): void {
  for (const root of cgroupRoots()) {
    const path = join(root, name);
    mkdirSync(path, { recursive: true });
    for (const file of ['cpuset.cpus', 'cpuset.mems']) {
      if (existsSync(join(path, file)) && root.endsWith('cpuset')) {
        write(join(path, file), readFileSync(join(root, file), 'utf8').trim());
      }
    }
  }
}

/** False while something still lives in them. */
function removeCgroups(name: string): boolean {
  const remove = (path: string): void => {
    for (const entry of readdirSync(path, { withFileTypes: true }))
      if (entry.isDirectory()) remove(join(path, entry.name));
    rmdirSync(path);
  };
  try {
    for (const path of cgroupFolders(name)) remove(path);
    return true;
  } catch {
    return false;
  }
}
