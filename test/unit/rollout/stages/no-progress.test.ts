import { describe, expect, test } from '@jest/globals';

import type { JsonObject } from '../../../../src/base/json.ts';
import type { KubernetesObject } from '../../../../src/kubernetes/object.ts';
import { defaultNoProgress, type NoProgressLimit } from '../../../../src/rollout/stages/no-progress.ts';
import { waitForRollout, type RolloutResult } from '../../../../src/rollout/tracker.ts';
import { refusal } from '../../../support/fake-api.ts';
import { FakeClock } from '../../../support/fake-clock.ts';
import {
  conditionAt,
  eventObject,
  live,
  liveDeployment,
  liveJob,
  ownedBy,
  podOf,
  replicaSetOf,
  start,
  timeAt,
  waiting,
} from '../../../support/rollout-objects.ts';
import { ScriptedCluster } from '../../../support/scripted-cluster.ts';
import { listeningReporter } from '../../../support/silent-reporter.ts';

/** Short enough for a test that runs through every half second of it, and long for who reads logs every 15 s. */
const step = 10_000;
const limit: NoProgressLimit = { ms: 5 * step, ofMeasured: false };
const ofMeasured: NoProgressLimit = { ms: 5 * step, ofMeasured: true };
const probed = { containers: [{ name: 'web', startupProbe: { failureThreshold: 360, periodSeconds: 10 } }] };
const placed = conditionAt('PodScheduled', 'True');

const deployment = liveDeployment({ replicas: 1, updated: 1, available: 0 });
const set = replicaSetOf(deployment);

function running({ at = 5, restarts = 0, name = 'web-22-a' } = {}): KubernetesObject {
  const state: JsonObject = { running: { startedAt: timeAt(at) } };
  return podOf(set, {
    metadata: { name, uid: name },
    conditions: [placed],
    spec: probed,
    containers: [{ name: 'web', ready: false, started: false, restartCount: restarts, state }],
  });
}

/** A wait for longer than the limit; `log` is what the containers have written by now. */
function waitFor(
  objects: KubernetesObject[],
  {
    noProgress = limit,
    timeoutMs = 40 * step,
    pauseTimeoutMs,
  }: {
    noProgress?: NoProgressLimit;
    timeoutMs?: number;
    pauseTimeoutMs?: number;
  } = {},
) {
  const cluster = new ScriptedCluster();
  const clock = new FakeClock();
  const reporter = listeningReporter();
  const state: { result?: RolloutResult; log: string | Error; reads: number } = { log: '', reads: 0 };
  cluster.client.logs = () => {
    state.reads += 1;
    return state.log instanceof Error ? Promise.reject(state.log) : Promise.resolve(state.log);
  };
  cluster.put(...objects, set);
  void waitForRollout(
    cluster.client,
    objects.map((object) => ({ object, changed: true, writtenAt: start })),
    {
      reporter,
      clock,
      deadline: clock.now() + timeoutMs,
      signal: new AbortController().signal,
      noProgress,
      ...(pauseTimeoutMs === undefined ? {} : { pauseTimeoutMs }),
    },
  ).then((result) => (state.result = result));
  const shards = (done: number, total = 5) => {
    state.log = `Loading safetensors checkpoint shards: ${Math.floor((done / total) * 100)}% Completed | ${done}/${total}\n`;
  };
  return { cluster, clock, reporter, state, shards, cause: () => state.result?.causes[0] };
}

