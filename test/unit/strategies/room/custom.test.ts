import { beforeEach, describe, expect, test } from '@jest/globals';

import type { Prepared } from '../../../../src/apply/prepared.ts';
import { setAt, type Json, type JsonObject } from '../../../../src/base/json.ts';
import { LowCapacity } from '../../../../src/capacity/capacity.ts';
import type { KubernetesObject } from '../../../../src/kubernetes/object.ts';
import type { PlanContext } from '../../../../src/plan/plan.ts';
import { rollingWithRoom } from '../../../../src/strategies/rolling.ts';
import { FakeApi, refusal } from '../../../support/fake-api.ts';
import { conditionAt, live, ownedBy } from '../../../support/rollout-objects.ts';
import { listeningReporter } from '../../../support/silent-reporter.ts';
import { nodeOf, podOn, quotaOf, templateWith } from '../../capacity/build.ts';
import { compared } from '../plan-lines.ts';

const gpu = { 'nvidia.com/gpu': '1' };
const anyway = 'or set "on-low-capacity: warn" to try anyway.';

let api: FakeApi;

beforeEach(() => {
  api = new FakeApi();
});

function put(...objects: KubernetesObject[]): void {
  for (const object of objects) api.put(object);
}

/** A new version of what runs; `changes` are values at paths of it. */
function next(now: KubernetesObject, changes: [string[], Json][]): Prepared {
  const object = structuredClone(now);
  for (const [path, value] of changes) setAt(object, path, value);
  return compared(object, now);
}

/** What the run says; a failure is thrown. */
async function deploy(prepared: Prepared[], onLowCapacity: 'fail' | 'warn' = 'fail'): Promise<string[]> {
  const reporter = listeningReporter();
  const context: PlanContext = {
    client: api,
    namespace: 'shop',
    look: () => Promise.resolve(prepared),
    note: () => undefined,
    onLowCapacity,
    reporter,
  };
  const arrangement = await rollingWithRoom(context, []);
  await arrangement.plan(prepared);
  return reporter.lines;
}

async function isRefused(prepared: Prepared[]): Promise<boolean> {
  const outcome = await deploy(prepared).catch((error: unknown) => error);
  if (outcome instanceof Error && !(outcome instanceof LowCapacity)) throw outcome;
  return outcome instanceof LowCapacity;
}

