import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';

import { cacheFolder } from './cache.ts';
import { writeImages } from './images.ts';
import { withLock } from './lock.ts';
import { run } from './run.ts';
import { ensureTools, goVersion } from './tools.ts';

const here = import.meta.dirname;
const sampleServer = join(here, '../../examples/ctwoc/server');

/** Versions of the sample application that lie on every node. */
export const sampleVersions = ['1.0.0', '2.0.0', '3.0.0'] as const;

/** Paths of what was built, by name: `kubectl`, `act`, `ctwoc-1.0.0`, `images.tar`, … */
export type Binaries = Readonly<Record<string, string>>;

export interface Build {
  /** What is built: shown while it runs. */
  name: string;
  /** What the result depends on beside the Go version and the builds before it. */
  key: string;
  /** How long it takes where it is worth saying. */
  usualMinutes?: number;
  run: (target: string, before: Binaries) => Promise<void>;
}

/**
 * A module of `modules/`: its go.mod is the one place where a version stands. Its main.go is a program of ours around
 * parts of others; its tools.go names commands that are taken as they are.
 */
function module(name: string, { flags = '-s -w', output = '' } = {}): Build {
  const folder = join(here, 'modules', name);
  const text = (file: string) =>
    existsSync(join(folder, file)) ? readFileSync(join(folder, file), 'utf8') : undefined;
  const own = text('main.go') === undefined ? [] : ['.'];
  const tools = [...(text('tools.go') ?? '').matchAll(/_ "(.+)"/g)].map(([, command = '']) => command);
  return {
    name,
    key: flags + output + sources(folder),
    run: (target) => go(folder, flags, join(target, output), [...own, ...tools]),
  };
}

/** The parts of Kubernetes are one program, which is the part whose name it is started by: linking each takes as long as linking all. */
function kubernetes(): Build {
  const build = module('kubernetes', { flags: kubernetesFlags() });
  const parts = ['kube-apiserver', 'kube-controller-manager', 'kube-scheduler', 'kube-proxy', 'kubelet'];
  return {
    ...build,
    key: build.key + parts.join(),
    usualMinutes: 5,
    run: async (target, before) => {
      await build.run(target, before);
      for (const part of parts) symlinkSync(build.name, join(target, part));
    },
  };
}

function kubernetesFlags(): string {
  const goMod = readFileSync(join(here, 'modules/kubernetes/go.mod'), 'utf8');
  const version = /^(?:require)?\s+k8s\.io\/kubernetes v(\d+)\.(\d+)\.(\S+)/m.exec(goMod);
  if (version === null) throw new Error('modules/kubernetes/go.mod does not require k8s.io/kubernetes');
  const [, major = '', minor = '', patch = ''] = version;
  // Without this stamp the server says that it is v0.0.0-master.
  const stamp = { gitVersion: `v${major}.${minor}.${patch}`, gitMajor: major, gitMinor: minor };
  return [
    '-s -w',
    ...Object.entries(stamp).map(([name, value]) => `-X k8s.io/component-base/version.${name}=${value}`),
  ].join(' ');
}

/**
 * Everything that a cluster is made of, each in a folder of its own below the cache. The lists go side by side: Kubernetes takes
 * longer than all the rest, and does not keep two cores busy all the time.
 */
function builds(): Build[][] {
  return [
    [kubernetes()],
    [
      {
        name: 'node',
        key: sources(join(here, 'node')),
        run: (target) => go(join(here, 'node'), '-s -w', join(target, 'node'), ['.']),
      },
      ...sampleVersions.map((version) => ({
        name: `ctwoc-${version}`,
        key: version + sources(sampleServer),
        run: (target: string) =>
          go(sampleServer, `-s -w -X main.version=${version}`, join(target, `ctwoc-${version}`), ['.']),
      })),
      {
        name: 'images',
        key: readFileSync(join(here, 'images.ts'), 'utf8') + sources(sampleServer) + sampleVersions.join(),
        run: (target, before) => {
          writeImages(target, new Map(sampleVersions.map((version) => [version, before[`ctwoc-${version}`] ?? ''])));
          return Promise.resolve();
        },
      },
      module('cni'),
      module('etcd', { output: 'etcd' }),
      module('registry'),
      module('coredns'),
    ],
  ];
}

/** Installs missing Debian packages and builds what the cache lacks of a cluster, saying so on stderr. Minutes the first time. */
export async function ensureBuilt(): Promise<Binaries> {
  const version = await goVersion();
  const binaries: Record<string, string> = {};
  await Promise.all([
    ensureTools(),
    ...builds().map(async (list) => {
      for (const build of list) await ensure(build, version, binaries);
    }),
  ]);
  return binaries;
}

/** The path of a program that some tests use and no cluster needs, built when it is not there yet. */
export async function ensureProgram(name: 'act' | 'actionlint' | 'helm'): Promise<string> {
  return (await ensureFiles(module(name)))[name] ?? '';
}

/** The files that a build of one test makes, by name. */
export async function ensureFiles(build: Build): Promise<Binaries> {
  const files: Record<string, string> = {};
  await ensure(build, await goVersion(), files);
  return files;
}

/** Adds what a build makes to `binaries`. */
async function ensure(build: Build, version: string, binaries: Record<string, string>): Promise<void> {
  const key = createHash('sha256').update(`${version}\n${build.key}`).digest('hex').slice(0, 16);
  const folder = join(cacheFolder, 'bin', `${build.name}-${key}`);
  if (!existsSync(folder)) await withLock(`build-${build.name}`, () => buildInto(folder, build, binaries));
  for (const name of readdirSync(folder)) binaries[name] = join(folder, name);
}

/** Builds beside the target and renames, so that nobody ever sees half a build. */
async function buildInto(folder: string, build: Build, before: Binaries): Promise<void> {
  // Another process may have built it while this one waited for the lock.
  if (existsSync(folder)) return;
  const started = Date.now();
  const elapsed = () => `${Math.round((Date.now() - started) / 1000)} s`;
  const estimate = build.usualMinutes === undefined ? '' : `, which takes about ${build.usualMinutes} min on two cores`;
  process.stderr.write(`cluster: building ${build.name}${estimate}\n`);
  const progress = setInterval(
    () => process.stderr.write(`cluster: still building ${build.name} (${elapsed()})\n`),
    30_000,
  );
  const temporary = `${folder}.unfinished`;
  rmSync(temporary, { recursive: true, force: true });
  mkdirSync(temporary, { recursive: true });
  try {
    await build.run(temporary, before);
    renameSync(temporary, folder);
    process.stderr.write(`cluster: built ${build.name} in ${elapsed()}\n`);
  } finally {
    clearInterval(progress);
    rmSync(temporary, { recursive: true, force: true });
  }
}

async function go(folder: string, flags: string, output: string, commands: readonly string[]): Promise<void> {
  const env = { CGO_ENABLED: '0', GOFLAGS: '-trimpath -buildvcs=false' };
  await run('go', ['build', '-ldflags', flags, '-o', output, ...commands], { cwd: folder, env });
}

/** The text of all that Go compiles in a folder, as a key of what is built from it. */
function sources(folder: string): string {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => /(\.go|go\.mod|go\.sum)$/.test(name) && !name.endsWith('_test.go'))
    .sort()
    .map((name) => `${name}\n${readFileSync(join(folder, name), 'utf8')}`)
    .join('\n');
}