describe('a wait for a slow start', () => {
  test('goes on for longer than the limit while its log tells of steps, and then names the stage that is stuck', async () => {
    const { cluster, clock, reporter, shards, state, cause } = waitFor([deployment]);
    cluster.put(running());
    for (const done of [0, 1, 2]) {
      shards(done);
      await clock.runFor(4 * step);
      expect(state.result).toBeUndefined();
    }
    await clock.runFor(3 * step);
    expect(state.result?.outcome).toBe('failed');
    expect(cause()).toMatchObject({
      reason: 'NoProgress',
      message:
        'Deployment "web": no progress for 50s: pod web-22-a is at stage "weights" (40 %, 2 of 5 shards) since 00:01 UTC',
      hint: 'Check its log; raise the input "no-progress-timeout" if this stage just takes longer.',
      object: { kind: 'Pod', name: 'web-22-a' },
      container: 'web',
    });
    expect(reporter.lines).toContain(
      'info Deployment "web": pod web-22-a: container "web" has been loading weights for 35s: 0 %, 0 of 5 shards',
    );
    expect(reporter.lines.at(-1)).toBe(`info ✗ ${cause()?.message ?? ''}`);
    expect(reporter.lines.filter((line) => line.includes('still waiting')).at(-1)).toMatch(
      /pod web-22-a: container "web" has been loading weights for 1m55s: 40 %, 2 of 5 shards$/,
    );
  });

  test('that runs out of time says how far it was', async () => {
    const { cluster, clock, shards, state, cause } = waitFor([deployment], { timeoutMs: 3 * step });
    cluster.put(running());
    shards(2);
    await clock.runFor(3 * step);
    expect(state.result?.outcome).toBe('timed-out');
    expect(cause()?.message).toBe(
      'Deployment "web": container "web" has been loading weights for 25s: 40 %, 2 of 5 shards',
    );
  });

  test('that runs out of time between two looks at its log says how far it is then, not how far it was', async () => {
    const { cluster, clock, shards, state, cause } = waitFor([deployment], { timeoutMs: 44_000 });
    cluster.put(running());
    shards(2);
    await clock.runFor(4 * step);
    shards(4);
    await clock.runFor(4_000);
    expect(state.result?.outcome).toBe('timed-out');
    expect(cause()?.message).toBe(
      'Deployment "web": container "web" has been loading weights for 39s: 80 %, 4 of 5 shards',
    );
  });

  test('that runs out of time while its log cannot be read says what it has told before', async () => {
    const { cluster, clock, shards, state, cause } = waitFor([deployment], { timeoutMs: 44_000 });
    cluster.put(running());
    shards(2);
    await clock.runFor(4 * step);
    state.log = new Error('no log');
    await clock.runFor(4_000);
    expect(cause()?.message).toBe(
      'Deployment "web": container "web" has been loading weights for 39s: 40 %, 2 of 5 shards',
    );
  });

  test('counts each stage that a pod reaches', async () => {
    const { cluster, clock, state, cause } = waitFor([deployment]);
    const pod = (parts: Parameters<typeof podOf>[1]) =>
      podOf(set, { spec: probed, metadata: { uid: 'web-22-a' }, ...parts });
    const creating = pod({ conditions: [placed], containers: [waiting('ContainerCreating')] });
    for (const objects of [
      [pod({ conditions: [conditionAt('PodScheduled', 'False', 'Preempting', 'preempts others')] })],
      [creating, eventObject(creating, 'Pulling', 'Pulling image "registry.test/web:2"', { type: 'Normal' })],
      [running()],
    ]) {
      cluster.put(...objects);
      await clock.runFor(4 * step);
      expect(state.result).toBeUndefined();
    }
    await clock.runFor(2 * step);
    expect(cause()?.message).toBe(
      'Deployment "web": no progress for 50s: pod web-22-a is at stage "serving" since 00:01 UTC',
    );
  });

  test('counts the pods that get ready', async () => {
    const three = (available: number) => liveDeployment({ replicas: 3, updated: 3, available });
    const { cluster, clock, state } = waitFor([three(0)]);
    for (const available of [1, 2]) {
      await clock.runFor(4 * step);
      cluster.put(three(available));
    }
    await clock.runFor(4 * step);
    expect(state.result).toBeUndefined();
    // One that is unready and ready again is no step.
    for (const available of [1, 2]) cluster.put(three(available));
    await clock.runFor(2 * step);
    expect(state.result?.causes[0]?.message).toBe('Deployment "web": no progress for 50s: 2 of 3 pods available');
  });

  test('does not count a container that crashes and begins again, until it gets further than it was', async () => {
    const { cluster, clock, shards, state, cause } = waitFor([deployment]);
    cluster.put(running());
    shards(2);
    await clock.runFor(4 * step);
    cluster.put(running({ at: 40, restarts: 1 }));
    shards(0);
    await clock.runFor(2 * step);
    shards(1);
    await clock.runFor(step);
    expect(state.result).toBeUndefined();
    await clock.runFor(2 * step);
    expect(cause()?.message).toBe(
      'Deployment "web": no progress for 50s: pod web-22-a is at stage "weights" (20 %, 1 of 5 shards) since 00:00 UTC',
    );
  });

  test('does not count pods for ever that come in place of others and get no further', async () => {
    const { cluster, clock, state } = waitFor([deployment]);
    for (const [index, name] of ['a', 'b', 'c', 'd'].entries()) {
      const pod = running({ name, at: index * 40 });
      cluster.put(pod);
      await clock.runFor(4 * step);
      expect(state.result).toBeUndefined();
      cluster.remove(pod);
    }
    cluster.put(running({ name: 'e', at: 160 }));
    await clock.runFor(2 * step);
    expect(state.result?.outcome).toBe('failed');
  });

  test.each([
    [
      'Kueue',
      podOf(set, {
        conditions: [conditionAt('PodScheduled', 'False', 'SchedulingGated')],
        spec: { schedulingGates: [{ name: 'kueue.x-k8s.io/admission' }] },
        metadata: { labels: { 'kueue.x-k8s.io/queue-name': 'models' } },
      }),
      [],
      'Deployment "web": queued by Kueue in "models" until there is quota for it',
    ],
    [
      'flex-start',
      podOf(set, {
        conditions: [
          conditionAt('PodScheduled', 'False', 'Unschedulable', '0/3 nodes are available: 3 Insufficient x.'),
        ],
        spec: { nodeSelector: { 'cloud.google.com/gke-flex-start': 'true' } },
      }),
      [],
      'Deployment "web": pod cannot be scheduled: not enough x (0 of 3 nodes fit); queued for a flex-start node',
    ],
    [
      'an autoscaler at work',
      podOf(set, {
        conditions: [
          conditionAt('PodScheduled', 'False', 'Unschedulable', '0/3 nodes are available: 3 Insufficient x.'),
        ],
      }),
      ['TriggeredScaleUp'],
      'Deployment "web": pod cannot be scheduled: not enough x (0 of 3 nodes fit); the autoscaler is adding a node',
    ],
  ])('stands still while a pod waits for %s', async (_, pod, events, message) => {
    const { cluster, clock, state, cause } = waitFor([deployment], { timeoutMs: 9 * step });
    cluster.put(pod, ...events.map((reason) => eventObject(pod, reason, 'pod triggered it', { type: 'Normal' })));
    await clock.runFor(8 * step);
    expect(state.result).toBeUndefined();
    await clock.runFor(2 * step);
    expect(state.result?.outcome).toBe('timed-out');
    expect(cause()?.message).toBe(message);
  });

  test('stands still while somebody has paused the rollout', async () => {
    const { cluster, clock, state } = waitFor([deployment], { pauseTimeoutMs: 30 * step });
    await clock.runFor(4 * step);
    cluster.put(liveDeployment({ replicas: 2, updated: 1, available: 0, generation: 3, spec: { paused: true } }));
    await clock.runFor(10 * step);
    expect(state.result).toBeUndefined();
    cluster.put(liveDeployment({ replicas: 1, updated: 1, available: 0, generation: 4 }));
    await clock.runFor(2 * step);
    expect(state.result?.outcome).toBe('failed');
  });

  test('stands still while an old pod ends within its time, and while a Job works', async () => {
    const old = podOf(replicaSetOf(deployment, { name: 'web-11', image: 'registry.test/web:1' }), {
      metadata: { deletionTimestamp: timeAt(200) },
      ready: true,
    });
    const ending = waitFor([deployment]);
    ending.cluster.put(replicaSetOf(deployment, { name: 'web-11', image: 'registry.test/web:1' }), old);
    await ending.clock.runFor(22 * step);
    expect(ending.state.result).toBeUndefined();
    await ending.clock.runFor(7 * step);
    expect(ending.state.result?.outcome).toBe('failed');

    const job = liveJob();
    const working = waitFor([job]);
    working.cluster.put(podOf(job, { ready: true }));
    await working.clock.runFor(12 * step);
    expect(working.state.result).toBeUndefined();
  });

  test('stands still while a pod of a JobSet works', async () => {
    const jobSet = live('JobSet', {
      apiVersion: 'jobset.x-k8s.io/v1alpha2',
      metadata: { name: 'train' },
      spec: { replicatedJobs: [{ name: 'w', replicas: 1 }] },
      status: { replicatedJobsStatus: [{ name: 'w', ready: 1, succeeded: 0 }] },
    });
    const job = liveJob({ metadata: { name: 'train-w-0', creationTimestamp: timeAt(1), ...ownedBy(jobSet) } });
    const metadata = { creationTimestamp: timeAt(1) };
    const working = waitFor([jobSet]);
    working.cluster.put(job, podOf(job, { ready: true, metadata: { ...metadata, ...ownedBy(job) } }));
    await working.clock.runFor(12 * step);
    expect(working.state.result).toBeUndefined();

    const starting = waitFor([jobSet]);
    starting.cluster.put(job, podOf(job, { phase: 'Running', metadata: { ...metadata, ...ownedBy(job) } }));
    await starting.clock.runFor(12 * step);
    expect(starting.cause()?.message).toBe('JobSet "train": no progress for 50s: w: 1 of 1 ready, 0 completed');
  });

  test('stands still while an Argo Rollout pauses for a time of its own', async () => {
    const rollout = live('Rollout', {
      apiVersion: 'argoproj.io/v1alpha1',
      spec: { replicas: 5, strategy: { canary: { steps: [{ pause: { duration: '4m' } }] } } },
      status: {
        observedGeneration: '1',
        phase: 'Paused',
        updatedReplicas: 1,
        currentStepIndex: 0,
        controllerPause: true,
        pauseConditions: [{ reason: 'CanaryPauseStep', startTime: timeAt(0) }],
      },
    });
    const { cluster, clock, state, cause } = waitFor([rollout]);
    await clock.runFor(24 * step);
    expect(state.result).toBeUndefined();
    cluster.put({ ...rollout, status: { observedGeneration: '1', phase: 'Progressing', updatedReplicas: 1 } });
    await clock.runFor(7 * step);
    expect(cause()?.message).toBe('Rollout "web": no progress for 50s: 1 of 5 pods updated');
  });

  test('of another object counts when its words change to new ones', async () => {
    const ingress = (message: string) =>
      live('Widget', {
        apiVersion: 'example.com/v1',
        status: { observedGeneration: 1, conditions: [conditionAt('Ready', 'False', 'Waiting', message)] },
      });
    const { cluster, clock, state } = waitFor([ingress('one')]);
    for (const words of ['two', 'three']) {
      await clock.runFor(4 * step);
      cluster.put(ingress(words));
    }
    await clock.runFor(4 * step);
    expect(state.result).toBeUndefined();
    cluster.put(ingress('two'));
    await clock.runFor(2 * step);
    expect(state.result?.causes[0]?.message).toMatch(/^Widget "web": no progress for 50s: .*two/);
  });
});

