import { describe, expect, test } from '@jest/globals';

import type { JsonObject } from '../../../src/base/json.ts';
import type { KubernetesObject } from '../../../src/kubernetes/object.ts';
import { lookAt } from '../../../src/rollout/look.ts';
import { waitForRollout, type RolloutResult } from '../../../src/rollout/tracker.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { moved } from '../../support/moved.ts';
import { conditionAt, liveDeployment, podOf, replicaSetOf, start, timeAt } from '../../support/rollout-objects.ts';
import { ScriptedCluster } from '../../support/scripted-cluster.ts';
import { silentReporter } from '../../support/silent-reporter.ts';

/** By how many minutes the server's clock is ahead of the runner's. */
const clocks = [0, 10, -10];

/** A wait for a Deployment, written at `start` by the server's clock, of which all times are ahead. */
function waitIn(minutes: number, deployment: KubernetesObject, pods: readonly KubernetesObject[]) {
  const aheadMs = minutes * 60_000;
  const cluster = new ScriptedCluster();
  Object.assign(cluster.client, { aheadMs });
  const clock = new FakeClock();
  const state: { result?: RolloutResult } = {};
  const object = moved(deployment, aheadMs);
  const put = (...objects: KubernetesObject[]) => {
    cluster.put(...objects.map((one) => moved(one, aheadMs)));
  };
  put(deployment, replicaSetOf(deployment), ...pods);
  const target = { object, changed: true, writtenAt: start + aheadMs };
  const options = {
    reporter: silentReporter,
    clock,
    deadline: clock.now() + 900_000,
    signal: new AbortController().signal,
  };
  void waitForRollout(cluster.client, [target], options).then((result) => (state.result = result));
  return { clock, state, put };
}

/** A Deployment with one pod, of whose container the status says this. */
function withContainer(status: JsonObject, more: Parameters<typeof liveDeployment>[0] = {}) {
  const deployment = liveDeployment({ replicas: 1, ...more });
  const pod = podOf(replicaSetOf(deployment), {
    ready: true,
    containers: [{ name: 'web', ready: true, restartCount: 0, ...status }],
  });
  return { deployment, pod };
}

const runningSince = (seconds: number): JsonObject => ({ running: { startedAt: timeAt(seconds) } });
const endedAt = (seconds: number): JsonObject => ({ terminated: { exitCode: 3, finishedAt: timeAt(seconds) } });

describe.each(clocks)('with a server that is %d minutes ahead', (minutes) => {
  test('a container that nothing probes is believed after 2 s', async () => {
    const { deployment, pod } = withContainer({ state: runningSince(0) }, { updated: 0 });
    const { clock, state, put } = waitIn(minutes, deployment, [pod]);
    await clock.runFor(0);
    put(liveDeployment({ replicas: 1 }));
    await clock.runFor(1400);
    expect(state.result).toBeUndefined();
    await clock.runFor(1100);
    expect(state.result?.outcome).toBe('ready');
  });

  test('a container that was started again is believed after 10 s', async () => {
    const status = { state: runningSince(0), lastState: endedAt(-5), restartCount: 1 };
    const { deployment, pod } = withContainer(status, { updated: 0 });
    const { clock, state, put } = waitIn(minutes, deployment, [pod]);
    await clock.runFor(0);
    put(liveDeployment({ replicas: 1 }));
    await clock.runFor(9400);
    expect(state.result).toBeUndefined();
    await clock.runFor(1100);
    expect(state.result?.outcome).toBe('ready');
  });

  test('a failure of an earlier rollout is not believed before its deadline has passed', async () => {
    const former = conditionAt('Progressing', 'False', 'ProgressDeadlineExceeded', 'exceeded', -100);
    const deployment = liveDeployment({ replicas: 1, updated: 0, conditions: [former] });
    const { clock, state } = waitIn(minutes, deployment, []);
    await clock.runFor(599_000);
    expect(state.result).toBeUndefined();
    await clock.runFor(2000);
    expect(state.result).toMatchObject({ outcome: 'failed', causes: [{ reason: 'ProgressDeadlineExceeded' }] });
  });

  test('what may heal is given the same time, and named as of when it began', async () => {
    const deployment = liveDeployment({ replicas: 1, updated: 1, available: 0 });
    const unplaced = conditionAt('PodScheduled', 'False', 'Unschedulable', '0/3 nodes are available', -5);
    const pod = podOf(replicaSetOf(deployment), { status: { phase: 'Pending', conditions: [unplaced] } });
    const { clock, state } = waitIn(minutes, deployment, [pod]);
    await clock.runFor(50_000);
    expect(state.result).toBeUndefined();
    await clock.runFor(850_000);
    expect(state.result?.causes[0]?.since).toBe(start - 5000 + minutes * 60_000);
  });

  test('a look tells of a crash, and how long ago it was', async () => {
    const status = { state: runningSince(-60), lastState: endedAt(-90), restartCount: 3 };
    const { deployment, pod } = withContainer(status);
    const cluster = new ScriptedCluster();
    const aheadMs = minutes * 60_000;
    Object.assign(cluster.client, { aheadMs });
    cluster.put(...[deployment, replicaSetOf(deployment), pod].map((object) => moved(object, aheadMs)));
    const { seen } = await lookAt(cluster.client, [moved(deployment, aheadMs)], new FakeClock());
    expect(seen[0]?.cause?.message).toContain('3 restarts, the last one 1m30s ago');
  });
});
