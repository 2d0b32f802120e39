import { objectAt, stringAt } from '../base/json.ts';
import type { KubernetesObject } from '../kubernetes/object.ts';
import { amountsAt, lackingIn, minus, sumOf, type Amounts } from './amounts.ts';
import { hostPort, nodeDemandOf, type Demand } from './demand.ts';
import { neighbourOf, repel, Spread, type Neighbour } from './neighbours.ts';
import { obstacleOn, type Obstacle } from './node-fit.ts';

/** A node with what its pods leave of it. */
interface Room {
  node: KubernetesObject;
  free: Amounts;
  pods: Neighbour[];
}

/** Pods that are to find a place. */
interface Ask {
  demand: Demand;
  pod: Neighbour;
}

export interface Placement {
  /** So many of the pods have a place. */
  placed: number;
  nodes: number;
  /** The nodes that may take such pods at all, as they were before: what each has free. */
  fitting: readonly Amounts[];
  /** How many of them would have room for one of the pods if they were empty. */
  able: number;
  /** Why the others may not. */
  obstacles: readonly Obstacle[];
  /** On how many of the fitting nodes each resource is too little for one pod more; empty when all have a place. */
  lacking: ReadonlyMap<string, number>;
  /** Fitting nodes with enough of everything that the pods' neighbours rule out. */
  repelled: number;
  /** Likewise what `topologySpreadConstraints` rule out. */
  unbalanced: number;
}

/** What the nodes have free: allocatable, without what the pods that are on a node, or promised one, ask for. */
export function freeCapacity(nodes: readonly KubernetesObject[], pods: readonly KubernetesObject[]): Room[] {
  const byNode = Map.groupBy(
    pods,
    (pod) => stringAt(pod, 'spec', 'nodeName') ?? stringAt(pod, 'status', 'nominatedNodeName'),
  );
  return nodes.map((node) => {
    const here = byNode.get(node.metadata.name) ?? [];
    const used = sumOf(here.map((pod) => nodeDemandOf(objectAt(pod, 'spec'))));
    const ports = new Map([...used.keys()].filter((name) => name.startsWith(hostPort)).map((name) => [name, 1]));
    const allocatable = new Map([...amountsAt(node, 'status', 'allocatable'), ...ports]);
    return { node, free: minus(allocatable, used), pods: here.map(neighbourOf) };
  });
}

/**
 * Puts the pods onto the nodes, those that need the largest part of a node first and each onto the first node that has
 * room, so that what is free in pieces too small does not count. The rooms stay as they are.
 * @returns one placement for each ask, in their order
 */
export function place(rooms: readonly Room[], asks: readonly Ask[]): Placement[] {
  const left = rooms.map((room) => ({ ...room, pods: [...room.pods] }));
  const results = new Map<Ask, Placement>();
  for (const ask of asks.toSorted((one, other) => sizeOf(other, rooms) - sizeOf(one, rooms))) {
    results.set(ask, placeOne(left, ask));
  }
  return asks.flatMap((ask) => results.get(ask) ?? []);
}

/** The largest share that one pod takes of what the largest node has. */
function sizeOf({ demand }: Ask, rooms: readonly Room[]): number {
  const shares = [...demand.perPod].map(([name, amount]) => {
    const most = Math.max(0, ...rooms.map(({ node }) => amountsAt(node, 'status', 'allocatable').get(name) ?? 0));
    return amount === 0 || name.startsWith(hostPort) ? 0 : amount / most;
  });
  return Math.max(0, ...shares);
}

function placeOne(rooms: Room[], { demand, pod }: Ask): Placement {
  const judged = rooms.map((room) => ({ room, obstacle: obstacleOn(room.node, pod.spec) }));
  const candidates = judged.flatMap(({ room, obstacle }) => (obstacle === undefined ? [room] : []));
  const fitting = candidates.map(({ free }) => withPorts(free, demand));
  const able = candidates.filter(({ node }) => hasRoomWhenEmpty(node, demand)).length;
  const spreads = Spread.of(pod, rooms);
  let placed = 0;
  for (; placed < demand.count; placed += 1) {
    const target = emptiest(candidates, spreads).find((room) => whatHinders(room, demand, pod, spreads).length === 0);
    if (target === undefined) break;
    target.free = minus(withPorts(target.free, demand), demand.perPod);
    target.pods.push(pod);
    for (const spread of spreads) spread.add(target.node);
  }
  const hindrances =
    placed === demand.count ? [] : candidates.flatMap((room) => whatHinders(room, demand, pod, spreads));
  const countOf = (kind: Hindrance['kind']) => hindrances.filter((hindrance) => hindrance.kind === kind).length;
  const lacking = hindrances.flatMap((hindrance) => (hindrance.kind === 'lacking' ? hindrance.resource : []));
  return {
    placed,
    nodes: rooms.length,
    fitting,
    able,
    obstacles: judged.flatMap(({ obstacle }) => obstacle ?? []),
    lacking: new Map([...Map.groupBy(lacking, (name) => name)].map(([name, all]) => [name, all.length])),
    repelled: countOf('repelled'),
    unbalanced: countOf('unbalanced'),
  };
}

function hasRoomWhenEmpty(node: KubernetesObject, demand: Demand): boolean {
  return lackingIn(withPorts(amountsAt(node, 'status', 'allocatable'), demand), demand.perPod).length === 0;
}

type Hindrance = { kind: 'lacking'; resource: string } | { kind: 'repelled' } | { kind: 'unbalanced' };

function whatHinders(room: Room, demand: Demand, pod: Neighbour, spreads: readonly Spread[]): Hindrance[] {
  const lacking = lackingIn(withPorts(room.free, demand), demand.perPod);
  if (lacking.length > 0) return lacking.map((resource) => ({ kind: 'lacking', resource }));
  if (room.pods.some((other) => repel(pod, other))) return [{ kind: 'repelled' }];
  return spreads.every((spread) => spread.allows(room.node)) ? [] : [{ kind: 'unbalanced' }];
}

/** A port of the node that no pod has taken is there once. */
function withPorts(free: Amounts, { perPod }: Demand): Amounts {
  const ports = [...perPod.keys()].filter((name) => name.startsWith(hostPort) && !free.has(name));
  return ports.length === 0 ? free : new Map([...free, ...ports.map((name): [string, number] => [name, 1])]);
}

/** Where pods are to be spread, the domain with the fewest of them comes first, as that allows the most. */
function emptiest(rooms: readonly Room[], spreads: readonly Spread[]): readonly Room[] {
  if (spreads.length === 0) return rooms;
  const count = ({ node }: Room) => spreads.reduce((sum, spread) => sum + (spread.countOn(node) ?? 0), 0);
  return rooms.toSorted((left, right) => count(left) - count(right));
}
