import { describe, expect, it } from '@jest/globals';

import { systemClock } from '../../../src/base/clock.ts';
import type { LogOptions } from '../../../src/kubernetes/client.ts';
import { refOf, type KubernetesObject, type ObjectRef } from '../../../src/kubernetes/object.ts';
import { collectEvidence } from '../../../src/rollout/diagnosis.ts';
import type { RolloutResult } from '../../../src/rollout/tracker.ts';
import { FakeApi } from '../../support/fake-api.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import {
  conditionAt,
  crashed,
  eventOn,
  liveDeployment,
  liveJob,
  podOf,
  replicaSetOf,
  timeAt,
  waiting,
} from '../../support/rollout-objects.ts';
import type { Snapshot } from '../../../src/rollout/snapshot.ts';

const deployment = liveDeployment({ available: 0 });
const set = replicaSetOf(deployment);

function pod(name: string, containers: object[], more: object = {}): KubernetesObject {
  return podOf(set, {
    metadata: { name, uid: name, ...more },
    containers: containers.map((status) => ({ ...status })),
  });
}

function failed(snapshot: Partial<Snapshot>, object = deployment): RolloutResult {
  const cause = { reason: 'CrashLoopBackOff', message: 'it crashes', object: refOf(object) };
  return {
    outcome: 'failed',
    causes: [cause],
    targets: [{ object, verdict: { state: 'failed', cause } }],
    snapshot: { pods: [], replicaSets: [set], events: [], ...snapshot },
  };
}

/** Answers each request for a log with what was asked for. */
class ApiWithLogs extends FakeApi {
  readonly asked: string[] = [];
  answer: (pod: ObjectRef, container: string) => Promise<string> = (of, container) =>
    Promise.resolve(`first of ${of.name}/${container}\nlast\n`);

  override logs(of?: ObjectRef, container = '', options?: LogOptions): Promise<string> {
    if (of === undefined) throw new Error('no pod');
    this.asked.push(`${of.name}/${container}${options?.previous === true ? ' previous' : ''}`);
    return this.answer(of, container);
  }
}

const running = (started: boolean) => ({
  name: 'web',
  ready: false,
  started,
  restartCount: 0,
  state: { running: { startedAt: timeAt(0) } },
});