describe('without a limit of the user', () => {
  test('it is 10 minutes', () => {
    expect(defaultNoProgress).toEqual({ ms: 600_000, ofMeasured: true });
  });

  test('only what says how far it is can be stuck', async () => {
    const silent = waitFor([deployment], { noProgress: ofMeasured });
    silent.cluster.put(running());
    await silent.clock.runFor(12 * step);
    expect(silent.state.result).toBeUndefined();

    const telling = waitFor([deployment], { noProgress: ofMeasured });
    telling.cluster.put(running());
    telling.shards(2);
    await telling.clock.runFor(8 * step);
    expect(telling.cause()?.message).toContain('no progress for 50s: pod web-22-a is at stage "weights"');
  });

  test.each([
    ['whole files are counted', 'Fetching 8 files: 25%|██▌ | 2/8'],
    [
      'all is loaded, and what comes after it says nothing',
      'Loading safetensors checkpoint shards: 100% Completed | 5/5',
    ],
  ])('nothing is stuck where %s', async (_, line) => {
    const { cluster, clock, state } = waitFor([deployment], { noProgress: ofMeasured });
    cluster.put(running());
    state.log = line;
    await clock.runFor(12 * step);
    expect(state.result).toBeUndefined();
  });

  test.each([
    ['cannot be read any more', new Error('no log')],
    ['has scrolled on to other lines', 'INFO waiting for the other ranks\n'.repeat(30)],
  ])('nothing is stuck whose log %s', async (_, log) => {
    const { cluster, clock, shards, state } = waitFor([deployment], { noProgress: ofMeasured });
    cluster.put(running());
    shards(2);
    await clock.runFor(4 * step);
    state.log = log;
    await clock.runFor(8 * step);
    expect(state.result).toBeUndefined();
  });

  test('a limit of 0 is none', async () => {
    const { cluster, clock, shards, state } = waitFor([deployment], { noProgress: { ms: 0, ofMeasured: false } });
    cluster.put(running());
    shards(2);
    await clock.runFor(12 * step);
    expect(state.result).toBeUndefined();
  });
});

