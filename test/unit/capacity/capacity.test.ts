import { beforeEach, describe, expect, test } from '@jest/globals';

import type { JsonObject } from '../../../src/base/json.ts';
import { Failures } from '../../../src/base/errors.ts';
import type { KubernetesObject, ObjectRef } from '../../../src/kubernetes/object.ts';
import {
  checkCapacity,
  enforceCapacity,
  LowCapacity,
  type CapacityOptions,
  type CapacityReport,
  type OnLowCapacity,
  type Surge,
} from '../../../src/capacity/capacity.ts';
import { FakeApi, refusal } from '../../support/fake-api.ts';
import { live, ownedBy } from '../../support/rollout-objects.ts';
import { listeningReporter } from '../../support/silent-reporter.ts';
import { nodeOf, podOn, quotaOf, templateWith } from './build.ts';

const ref: ObjectRef = { apiVersion: 'apps/v1', kind: 'Deployment', namespace: 'shop', name: 'model' };
const gpu = { 'nvidia.com/gpu': '1' };
const model = templateWith(gpu, {}, { app: 'model', 'pod-template-hash': 'abc' });

let api: FakeApi;

beforeEach(() => {
  api = new FakeApi();
});

function put(...objects: KubernetesObject[]): void {
  for (const object of objects) api.put(object);
}

/** A running pod of the Deployment. */
function podOfModel(
  node: string,
  parts: Partial<KubernetesObject['metadata']> = {},
  template = model,
): KubernetesObject {
  const set = live('ReplicaSet', { metadata: { name: 'model-abc' } });
  return podOn(node, template, { ...ownedBy(set), ...parts });
}

async function check(extra: number, more: Partial<Surge> = {}, options: CapacityOptions = { strategy: 'blue-green' }) {
  return await checkCapacity(api, 'shop', [{ ref, template: model, extra, ...more }], options);
}

function said(report: CapacityReport): string[] {
  return report.state === 'fits' ? [] : report.shortages.map(({ message }) => message);
}

