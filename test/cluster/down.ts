import { existsSync, readFileSync, rmSync } from 'node:fs';

import { cgroupFolders, removeCgroups } from './cgroups.ts';
import { withLock } from './lock.ts';
import { disconnectNode, highestIndex, networkLeftovers, networkOf } from './network.ts';
import { waitUntil } from './run.ts';
import { clusterNames, nodeProcesses, readState, stateFolder } from './state.ts';

/** How long the kernel may take to end a node, in ms. */
const patience = 20_000;

/**
 * Ends the cluster and removes all that it left on the machine, whatever state it is in; does nothing when there is none.
 * Throws when something could not be removed.
 */
export async function down(name: string): Promise<void> {
  await withLock(`cluster-${name}`, () => remove(name));
}

/** `down` for those who hold the lock of the cluster already. */
export async function remove(name: string): Promise<void> {
  // One signal would do, for the namespaces end with their first process; but a node that is just being made may have
  // processes that are not inside yet.
  await waitUntil(`the node of "${name}" has ended`, patience, () => {
    const pids = nodeProcesses(name);
    for (const pid of pids) kill(pid);
    return Promise.resolve(pids.length === 0);
  });
  await waitUntil(`the cgroups of "${name}" are empty`, patience, () => Promise.resolve(removeCgroups(name)));
  const state = readState(name);
  if (state !== undefined) await disconnectNode(networkOf(state.index));
  rmSync(stateFolder(name), { recursive: true, force: true });
}

/** What a cluster still holds on the machine, in words: empty after `down`. `index` is that of its `Cluster`. */
export async function leftovers(name: string, index: number): Promise<string[]> {
  const folder = stateFolder(name);
  const mounts = readFileSync('/proc/self/mountinfo', 'utf8')
    .split('\n')
    .filter((line) => line.includes(`${folder}/`));
  return [
    ...nodeProcesses(name).map((pid) => `process ${pid}`),
    ...cgroupFolders(name).map((path) => `cgroup ${path}`),
    ...(await networkLeftovers(networkOf(index))),
    ...mounts.map((line) => `mount ${line}`),
    ...(existsSync(folder) ? [`folder ${folder}`] : []),
  ];
}

/** The lowest number that neither this cache nor a link of the machine uses. */
export function freeIndex(): number {
  const taken = new Set(clusterNames().map((name) => readState(name)?.index));
  for (let index = 0; index <= highestIndex; index += 1) {
    if (!taken.has(index) && !existsSync(`/sys/class/net/${networkOf(index).link}`)) return index;
  }
  throw new Error(`there are ${highestIndex + 1} clusters already; end some with "script/cluster down NAME"`);
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It has ended meanwhile.
  }
}
