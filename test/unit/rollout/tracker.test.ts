import { describe, expect, test } from '@jest/globals';

import type { KubernetesObject } from '../../../src/kubernetes/object.ts';
import type { Tellings } from '../../../src/rollout/wait-log.ts';
import { waitForRollout, type RolloutResult, type Target } from '../../../src/rollout/tracker.ts';
import { refusal } from '../../support/fake-api.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import {
  conditionAt,
  crashed,
  eventObject,
  live,
  liveDeployment,
  liveJob,
  liveStatefulSet,
  podOf,
  replicaSetOf,
  start,
  timeAt,
  waiting,
} from '../../support/rollout-objects.ts';
import { ScriptedCluster } from '../../support/scripted-cluster.ts';
import { listeningReporter } from '../../support/silent-reporter.ts';

const begun = { updated: 0, available: 0, existing: 3 };

function target(object: KubernetesObject, more: Partial<Target> = {}): Target {
  return { object, changed: true, writtenAt: start, ...more };
}

/** A wait in a cluster that the test scripts; `result` is what it ended with, undefined while it goes on. */
function waitFor(
  targets: Target[],
  {
    timeoutMs = 600_000,
    cluster = new ScriptedCluster(),
    pauseTimeoutMs,
    hold = {},
  }: {
    timeoutMs?: number;
    cluster?: ScriptedCluster;
    pauseTimeoutMs?: number;
    hold?: { holdMs?: number; holdTitle?: string; told?: Tellings };
  } = {},
) {
  const clock = new FakeClock();
  const end = new AbortController();
  const reporter = listeningReporter();
  const state: { result?: RolloutResult; error?: unknown; stoodStillMs: number } = { stoodStillMs: 0 };
  cluster.put(...targets.map(({ object }) => object));
  void waitForRollout(cluster.client, targets, {
    reporter,
    clock,
    deadline: clock.now() + timeoutMs,
    signal: end.signal,
    ...(pauseTimeoutMs === undefined ? {} : { pauseTimeoutMs }),
    ...hold,
    onStandStill: (ms) => {
      state.stoodStillMs += ms;
    },
  }).then(
    (result) => (state.result = result),
    (error: unknown) => (state.error = error),
  );
  return { cluster, clock, end, reporter, state, turn: () => clock.runFor(0) };
}

/** The server says 403 to every list of this kind. */
function forbid(cluster: ScriptedCluster, kind: string): void {
  const list = cluster.client.list.bind(cluster.client);
  cluster.client.list = (resource, options, signal) =>
    resource.kind === kind
      ? Promise.reject(refusal(403, 'Forbidden', { apiVersion: 'v1', kind, name: '*' }))
      : list(resource, options, signal);
}

