import { expect, test } from '@jest/globals';

import { parseUserRules } from '../../../src/rollout/readiness/user/parse-rules.ts';
import { waitForRollout } from '../../../src/rollout/tracker.ts';
import { custom, decidedOver } from '../../support/custom-resource.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { timeAt } from '../../support/rollout-objects.ts';
import { ScriptedCluster } from '../../support/scripted-cluster.ts';
import { silentReporter } from '../../support/silent-reporter.ts';

const cache = (available: number, at: number) => ({
  copies: { available, total: 2, failed: 0 },
  nodeStatus: { a: 'NodeDownloaded', b: available === 2 ? 'NodeDownloaded' : 'NodeDownloading' },
  lastProbeTime: timeAt(at),
});
const polls = (available: number, from: number, to: number) =>
  Array.from({ length: (to - from) / 2 + 1 }, (_, index) => from + 2 * index).map((at) => ({
    at,
    status: cache(available, at),
  }));

test('a status that is written anew at every poll counts once it has said the same for long enough', () => {
  const written = custom('serving.kserve.io/v1alpha1', 'LocalModelCache', { status: cache(2, -2) });
  const checking = 'progressing: model on 2 of 2 nodes; checking that it stays so';
  const decided = decidedOver(written, polls(2, 2, 12), 13);
  const accepted = 'ready: model on 2 of 2 nodes';
  expect(decided).toEqual([checking, checking, checking, checking, checking, accepted, accepted]);
});

test('and begins anew when it has said something else meanwhile', () => {
  const written = custom('serving.kserve.io/v1alpha1', 'LocalModelCache', { status: cache(2, -2) });
  const shown = [...polls(2, 2, 6), ...polls(1, 8, 8), ...polls(2, 10, 20)];
  expect(decidedOver(written, shown, 19)[8]).toBe('progressing: model on 2 of 2 nodes; checking that it stays so');
  expect(decidedOver(written, shown, 21).at(-1)).toBe('ready: model on 2 of 2 nodes');
});

test('annotations that somebody writes all the time keep no status from counting', async () => {
  const cluster = new ScriptedCluster();
  const clock = new FakeClock();
  const object = custom('example.com/v1', 'Widget', { status: { phase: 'Running' } });
  const beat = (version: number) => ({
    ...object,
    metadata: { ...object.metadata, resourceVersion: String(version), annotations: { beat: String(version) } },
  });
  cluster.put(beat(1));
  const result = waitForRollout(cluster.client, [{ object, changed: true, writtenAt: clock.now() }], {
    reporter: silentReporter,
    clock,
    deadline: clock.now() + 15_000,
    signal: new AbortController().signal,
    userRules: parseUserRules(
      'Widget.example.com failed .status.phase == Running\nWidget.example.com ready .status.ok exists',
    ),
  });
  for (let second = 2; second < 16; second += 1) {
    await clock.runFor(1000);
    cluster.put(beat(second));
  }
  await clock.runFor(1000);
  const { outcome, causes } = await result;
  expect({ outcome, causes: causes.map(({ message }) => message) }).toEqual({
    outcome: 'failed',
    causes: ['Widget "web": .status.phase is "Running"'],
  });
});