describe('an extra group of a LeaderWorkerSet', () => {
  const surging = { maxSurge: 1, maxUnavailable: 0 };

  interface Groups {
    replicas?: number;
    rolling?: JsonObject;
    of?: JsonObject;
    status?: JsonObject;
  }

  /** Groups of two pods, all of them ready; each pod asks for one GPU. */
  function groups({ replicas = 1, rolling = surging, of = {}, status = {} }: Groups = {}): KubernetesObject {
    return live('LeaderWorkerSet', {
      apiVersion: 'leaderworkerset.x-k8s.io/v1',
      metadata: { name: 'llm' },
      spec: {
        replicas,
        leaderWorkerTemplate: { size: 2, workerTemplate: templateWith(gpu, {}, { app: 'llm' }), ...of },
        rolloutStrategy: { type: 'RollingUpdate', rollingUpdateConfiguration: rolling },
      },
      status: { replicas, readyReplicas: replicas, updatedReplicas: replicas, observedGeneration: 1, ...status },
    });
  }

  const version2: [string[], Json] = [
    ['spec', 'leaderWorkerTemplate', 'workerTemplate', 'metadata', 'annotations'],
    { version: '2' },
  ];

  function podOfGroups(node: string): KubernetesObject {
    const labels = { app: 'llm', 'leaderworkerset.sigs.k8s.io/name': 'llm' };
    return podOn(node, templateWith(gpu, {}, labels), { namespace: 'shop' });
  }

  const needs =
    'extra group of LeaderWorkerSet "llm" needs 2 more pods with 1 nvidia.com/gpu each, but there is no capacity: 1 matching node, 0 free nvidia.com/gpu';
  const inPlace =
    'Free up or add nodes, set "maxSurge: 0" and "maxUnavailable: 1" in rolloutStrategy.rollingUpdateConfiguration of the LeaderWorkerSet to replace groups one at a time';
  const alone = 'With 1 replica, nothing serves from then on until the new group is ready.';

  beforeEach(() => {
    put(nodeOf('a', { 'nvidia.com/gpu': '2' }), podOfGroups('a'), podOfGroups('a'));
  });

  test('ends the run before the first write where the pool is full and no group may go first (lws#779)', async () => {
    await expect(deploy([next(groups(), [version2])])).rejects.toEqual(
      new LowCapacity(needs, { hint: `${inPlace}; ${anyway} ${alone}` }),
    );
  });

  test('is a warning where it is wanted', async () => {
    expect(await deploy([next(groups(), [version2])], 'warn')).toEqual([`warning ${needs}. ${inPlace}. ${alone}`]);
  });

  test('counts its leader and its workers by their own templates', async () => {
    const of = { leaderTemplate: templateWith({ cpu: '1' }), size: 3 };
    await expect(deploy([next(groups({ of }), [version2])])).rejects.toThrow(needs);
    put(nodeOf('b', gpu));
    await expect(deploy([next(groups({ of }), [version2])])).rejects.toThrow(
      'extra group of LeaderWorkerSet "llm" needs 2 more pods with 1 nvidia.com/gpu each, but there is capacity for only 1',
    );
    put(nodeOf('c', gpu));
    expect(await deploy([next(groups({ of }), [version2])])).toEqual([]);
  });

  test.each<[string, number, JsonObject, boolean]>([
    ['the default, which is in place', 1, {}, false],
    ['a surge, and by default one group less', 1, { maxSurge: 1 }, false],
    ['a surge and no group less', 1, surging, true],
    ['a surge in percent and less than one group less', 1, { maxSurge: '10%', maxUnavailable: '25%' }, true],
    ['a partition', 1, { ...surging, partition: 1 }, false],
    ['no groups', 0, surging, false],
  ])('is needed or not with %s', async (_, replicas, rolling, refused) => {
    const isStuck = await isRefused([next(groups({ replicas, rolling }), [version2])]);
    expect([isStuck, api.log.length > 0]).toEqual([refused, refused]);
  });

  test.each<[string, Groups, [string[], Json][]]>([
    ['that gets no new pods', {}, [[['metadata', 'annotations'], { note: 'x' }]]],
    ['whose update is not through', { status: { updatedReplicas: 0 } }, [version2]],
    ['of which more groups are there than wanted', { status: { replicas: 2, updatedReplicas: 2 } }, [version2]],
    ['in a queue', {}, [version2, [['metadata', 'labels'], { 'kueue.x-k8s.io/queue-name': 'team' }]]],
    [
      'with a scheduler of its own',
      {},
      [version2, [['spec', 'leaderWorkerTemplate', 'workerTemplate', 'spec', 'schedulerName'], 'volcano']],
    ],
    [
      'with another priority than now',
      {},
      [version2, [['spec', 'leaderWorkerTemplate', 'workerTemplate', 'spec', 'priorityClassName'], 'high']],
    ],
    [
      'that asks for another device, which an old group does not hold either',
      {},
      [[['spec', 'leaderWorkerTemplate', 'workerTemplate'], templateWith({ 'amd.com/gpu': '1' })]],
    ],
  ])('is left to the rollout for one %s', async (_, parts, changes) => {
    expect(await deploy([next(groups(parts), changes)])).toEqual([]);
  });

  test('is left to the rollout where a node may be added, or a pod is ending', async () => {
    const ending = podOfGroups('a');
    put({ ...ending, metadata: { ...ending.metadata, deletionTimestamp: '2026-01-01T00:00:00Z' } });
    expect(await deploy([next(groups(), [version2])])).toEqual([]);
    put(nodeOf('b', {}, { labels: { 'cloud.google.com/gke-nodepool': 'pool' } }));
    expect(await deploy([next(groups(), [version2])])).toEqual([]);
  });

  test('is left to the rollout where a pod of a Job holds such a device, or new pods may evict others', async () => {
    const owner = { apiVersion: 'batch/v1', kind: 'Job', name: 'train', uid: 'train', controller: true };
    const job = podOn('b', templateWith(gpu), { namespace: 'lab', ownerReferences: [owner] });
    put(nodeOf('b', gpu, { labels: { pool: 'train' } }), job);
    const classes = { apiVersion: 'scheduling.k8s.io/v1', kind: 'PriorityClass', metadata: { name: 'standard' } };
    expect(await isRefused([next(groups(), [version2])])).toBe(false);
    const onlyA: [string[], Json] = [['spec', 'leaderWorkerTemplate', 'workerTemplate', 'spec', 'nodeName'], 'a'];
    expect(await isRefused([next(groups(), [version2, onlyA])])).toBe(true);
    put({ ...classes, value: 1000, globalDefault: true });
    expect(await isRefused([next(groups(), [version2, onlyA])])).toBe(false);
  });

  test('of more groups than now is not advised to be made in place', async () => {
    put(nodeOf('b', { 'nvidia.com/gpu': '2' }), podOfGroups('b'), podOfGroups('b'));
    const now = groups({ replicas: 1, status: { replicas: 1, updatedReplicas: 1 } });
    const more: [string[], Json] = [['spec', 'replicas'], 2];
    await expect(deploy([next(now, [version2, more])])).rejects.toThrow(
      expect.objectContaining({ hint: `Free up or add nodes, use fewer replicas; ${anyway}` }),
    );
  });

  test('is left to the rollout where nodes and pods may not be seen', async () => {
    api.before = (operation, subject) => {
      if (operation === 'list') throw refusal(403, 'Forbidden', subject);
    };
    expect(await deploy([next(groups(), [version2])])).toEqual([]);
  });

  test('is left to the rollout where another workload of the deploy may give devices back', async () => {
    const other = live('StatefulSet', {
      metadata: { name: 'set' },
      spec: { replicas: 1, template: templateWith(gpu) },
    });
    const changed = next(other, [[['spec', 'template', 'metadata', 'annotations'], { version: '2' }]]);
    expect(await deploy([next(groups(), [version2]), changed])).toEqual([]);
  });

  test('of a quota counts as well', async () => {
    put(nodeOf('b', { 'nvidia.com/gpu': '2' }));
    put(quotaOf({ 'requests.nvidia.com/gpu': '2' }, { 'requests.nvidia.com/gpu': '2' }));
    await expect(deploy([next(groups(), [version2])])).rejects.toThrow(
      'extra group of LeaderWorkerSet "llm" needs 2 more requests.nvidia.com/gpu, but the ResourceQuota "team" of namespace "shop" has 0 left (2 of 2 used)',
    );
  });
});