describe('a wait', () => {
  test('asks nothing of the server when all is ready already', async () => {
    const { cluster, state, turn } = waitFor([
      target(liveDeployment(), { changed: false }),
      target(live('ConfigMap', { apiVersion: 'v1' })),
    ]);
    await turn();
    expect(state.result?.outcome).toBe('ready');
    expect(cluster.requests).toEqual([]);
  });

  test('ends with the very event that makes the last one ready', async () => {
    const { cluster, clock, state, turn } = waitFor([target(liveDeployment(begun))]);
    await turn();
    expect(state.result).toBeUndefined();
    cluster.put(liveDeployment({ updated: 2, available: 2 }));
    await turn();
    expect(state.result).toBeUndefined();
    cluster.put(liveDeployment());
    await turn();
    expect(state.result?.outcome).toBe('ready');
    expect(clock.now()).toBe(start);
  });

  test('ends with the very event that makes one hopeless', async () => {
    const deployment = liveDeployment({ updated: 1, available: 0 });
    const set = replicaSetOf(deployment);
    const { cluster, clock, state, turn } = waitFor([target(deployment), target(liveJob())]);
    await turn();
    cluster.put(set, podOf(set, { containers: [waiting('InvalidImageName')] }));
    await turn();
    expect(state.result?.outcome).toBe('failed');
    expect(state.result?.causes[0]).toMatchObject({
      reason: 'InvalidImageName',
      object: { kind: 'Pod', name: 'web-22-a' },
    });
    expect(clock.now()).toBe(start);
  });

  test('that runs out of time names the most telling sign', async () => {
    const deployment = liveDeployment({ updated: 1, available: 0 });
    const set = replicaSetOf(deployment);
    const { cluster, clock, state } = waitFor([target(deployment)], { timeoutMs: 3000 });
    cluster.put(set, podOf(set, { containers: [crashed(1)] }));
    await clock.runFor(2900);
    expect(state.result).toBeUndefined();
    await clock.runFor(200);
    expect(state.result?.outcome).toBe('timed-out');
    expect(state.result?.causes[0]?.message).toContain('exit code 1');
  });

  test('ends when an object is deleted meanwhile', async () => {
    const deployment = liveDeployment(begun);
    const { cluster, state, turn } = waitFor([target(deployment)]);
    await turn();
    cluster.remove(deployment);
    await turn();
    expect(state.result?.outcome).toBe('failed');
    expect(state.result?.causes[0]).toMatchObject({ reason: 'Deleted' });
    expect(state.result?.causes[0]?.message).toContain(
      'Deployment "web" in namespace "shop" was deleted during the rollout',
    );
  });

  test('ends when somebody makes an object anew: what the new one says is not about our write', async () => {
    const deployment = liveDeployment(begun);
    const { cluster, state, turn } = waitFor([target(deployment)]);
    await turn();
    cluster.put(liveDeployment({ generation: 1, metadata: { uid: 'another' } }));
    await turn();
    expect(state.result?.outcome).toBe('failed');
    expect(state.result?.causes[0]).toMatchObject({ reason: 'Deleted' });
  });

  test('goes on without the right to see events, without a warning for each kind: the check of rights has told it', async () => {
    const cluster = new ScriptedCluster();
    forbid(cluster, 'Event');
    const { reporter, state, turn } = waitFor([target(liveDeployment(begun))], { cluster });
    await turn();
    expect(state.error).toBeUndefined();
    expect(reporter.lines.filter((line) => line.startsWith('warning'))).toEqual([]);
    cluster.put(liveDeployment());
    await turn();
    expect(state.result?.outcome).toBe('ready');
  });

  test('cannot go on without the right to see the workload itself', async () => {
    const cluster = new ScriptedCluster();
    forbid(cluster, 'Deployment');
    const { state, turn } = waitFor([target(liveDeployment(begun))], { cluster });
    await turn();
    expect(state.error).toMatchObject({ status: 403 });
  });

  test('tells since when a cause shows, although its words count on', async () => {
    const deployment = liveDeployment({ updated: 1, available: 0 });
    const set = replicaSetOf(deployment);
    const { cluster, clock, state } = waitFor([target(deployment)]);
    cluster.put(set, podOf(set, { containers: [crashed(1, { at: 1 })] }));
    await clock.runFor(12_000);
    cluster.put(podOf(set, { containers: [crashed(2, { at: 12 })] }));
    await clock.runFor(0);
    expect(state.result?.outcome).toBe('failed');
    expect((state.result?.causes[0]?.since ?? 0) - start).toBeLessThanOrEqual(1000);
  });

  test('is not ended by the deletion of one that was ready: a finished Job may have a time to live (kustomize-controller#1578)', async () => {
    const { cluster, state, turn } = waitFor([target(liveJob()), target(liveDeployment(begun))]);
    await turn();
    const finished = liveJob({ conditions: [conditionAt('Complete', 'True')] });
    cluster.put(finished);
    cluster.remove(finished);
    await turn();
    expect(state.result).toBeUndefined();
    cluster.put(liveDeployment());
    await turn();
    expect(state.result?.outcome).toBe('ready');
  });

  test('ends with the reason of its signal', async () => {
    const { end, state, turn } = waitFor([target(liveDeployment(begun))]);
    await turn();
    end.abort(new Error('cancelled'));
    await turn();
    expect(state.error).toEqual(new Error('cancelled'));
  });

  test('says each state once, and what it still waits for every 30 s after the first minute', async () => {
    const { cluster, clock, reporter } = waitFor([target(liveDeployment(begun))]);
    await clock.runFor(9000);
    cluster.put(liveDeployment({ updated: 3, available: 1 }));
    await clock.runFor(50_000);
    const changes = [
      'info Deployment "web": 0 of 3 pods updated, 0 available',
      'info Deployment "web": 1 of 3 pods available',
    ];
    expect(reporter.lines).toEqual(changes);
    await clock.runFor(66_000);
    expect(reporter.lines).toEqual([
      ...changes,
      'info still waiting (9m left) for Deployment "web": 1 of 3 pods available',
      'info still waiting (8m30s left) for Deployment "web": 1 of 3 pods available',
      'info still waiting (8m left) for Deployment "web": 1 of 3 pods available',
    ]);
  });

  test('does not say over and over what goes up and down, and at its end how it is', async () => {
    const { cluster, clock, reporter, state } = waitFor([target(liveDeployment(begun))]);
    await clock.runFor(2000);
    for (let round = 0; round < 5; round += 1) {
      cluster.put(liveDeployment({ updated: 3, available: 1 }));
      await clock.runFor(2000);
      cluster.put(liveDeployment({ updated: 3, available: 2 }));
      await clock.runFor(2000);
    }
    cluster.put(liveDeployment());
    await clock.runFor(0);
    expect(state.result?.outcome).toBe('ready');
    expect(reporter.lines).toEqual([
      'info Deployment "web": 0 of 3 pods updated, 0 available',
      'info Deployment "web": 1 of 3 pods available',
      'info Deployment "web": 2 of 3 pods available',
      'info ✓ Deployment "web": 3 pods available',
    ]);
  });

  test('does not tell again what an earlier wait of the run has told', async () => {
    const told: Tellings = new Map();
    const first = waitFor([target(liveDeployment(begun))], { hold: { told } });
    await first.turn();
    first.cluster.put(liveDeployment());
    await first.turn();
    expect(first.reporter.lines).toHaveLength(2);
    const second = waitFor([target(liveDeployment())], {
      hold: { told, holdMs: 2000, holdTitle: 'step 1 of 3: 10 %' },
    });
    await second.clock.runFor(3000);
    expect(second.state.result?.outcome).toBe('ready');
    expect(second.reporter.lines).toEqual(['info step 1 of 3: 10 % · 2s left']);
  });

  test('says once what pods are busy with where it takes them more than 10 s', async () => {
    const deployment = liveDeployment({ updated: 1, available: 0 });
    const set = replicaSetOf(deployment);
    const pod = podOf(set, { containers: [waiting('ContainerCreating')] });
    const { cluster, clock, reporter } = waitFor([target(deployment)]);
    cluster.put(set, pod, eventObject(pod, 'Pulling', 'Pulling image "registry.test/web:2"', { type: 'Normal' }));
    await clock.runFor(9000);
    const first = 'info Deployment "web": 1 of 3 pods updated, 0 available';
    expect(reporter.lines).toEqual([first]);
    await clock.runFor(30_000);
    expect(reporter.lines).toEqual([
      first,
      expect.stringMatching(/^info Deployment "web": pod web-22-a: pulling image "registry.test\/web:2" for 1\ds$/),
    ]);
  });

  test('tells of the time in which all has to stay ready what it is for and how much of it is left', async () => {
    const { clock, reporter, state } = waitFor([target(liveDeployment())], {
      hold: { holdMs: 125_000, holdTitle: 'step 2 of 3: 25 %' },
    });
    await clock.runFor(124_000);
    expect(state.result).toBeUndefined();
    await clock.runFor(1500);
    expect(state.result?.outcome).toBe('ready');
    expect(reporter.lines).toEqual([
      'info ✓ Deployment "web": 3 pods available',
      'info step 2 of 3: 25 % · 2m5s left',
      'info step 2 of 3: 25 % · 1m5s left',
      'info step 2 of 3: 25 % · 35s left',
      'info step 2 of 3: 25 % · 5s left',
    ]);
  });
});

