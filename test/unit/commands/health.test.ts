import { describe, expect, test } from '@jest/globals';

import { heldAmong, problemOf, versionsIn } from '../../../src/commands/health.ts';
import type { JsonObject } from '../../../src/base/json.ts';
import type { KubernetesObject } from '../../../src/kubernetes/object.ts';
import { lookAt } from '../../../src/rollout/look.ts';
import { custom, ownedBy } from '../../support/custom-resource.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import {
  crashed,
  live,
  liveDeployment,
  liveStatefulSet,
  podOf,
  template,
  timeAt,
} from '../../support/rollout-objects.ts';
import { ScriptedCluster } from '../../support/scripted-cluster.ts';
import { objectOf } from '../release/build.ts';

const web = (replicas: number) => objectOf('apps/v1', 'Deployment', { spec: { replicas } }, { name: 'web' });
const ready = { state: 'ready', message: '0 pods available' } as const;

describe('a workload', () => {
  test('that is scaled to 0 is not well, unless that is recorded or its autoscaler does so', () => {
    const seen = { object: web(0), verdict: ready };
    expect(problemOf(seen, { object: seen.object, recorded: web(2) })?.message).toBe(
      'Deployment "web": scaled to 0, so no pods run (2 in the record)',
    );
    expect(problemOf(seen, { object: seen.object, recorded: web(0) })).toBeUndefined();
    expect(problemOf(seen, { object: seen.object, recorded: web(2), mayBeEmpty: true })).toBeUndefined();
  });

  test('whose paused rollout has not come to its end is not well, and one with nothing to roll out is', () => {
    const verdict = { state: 'unchecked', message: 'it is paused: 1 of 2 pods updated' } as const;
    expect(problemOf({ object: web(2), verdict })?.message).toBe('Deployment "web": it is paused: 1 of 2 pods updated');
    expect(problemOf({ object: web(2), verdict: { ...ready, message: '2 pods available' } })).toBeUndefined();
  });

  test('with OnDelete is well as long as its pods are', () => {
    const verdict = { state: 'unchecked', message: 'its update strategy is OnDelete' } as const;
    const set = (readyReplicas: number) =>
      objectOf('apps/v1', 'StatefulSet', { spec: { replicas: 2 }, status: { readyReplicas } }, { name: 'db' });
    expect(problemOf({ object: set(2), verdict })).toBeUndefined();
    expect(problemOf({ object: set(1), verdict })?.message).toContain('1 of 2 pods ready');
  });
});

test('a custom resource whose pods keep crashing is not well, though its status says that it is', async () => {
  const cluster = new ScriptedCluster();
  const object = custom('ray.io/v1', 'RayCluster', { status: { state: 'ready' } });
  const containers = [{ ...crashed(8, { at: -90 }), ready: true, state: { running: { startedAt: timeAt(-60) } } }];
  cluster.put(object, podOf(object, { containers, ready: true }));
  const { seen } = await lookAt(cluster.client, [object], new FakeClock());
  expect(seen.map((one) => problemOf(one)?.message)).toEqual([
    'RayCluster "web": container "web" keeps crashing (exit code 1, 8 restarts, the last one 1m30s ago)',
  ]);
});

describe('what keeps pods from what was applied', () => {
  const set = (spec: JsonObject, updatedReplicas: number) =>
    liveStatefulSet({ spec, status: { updatedReplicas, currentRevision: 'web-1' } });

  const loose = live('ReplicaSet', {
    metadata: { name: 'loose' },
    spec: { replicas: 1, template: template('web:2') },
    status: { observedGeneration: 1, replicas: 1, availableReplicas: 1 },
  });

  test.each<[string, KubernetesObject, string[]]>([
    [
      'an update strategy',
      set({ updateStrategy: { type: 'OnDelete' } }, 0),
      ['StatefulSet "web": its update strategy is OnDelete: 0 of 3 pods updated'],
    ],
    [
      'a partition',
      set({ updateStrategy: { type: 'RollingUpdate', rollingUpdate: { partition: 2 } } }, 1),
      ['StatefulSet "web": its partition is 2: 1 of 3 pods updated'],
    ],
    [
      'a pause, whether or not there is something to roll out',
      liveDeployment({ spec: { paused: true } }),
      ['Deployment "web" is paused by somebody: run "resume" to continue'],
    ],
    [
      'a kind that replaces no pods',
      loose,
      ['ReplicaSet "loose": its controller replaces no pods: 0 of 1 pod updated'],
    ],
    ['nothing', liveDeployment(), []],
  ])('is told: %s', async (_, object, told) => {
    const cluster = new ScriptedCluster();
    cluster.put(object, podOf(loose, { spec: { containers: [{ name: 'web', image: 'web:1' }] }, ready: true }));
    const { seen } = await lookAt(cluster.client, [object], new FakeClock());
    expect(heldAmong(seen)).toEqual(told);
    expect(seen.map((one) => problemOf(one))).toEqual([undefined]);
  });
});

describe('what the pods run of a custom resource', () => {
  const groups = objectOf('leaderworkerset.x-k8s.io/v1', 'LeaderWorkerSet', {}, { name: 'llm', uid: 'llm' });
  const set = ownedBy(groups, objectOf('apps/v1', 'StatefulSet', {}, { name: 'llm', uid: 'set' }));
  const pod = (name: string, image: string) =>
    ownedBy(set, objectOf('v1', 'Pod', { spec: { containers: [{ name: 'vllm', image }] } }, { name, uid: name }));
  const pods = [pod('llm-0', 'vllm:2'), pod('llm-0-1', 'vllm:2'), pod('llm-1', 'vllm:1'), objectOf('v1', 'Pod', {})];
  const seen = [{ object: groups, verdict: ready }];
  const look = (owned: { objects: [typeof set]; isBlind: boolean }) => ({
    seen,
    snapshot: { pods, replicaSets: [], events: [], nodes: [], owned },
    blind: [],
  });

  test('is told by all that it owns', () => {
    expect(versionsIn(look({ objects: [set], isBlind: false }))).toStrictEqual([
      {
        ref: { apiVersion: 'leaderworkerset.x-k8s.io/v1', kind: 'LeaderWorkerSet', namespace: 'shop', name: 'llm' },
        versions: [
          { images: ['vllm:2'], pods: 2, ready: 0 },
          { images: ['vllm:1'], pods: 1, ready: 0 },
        ],
      },
    ]);
  });

  test('stays unknown where some of that may not be seen', () => {
    expect(versionsIn(look({ objects: [set], isBlind: true }))).toStrictEqual([]);
  });
});
