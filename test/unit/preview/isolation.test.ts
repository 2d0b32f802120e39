import { BlockList } from 'node:net';

import { describe, expect, test } from '@jest/globals';

import { listAt, objectAt, objectsAt, stringAt, type JsonObject } from '../../../src/base/json.ts';
import { keyOf, refOf, type KubernetesObject } from '../../../src/kubernetes/object.ts';
import { amountOf } from '../../../src/capacity/quantity.ts';
import {
  isolationLines,
  isolationObjects,
  podSecurityLabels,
  type IsolationOptions,
} from '../../../src/preview/isolation.ts';

const options: IsolationOptions = { profile: 'default', namespace: 'shop-pr-7', hasHost: true };
const fork: IsolationOptions = { ...options, profile: 'fork' };

function made(kind: string, use = options): KubernetesObject {
  const found = isolationObjects(use).find((object) => object.kind === kind);
  if (found === undefined) throw new Error(`there is no ${kind}`);
  return found;
}

const hard = (use: IsolationOptions) => objectAt(made('ResourceQuota', use), 'spec', 'hard');

test.each([
  ['none', []],
  [
    'default',
    [
      '/ResourceQuota/shop-pr-7/gke-rollout-preview',
      '/LimitRange/shop-pr-7/gke-rollout-preview',
      'networking.k8s.io/NetworkPolicy/shop-pr-7/gke-rollout-preview',
    ],
  ],
  [
    'fork',
    [
      '/ResourceQuota/shop-pr-7/gke-rollout-preview',
      '/LimitRange/shop-pr-7/gke-rollout-preview',
      'networking.k8s.io/NetworkPolicy/shop-pr-7/gke-rollout-preview',
      '/ServiceAccount/shop-pr-7/default',
    ],
  ],
] as const)('isolation %s has %j', (profile, keys) => {
  expect(isolationObjects({ ...options, profile }).map((object) => keyOf(refOf(object)))).toStrictEqual(keys);
});

test.each([
  ['none', {}],
  ['default', { 'pod-security.kubernetes.io/enforce': 'baseline' }],
  ['fork', { 'pod-security.kubernetes.io/enforce': 'restricted' }],
] as const)('isolation %s labels the namespace with %j', (profile, labels) => {
  expect(podSecurityLabels(profile)).toStrictEqual(labels);
});

describe('the quota', () => {
  test('has room for a small application and for no GPU', () => {
    expect(hard(options)).toStrictEqual({
      pods: '20',
      'requests.cpu': '2',
      'requests.memory': '4Gi',
      'requests.nvidia.com/gpu': '0',
      persistentvolumeclaims: '5',
      'services.loadbalancers': '0',
      'services.nodeports': '0',
    });
  });

  test('lets a load balancer in where there is no host, with the node ports that it takes', () => {
    expect(hard({ ...options, hasHost: false })).toMatchObject({
      'services.loadbalancers': '1',
      'services.nodeports': '10',
    });
  });

  test('lets as many GPUs in as were said', () => {
    expect(hard({ ...options, gpus: 2 })).toMatchObject({ 'requests.nvidia.com/gpu': '2' });
  });

  test('has room for two containers in each of its pods, at what the limit range gives them', () => {
    const [limit] = objectsAt(made('LimitRange'), 'spec', 'limits');
    const quota = hard(options);
    for (const resource of ['cpu', 'memory']) {
      const each = amountOf(resource, stringAt(limit, 'defaultRequest', resource));
      const all = amountOf(resource, stringAt(quota, `requests.${resource}`));
      expect(each * 2 * Number(quota['pods'])).toBeLessThanOrEqual(all);
      expect(each).toBeGreaterThan(0);
    }
  });
});

