import { describe, expect, test } from '@jest/globals';

import { numberAt, stringAt } from '../../../src/base/json.ts';
import { TimeLimit } from '../../../src/base/time-limit.ts';
import { recordDead } from '../../../src/release/dead-run.ts';
import { retireLeftover } from '../../../src/commands/keep-old.ts';
import { pause } from '../../../src/commands/pausing.ts';
import { refOf, type ObjectRef } from '../../../src/kubernetes/object.ts';
import type { Context } from '../../../src/release/context.ts';
import { acquireLock, readLock } from '../../../src/release/lock.ts';
import { recordRevision } from '../../../src/release/record-revision.ts';
import { listRevisions } from '../../../src/release/revision.ts';
import type { Revision } from '../../../src/release/revision-shape.ts';
import { failureOf } from '../../../src/report/failure.ts';
import { Report } from '../../../src/report/report.ts';
import { RolloutWatch } from '../../../src/report/watch.ts';
import { FakeApi } from '../../support/fake-api.ts';
import { FakeClock, HastyClock } from '../../support/fake-clock.ts';
import { moved } from '../../support/moved.ts';
import { crashed, liveDeployment, podOf, replicaSetOf, start } from '../../support/rollout-objects.ts';
import { ScriptedCluster } from '../../support/scripted-cluster.ts';
import { silentReporter as reporter } from '../../support/silent-reporter.ts';
import { contextOf, options } from './build.ts';

const lease: ObjectRef = {
  apiVersion: 'coordination.k8s.io/v1',
  kind: 'Lease',
  namespace: 'shop',
  name: 'gke-rollout.web',
};

/** What is told to be by the server's clock is so many seconds after the start of the runner's. */
function textAt(aheadMs: number, seconds: number): string {
  return new Date(start + aheadMs + seconds * 1000).toISOString();
}

function leaseOf(holder: string, renewTime: string) {
  const spec = { holderIdentity: holder, leaseDurationSeconds: 15, renewTime };
  return { ...lease, metadata: { name: lease.name, namespace: 'shop' }, spec };
}

describe.each([0, 10, -10])('with a server that is %d minutes ahead', (minutes) => {
  const aheadMs = minutes * 60_000;

  function stage(): { api: FakeApi; context: Context } {
    const api = new FakeApi();
    api.aheadMs = aheadMs;
    const clock = new HastyClock();
    return { api, context: { ...contextOf(api, 'me'), clock, limit: new TimeLimit(clock) } };
  }

  test('a lock tells the time of its renewal by the clock that all runners see', async () => {
    const { api, context } = stage();
    const { clock } = context;
    const lock = await acquireLock(api, 'shop', 'web', 'me', { clock, reporter, deadline: clock.now() + 1000 });
    expect(stringAt(api.get(lease), 'spec', 'renewTime')).toBe(textAt(aheadMs, 0).replace('Z', '000Z'));
    await lock.release();
  });

  test('a run that has renewed its lock just now is alive, and one that has not for a minute is dead', async () => {
    const { api, context } = stage();
    api.put(leaseOf('another', textAt(aheadMs, -50)));
    expect(await readLock(api, 'shop', 'web', context.clock)).toMatchObject({ holder: 'another', isAlive: true });
    api.put(leaseOf('another', textAt(aheadMs, -61)));
    expect(await readLock(api, 'shop', 'web', context.clock)).toMatchObject({ holder: 'another', isAlive: false });
  });

  test('the lock of a dead run is taken over after the same time', async () => {
    const { api, context } = stage();
    const { clock } = context;
    api.put(leaseOf('dead', textAt(aheadMs, -3600)));
    const lock = await acquireLock(api, 'shop', 'web', 'me', { clock, reporter, deadline: clock.now() + 60_000 });
    expect(clock.now() - start).toBe(15_000);
    await lock.release();
  });

  test.each([
    [30, 2],
    [-1, 0],
  ])('an old side that is to stay until %d s from now runs %d pods', async (seconds, expected) => {
    const { api, context } = stage();
    const green = api.put(liveDeployment({ replicas: 2, metadata: { name: 'web-green' } }));
    const live: Revision = {
      release: 'web',
      revision: 1,
      outcome: 'live',
      strategy: 'blue-green',
      startedAt: textAt(aheadMs, -60),
      finishedAt: textAt(aheadMs, -30),
      images: {},
      objects: [],
      retiring: { refs: [refOf(green)], until: textAt(aheadMs, seconds) },
    };
    await recordRevision(api, 'shop', live, []);
    await retireLeftover(context, options, live, new Report(context, 'deploy', options));
    expect(numberAt(api.get(refOf(green)), 'spec', 'replicas')).toBe(expected);
  });

  test('the history tells by the same clock when a run began and when it was found dead', async () => {
    const { api, context } = stage();
    const startedAt = textAt(aheadMs, -300);
    const run = { holder: 'dead' };
    const record = { release: 'web', command: 'deploy', revision: 1, run, startedAt, undoOnFailure: true, entries: [] };
    await recordDead(context, 'shop', record, 'undone');
    const [revision] = await listRevisions(api, 'shop', 'web');
    expect(revision).toMatchObject({ startedAt, finishedAt: textAt(aheadMs, 0) });
  });

  test('a pause is noted with the time at which the server saw it', async () => {
    const { api, context } = stage();
    const notes: string[] = [];
    const web = api.put(liveDeployment({ replicas: 1, metadata: { name: 'web' } }));
    Object.assign(api, {
      patch: (_: ObjectRef, body: { patch: { metadata: { annotations: Record<string, string> } } }) => {
        notes.push(...Object.values(body.patch.metadata.annotations));
        api.put({ ...web, spec: { ...(web['spec'] as object), paused: true } });
        return Promise.resolve({ object: web, warnings: [] });
      },
    });
    await pause.run(context, { release: 'web', namespace: 'shop', workload: 'Deployment/web' });
    expect(notes[0]).toContain(textAt(aheadMs, 0).slice(0, 19));
  });

  test('a cause is named as long after the cluster first showed it', async () => {
    const cluster = new ScriptedCluster();
    Object.assign(cluster.client, { aheadMs });
    const clock = new FakeClock();
    const deployment = liveDeployment({ replicas: 1, updated: 1, available: 0 });
    const set = replicaSetOf(deployment);
    const pod = podOf(set, { containers: [crashed(5, { at: -20 })] });
    cluster.put(...[deployment, set, pod].map((object) => moved(object, aheadMs)));
    const { client } = cluster;
    const watch = new RolloutWatch({ ...contextOf(new FakeApi(), 'me'), client, clock }, options);
    const signal = new AbortController().signal;
    const object = moved(deployment, aheadMs);
    const ended = watch
      .wait([{ object, changed: true }], { deadline: clock.now() + 60_000, signal })
      .then(() => new Error('it got ready'))
      .catch((error: unknown) => error);
    await clock.runFor(61_000);
    expect(watch.explain(failureOf(await ended)).namedAfterSeconds).toBe(20);
  });
});
