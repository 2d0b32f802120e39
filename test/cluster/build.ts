import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { delimiter, join } from 'node:path';

import { run } from './run.ts';
import { packages, sampleVersions, versions } from './versions.ts';

const here = import.meta.dirname;
const sampleServer = join(here, '../../examples/ctwoc/server');

/** Where builds and the state of clusters lie. */
export const cacheFolder = process.env['GKE_ROLLOUT_CACHE'] ?? join(homedir(), '.cache/gke-rollout');

interface Build {
  /** What is built: shown while it runs. */
  name: string;
  /** What the result depends on beside the Go version. */
  key: string;
  run: (target: string) => Promise<void>;
}

const go = (args: string[], cwd: string, env: Record<string, string> = {}) =>
  run('go', args, { cwd, env: { CGO_ENABLED: '0', GOFLAGS: '-trimpath -buildvcs=false', ...env } });

const install = (name: string, target: string): Build => ({
  name,
  key: target,
  run: async (folder) => {
    await go(['install', '-ldflags=-s -w', target], folder, { GOBIN: folder });
  },
});

const kubernetesFlags = [
  '-s -w',
  `-X k8s.io/component-base/version.gitVersion=v${versions.kubernetes}`,
  `-X k8s.io/component-base/version.gitMajor=${versions.kubernetes.split('.')[0] ?? ''}`,
  `-X k8s.io/component-base/version.gitMinor=${versions.kubernetes.split('.')[1] ?? ''}`,
].join(' ');

const kubernetesCommands = [
  'kube-apiserver',
  'kube-controller-manager',
  'kube-scheduler',
  'kubelet',
  'kube-proxy',
  'kubectl',
].map((name) => `k8s.io/kubernetes/cmd/${name}`);

const cni = `github.com/containernetworking/plugins/plugins`;

/** Everything that is compiled, each into a folder of its own below the cache. */
const builds: Build[] = [
  {
    name: 'kubernetes',
    key: kubernetesFlags + contents(join(here, 'build/kubernetes')),
    run: async (folder) => {
      await go(
        ['build', '-ldflags', kubernetesFlags, '-o', `${folder}/`, ...kubernetesCommands],
        join(here, 'build/kubernetes'),
      );
    },
  },
  {
    name: 'etcd',
    key: contents(join(here, 'build/etcd')),
    run: async (folder) => {
      const output = join(folder, 'etcd');
      await go(['build', '-ldflags=-s -w', '-o', output, 'go.etcd.io/etcd/server/v3'], join(here, 'build/etcd'));
    },
  },
  install('bridge', `${cni}/main/bridge@v${versions.cniPlugins}`),
  install('loopback', `${cni}/main/loopback@v${versions.cniPlugins}`),
  install('host-local', `${cni}/ipam/host-local@v${versions.cniPlugins}`),
  install('coredns', `github.com/coredns/coredns@v${versions.coredns}`),
  install('registry', `github.com/distribution/distribution/v3/cmd/registry@v${versions.registry}`),
  install('act', `github.com/nektos/act@v${versions.act}`),
  {
    name: 'node',
    key: contents(join(here, 'node')),
    run: async (folder) => {
      await go(['build', '-ldflags=-s -w', '-o', join(folder, 'node'), '.'], join(here, 'node'));
    },
  },
  ...sampleVersions.map((version) => ({
    name: `ctwoc-${version}`,
    key: version + contents(sampleServer),
    run: async (folder: string) => {
      const flags = `-s -w -X main.version=${version}`;
      await go(['build', '-ldflags', flags, '-o', join(folder, `ctwoc-${version}`), '.'], sampleServer);
    },
  })),
];

/** Paths of the built programs by name: `kubectl`, `act`, `ctwoc-1.0.0`, … */
export type Binaries = Readonly<Record<string, string>>;

/** Installs missing Debian packages and builds what the cache lacks, saying so on stderr. */
export async function ensureBuilt(): Promise<Binaries> {
  await ensurePackages();
  const goVersion = (await run('go', ['env', 'GOVERSION'])).trim();
  const binaries: Record<string, string> = {};
  for (const build of builds) {
    const key = createHash('sha256').update(`${goVersion}\n${build.key}`).digest('hex').slice(0, 16);
    const folder = join(cacheFolder, 'bin', `${build.name}-${key}`);
    if (!existsSync(folder)) await buildInto(folder, build);
    for (const name of readdirSync(folder)) binaries[name] = join(folder, name);
  }
  return binaries;
}

/** Builds beside the target and renames, so that nobody ever sees half a build and two builders do no harm. */
async function buildInto(folder: string, build: Build): Promise<void> {
  const started = Date.now();
  const elapsed = () => `${Math.round((Date.now() - started) / 1000)} s`;
  process.stderr.write(`cluster: building ${build.name}\n`);
  const progress = setInterval(
    () => process.stderr.write(`cluster: still building ${build.name} (${elapsed()})\n`),
    30_000,
  );
  const temporary = `${folder}.${process.pid}`;
  mkdirSync(temporary, { recursive: true });
  try {
    await build.run(temporary);
    if (!existsSync(folder)) renameSync(temporary, folder);
    process.stderr.write(`cluster: built ${build.name} in ${elapsed()}\n`);
  } finally {
    clearInterval(progress);
    rmSync(temporary, { recursive: true, force: true });
  }
}

async function ensurePackages(): Promise<void> {
  const folders = [...(process.env['PATH'] ?? '').split(delimiter), '/usr/sbin', '/sbin'];
  const missing = Object.entries(packages)
    .filter(([command]) => !folders.some((folder) => existsSync(join(folder, command))))
    .map(([, name]) => name);
  if (missing.length === 0) return;
  process.stderr.write(`cluster: installing ${missing.join(' ')}\n`);
  const env = { DEBIAN_FRONTEND: 'noninteractive' };
  await run('apt-get', ['update', '-qq'], { env });
  await run('apt-get', ['install', '-y', '-qq', '--no-install-recommends', ...missing], { env });
}

/** The text of all files of a folder, as a key of what is built from it. */
function contents(folder: string): string {
  return readdirSync(folder)
    .sort()
    .map((name) => `${name}\n${readFileSync(join(folder, name), 'utf8')}`)
    .join('\n');
}

/** Writes a file and the folders above it. */
export function write(path: string, text: string | Buffer): string {
  mkdirSync(join(path, '..'), { recursive: true });
  writeFileSync(path, text);
  return path;
}
