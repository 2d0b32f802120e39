import { describe, expect, test } from '@jest/globals';

import { TimeLimit } from '../../../src/base/time-limit.ts';
import type { JsonObject } from '../../../src/base/json.ts';
import { refOf, type KubernetesObject } from '../../../src/kubernetes/object.ts';
import type { JournalEntry } from '../../../src/release/journal-shape.ts';
import { untilReplacedInPlace } from '../../../src/release/undo-in-place.ts';
import { FakeApi } from '../../support/fake-api.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { liveDeployment } from '../../support/rollout-objects.ts';
import { ScriptedCluster } from '../../support/scripted-cluster.ts';
import { contextOf } from '../commands/build.ts';

const inPlace = { type: 'RollingUpdate', rollingUpdate: { maxSurge: 0, maxUnavailable: 1 } };
const surge = { rollingUpdate: { maxSurge: 1, maxUnavailable: 0 } };

/** Two of its three old pods are back. */
function startingAgain(strategy: JsonObject = inPlace): KubernetesObject {
  return liveDeployment({ updated: 2, available: 2, existing: 3, spec: { strategy } });
}

function entry(before: JsonObject, after: JsonObject): JournalEntry {
  const objects = [before, after].map((spec) => liveDeployment({ spec }));
  const [then = null, now = null] = objects;
  return { ref: refOf(liveDeployment()), before: then, after: now, done: true };
}

function waitBefore(
  entries: readonly JournalEntry[],
  live = startingAgain(),
  read: () => Promise<KubernetesObject> = () => Promise.resolve(live),
) {
  const clock = new FakeClock();
  const cluster = new ScriptedCluster();
  cluster.put(live);
  const client = Object.assign(cluster.client, { read });
  const context = { ...contextOf(new FakeApi(), 'run-2'), client, clock, limit: new TimeLimit(clock) };
  const state = { isOver: false };
  void untilReplacedInPlace(context, entries, clock.now() + 60_000).then(() => (state.isOver = true));
  return { cluster, clock, state };
}

describe('an undo that goes on where an earlier one ran out of time', () => {
  test('gives a surge back only once all pods have been replaced in place', async () => {
    const { cluster, clock, state } = waitBefore([entry({ strategy: surge }, { strategy: inPlace })]);
    await clock.runFor(30_000);
    expect(state.isOver).toBe(false);
    cluster.put(liveDeployment({ spec: { strategy: inPlace } }));
    await clock.runFor(0);
    expect(state.isOver).toBe(true);
  });

  test('does not wait for ever', async () => {
    const { clock, state } = waitBefore([entry({}, { strategy: inPlace })]);
    await clock.runFor(59_000);
    expect(state.isOver).toBe(false);
    await clock.runFor(2000);
    expect(state.isOver).toBe(true);
  });

  test('goes on where it may not look', async () => {
    const { clock, cluster, state } = waitBefore([entry({}, { strategy: inPlace })], undefined, () =>
      Promise.reject(new Error('no')),
    );
    await clock.runFor(0);
    expect([state.isOver, cluster.requests]).toEqual([true, []]);
  });

  const template = { spec: { containers: [{ name: 'web', image: 'registry.test/web:3' }] } };
  test.each<[string, JsonObject, JsonObject]>([
    ['brings another template back', { strategy: inPlace }, { strategy: inPlace, template }],
    ['takes a surge away again', { strategy: inPlace }, { strategy: surge }],
    ['leaves how pods are replaced as it is', { strategy: inPlace }, { strategy: inPlace, replicas: 5 }],
  ])('waits for nothing before a step that %s', async (_, before, after) => {
    const { cluster, clock, state } = waitBefore([entry(before, after)]);
    await clock.runFor(0);
    expect([state.isOver, cluster.requests]).toEqual([true, []]);
  });

  test('waits for nothing before a step that has changed something else as well: that was no run in place', async () => {
    const config = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'settings', namespace: 'shop' } };
    const other: JournalEntry = { ref: refOf(config), before: config, after: { ...config, data: {} }, done: true };
    const { cluster, clock, state } = waitBefore([entry({ strategy: surge }, { strategy: inPlace }), other]);
    await clock.runFor(0);
    expect([state.isOver, cluster.requests]).toEqual([true, []]);
  });
});
