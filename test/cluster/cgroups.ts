import { existsSync, mkdirSync, readdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const root = '/sys/fs/cgroup';

/** 2 where the unified hierarchy rules, as on hosted runners; 1 where each controller has its own. */
export function cgroupVersion(): 1 | 2 {
  return existsSync(join(root, 'cgroup.controllers')) ? 2 : 1;
}

/** The kubelet puts the pods of a cluster below this cgroup, so that clusters do not mix. */
export function cgroupOf(name: string): string {
  return `gke-rollout-${name}`;
}

export function makeCgroups(name: string): void {
  if (cgroupVersion() === 2) delegateControllers();
  for (const hierarchy of hierarchies()) {
    const path = join(hierarchy, cgroupOf(name));
    mkdirSync(path, { recursive: true });
    // In version 1 a new cpuset is empty, and nothing can be put into it.
    for (const file of ['cpuset.cpus', 'cpuset.mems']) {
      if (cgroupVersion() === 1 && existsSync(join(path, file))) {
        writeFileSync(join(path, file), readFileSync(join(hierarchy, file), 'utf8').trim());
      }
    }
  }
}

/** Removes the cgroups, depth first; false while something still lives in them. */
export function removeCgroups(name: string): boolean {
  try {
    for (const path of cgroupFolders(name)) removeFolder(path);
    return true;
  } catch {
    return false;
  }
}

export function cgroupFolders(name: string): string[] {
  return hierarchies()
    .map((hierarchy) => join(hierarchy, cgroupOf(name)))
    .filter((path) => existsSync(path));
}

/** The kubelet wants the controllers in its cgroup; a controller that cannot be had is left to the kubelet to name. */
function delegateControllers(): void {
  for (const controller of readFileSync(join(root, 'cgroup.controllers'), 'utf8').trim().split(' ')) {
    try {
      writeFileSync(join(root, 'cgroup.subtree_control'), `+${controller}`);
    } catch {
      continue;
    }
  }
}

function hierarchies(): string[] {
  if (cgroupVersion() === 2) return [root];
  // Several names may link to one hierarchy; each is then met again under its other name, which does no harm.
  return readdirSync(root)
    .map((name) => join(root, name))
    .filter((path) => existsSync(join(path, 'cgroup.procs')));
}

function removeFolder(path: string): void {
  for (const entry of readdirSync(path, { withFileTypes: true })) {
    if (entry.isDirectory()) removeFolder(join(path, entry.name));
  }
  rmdirSync(path);
}
