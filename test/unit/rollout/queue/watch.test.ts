import { describe, expect, test } from '@jest/globals';

import type { Resource } from '../../../../src/kubernetes/client.ts';
import type { KubernetesObject } from '../../../../src/kubernetes/object.ts';
import { lookAt } from '../../../../src/rollout/look.ts';
import { waitForRollout, type RolloutResult } from '../../../../src/rollout/tracker.ts';
import { refusal } from '../../../support/fake-api.ts';
import { FakeClock } from '../../../support/fake-clock.ts';
import {
  conditionAt,
  live,
  liveDeployment,
  podOf,
  replicaSetOf,
  start,
  timeAt,
} from '../../../support/rollout-objects.ts';
import { ScriptedCluster } from '../../../support/scripted-cluster.ts';
import { listeningReporter } from '../../../support/silent-reporter.ts';

const deployment = liveDeployment({ replicas: 1, updated: 1, available: 0 });
const set = replicaSetOf(deployment);
const waits = podOf(set, {
  conditions: [conditionAt('PodScheduled', 'False', 'SchedulingGated')],
  spec: { schedulingGates: [{ name: 'kueue.x-k8s.io/admission' }] },
  metadata: { labels: { 'kueue.x-k8s.io/queue-name': 'models' }, creationTimestamp: timeAt(0) },
});
const starts = podOf(set, { conditions: [conditionAt('PodScheduled', 'True')] });

const more =
  "couldn't assign flavors to pod set main: insufficient unused quota for nvidia.com/gpu in flavor a100, 4 more needed";
const tooMuch =
  "couldn't assign flavors to pod set main: insufficient quota for nvidia.com/gpu in flavor a100, request > maximum capacity (16 > 8)";

function workload(reason: string, message: string): KubernetesObject {
  return live('Workload', {
    apiVersion: 'kueue.x-k8s.io/v1beta1',
    metadata: {
      name: 'pod-web-22-a-1f0c3',
      ownerReferences: [{ apiVersion: 'v1', kind: 'Pod', name: 'web-22-a', uid: waits.metadata.uid ?? '' }],
    },
    status: { conditions: [conditionAt('QuotaReserved', 'False', reason, message)] },
  });
}

function waitFor(cluster: ScriptedCluster, timeoutMs = 600_000) {
  const clock = new FakeClock();
  const reporter = listeningReporter();
  const state: { result?: RolloutResult } = {};
  void waitForRollout(cluster.client, [{ object: deployment, changed: true, writtenAt: start }], {
    reporter,
    clock,
    deadline: clock.now() + timeoutMs,
    signal: new AbortController().signal,
  }).then((result) => (state.result = result));
  return { clock, reporter, state };
}

function clusterWith(...objects: KubernetesObject[]): ScriptedCluster {
  const cluster = new ScriptedCluster();
  cluster.put(deployment, set, ...objects);
  return cluster;
}

/** What a server serves of Kueue. */
function serving(cluster: ScriptedCluster, ...versions: string[]): void {
  const { client } = cluster;
  const all = client.resource.bind(client);
  client.resource = async (apiVersion: string, kind: string): Promise<Resource | undefined> =>
    kind === 'Workload' && !versions.includes(apiVersion) ? undefined : await all(apiVersion, kind);
}

describe('a wait for pods in a queue of Kueue', () => {
  test('tells what their Workload waits for, and goes on once they are admitted', async () => {
    const cluster = clusterWith(waits, workload('WaitingForQuota', more));
    const { clock, reporter, state } = waitFor(cluster);
    await clock.runFor(200_000);
    expect(state.result).toBeUndefined();
    expect(reporter.lines).toContain(
      `info Deployment "web": 0 of 1 pod available; queued by Kueue in "models" since 00:00 UTC, waiting for quota: ${more}`,
    );
    cluster.put(podOf(set, { ready: true, conditions: [conditionAt('PodScheduled', 'True')] }));
    cluster.put(liveDeployment({ replicas: 1 }));
    await clock.runFor(20_000);
    expect(state.result?.outcome).toBe('ready');
  });

  test.each(['kueue.x-k8s.io/v1beta2', 'kueue.x-k8s.io/v1beta1'])(
    'ends where waiting does not help, after the grace of pods that fit nowhere (%s)',
    async (version) => {
      const cluster = clusterWith(waits, workload('ExceedsMaxQuota', tooMuch));
      serving(cluster, version);
      const { clock, state } = waitFor(cluster);
      await clock.runFor(115_000);
      expect(state.result).toBeUndefined();
      await clock.runFor(10_000);
      expect(state.result?.outcome).toBe('failed');
      expect(state.result?.causes).toMatchObject([
        {
          reason: 'ExceedsMaxQuota',
          message: `Deployment "web": Kueue will not admit it from queue "models", it asks for more than its queue can ever give: ${tooMuch}`,
          hint: 'Lower its requests or its number of pods, have the quota of its ClusterQueue raised, or use another queue.',
        },
      ]);
    },
  );

  test('asks for Workloads only once a pod waits for Kueue', async () => {
    const cluster = clusterWith(starts);
    const { clock } = waitFor(cluster);
    await clock.runFor(5000);
    expect(cluster.requests).not.toContain('list Workload');
    cluster.put(waits);
    await clock.runFor(5000);
    expect(cluster.requests.filter((request) => request.endsWith('Workload'))).toEqual([
      'list Workload',
      'watch Workload',
    ]);
  });

  test('goes on without them where they may not be seen', async () => {
    const cluster = clusterWith(waits, workload('ExceedsMaxQuota', tooMuch));
    const list = cluster.client.list.bind(cluster.client);
    cluster.client.list = async (resource, options, signal) => {
      if (resource.kind !== 'Workload') return await list(resource, options, signal);
      throw refusal(403, 'Forbidden', { apiVersion: 'kueue.x-k8s.io/v1beta2', kind: 'Workload', name: '' });
    };
    const { clock, reporter, state } = waitFor(cluster, 150_000);
    await clock.runFor(160_000);
    expect(state.result?.outcome).toBe('timed-out');
    expect(state.result?.causes[0]?.message).toBe(
      'Deployment "web": queued by Kueue in "models" until there is quota for it',
    );
    expect(reporter.lines.filter((line) => line.startsWith('warning'))).toEqual([]);
  });

  test('goes on without them where there are none', async () => {
    const cluster = clusterWith(waits);
    serving(cluster);
    const { clock, state } = waitFor(cluster, 30_000);
    await clock.runFor(40_000);
    expect(state.result?.causes[0]?.message).toBe(
      'Deployment "web": queued by Kueue in "models" until there is quota for it',
    );
  });
});

describe('one look', () => {
  test('says what Kueue says of pods that wait for it', async () => {
    const cluster = clusterWith(waits, workload('ExceedsMaxQuota', tooMuch));
    const { seen, blind } = await lookAt(cluster.client, [deployment], new FakeClock());
    expect(seen[0]?.verdict).toEqual({
      state: 'progressing',
      message: `0 of 1 pod available; Kueue will not admit it from queue "models", it asks for more than its queue can ever give: ${tooMuch}`,
    });
    expect(blind).toEqual([]);
  });

  test('asks for no Workloads where no pod waits for Kueue', async () => {
    const cluster = clusterWith(starts);
    await lookAt(cluster.client, [deployment], new FakeClock());
    expect(cluster.requests).not.toContain('list Workload');
  });
});
