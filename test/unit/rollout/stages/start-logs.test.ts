import { expect, test } from '@jest/globals';

import { StartLogs } from '../../../../src/rollout/stages/start-logs.ts';
import { isMeasured } from '../../../../src/rollout/stages/start.ts';
import { stageOf } from '../../../../src/rollout/stages/stage.ts';
import { FakeClock } from '../../../support/fake-clock.ts';
import { conditionAt, liveDeployment, podOf, replicaSetOf, timeAt } from '../../../support/rollout-objects.ts';
import { ScriptedCluster } from '../../../support/scripted-cluster.ts';
import { silentReporter } from '../../../support/silent-reporter.ts';

const pod = podOf(replicaSetOf(liveDeployment({ replicas: 1 })), {
  conditions: [conditionAt('PodScheduled', 'True')],
  containers: [{ name: 'web', ready: false, started: true, state: { running: { startedAt: timeAt(-180) } } }],
});
const shards = (percent: number, done: number) =>
  `Loading safetensors checkpoint shards: ${percent}% Completed | ${done}/5 [00:04<00:06,  2.1s/it]\n`;

/** Whether the percentage of each of these logs, read one after the other, measures the start. */
async function measures(logs: readonly string[]): Promise<boolean[]> {
  const cluster = new ScriptedCluster();
  const reader = new StartLogs({ client: cluster.client, clock: new FakeClock(), reporter: silentReporter });
  const measured: boolean[] = [];
  for (const text of logs) {
    cluster.client.logs = () => Promise.resolve(text);
    await reader.read([pod]);
    measured.push(isMeasured(stageOf(pod, [], reader.seen)));
  }
  return measured;
}

test('a percentage that rises, or stays, measures the start', async () => {
  expect(await measures([shards(20, 1), shards(20, 1), shards(60, 3)])).toEqual([true, true, true]);
});

test('one that has fallen measures it no more: the bar is of one of several files or models', async () => {
  expect(await measures([shards(80, 4), shards(20, 1), shards(60, 3), shards(80, 4)])).toEqual([
    true,
    false,
    false,
    false,
  ]);
});