describe('room on the nodes', () => {
  test('nothing is asked of the cluster when no more pods will come', async () => {
    expect(await check(0)).toEqual({ state: 'fits', notices: [] });
    expect(api.log).toEqual([]);
  });

  test('takes one list of each kind, and no look for an autoscaler while there is room', async () => {
    put(nodeOf('a', gpu));
    expect(await check(1)).toEqual({ state: 'fits', notices: [] });
    expect(api.log.sort()).toEqual(['list LimitRange/*', 'list Node/*', 'list Pod/*', 'list ResourceQuota/*']);
  });

  test('what is short is told with what is needed and what is free (LLMKube#192)', async () => {
    put(...['a', 'b', 'c', 'd'].map((name) => nodeOf(name, gpu)), nodeOf('e', gpu, { cordoned: true }));
    put(...['a', 'b', 'c'].map((name) => podOfModel(name)));
    const report = await check(3);
    expect(said(report)).toEqual([
      'blue-green of Deployment "model" needs 3 more pods with 1 nvidia.com/gpu each, but there is capacity for only 1: 1 of 4 matching nodes has enough nvidia.com/gpu free (1 in total, at most 1 on any node)',
    ]);
    expect(report).toMatchObject({
      shortages: [{ certain: true, hint: expect.stringMatching(/"constant-total: true".*"maxSurge: 0"/) }],
    });
  });

  test.each<[string, JsonObject, KubernetesObject[], string]>([
    [
      'more than a node has',
      templateWith({ cpu: '6' }),
      [nodeOf('a'), nodeOf('b')],
      'Deployment "model" needs 1 more pod with 6 cpu each, but there is no capacity: none of 2 matching nodes has enough cpu free (8 in total, at most 4 on any node)',
    ],
    [
      'two resources',
      templateWith({ cpu: '6', memory: '10Gi' }),
      [nodeOf('a'), nodeOf('b', { memory: '16Gi' })],
      'Deployment "model" needs 1 more pod with 6 cpu and 10Gi memory each, but there is no capacity: none of 2 matching nodes has enough cpu free (8 in total, at most 4 on any node), not enough memory on 1',
    ],
    [
      'no node that fits',
      templateWith({}, { nodeSelector: { pool: 'gpu' } }),
      [nodeOf('a'), nodeOf('b', {}, { labels: { pool: 'gpu' }, taints: [{ key: 'gpu', effect: 'NoSchedule' }] })],
      'Deployment "model" needs 1 more pod, but 0 of 2 nodes match (1 not matching their nodeSelector or affinity; 1 with taint "gpu" that the pods do not tolerate)',
    ],
    [
      'the number of pods',
      templateWith(),
      [nodeOf('a', { pods: '0' })],
      'Deployment "model" needs 1 more pod, but there is no capacity: 1 matching node, 0 free pods',
    ],
    ['no node', templateWith(), [], 'Deployment "model" needs 1 more pod, but the cluster has no nodes'],
  ])('in words: %s', async (_, template, nodes, words) => {
    put(...nodes);
    expect(said(await check(1, { template }, {}))).toEqual([words]);
  });

  test('that old pods cannot make is not told to come from them', async () => {
    put(nodeOf('a', gpu), podOn('a', templateWith(gpu)), podOfModel('a', {}, templateWith({ cpu: '1' })));
    expect(await check(1)).toMatchObject({
      shortages: [{ hint: 'Free up or add nodes, use fewer replicas; or set "on-low-capacity: warn" to try anyway.' }],
    });
  });

  test('that an empty node would not have either is not told to come from old pods', async () => {
    put(nodeOf('a'), podOfModel('a', {}, templateWith({ cpu: '1' })));
    expect(await check(1)).toMatchObject({
      shortages: [
        {
          hint: expect.stringMatching(
            /^None of these nodes has that much nvidia\.com\/gpu, even when empty: add larger nodes/,
          ),
        },
      ],
    });
  });

  test('for a promotion is told to come from an old pod', async () => {
    put(nodeOf('a', gpu), podOfModel('a'));
    expect(await check(1, {}, { strategy: 'promotion' })).toMatchObject({
      shortages: [
        {
          message: expect.stringMatching(/^promotion of Deployment "model" needs 1 more pod/),
          hint: expect.stringContaining('set "maxSurge: 0" and "maxUnavailable: 1"'),
        },
      ],
    });
  });

  test('counts what running pods leave that go first', async () => {
    put(nodeOf('a', gpu), podOfModel('a'));
    expect((await check(1)).state).toBe('short');
    expect((await check(1, { freed: 1 })).state).toBe('fits');
  });

  test('lets no pod of another workload go', async () => {
    put(nodeOf('a', gpu), podOfModel('a', ownedBy(live('ReplicaSet', { metadata: { name: 'model-2-abc' } }))));
    expect((await check(1, { freed: 1 })).state).toBe('short');
  });

  test('comes from pods that are ending, with a notice (kubernetes#97227)', async () => {
    put(nodeOf('a', gpu), podOfModel('a', { deletionTimestamp: '2026-01-01T00:00:00Z' }));
    expect(await check(1)).toEqual({
      state: 'fits',
      notices: ['there is capacity once the terminating pods are gone'],
    });
  });

  test('comes from pods of lower priority, with a notice', async () => {
    const placeholder = templateWith(gpu, { priority: -10, priorityClassName: 'placeholder' });
    put(nodeOf('a', gpu), podOn('a', placeholder));
    expect(await check(1)).toEqual({
      state: 'fits',
      notices: ['there is capacity only if lower-priority pods are evicted'],
    });
  });

  test('does not come from pods of lower priority for a class that evicts nobody', async () => {
    const polite = { priorityClassName: 'polite', priority: 5, preemptionPolicy: 'Never' };
    put(nodeOf('a', gpu), podOn('a', templateWith(gpu)), podOn('a', templateWith({}, polite)));
    expect((await check(1, { template: templateWith(gpu, { priorityClassName: 'polite' }) })).state).toBe('short');
  });

  test('may come from any pod for a class that no pod has yet, since it may be worth more than all of them', async () => {
    put(nodeOf('a', gpu), podOn('a', templateWith(gpu)));
    expect((await check(1, { template: templateWith(gpu, { priorityClassName: 'urgent' }) })).state).toBe('fits');
    expect((await check(1)).state).toBe('short');
  });

  test('is counted with the defaults of the namespace', async () => {
    const limits = [{ type: 'Container', defaultRequest: { cpu: '3' } }];
    put(nodeOf('a'), live('LimitRange', { apiVersion: 'v1', metadata: { name: 'defaults' }, spec: { limits } }));
    expect((await check(1, { template: templateWith() })).state).toBe('fits');
    expect((await check(2, { template: templateWith() })).state).toBe('short');
  });

  test('is shared by all workloads of a deploy', async () => {
    put(nodeOf('a', gpu));
    const other = { ...ref, name: 'other' };
    const report = await checkCapacity(api, 'shop', [
      { ref, template: model, extra: 1 },
      { ref: other, template: model, extra: 1 },
    ]);
    expect(said(report)).toEqual([expect.stringMatching(/^Deployment "other" needs 1 more pod/)]);
  });

  test('devices that are claimed are not counted, and a notice says so', async () => {
    put(nodeOf('a'));
    const template = templateWith({}, { resourceClaims: [{ name: 'gpu', resourceClaimTemplateName: 'gpu' }] });
    expect(await check(1, { template })).toEqual({
      state: 'fits',
      notices: ['devices in the resourceClaims of Deployment "model" are not counted'],
    });
  });
});