describe('signs that may heal', () => {
  const deployment = liveDeployment({ updated: 1, available: 0 });
  const set = replicaSetOf(deployment);
  const missing = (reason: string) =>
    podOf(set, {
      containers: [waiting(reason, `${reason}: failed to resolve reference "registry.test/web:2": not found`)],
    });

  test('an image that is there after 8 s is no failure (R16, krane#34)', async () => {
    const { cluster, clock, state } = waitFor([target(deployment)]);
    cluster.put(set, missing('ErrImagePull'));
    await clock.runFor(8000);
    cluster.put(podOf(set, { containers: [], ready: true }));
    await clock.runFor(60_000);
    expect(state.result).toBeUndefined();
    cluster.put(liveDeployment());
    await clock.runFor(0);
    expect(state.result?.outcome).toBe('ready');
  });

  test('one that stays away fails after 10 s, whatever the kubelet alternates between (R16)', async () => {
    const { cluster, clock, state } = waitFor([target(deployment)]);
    cluster.put(set);
    for (let seconds = 0; seconds < 9; seconds += 3) {
      cluster.put(missing(seconds % 2 === 0 ? 'ErrImagePull' : 'ImagePullBackOff'));
      await clock.runFor(3000);
    }
    expect(state.result).toBeUndefined();
    await clock.runFor(1600);
    expect(state.result?.outcome).toBe('failed');
    expect(state.result?.causes[0]?.message).toContain('not found');
  });

  test('a quota that is used up is told at once, and fails after its grace (R6, kubernetes#98656)', async () => {
    const { cluster, clock, reporter, state } = waitFor([target(deployment)]);
    const message =
      'pods "web-22-x" is forbidden: exceeded quota: pods, requested: pods=1, used: pods=3, limited: pods=3';
    cluster.put(
      replicaSetOf(deployment, { conditions: [conditionAt('ReplicaFailure', 'True', 'FailedCreate', message)] }),
    );
    await clock.runFor(0);
    expect(reporter.lines.at(-1)).toContain('the quota is exhausted');
    await clock.runFor(9400);
    expect(state.result).toBeUndefined();
    await clock.runFor(700);
    expect(state.result?.causes[0]?.reason).toBe('FailedCreate');
  });

  test('a pod that fits nowhere is waited for while nodes come (R18, skaffold#6011)', async () => {
    const { cluster, clock, state } = waitFor([target(deployment)]);
    const pod = podOf(set, {
      conditions: [
        conditionAt('PodScheduled', 'False', 'Unschedulable', '0/1 nodes are available: 1 Insufficient cpu.'),
      ],
    });
    cluster.put(set, pod, eventObject(pod, 'TriggeredScaleUp', 'pod triggered scale-up', { type: 'Normal' }));
    await clock.runFor(240_000);
    expect(state.result).toBeUndefined();
  });
});

