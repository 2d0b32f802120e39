import type { JsonObject } from '../../../src/base/json.ts';
import type { Capacity } from '../../cluster/fake-node.ts';

/** Nodes, pods that run on them, and pods that are to come: how many of those have room is what the scheduler says, too. */
export interface CapacityCase {
  /** Also the name of its pool of nodes. */
  name: string;
  about: string;
  nodes: { capacity: Capacity; labels?: Record<string, string>; taints?: JsonObject[]; cordoned?: boolean }[];
  /** `spec` of the pods, without what puts them into the pool. */
  pod: JsonObject;
  /** Of the pods that run already; by default like those to come. */
  oldPod?: JsonObject;
  old?: number;
  extra: number;
  room: number;
  says?: RegExp;
}

const gpu = 'nvidia.com/gpu';

function container(resources: JsonObject, more: JsonObject = {}): JsonObject {
  return { name: 'web', image: 'registry.test/ctwoc:1.0.0', resources, ...more };
}

function requesting(requests: JsonObject): JsonObject {
  return { containers: [container({ requests })] };
}

/** Labels of the pods of a case are those of its name, old and new. */
function selector(name: string): JsonObject {
  return { matchLabels: { 'capacity.test/case': name } };
}

function nodes(count: number, capacity: Capacity): CapacityCase['nodes'] {
  return Array.from({ length: count }, () => ({ capacity }));
}

export const cases: CapacityCase[] = [
  {
    name: 'gpu',
    about: 'GPUs, all but one of them taken (LLMKube#192)',
    nodes: nodes(4, { [gpu]: '1' }),
    pod: { containers: [container({ limits: { [gpu]: '1' } })] },
    old: 3,
    extra: 3,
    room: 1,
    says: /needs 3 more pods with 1 nvidia\.com\/gpu each, but there is capacity for only 1: 1 of 4 matching nodes has enough nvidia\.com\/gpu free \(1 in total, at most 1 on any node\)$/,
  },
  {
    name: 'fits',
    about: 'room for all',
    nodes: nodes(2, { [gpu]: '2' }),
    pod: { containers: [container({ limits: { [gpu]: '1' } })] },
    old: 1,
    extra: 3,
    room: 3,
  },
  {
    name: 'pieces',
    about: 'cpu that is free in pieces too small',
    nodes: nodes(3, { cpu: '4' }),
    oldPod: requesting({ cpu: '3' }),
    old: 3,
    pod: requesting({ cpu: '2' }),
    extra: 1,
    room: 0,
    says: /with 2 cpu each, but there is no capacity: none of 3 matching nodes has enough cpu free \(3 in total, at most 1 on any node\)$/,
  },
  {
    name: 'init',
    about: 'an init container beside a sidecar, which need more than the rest',
    nodes: nodes(2, { cpu: '4' }),
    pod: {
      initContainers: [
        container({ requests: { cpu: '1' } }, { name: 'proxy', restartPolicy: 'Always' }),
        container({ requests: { cpu: '2500m' } }, { name: 'load' }),
      ],
      containers: [container({ requests: { cpu: '500m' } })],
    },
    extra: 3,
    room: 2,
    says: /with 3500m cpu each/,
  },
  {
    name: 'whole',
    about: 'resources of the pod as a whole',
    nodes: nodes(1, { cpu: '4', memory: '4Gi' }),
    pod: { resources: { requests: { cpu: '2', memory: '1Gi' } }, ...requesting({ cpu: '1' }) },
    extra: 3,
    room: 2,
    says: /with 2 cpu each/,
  },
  {
    name: 'limits',
    about: 'limits that stand for requests',
    nodes: nodes(1, { memory: '4Gi' }),
    pod: { containers: [container({ limits: { memory: '1500Mi' } })] },
    extra: 3,
    room: 2,
    says: /with 1500Mi memory each/,
  },
  {
    name: 'apart',
    about: 'a required anti-affinity by node',
    nodes: nodes(3, {}),
    pod: {
      ...requesting({ cpu: '1' }),
      affinity: {
        podAntiAffinity: {
          requiredDuringSchedulingIgnoredDuringExecution: [
            { topologyKey: 'kubernetes.io/hostname', labelSelector: selector('apart') },
          ],
        },
      },
    },
    old: 1,
    extra: 3,
    room: 2,
    says: /capacity for only 2: of 3 matching nodes, 3 are ruled out by the pod anti-affinity$/,
  },
  {
    name: 'spread',
    about: 'a required spread over zones of which one is full',
    nodes: [
      { capacity: {}, labels: { 'capacity.test/zone': 'a' } },
      { capacity: { pods: '1' }, labels: { 'capacity.test/zone': 'b' } },
    ],
    pod: {
      ...requesting({ cpu: '1' }),
      topologySpreadConstraints: [
        {
          maxSkew: 1,
          topologyKey: 'capacity.test/zone',
          whenUnsatisfiable: 'DoNotSchedule',
          labelSelector: selector('spread'),
        },
      ],
    },
    extra: 4,
    room: 3,
    says: /ruled out by topologySpreadConstraints$/,
  },
  {
    name: 'port',
    about: 'a port of the node',
    nodes: nodes(2, {}),
    pod: { containers: [container({}, { ports: [{ containerPort: 8080, hostPort: 30999 }] })] },
    old: 1,
    extra: 2,
    room: 1,
    says: /with host port 30999\/TCP each/,
  },
  {
    name: 'count',
    about: 'the number of pods of a node',
    nodes: nodes(1, { pods: '3' }),
    pod: requesting({}),
    old: 1,
    extra: 3,
    room: 2,
  },
  {
    name: 'taint',
    about: 'taints, a cordon and affinities that leave one node',
    nodes: [
      { capacity: {}, taints: [{ key: 'capacity.test/reserved', value: 'x', effect: 'NoSchedule' }] },
      { capacity: {}, cordoned: true },
      { capacity: { cpu: '1' }, labels: { 'capacity.test/disk': 'ssd' } },
      { capacity: {}, labels: { 'capacity.test/disk': 'hdd' } },
    ],
    pod: {
      ...requesting({ cpu: '1' }),
      affinity: {
        nodeAffinity: {
          requiredDuringSchedulingIgnoredDuringExecution: {
            nodeSelectorTerms: [
              { matchExpressions: [{ key: 'capacity.test/disk', operator: 'NotIn', values: ['hdd'] }] },
            ],
          },
        },
      },
    },
    extra: 2,
    room: 1,
    says: /but there is capacity for only 1: 1 matching node, 1 free cpu$/,
  },
];
