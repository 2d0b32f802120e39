import { run, tryRun, waitUntil } from './run.ts';
import { initOf } from './state.ts';

/** Addresses of one cluster. Everything that tests send goes to these ranges; no route leads out of them. */
export interface Network {
  link: string;
  /** The link between the machine and the node, and its two ends. */
  between: string;
  machine: string;
  node: string;
  services: string;
  pods: string;
  loadBalancers: string;
  /** The first address of the service range. */
  apiService: string;
  dns: string;
}

/** Clusters are numbered from 0 on. */
export const highestIndex = 63;

export function networkOf(index: number): Network {
  return {
    link: `gkr${index}`,
    between: `10.200.${index}.0/30`,
    machine: `10.200.${index}.1`,
    node: `10.200.${index}.2`,
    services: `10.201.${index}.0/24`,
    pods: `10.202.${index}.0/24`,
    loadBalancers: `10.203.${index}.0/24`,
    apiService: `10.201.${index}.1`,
    dns: `10.201.${index}.10`,
  };
}

/** Makes the link to the node; from then on, packets for a node that is gone end on the machine. */
export async function connectNode(pid: number, network: Network): Promise<void> {
  await waitUntil('the node has started', 5000, () => Promise.resolve(initOf(pid) !== undefined));
  for (const range of ranges(network)) {
    await run('ip', ['route', 'replace', 'unreachable', range, 'metric', '4000']);
  }
  const link = ['link', 'add', network.link, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', String(initOf(pid))];
  await run('ip', link);
  await run('ip', ['address', 'add', `${network.machine}/30`, 'dev', network.link]);
  await run('ip', ['link', 'set', network.link, 'up']);
  for (const range of [network.services, network.pods, network.loadBalancers]) {
    await run('ip', ['route', 'replace', range, 'via', network.node]);
  }
}

/** The link itself goes with the node; so do the routes over it. */
export async function disconnectNode(network: Network): Promise<void> {
  await tryRun('ip', ['link', 'delete', network.link]);
  for (const range of ranges(network)) await tryRun('ip', ['route', 'delete', 'unreachable', range, 'metric', '4000']);
}

/** Devices, routes and iptables rules of the machine that belong to the network. */
export async function networkLeftovers(network: Network): Promise<string[]> {
  const links = lines(await run('ip', ['-o', 'link', 'show']));
  const routes = lines(await run('ip', ['route', 'show', 'table', 'all']));
  const rules = lines(await run('iptables-save', []));
  // `ip` prints a network of one address without its length.
  const addresses = [...ranges(network), network.node, network.machine];
  const ours = (line: string) => addresses.some((address) => line.split(/\s+/).includes(address));
  return [
    ...links.filter((line) => line.includes(` ${network.link}@`) || line.includes(` ${network.link}:`)),
    ...routes.filter(ours).map((line) => `route ${line}`),
    ...rules.filter(ours).map((line) => `iptables rule ${line}`),
  ];
}

function ranges(network: Network): string[] {
  return [network.between, network.services, network.pods, network.loadBalancers];
}

function lines(text: string): string[] {
  return text.split('\n').filter((line) => line !== '');
}