describe('an autoscaler', () => {
  const status = (): KubernetesObject => ({
    ...live('ConfigMap', {
      apiVersion: 'v1',
      metadata: { name: 'cluster-autoscaler-status', namespace: 'kube-system' },
    }),
    data: { status: '' },
  });

  test('makes a shortage uncertain', async () => {
    put(nodeOf('a'), status());
    expect(await check(1)).toMatchObject({
      shortages: [{ certain: false, message: expect.stringMatching(/\. An autoscaler may add nodes$/) }],
    });
  });

  test('that is known to be absent is not looked for', async () => {
    put(nodeOf('a'), status());
    expect(await check(1, {}, { autoscaler: 'absent' })).toMatchObject({ shortages: [{ certain: true }] });
    expect(api.log).not.toContain('read ConfigMap/cluster-autoscaler-status');
  });

  test('that is known to be there needs no trace', async () => {
    put(nodeOf('a'));
    expect(await check(1, {}, { autoscaler: 'present' })).toMatchObject({ shortages: [{ certain: false }] });
  });

  test('does not heal a quota', async () => {
    put(nodeOf('a', gpu), status(), quotaOf({ pods: '0' }));
    expect(await check(1)).toMatchObject({ shortages: [{ certain: true }] });
  });
});

describe('quotas', () => {
  test('are told with what is left', async () => {
    put(nodeOf('a', { 'nvidia.com/gpu': '8' }));
    put(quotaOf({ 'requests.nvidia.com/gpu': '4' }, { 'requests.nvidia.com/gpu': '3' }));
    const report = await check(3);
    expect(said(report)).toEqual([
      'blue-green of Deployment "model" needs 3 more requests.nvidia.com/gpu, but the ResourceQuota "team" of namespace "shop" has 1 left (3 of 4 used)',
    ]);
  });

  test('count the objects that are to be made', async () => {
    put(nodeOf('a', gpu));
    put(
      quotaOf(
        { 'count/replicasets.apps': '3', 'count/deployments.apps': '3' },
        { 'count/replicasets.apps': '3', 'count/deployments.apps': '3' },
      ),
    );
    const sets = (report: CapacityReport) =>
      said(report).map((text) => /needs (\S+) more (\S+), but/.exec(text)?.slice(1).join(' '));
    expect(sets(await check(1))).toEqual(['1 count/replicasets.apps']);
    const creates = [{ ...ref, name: 'model-green' }];
    expect(sets(await check(1, {}, { creates }))).toEqual(['1 count/replicasets.apps', '1 count/deployments.apps']);
  });

  test('of other namespaces do not count', async () => {
    const quota = quotaOf({ pods: '0' });
    put(nodeOf('a', gpu), { ...quota, metadata: { ...quota.metadata, namespace: 'other' } });
    expect((await check(1)).state).toBe('fits');
    expect((await check(1, { ref: { ...ref, namespace: 'other' } })).state).toBe('short');
  });
});