describe('where pods may go', () => {
  /** Whether the policy lets a pod connect to an address outside of the cluster. */
  function allows(use: IsolationOptions, address: string, port: number): boolean {
    const family = address.includes(':') ? 'ipv6' : 'ipv4';
    const isIn = (cidr: string) => {
      const [net = '', bits = ''] = cidr.split('/');
      if (net.includes(':') !== address.includes(':')) return false;
      const list = new BlockList();
      list.addSubnet(net, Number(bits), family);
      return list.check(address, family);
    };
    const blockAllows = (block: JsonObject) =>
      isIn(stringAt(block, 'cidr') ?? '') &&
      !listAt(block, 'except').some((cidr) => typeof cidr === 'string' && isIn(cidr));
    return objectsAt(made('NetworkPolicy', use), 'spec', 'egress').some((rule) => {
      const ports = objectsAt(rule, 'ports');
      if (ports.length > 0 && !ports.some((one) => one['port'] === port)) return false;
      return objectsAt(rule, 'to').some((peer) => 'ipBlock' in peer && blockAllows(objectAt(peer, 'ipBlock')));
    });
  }

  test.each([
    ['the internet', '203.0.113.9', 443, true, true],
    ['the internet over IPv6', '2001:db8::1', 443, true, true],
    ['the metadata server', '169.254.169.254', 80, false, false],
    ['the metadata server over IPv6', 'fd20:ce::254', 80, false, false],
    ['Cloud DNS at the same address', '169.254.169.254', 53, true, true],
    ['the DNS cache of the node', '169.254.20.10', 53, true, true],
    ['a database in the private network', '10.1.2.3', 5432, true, false],
    ['nodes and what a VPN leads to', '192.168.7.7', 10_250, true, false],
    ['a carrier-grade network, such as of pods', '100.64.1.1', 443, true, false],
    ['a private network over IPv6', 'fd12::1', 443, true, false],
  ])('%s: default %s:%d %s, fork %s', (_, address, port, byDefault, ofFork) => {
    expect(allows(options, address, port)).toBe(byDefault);
    expect(allows(fork, address, port)).toBe(ofFork);
  });

  test('includes all pods by default, and those of the preview alone for a fork', () => {
    const peers = (use: IsolationOptions) =>
      objectsAt(made('NetworkPolicy', use), 'spec', 'egress')
        .filter((rule) => rule['ports'] === undefined)
        .flatMap((rule) => objectsAt(rule, 'to').filter((peer) => !('ipBlock' in peer)));
    expect(peers(options)).toStrictEqual([{ namespaceSelector: {} }]);
    expect(peers(fork)).toStrictEqual([{ podSelector: {} }]);
  });

  test.each([options, fork])(
    'says nothing of who may come in, so that load balancers and their checks always can',
    (use) => {
      expect(made('NetworkPolicy', use)['spec']).toMatchObject({ podSelector: {}, policyTypes: ['Egress'] });
      expect(objectAt(made('NetworkPolicy', use), 'spec')).not.toHaveProperty('ingress');
    },
  );
});

test('pods of a fork get no token of the cluster', () => {
  expect(made('ServiceAccount', fork)).toMatchObject({
    metadata: { name: 'default', namespace: 'shop-pr-7' },
    automountServiceAccountToken: false,
  });
});

test.each([
  [{ ...options, profile: 'none' as const }, 'nothing limits what this preview can use or reach (isolation: none)'],
  [options, 'at most 20 pods, 2 CPUs, 4Gi of memory and 5 volumes, no load balancer, no GPU (isolation: default)'],
  [
    { ...fork, hasHost: false, gpus: 2 },
    'at most 20 pods, 2 CPUs, 4Gi of memory and 5 volumes, 1 load balancer, 2 GPUs (isolation: fork)',
  ],
])('people are told', (use, line) => {
  expect(isolationLines(use)[0]).toBe(line);
});

describe('what the manifests limit by themselves', () => {
  const given = (apiVersion: string, kind: string): KubernetesObject => ({
    apiVersion,
    kind,
    metadata: { name: 'own' },
  });

  test.each([
    ['v1', 'ResourceQuota'],
    ['v1', 'LimitRange'],
    ['networking.k8s.io/v1', 'NetworkPolicy'],
  ])('is not limited once more: %s %s', (apiVersion, kind) => {
    const use = { ...options, given: [given(apiVersion, kind)] };
    expect(isolationObjects(use).map((object) => object.kind)).not.toContain(kind);
    expect(isolationObjects(use)).toHaveLength(2);
    expect(isolationLines(use)).toContain(`the ${kind} in the manifests replaces the one of previews`);
  });

  test('is, for a fork', () => {
    expect(isolationObjects({ ...fork, given: [given('networking.k8s.io/v1', 'NetworkPolicy')] })).toHaveLength(4);
  });

  test('is not what another group calls by the same name', () => {
    expect(isolationObjects({ ...options, given: [given('crd.projectcalico.org/v1', 'NetworkPolicy')] })).toHaveLength(
      3,
    );
  });
});
