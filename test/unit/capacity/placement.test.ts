import { describe, expect, test } from '@jest/globals';

import type { JsonObject } from '../../../src/base/json.ts';
import type { KubernetesObject } from '../../../src/kubernetes/object.ts';
import { demandOf } from '../../../src/capacity/demand.ts';
import { futurePod } from '../../../src/capacity/neighbours.ts';
import { freeCapacity, place, type Placement } from '../../../src/capacity/placement.ts';
import { containerWith, nodeOf, podOn, templateWith } from './build.ts';

function placedOf(
  nodes: readonly KubernetesObject[],
  pods: readonly KubernetesObject[],
  ...asks: readonly [template: JsonObject, count: number][]
): Placement[] {
  const wanted = asks.map(([template, count], index) => ({
    demand: demandOf(template, count),
    pod: futurePod(`new-${index}`, 'shop', template),
  }));
  return place(freeCapacity(nodes, pods), wanted);
}

function countOf(...args: Parameters<typeof placedOf>): number[] {
  return placedOf(...args).map(({ placed }) => placed);
}

describe('what a node has free', () => {
  const freeOn = (name: string, pods: KubernetesObject[]) =>
    freeCapacity([nodeOf('a'), nodeOf('b')], pods).find(({ node }) => node.metadata.name === name)?.free;

  test('is its allocatable without what its pods ask for', () => {
    const pods = [podOn('a', templateWith({ cpu: '1' })), podOn('a', templateWith({ cpu: '500m', memory: '1Gi' }))];
    expect([freeOn('a', pods)?.get('cpu'), freeOn('a', pods)?.get('pods')]).toEqual([2500, 108]);
    expect(freeOn('b', pods)?.get('cpu')).toBe(4000);
  });

  test('lacks what it has promised to a pod for which others are being evicted', () => {
    const pod = podOn(undefined, templateWith({ cpu: '3' }), { status: { nominatedNodeName: 'a' } });
    expect(freeOn('a', [pod])?.get('cpu')).toBe(1000);
  });

  test('does not lack what a pod without a place asks for', () => {
    expect(freeOn('a', [podOn(undefined, templateWith({ cpu: '3' }))])?.get('cpu')).toBe(4000);
  });
});

describe('pods find a place', () => {
  const gpu = { 'nvidia.com/gpu': '1' };
  const model = templateWith(gpu);

  test('on nodes that have room for them, and no more of them than that', () => {
    const nodes = [nodeOf('a', gpu), nodeOf('b', gpu), nodeOf('c')];
    expect(countOf(nodes, [podOn('a', model)], [model, 1])).toEqual([1]);
    expect(countOf(nodes, [podOn('a', model)], [model, 3])).toEqual([1]);
  });

  test('not in free pieces that are too small, however much they are together', () => {
    const nodes = ['a', 'b', 'c', 'd'].map((name) => nodeOf(name));
    const pods = ['a', 'b', 'c', 'd'].map((name) => podOn(name, templateWith({ cpu: '3' })));
    expect(countOf(nodes, pods, [templateWith({ cpu: '2' }), 1])).toEqual([0]);
    expect(countOf(nodes, pods, [templateWith({ cpu: '1' }), 4])).toEqual([4]);
  });

  test('the large ones before the small ones, in whatever order they are asked for', () => {
    const nodes = [nodeOf('a'), nodeOf('b', { cpu: '2' })];
    const small: [JsonObject, number] = [templateWith({ cpu: '1' }), 2];
    const large: [JsonObject, number] = [templateWith({ cpu: '4' }), 1];
    expect(countOf(nodes, [], small, large)).toEqual([2, 1]);
    expect(countOf(nodes, [], large, small)).toEqual([1, 2]);
  });

  test('up to the number of pods that a node may have', () => {
    expect(countOf([nodeOf('a', { pods: '2' })], [podOn('a', templateWith())], [templateWith(), 3])).toEqual([1]);
  });

  test('once on each node for a port of it', () => {
    const template = templateWith(
      {},
      { containers: [containerWith({}, { ports: [{ containerPort: 80, hostPort: 80 }] })] },
    );
    const nodes = [nodeOf('a'), nodeOf('b'), nodeOf('c')];
    expect(countOf(nodes, [podOn('a', template)], [template, 3])).toEqual([2]);
  });

  test('only on nodes that take them at all', () => {
    const nodes = [nodeOf('a', gpu, { ready: false }), nodeOf('b', gpu, { cordoned: true }), nodeOf('c')];
    const [placement] = placedOf(nodes, [], [templateWith(gpu, { nodeSelector: { pool: 'gpu' } }), 1]);
    expect(placement).toMatchObject({ placed: 0, nodes: 3, fitting: [] });
    expect(placement?.obstacles.map(({ kind }) => kind)).toEqual(['not-selected', 'not-selected', 'not-selected']);
  });

  test('and what is too little is told with the number of nodes', () => {
    const nodes = [nodeOf('a'), nodeOf('b', { memory: '1Gi' }), nodeOf('c', gpu)];
    const [placement] = placedOf(nodes, [], [templateWith({ ...gpu, memory: '2Gi' }), 2]);
    expect(placement?.placed).toBe(1);
    expect(Object.fromEntries(placement?.lacking ?? [])).toEqual({ 'nvidia.com/gpu': 3, memory: 1 });
  });
});