describe('a right that is missing', () => {
  const forbid = (...kinds: string[]) => {
    api.before = (operation, subject) => {
      if (operation === 'list' && kinds.includes(subject.kind)) throw refusal(403, 'Forbidden', subject);
    };
  };

  test('to see the nodes and pods of the cluster leaves the quotas to be checked', async () => {
    forbid('Node', 'Pod');
    put(quotaOf({ pods: '3' }, { pods: '3' }));
    const report = await check(1);
    expect(report.notices).toEqual([
      'capacity for 1 more pod is only partly checked: no permission to list nodes and pods cluster-wide',
    ]);
    expect(said(report)).toEqual([expect.stringContaining('ResourceQuota "team"')]);
    expect((await check(1, { freed: 1 })).state).toBe('fits');
  });

  test('to see the quotas leaves the nodes to be checked', async () => {
    forbid('ResourceQuota', 'LimitRange');
    put(nodeOf('a'));
    const report = await check(1);
    expect(report.state).toBe('short');
    expect(report.notices).toEqual([
      expect.stringContaining('list limitranges and resourcequotas in namespace "shop"'),
    ]);
  });

  test('to see the status of an autoscaler makes a shortage uncertain', async () => {
    put(nodeOf('a'));
    api.before = (operation, subject) => {
      if (operation === 'read') throw refusal(403, 'Forbidden', subject);
    };
    expect(await check(1)).toMatchObject({ shortages: [{ certain: false }] });
  });

  test('is told from a server that is ill', async () => {
    api.before = (_, subject) => {
      throw refusal(500, 'InternalError', subject);
    };
    await expect(check(1)).rejects.toThrow('InternalError');
  });
});

describe('what comes of it', () => {
  const shortage = { ref, message: 'too little', hint: 'Add nodes.', certain: true, lacking: ['cpu'] };
  const enforce = (mode: OnLowCapacity, ...shortages: (typeof shortage)[]) => {
    const reporter = listeningReporter();
    enforceCapacity({ state: 'short', shortages, notices: [] }, mode, reporter);
    return reporter.lines;
  };

  test('is a failure before anything is changed', () => {
    expect(() => enforce('fail', shortage)).toThrow(new LowCapacity('too little', { hint: 'Add nodes.' }));
    expect(() => enforce('fail', shortage, shortage)).toThrow(Failures);
  });

  test('is a warning where it is wanted, or where an autoscaler may help', () => {
    expect(enforce('warn', shortage)).toEqual(['warning too little. Add nodes.']);
    expect(enforce('fail', { ...shortage, certain: false })).toEqual(['warning too little']);
  });

  test('is a failure where pods were to be replaced in place, which only a rolling update does', () => {
    const hint = 'Add nodes. "on-low-capacity: in-place" helps only Deployments with "strategy: rolling".';
    expect(() => enforce('in-place', shortage)).toThrow(new LowCapacity('too little', { hint }));
    expect(enforce('in-place', { ...shortage, certain: false })).toEqual(['warning too little']);
  });

  test('does not advise to try what is being tried', () => {
    const hint = 'Add nodes; or set "on-low-capacity: warn" to try anyway.';
    expect(() => enforce('fail', { ...shortage, hint })).toThrow(expect.objectContaining({ hint }));
    expect(enforce('warn', { ...shortage, hint })).toEqual(['warning too little. Add nodes.']);
  });
});