describe('the logs of slow starts', () => {
  test('are not asked for in the first 15 s, then every 15 s, and of three pods at most', async () => {
    const { cluster, clock, state } = waitFor([liveDeployment({ replicas: 5, updated: 5, available: 0 })]);
    cluster.put(...['a', 'b', 'c', 'd', 'e'].map((name) => running({ name })));
    await clock.runFor(19_000);
    expect(state.reads).toBe(0);
    await clock.runFor(12_000);
    expect(state.reads).toBe(3);
    await clock.runFor(15_000);
    expect(state.reads).toBe(6);
  });

  test('are not asked for again where that is not allowed, and nobody is told', async () => {
    const { cluster, clock, reporter, state } = waitFor([deployment], { noProgress: ofMeasured });
    cluster.put(running());
    state.log = refusal(403, 'Forbidden', { apiVersion: 'v1', kind: 'Pod', name: 'web-22-a' });
    await clock.runFor(12 * step);
    expect(state.reads).toBe(1);
    expect(reporter.lines.filter((line) => !line.startsWith('info'))).toEqual([]);
  });

  test('never get into the log of the run', async () => {
    const { cluster, clock, reporter, state } = waitFor([deployment], { noProgress: ofMeasured });
    cluster.put(running());
    state.log = '::error::loading shards 40% | 2/5 ::set-env name=PATH::/tmp';
    await clock.runFor(7 * step);
    expect(reporter.lines.join('\n')).toContain('40 %, 2 of 5 shards');
    expect(reporter.lines.join('\n')).not.toMatch(/::|set-env/);
  });
});
