import { expect, test } from '@jest/globals';

import { examine } from '../../../src/commands/health.ts';
import type { JsonObject } from '../../../src/base/json.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import {
  conditionAt,
  crashed,
  eventObject,
  liveDeployment,
  podOf,
  replicaSetOf,
  timeAt,
} from '../../support/rollout-objects.ts';
import { ScriptedCluster } from '../../support/scripted-cluster.ts';
import { FakeApi } from '../../support/fake-api.ts';
import { contextOf } from './build.ts';

const deployment = liveDeployment({ replicas: 2, updated: 2, available: 0 });
const set = replicaSetOf(deployment);
const placed = conditionAt('PodScheduled', 'True');

/** What `status` finds of a Deployment whose pod has been loading for so many seconds, or crashes. */
async function lookAt(seconds: number, isWatched: boolean, isCrashing = false) {
  const running = { name: 'web', ready: false, started: true, state: { running: { startedAt: timeAt(-seconds) } } };
  return await lookAtPod(isCrashing ? crashed(4) : running, [], isWatched);
}

/** The same, of a container in this state, with what is told of its pod. */
async function lookAtPod(container: JsonObject, events: readonly [string, string, number][], isWatched: boolean) {
  const cluster = new ScriptedCluster();
  const pod = podOf(set, { conditions: [placed], containers: [container] });
  const told = events.map(([reason, message, first]) =>
    eventObject(pod, reason, message, { first, last: 0, count: 5 }),
  );
  cluster.put(deployment, set, pod, ...told);
  cluster.client.logs = () =>
    Promise.resolve('Loading safetensors checkpoint shards: 40% Completed | 2/5 [00:04<00:06,  2.1s/it]\n');
  const context = { ...contextOf(new FakeApi(), 'me'), client: cluster.client, clock: new FakeClock() };
  const { problems, starting } = await examine(context, [{ object: deployment }], { isWatched: () => isWatched });
  return { problems: problems.map(({ message }) => message), starting: starting.map(({ message }) => message) };
}

const loading = (time: string) =>
  `Deployment "web": 0 of 2 pods available; pod web-22-a: container "web" has been loading weights for ${time}: 40 %, 2 of 5 shards`;

test('a pod that loads is no problem, but on its way, with its stage, how far it is, and for how long', async () => {
  expect(await lookAt(180, false)).toEqual({ problems: [], starting: [loading('3m')] });
});

test('one that loads for too long is a problem, unless a run waits for it', async () => {
  expect(await lookAt(3600, false)).toEqual({ problems: [loading('1h')], starting: [] });
  expect(await lookAt(3600, true)).toEqual({ problems: [], starting: [loading('1h')] });
});

test('a pod that crashes is a problem, also while a run waits for it', async () => {
  const { problems, starting } = await lookAt(180, true, true);
  expect(starting).toEqual([]);
  expect(problems[0]).toContain('container "web" keeps crashing');
});

test('a pod that crashes again and again is a problem, too, while it happens to run', async () => {
  const running = { running: { startedAt: timeAt(-20) } };
  const { problems, starting } = await lookAtPod(crashed(50, { at: -180, state: running }), [], false);
  expect(starting).toEqual([]);
  expect(problems[0]).toContain('container "web"');
});

test('a pod that has run for days and fails its probe is a problem, however young that is', async () => {
  const days = {
    name: 'web',
    ready: false,
    started: true,
    restartCount: 0,
    state: { running: { startedAt: timeAt(-1_700_000) } },
  };
  const failing = 'Readiness probe failed: HTTP probe failed with statuscode: 503';
  const { problems, starting } = await lookAtPod(days, [['Unhealthy', failing, -240]], false);
  expect(starting).toEqual([]);
  expect(problems[0]).toContain('readiness probe');
});