describe('a required anti-affinity by node', () => {
  const apart = (labelSelector: JsonObject, more: JsonObject = {}) => ({
    affinity: {
      podAntiAffinity: {
        requiredDuringSchedulingIgnoredDuringExecution: [
          { topologyKey: 'kubernetes.io/hostname', labelSelector, ...more },
        ],
      },
    },
  });
  const nodes = [nodeOf('a'), nodeOf('b'), nodeOf('c')];
  const app = { matchLabels: { app: 'web' } };

  test('allows one pod for each node that has none', () => {
    const template = templateWith({}, apart(app));
    const [placement] = placedOf(nodes, [podOn('a', template)], [template, 3]);
    expect(placement).toMatchObject({ placed: 2, repelled: 3 });
  });

  test('counts when it is the other pod that has it', () => {
    expect(countOf(nodes, [podOn('a', templateWith({}, apart(app), { app: 'db' }))], [templateWith(), 3])).toEqual([3]);
    const [placement] = placedOf(
      [nodeOf('a')],
      [podOn('a', templateWith({}, apart(app), { app: 'db' }))],
      [templateWith(), 1],
    );
    expect(placement).toMatchObject({ placed: 0, repelled: 1 });
  });

  test('does not reach into other namespaces unless it says so', () => {
    const here = templateWith({}, apart(app));
    const everywhere = templateWith({}, apart(app, { namespaceSelector: {} }));
    const there = podOn('a', templateWith(), { namespace: 'other' });
    expect(countOf([nodeOf('a')], [there], [here, 1])).toEqual([1]);
    expect(countOf([nodeOf('a')], [there], [everywhere, 1])).toEqual([0]);
  });

  test('keeps only new pods apart when it counts by pod-template-hash', () => {
    const template = templateWith({}, apart(app, { matchLabelKeys: ['pod-template-hash'] }));
    const old = podOn('a', template, { labels: { app: 'web', 'pod-template-hash': 'old' } });
    expect(countOf([nodeOf('a')], [old], [template, 2])).toEqual([1]);
  });
});

describe('a required spread', () => {
  const spread = (topologyKey: string, more: JsonObject = {}) => ({
    topologySpreadConstraints: [
      {
        maxSkew: 1,
        topologyKey,
        whenUnsatisfiable: 'DoNotSchedule',
        labelSelector: { matchLabels: { app: 'web' } },
        ...more,
      },
    ],
  });
  const inZone = (name: string, zone: string, allocatable: JsonObject = {}) =>
    nodeOf(name, allocatable, { labels: { zone } });

  test('stops at the zone that is full', () => {
    const nodes = [inZone('a', 'x'), inZone('b', 'y', { pods: '1' })];
    const [placement] = placedOf(nodes, [], [templateWith({}, spread('zone')), 5]);
    expect(placement).toMatchObject({ placed: 3, unbalanced: 1 });
    expect(countOf(nodes, [], [templateWith({}, spread('zone', { whenUnsatisfiable: 'ScheduleAnyway' })), 5])).toEqual([
      5,
    ]);
  });

  test('counts the pods that are there, and those alone of the new template where it says so', () => {
    const nodes = [inZone('a', 'x'), inZone('b', 'y', { cpu: '0' })];
    const old = podOn('a', templateWith({}, {}), { labels: { app: 'web', 'pod-template-hash': 'old' } });
    expect(countOf(nodes, [old], [templateWith({ cpu: '1' }, spread('zone')), 1])).toEqual([0]);
    const byHash = spread('zone', { matchLabelKeys: ['pod-template-hash'] });
    expect(countOf(nodes, [old], [templateWith({ cpu: '1' }, byHash), 1])).toEqual([1]);
  });

  test('leaves out nodes without the label', () => {
    expect(countOf([nodeOf('a')], [], [templateWith({}, spread('zone')), 1])).toEqual([0]);
  });
});
