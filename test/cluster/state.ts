import { existsSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';

import { cacheFolder, write } from './cache.ts';

/** What is remembered of a cluster; all else is found by looking at the machine. */
export interface State {
  /** Chooses the addresses. */
  index: number;
}

export function stateFolder(name: string): string {
  return join(cacheFolder, 'clusters', name);
}

/** Clusters that are up, or that left something behind. */
export function clusterNames(): string[] {
  const folder = join(cacheFolder, 'clusters');
  return existsSync(folder) ? readdirSync(folder).sort() : [];
}

export function readState(name: string): State | undefined {
  const path = join(stateFolder(name), 'state.json');
  return existsSync(path) ? (JSON.parse(readFileSync(path, 'utf8')) as State) : undefined;
}

export function writeState(name: string, state: State): void {
  write(join(stateFolder(name), 'state.json'), JSON.stringify(state));
}

/** Where the node's init reads what to do; it also tells this node's processes from all others. */
export function initFile(name: string): string {
  return join(stateFolder(name), 'node.json');
}

/** Pid of the `unshare` process that holds the node, and whose end ends it; undefined when the node does not run. */
export function nodeOf(name: string): number | undefined {
  return pids().find((pid) => {
    const argv = commandLine(pid);
    return argv[0] === 'unshare' && argv.includes(initFile(name));
  });
}

/** The first process inside the node: the only child of `unshare`. */
export function initOf(node: number): number | undefined {
  try {
    const children = readFileSync(`/proc/${node}/task/${node}/children`, 'utf8').trim();
    return children === '' ? undefined : Number(children.split(' ')[0]);
  } catch {
    return undefined;
  }
}

/** Processes that run for the node; those of people who only look at its files are not among them. */
export function nodeProcesses(name: string): number[] {
  const folder = `${stateFolder(name)}/`;
  const own = namespaceOf('self');
  return pids().filter((pid) => {
    const argv = commandLine(pid);
    if (!argv.some((word) => word.includes(folder))) return false;
    return argv[0] === 'unshare' || namespaceOf(pid) !== own;
  });
}

function pids(): number[] {
  return readdirSync('/proc').map(Number).filter(Number.isInteger);
}

/** Empty for a process that has ended. */
function commandLine(pid: number): string[] {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0');
  } catch {
    return [];
  }
}

function namespaceOf(pid: number | 'self'): string {
  try {
    return readlinkSync(`/proc/${pid}/ns/pid`);
  } catch {
    return '';
  }
}