describe('what is not about the new version does not count', () => {
  test('pods that come before their ReplicaSet are not judged by the old one (R20, kubedog#45)', async () => {
    const deployment = liveDeployment(begun);
    const old = replicaSetOf(deployment, { name: 'web-11', image: 'registry.test/web:1' });
    const fresh = replicaSetOf(deployment);
    const { cluster, state, turn } = waitFor([target(deployment)]);
    cluster.put(old, podOf(old, { metadata: { name: 'old' }, containers: [crashed(9)] }));
    cluster.put(podOf(fresh, { containers: [waiting('InvalidImageName')] }));
    await turn();
    expect(state.result).toBeUndefined();
    cluster.put(fresh);
    await turn();
    expect(state.result?.causes[0]).toMatchObject({ reason: 'InvalidImageName', object: { name: 'web-22-a' } });
  });

  test('old pods that crash do not fail a healthy new version (R19, garden#7798)', async () => {
    const set = liveStatefulSet({ observed: 1, updated: 3, ready: 0 });
    const { cluster, state, turn } = waitFor([target(set)]);
    // Its status is still that of the old version, whose revision was the update revision then.
    cluster.put(podOf(set, { containers: [crashed(9)] }));
    await turn();
    expect(state.result).toBeUndefined();
    cluster.put(liveStatefulSet({ status: { updateRevision: 'web-3', currentRevision: 'web-3' } }));
    await turn();
    expect(state.result?.outcome).toBe('ready');
  });

  test('a Deployment broken before can be mended by what was changed beside it (R3, kapp#1020)', async () => {
    const stale = conditionAt('Progressing', 'False', 'ProgressDeadlineExceeded', '', -100);
    const deployment = liveDeployment({ updated: 3, available: 0, conditions: [stale] });
    const set = replicaSetOf(deployment);
    const pod = podOf(set, { containers: [waiting('CreateContainerConfigError', 'configmap "settings" not found')] });
    const settings = live('ConfigMap', { apiVersion: 'v1', metadata: { name: 'settings' } });
    const { cluster, clock, state } = waitFor([
      target(settings),
      target(deployment, { changed: false, writtenAt: start - 3_600_000 }),
    ]);
    cluster.put(set, pod);
    await clock.runFor(20_000);
    expect(state.result).toBeUndefined();
    cluster.put(liveDeployment({ conditions: [stale] }));
    await clock.runFor(0);
    expect(state.result?.outcome).toBe('ready');
  });

  describe('a custom resource that this run found as it was meant', () => {
    const sealed = (status: string, reason: string, seconds: number) =>
      live('SealedSecret', {
        apiVersion: 'bitnami.com/v1alpha1',
        metadata: { name: 'keys', creationTimestamp: timeAt(-7200) },
        status: { observedGeneration: 1, conditions: [conditionAt('Synced', status, reason, 'no key', seconds)] },
      });
    const beside = (found: KubernetesObject) => [
      target(live('ConfigMap', { apiVersion: 'v1', metadata: { name: 'settings' } })),
      target(found, { changed: false, writtenAt: start - 3_600_000 }),
    ];

    test('and that was broken before is named, and ends no run that an undo would not mend', async () => {
      const { clock, state } = waitFor(beside(sealed('False', 'Unseal', -3600)));
      await clock.runFor(60_000);
      expect(state.result?.outcome).toBe('ready');
      expect(state.result?.targets[1]?.verdict).toEqual({
        state: 'unchecked',
        message: 'already failing before this run: no key',
      });
    });

    test('and that breaks since ends it', async () => {
      const { cluster, clock, state } = waitFor(beside(sealed('Unknown', '', -3600)));
      await clock.runFor(1000);
      cluster.put(sealed('False', 'Unseal', 1));
      await clock.runFor(60_000);
      expect(state.result?.outcome).toBe('failed');
    });

    test('needs no right to be watched', async () => {
      const cluster = new ScriptedCluster();
      forbid(cluster, 'SealedSecret');
      const { clock, state } = waitFor(beside(sealed('Unknown', '', -3600)), { cluster });
      await clock.runFor(1000);
      expect(state.result?.outcome).toBe('ready');
      expect(state.result?.targets[1]?.verdict).toEqual({
        state: 'unchecked',
        message: 'no permission to watch it, and this run did not change it',
      });
    });
  });

  test('but without any change it is failed at once', async () => {
    const deployment = liveDeployment({
      updated: 3,
      available: 0,
      conditions: [conditionAt('Progressing', 'False', 'ProgressDeadlineExceeded', '', -100)],
    });
    const { state, turn } = waitFor([target(deployment, { changed: false, writtenAt: start - 3_600_000 })]);
    await turn();
    expect(state.result?.outcome).toBe('failed');
  });

  test('a pause by somebody else is waited out until the time is up, and named (R9)', async () => {
    const { cluster, clock, state } = waitFor([target(liveDeployment(begun))], { timeoutMs: 5000 });
    await clock.runFor(0);
    const paused = liveDeployment({ ...begun, updated: 1, generation: 3, spec: { paused: true } });
    const set = replicaSetOf(paused);
    cluster.put(paused, set, podOf(set, { containers: [crashed(1)] }));
    await clock.runFor(6000);
    expect(state.result?.outcome).toBe('timed-out');
    expect(state.result?.causes[0]?.message).toContain('paused by somebody, run "resume" to continue');
  });

  test('a pause by somebody else stops the clock, whatever its pods show, and then the wait goes on', async () => {
    const limits = { timeoutMs: 5000, pauseTimeoutMs: 60_000 };
    const { cluster, clock, reporter, state } = waitFor([target(liveDeployment(begun))], limits);
    await clock.runFor(2000);
    const paused = liveDeployment({ ...begun, updated: 1, generation: 3, spec: { paused: true } });
    const set = replicaSetOf(paused);
    cluster.put(paused, set, podOf(set, { containers: [crashed(9)] }));
    await clock.runFor(30_000);
    expect(state.result).toBeUndefined();
    expect(reporter.lines.join('\n')).toMatch(/still waiting \(timeout paused with 3s left, for 1m at most\)/);
    const resumed = liveDeployment({ ...begun, updated: 1, available: 1, generation: 4 });
    cluster.put(podOf(set, { ready: true }), resumed);
    await clock.runFor(2000);
    expect(state.result).toBeUndefined();
    cluster.put(liveDeployment({ generation: 4 }));
    await clock.runFor(0);
    expect(state.result?.outcome).toBe('ready');
    expect(state.stoodStillMs).toBeGreaterThanOrEqual(29_500);
    expect(state.stoodStillMs).toBeLessThanOrEqual(30_500);
  });

  test('a pause that outlasts its own limit ends the wait as paused', async () => {
    const { cluster, clock, state } = waitFor([target(liveDeployment(begun))], {
      timeoutMs: 5000,
      pauseTimeoutMs: 10_000,
    });
    await clock.runFor(0);
    cluster.put(liveDeployment({ ...begun, updated: 1, generation: 3, spec: { paused: true } }));
    await clock.runFor(9000);
    expect(state.result).toBeUndefined();
    await clock.runFor(2000);
    expect(state.result?.outcome).toBe('paused');
    expect(state.result?.causes[0]).toMatchObject({ reason: 'Paused' });
    expect(state.result?.causes[0]?.message).toContain('1 of 3 pods updated; paused by somebody');
  });

  test('one that was paused between the look and the write is not accepted as meant', async () => {
    const paused = liveDeployment({ ...begun, spec: { paused: true } });
    const { state, turn } = waitFor([target(paused, { paused: false })], { pauseTimeoutMs: 60_000 });
    await turn();
    expect(state.result).toBeUndefined();
  });

  test('a list that finds an object gone counts as its deletion', async () => {
    const deployment = liveDeployment(begun);
    const cluster = new ScriptedCluster();
    const { state, turn } = waitFor([target(deployment)], { cluster });
    cluster.remove(deployment);
    await turn();
    expect(state.result?.causes[0]?.reason).toBe('Deleted');
  });

  test('a pod that ends while it crashes is not the version', async () => {
    const deployment = liveDeployment({ updated: 1, available: 0 });
    const set = replicaSetOf(deployment);
    const { cluster, state, turn } = waitFor([target(deployment)]);
    cluster.put(set, podOf(set, { metadata: { deletionTimestamp: timeAt(1) }, containers: [crashed(9)] }));
    await turn();
    expect(state.result).toBeUndefined();
  });
});