describe('the second cluster of a RayService', () => {
  interface Service {
    workers?: JsonObject[];
    head?: JsonObject;
    config?: JsonObject;
    spec?: JsonObject;
    status?: JsonObject;
    conditions?: JsonObject[];
  }

  function workerGroup(groupName = 'gpu', parts: JsonObject = {}): JsonObject {
    return {
      groupName,
      replicas: 2,
      minReplicas: 0,
      maxReplicas: 4,
      numOfHosts: 1,
      template: templateWith(gpu),
      ...parts,
    };
  }

  function service({
    workers = [workerGroup()],
    head = templateWith({ cpu: '1' }),
    config = {},
    spec = {},
    status = {},
    conditions = [],
  }: Service = {}): KubernetesObject {
    return live('RayService', {
      apiVersion: 'ray.io/v1',
      metadata: { name: 'llm' },
      spec: {
        serveConfigV2: 'applications: []',
        rayClusterConfig: {
          rayVersion: '2.52.0',
          headGroupSpec: { rayStartParams: {}, template: head },
          workerGroupSpecs: workers,
          ...config,
        },
        ...spec,
      },
      status: { observedGeneration: 1, activeServiceStatus: { rayClusterName: 'llm-abcde' }, conditions, ...status },
    });
  }

  const cluster = live('RayCluster', { apiVersion: 'ray.io/v1', metadata: { name: 'llm-abcde' } });

  function podOfCluster(node: string, name = 'llm-abcde'): KubernetesObject {
    const owner = { ...cluster, metadata: { ...cluster.metadata, name } };
    const template = templateWith(gpu, {}, { 'ray.io/cluster': name });
    return podOn(node, template, { ...ownedBy(owner), namespace: 'shop' });
  }

  const image: [string[], Json] = [
    ['spec', 'rayClusterConfig', 'headGroupSpec', 'template', 'metadata', 'annotations'],
    { version: '3' },
  ];
  const workersAt = ['spec', 'rayClusterConfig', 'workerGroupSpecs'];
  const needs =
    'new cluster of RayService "llm" needs 2 more pods with 1 nvidia.com/gpu each, but there is no capacity: 1 matching node, 0 free nvidia.com/gpu';
  const instead =
    'Free up or add nodes, set "upgradeStrategy.type: NewClusterWithIncrementalUpgrade" with a low maxSurgePercent (it needs a Gateway and autoscaling), or "upgradeStrategy.type: None", with which the change has no effect on the running cluster';

  beforeEach(() => {
    put(nodeOf('a', { 'nvidia.com/gpu': '2' }), podOfCluster('a'), podOfCluster('a'));
  });

  test('ends the run before the first write where the pool is full', async () => {
    await expect(deploy([next(service(), [image])])).rejects.toEqual(
      new LowCapacity(needs, { hint: `${instead}; ${anyway}` }),
    );
    const named = service({ spec: { upgradeStrategy: { type: 'NewCluster' } } });
    await expect(deploy([next(named, [image])])).rejects.toThrow(needs);
  });

  test('is a warning where it is wanted', async () => {
    expect(await deploy([next(service(), [image])], 'warn')).toEqual([`warning ${needs}. ${instead}.`]);
  });

  test('counts hosts, and each group', async () => {
    put(nodeOf('b', { 'nvidia.com/gpu': '2' }), podOfCluster('b'), podOfCluster('b'));
    const workers = [
      workerGroup('gpu', { replicas: 1, numOfHosts: 3 }),
      workerGroup('cpu', { template: templateWith() }),
    ];
    await expect(deploy([next(service({ workers }), [image])])).rejects.toThrow('needs 3 more pods');
  });

  test('counts a head that asks for a device', async () => {
    const head = templateWith(gpu);
    await expect(
      deploy([next(service({ head, workers: [workerGroup('cpu', { template: templateWith() })] }), [image])]),
    ).rejects.toThrow('new cluster of RayService "llm" needs 1 more pod with 1 nvidia.com/gpu each');
  });

  test('is left to the rollout where one replica of each group gets a place: its applications may do with that', async () => {
    put(nodeOf('b', gpu));
    expect(await deploy([next(service(), [image])])).toEqual([]);
    const workers = [workerGroup('gpu', { numOfHosts: 2 })];
    expect(await isRefused([next(service({ workers }), [image])])).toBe(true);
  });

  test.each<[string, Service, [string[], Json][]]>([
    ['of the applications alone', {}, [[['spec', 'serveConfigV2'], 'applications: [{}]']]],
    ['of replicas', {}, [[workersAt, [workerGroup('gpu', { replicas: 3 })]]]],
    [
      'of replicas, their limits and the workers to delete',
      {},
      [[workersAt, [workerGroup('gpu', { maxReplicas: 9, scaleStrategy: { workersToDelete: ['x'] } })]]],
    ],
    ['that adds a worker group', {}, [[workersAt, [workerGroup(), workerGroup('more')]]]],
    [
      'with an incremental upgrade',
      { spec: { upgradeStrategy: { type: 'NewClusterWithIncrementalUpgrade' } } },
      [image],
    ],
    ['without an upgrade', { spec: { upgradeStrategy: { type: 'None' } } }, [image]],
    ['of one that is suspended', { spec: { suspend: true } }, [image]],
    ['before a cluster serves', { status: { activeServiceStatus: {} } }, [image]],
    ['while another one is pending', { status: { pendingServiceStatus: { rayClusterName: 'llm-fghij' } } }, [image]],
    ['while an upgrade is in progress', { conditions: [conditionAt('UpgradeInProgress', 'True')] }, [image]],
    ['that is not observed yet', { status: { observedGeneration: 0 } }, [image]],
    ['of one without workers', { workers: [workerGroup('gpu', { replicas: 0 })] }, [image]],
    ['of one whose autoscaler begins with none', { config: { enableInTreeAutoscaling: true } }, [image]],
    ['of one in a queue', {}, [image, [['metadata', 'labels'], { 'kueue.x-k8s.io/queue-name': 'team' }]]],
    [
      'of one with a scheduler of its own',
      {},
      [image, [['metadata', 'labels'], { 'ray.io/scheduler-name': 'volcano' }]],
    ],
    [
      'to a device that the running cluster does not hold',
      {},
      [[workersAt, [workerGroup('gpu', { template: templateWith({ 'amd.com/gpu': '1' }) })]]],
    ],
  ])('is none, or not certain, for a change %s', async (_, parts, changes) => {
    expect(await deploy([next(service(parts), changes)])).toEqual([]);
  });

  test('is made for a change beside the pods, too', async () => {
    expect(await isRefused([next(service(), [[['spec', 'rayClusterConfig', 'rayVersion'], '2.53.0']])])).toBe(true);
  });

  test('is left to the rollout while the cluster before the running one is still being removed', async () => {
    put(nodeOf('b', gpu), podOfCluster('b', 'llm-xyzab'));
    expect(await isRefused([next(service(), [image])])).toBe(false);
  });
});