describe('evidence', () => {
  it('has the log of the run that crashed, not of the one that begins again', async () => {
    const api = new ApiWithLogs();
    const [evidence] = await collectEvidence(api, failed({ pods: [pod('a', [crashed(3)])] }), systemClock);
    expect(api.asked).toEqual(['a/web previous']);
    expect(evidence?.logs).toEqual([{ pod: 'a', container: 'web', previous: true, lines: ['first of a/web', 'last'] }]);
  });

  it('has the log of a container whose startup probe does not pass', async () => {
    const api = new ApiWithLogs();
    await collectEvidence(api, failed({ pods: [pod('a', [running(false)])] }), systemClock);
    expect(api.asked).toEqual(['a/web']);
  });

  it('asks for no log of containers that are ready or have never run', async () => {
    const api = new ApiWithLogs();
    const statuses = [{ ...running(true), name: 'proxy', ready: true }, waiting('ImagePullBackOff')];
    const [evidence] = await collectEvidence(api, failed({ pods: [pod('a', statuses)] }), systemClock);
    expect(api.asked).toEqual([]);
    expect(evidence?.logs).toEqual([]);
  });

  it('takes three pods, those with most restarts first, and leaves out ending ones and those of older versions', async () => {
    const api = new ApiWithLogs();
    const old = replicaSetOf(deployment, { name: 'web-11', image: 'registry.test/web:1' });
    const pods = [
      pod('once', [crashed(1)]),
      pod('twice', [crashed(2)]),
      pod('five', [crashed(5)]),
      pod('four', [crashed(4)]),
      pod('ending', [crashed(9)], { deletionTimestamp: timeAt(3) }),
      podOf(old, { metadata: { name: 'old', uid: 'old' }, containers: [crashed(9)] }),
    ];
    await collectEvidence(api, failed({ pods, replicaSets: [set, old] }), systemClock);
    expect(api.asked).toEqual(['five/web previous', 'four/web previous', 'twice/web previous']);
  });

  it('keeps the logs that came when others do not come within 5 seconds', async () => {
    const clock = new FakeClock();
    const api = new ApiWithLogs();
    api.answer = (of) => (of.name === 'slow' ? new Promise(() => undefined) : Promise.resolve('here'));
    const pods = [pod('slow', [crashed(3)]), pod('quick', [crashed(2)])];
    const collecting = collectEvidence(api, failed({ pods }), clock);
    await clock.runFor(5000);
    const [evidence] = await collecting;
    expect(evidence?.logs.map((log) => log.pod)).toEqual(['quick']);
  });

  it('goes on without a log that may not be read', async () => {
    const api = new ApiWithLogs();
    api.answer = () => Promise.reject(new Error('forbidden'));
    const result = failed({ pods: [pod('a', [crashed(3)])], events: [eventOn(set, 'FailedCreate', 'quota')] });
    const [evidence] = await collectEvidence(api, result, systemClock);
    expect(evidence?.logs).toEqual([]);
    expect(evidence?.events).toHaveLength(1);
  });

  it('cuts lines that are too long', async () => {
    const api = new ApiWithLogs();
    api.answer = () => Promise.resolve('x'.repeat(100_000));
    const [evidence] = await collectEvidence(api, failed({ pods: [pod('a', [crashed(3)])] }), systemClock);
    expect(evidence?.logs[0]?.lines[0]).toHaveLength(2000);
  });

  it('tells once what several pods say, counts it, and puts the latest last', async () => {
    const pods = [pod('web-22-aaaa', [crashed(3)]), pod('web-22-bbbb', [crashed(3)])];
    const [a, b] = pods;
    if (a === undefined || b === undefined) throw new Error('no pods');
    const events = [
      eventOn(b, 'BackOff', 'Back-off restarting failed container web in pod web-22-bbbb', {
        count: 4,
        first: 1,
        last: 30,
      }),
      eventOn(a, 'BackOff', 'Back-off restarting failed container web in pod web-22-aaaa', {
        count: 3,
        first: 1,
        last: 20,
      }),
      eventOn(set, 'FailedCreate', 'exceeded quota', { first: 25 }),
      eventOn(a, 'Pulling', 'Pulling image', { type: 'Normal', first: 31 }),
      eventOn(deployment, 'Odd', 'about the workload', { first: 2 }),
    ];
    const [evidence] = await collectEvidence(new ApiWithLogs(), failed({ pods, events }), systemClock);
    expect(evidence?.events.map(({ reason, object, count }) => [reason, object.name, count])).toEqual([
      ['Odd', 'web', 1],
      ['FailedCreate', 'web-22', 1],
      ['BackOff', 'web-22-bbbb', 7],
    ]);
  });

  it('keeps the 20 latest events', async () => {
    const events = Array.from({ length: 30 }, (_, index) =>
      eventOn(set, 'FailedCreate', `text ${'x'.repeat(index)}`, { first: index }),
    );
    const [evidence] = await collectEvidence(new ApiWithLogs(), failed({ events }), systemClock);
    expect(evidence?.events).toHaveLength(20);
    expect(evidence?.events.at(-1)?.time).toBe('2026-01-01T00:00:29.000Z');
  });

  it('never shows the token that Docker Hub puts into its answer', async () => {
    const text = 'toomanyrequests: You have reached your pull rate limit as acme: dckr_pat_secret. See the page';
    const pods = [pod('a', [waiting('ErrImagePull')])];
    const events = pods.map((owner) => eventOn(owner, 'Failed', text));
    const [evidence] = await collectEvidence(new ApiWithLogs(), failed({ pods, events }), systemClock);
    expect(JSON.stringify(evidence)).not.toContain('dckr_pat_secret');
  });

  it('shows conditions that tell of a problem, also those that are bad when they are True', async () => {
    const job = liveJob({
      conditions: [conditionAt('Failed', 'True', 'BackoffLimitExceeded'), conditionAt('Suspended', 'False', 'Resumed')],
    });
    const [ofJob] = await collectEvidence(new ApiWithLogs(), failed({}, job), systemClock);
    expect(ofJob?.conditions.map(({ type }) => type)).toContain('Failed');

    const stuck = liveDeployment({
      conditions: [conditionAt('Progressing', 'True'), conditionAt('ReplicaFailure', 'True', 'FailedCreate')],
    });
    const [ofDeployment] = await collectEvidence(new ApiWithLogs(), failed({}, stuck), systemClock);
    expect(ofDeployment?.conditions.map(({ type }) => type)).toEqual(['ReplicaFailure']);
  });

  it('is collected of what has failed or is still not ready, not of what is', async () => {
    const result = failed({});
    result.targets.push({
      object: liveDeployment({ metadata: { name: 'fine' } }),
      verdict: { state: 'ready', message: '' },
    });
    result.targets.push({
      object: liveDeployment({ metadata: { name: 'slow' } }),
      verdict: { state: 'progressing', message: '' },
    });
    const all = await collectEvidence(new ApiWithLogs(), result, systemClock);
    expect(all.map(({ object }) => object.name)).toEqual(['web', 'slow']);
  });
});
