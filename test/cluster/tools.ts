import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';

import { run } from './run.ts';

/** Commands of the machine that a cluster needs, and the Debian packages that bring them. */
const packages: Readonly<Record<string, string>> = {
  containerd: 'containerd',
  ctr: 'containerd',
  runc: 'runc',
  iptables: 'iptables',
  conntrack: 'conntrack',
  ip: 'iproute2',
  sysctl: 'procps',
  unshare: 'util-linux',
  nsenter: 'util-linux',
  flock: 'util-linux',
};

/** From this version on Go fetches the toolchain that a module asks for. */
const oldestGo = 21;

/** PATH with the folders of system commands, which an ordinary user's PATH may lack. */
export const searchPath = [
  ...new Set([...(process.env['PATH'] ?? '').split(delimiter), '/usr/sbin', '/sbin', '/usr/bin', '/bin']),
].join(delimiter);

/** Path of a command of the machine; throws when there is none. */
export function tool(name: string): string {
  const path = find(name);
  if (path === undefined) throw new Error(`"${name}" is not on PATH; install it and try again`);
  return path;
}

/**
 * Installs what is missing, and only that: a machine may have a containerd of another origin, which is as good.
 * @param wanted commands and the Debian packages that bring them; by default those of a cluster
 */
export async function ensureTools(wanted: Readonly<Record<string, string>> = packages): Promise<void> {
  const missing = Object.entries(wanted).filter(([command]) => find(command) === undefined);
  if (missing.length > 0) {
    const names = [...new Set(missing.map(([, name]) => name))];
    if (find('apt-get') === undefined) {
      throw new Error(`these commands are missing: ${missing.map(([command]) => command).join(', ')}; install them`);
    }
    process.stderr.write(`cluster: installing ${names.join(' ')}\n`);
    // With this run level, packages do not start the services that they bring.
    const env = { DEBIAN_FRONTEND: 'noninteractive', RUNLEVEL: '1' };
    await run('apt-get', ['update', '-qq'], { env });
    await run('apt-get', ['install', '-y', '-qq', '--no-install-recommends', ...names], { env });
  }
}

/** Version of Go, such as `go1.26.8`; throws when there is none that can build a cluster. */
export async function goVersion(): Promise<string> {
  const version = find('go') === undefined ? 'none' : (await run('go', ['env', 'GOVERSION'])).trim();
  const minor = Number(/^go1\.(\d+)/.exec(version)?.[1] ?? 0);
  if (minor < oldestGo) throw new Error(`Go 1.${oldestGo} or later builds the cluster, here is ${version}; install Go`);
  return version;
}

function find(name: string): string | undefined {
  return searchPath
    .split(delimiter)
    .map((folder) => join(folder, name))
    .find((path) => {
      try {
        accessSync(path, constants.X_OK);
        return true;
      } catch {
        return false;
      }
    });
}
