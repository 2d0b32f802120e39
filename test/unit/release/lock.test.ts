import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';

import { systemClock } from '../../../src/base/clock.ts';
import { stringAt } from '../../../src/base/json.ts';
import type { ObjectRef } from '../../../src/kubernetes/object.ts';
import { acquireLock, lookAtLock, readLock, releaseLeftLock } from '../../../src/release/lock.ts';
import { FakeApi, refusal } from '../../support/fake-api.ts';
import { HastyClock } from '../../support/fake-clock.ts';
import { listeningReporter, silentReporter as reporter } from '../../support/silent-reporter.ts';

const ref: ObjectRef = {
  apiVersion: 'coordination.k8s.io/v1',
  kind: 'Lease',
  namespace: 'shop',
  name: 'gke-rollout.web',
};

const holderIn = (api: FakeApi) => stringAt(api.get(ref), 'spec', 'holderIdentity');

function heldBy(api: FakeApi, holder: string, renewTime = '2026-01-01T00:00:00.000000Z'): void {
  api.put({
    ...ref,
    metadata: { name: ref.name, namespace: 'shop' },
    spec: { holderIdentity: holder, leaseDurationSeconds: 15, renewTime },
  });
}

async function take(api: FakeApi, holder: string, clock = new HastyClock(), patienceMs = 60_000, said = reporter) {
  return await acquireLock(api, 'shop', 'web', holder, { clock, reporter: said, deadline: clock.now() + patienceMs });
}

describe('a lock that was seen before', () => {
  const takeAsSeen = async (api: FakeApi, seen: Awaited<ReturnType<typeof lookAtLock>>) => {
    const clock = new HastyClock();
    return await acquireLock(api, 'shop', 'web', 'me', { clock, reporter, deadline: clock.now() + 60_000, seen });
  };

  test('is not seen as free while another run has it', async () => {
    const api = new FakeApi();
    heldBy(api, 'another');
    expect(await lookAtLock(api, 'shop', 'web')).toBeUndefined();
  });

  test('is taken in one request when nobody has had it since, and that is known then', async () => {
    const api = new FakeApi();
    await (await take(api, 'another')).release();
    for (const expected of ['replace', 'create'] as const) {
      if (expected === 'create') api.objects.clear();
      const seen = await lookAtLock(api, 'shop', 'web');
      const from = api.log.length;
      const lock = await takeAsSeen(api, seen);
      expect(api.log.slice(from)).toEqual([`${expected} Lease/gke-rollout.web`]);
      expect(lock).toMatchObject({ isAsSeen: true, contended: false });
      await lock.release();
    }
  });

  test('is contended when another run has come and gone since', async () => {
    for (const isNew of [true, false]) {
      const api = new FakeApi();
      if (!isNew) await (await take(api, 'before')).release();
      const seen = await lookAtLock(api, 'shop', 'web');
      await (await take(api, 'another')).release();
      const lock = await takeAsSeen(api, seen);
      expect(lock).toMatchObject({ isAsSeen: false, contended: true });
      expect(holderIn(api)).toBe('me');
      await lock.release();
    }
  });
});

describe('the lock of a release', () => {
  test('is made when it is not there, with times that have microseconds', async () => {
    const api = new FakeApi();
    const lock = await take(api, 'me');
    expect(holderIn(api)).toBe('me');
    expect(stringAt(api.get(ref), 'spec', 'renewTime')).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/);
    expect(lock.contended).toBe(false);
    await lock.release();
    expect(holderIn(api)).toBe('');
  });

  test('says who holds it, for what and since when, and nothing of the holder before', async () => {
    const api = new FakeApi();
    const clock = new HastyClock();
    const options = { clock, reporter, deadline: clock.now() + 1000 };
    expect(await readLock(api, 'shop', 'web', clock)).toBeUndefined();
    const about = { command: 'deploy', actor: 'octocat', url: 'https://github.test/r/1', reason: 'new prices' };
    const first = await acquireLock(api, 'shop', 'web', 'one', { ...options, about });
    const now = new Date(clock.now()).toISOString();
    expect(await readLock(api, 'shop', 'web', clock)).toEqual({
      holder: 'one',
      isAlive: true,
      since: now,
      renewedAt: now,
      ...about,
    });
    await first.release();
    expect(await readLock(api, 'shop', 'web', clock)).toBeUndefined();
    const second = await acquireLock(api, 'shop', 'web', 'two', { ...options, about: { command: 'abort' } });
    expect(await readLock(api, 'shop', 'web', clock)).toEqual({
      holder: 'two',
      isAlive: true,
      since: now,
      renewedAt: now,
      command: 'abort',
    });
    await second.release();
  });

  test('is believed in nothing that is no line of its own', async () => {
    const api = new FakeApi();
    heldBy(api, 'me');
    const lease = api.get(ref);
    const annotations = { 'gke-rollout/actor': 'a\nb', 'gke-rollout/command': 'x'.repeat(5000) };
    api.put({ ...ref, ...lease, metadata: { ...lease?.metadata, name: ref.name, annotations } });
    expect(await readLock(api, 'shop', 'web', new HastyClock())).toEqual({
      holder: 'me',
      isAlive: expect.any(Boolean),
      renewedAt: '2026-01-01T00:00:00.000Z',
    });
  });

  test('is taken at once after it was released', async () => {
    const api = new FakeApi();
    await (await take(api, 'one')).release();
    const clock = new HastyClock();
    const lock = await take(api, 'two', clock);
    expect(clock.sleeps).toEqual([]);
    await lock.release();
  });

  test('that a dead run has left is freed by its post step, and that of another run is not', async () => {
    const api = new FakeApi();
    await releaseLeftLock(api, 'shop', 'web', 'me');
    heldBy(api, 'another');
    await releaseLeftLock(api, 'shop', 'web', 'me');
    expect(holderIn(api)).toBe('another');
    heldBy(api, 'me');
    await releaseLeftLock(api, 'shop', 'web', 'me');
    expect(holderIn(api)).toBe('');
  });

  test('is taken at once by the post step from the main step, which had the same name', async () => {
    const api = new FakeApi();
    heldBy(api, 'me');
    const clock = new HastyClock();
    const lock = await take(api, 'me', clock);
    expect(clock.sleeps).toEqual([]);
    await lock.release();
  });

  test('is taken over from a holder that has not renewed it for its duration, whatever its clock says', async () => {
    const api = new FakeApi();
    heldBy(api, 'dead', '2099-01-01T00:00:00.000000Z');
    const clock = new HastyClock();
    const said = listeningReporter();
    const from = clock.now();
    const lock = await take(api, 'me', clock, 60_000, said);
    expect(holderIn(api)).toBe('me');
    expect(clock.now() - from).toBe(15_000);
    expect(lock.contended).toBe(true);
    expect(said.lines.join('\n')).toContain('"dead"');
    await lock.release();
  });

  test('is not taken from a holder that goes on renewing when the clock of the waiting run is set forward', async () => {
    const api = new FakeApi();
    const from = Date.UTC(2026, 0, 1);
    let leapMs = 0;
    const clock = new (class extends HastyClock {
      override now(): number {
        return super.now() + leapMs;
      }
    })();
    const elapsed = () => clock.now() - leapMs - from;
    api.before = (operation) => {
      // It renews every four seconds.
      const second = String(Math.floor(elapsed() / 4000) * 4).padStart(2, '0');
      if (operation === 'read') heldBy(api, 'alive', `2026-01-01T00:00:${second}.000000Z`);
      if (elapsed() >= 6000) leapMs = 20_000;
    };
    await expect(take(api, 'me', clock, 50_000)).rejects.toThrow('"alive"');
    expect(holderIn(api)).toBe('alive');
  });

  test('is not taken from a holder that goes on renewing: the wait ends with an error that names it', async () => {
    const api = new FakeApi();
    let count = 0;
    api.before = (operation) => {
      count += 1;
      if (operation === 'read') heldBy(api, 'alive', `2026-01-01T00:00:${String(count % 60).padStart(2, '0')}.000000Z`);
    };
    await expect(take(api, 'me')).rejects.toThrow(/"alive".*"web"/);
    expect(holderIn(api)).toBe('alive');
  });

  test('is held by one of two that come at the same moment', async () => {
    const api = new FakeApi();
    let raced = false;
    api.before = (operation) => {
      if (operation !== 'create' || raced) return;
      raced = true;
      heldBy(api, 'quicker');
    };
    const clock = new HastyClock();
    const lock = await take(api, 'me', clock);
    expect(lock.contended).toBe(true);
    // Only once the other had not renewed for the whole duration, seen first a moment after it had been quicker.
    expect(clock.sleeps).toHaveLength(16);
    await lock.release();
  });

  test('that is free and cannot be written is asked for once a second until the deadline, which says so (1,046 requests before)', async () => {
    const api = new FakeApi();
    api.before = (operation, about) => {
      if (operation === 'create') throw refusal(409, 'Conflict', about);
    };
    const clock = new HastyClock();
    await expect(take(api, 'me', clock)).rejects.toThrow(
      /lock of release "web" could not be taken in time.*"gke-rollout.web"/,
    );
    expect(clock.sleeps.length).toBeLessThanOrEqual(61);
    expect(api.log.length).toBeLessThanOrEqual(2 * 62);
  });

  test('stops waiting when the run is cancelled', async () => {
    const api = new FakeApi();
    heldBy(api, 'other');
    const clock = new HastyClock();
    const signal = AbortSignal.abort(new Error('cancelled'));
    const options = { clock, reporter, deadline: clock.now() + 60_000, signal };
    await expect(acquireLock(api, 'shop', 'web', 'me', options)).rejects.toThrow('cancelled');
  });
});

describe('a held lock', () => {
  beforeEach(() => {
    jest.useFakeTimers();
  });
  afterEach(() => {
    jest.useRealTimers();
  });

  async function hold(api: FakeApi) {
    const options = { clock: systemClock, reporter, deadline: Date.now() + 60_000 };
    return await acquireLock(api, 'shop', 'web', 'me', options);
  }

  test('is renewed while the run lives, and not after', async () => {
    const api = new FakeApi();
    const lock = await hold(api);
    const first = stringAt(api.get(ref), 'spec', 'renewTime');
    await jest.advanceTimersByTimeAsync(60_000);
    expect(stringAt(api.get(ref), 'spec', 'renewTime')).not.toBe(first);
    expect(lock.lost.aborted).toBe(false);
    await lock.release();
    const requests = api.log.length;
    await jest.advanceTimersByTimeAsync(60_000);
    expect(api.log).toHaveLength(requests);
  });

  test('survives a short outage of the server', async () => {
    const api = new FakeApi();
    const lock = await hold(api);
    api.before = () => {
      throw new Error('away');
    };
    await jest.advanceTimersByTimeAsync(20_000);
    api.before = () => undefined;
    await jest.advanceTimersByTimeAsync(12_000);
    expect(lock.lost.aborted).toBe(false);
    await lock.release();
  });

  test('is not lost while the server is away: nobody can take it then, and it is renewed as soon as it answers', async () => {
    const api = new FakeApi();
    const lock = await hold(api);
    api.before = () => {
      throw new Error('away');
    };
    await jest.advanceTimersByTimeAsync(300_000);
    api.before = () => undefined;
    await jest.advanceTimersByTimeAsync(5_000);
    expect(lock.lost.aborted).toBe(false);
    expect(Date.now() - Date.parse(stringAt(api.get(ref), 'spec', 'renewTime') ?? '')).toBeLessThan(5_000);
    await lock.release();
  });

  test('has one renewal under way at most, so that they do not queue up behind a server that hangs', async () => {
    const api = new FakeApi();
    const lock = await hold(api);
    let under = 0;
    api.replace = async () => {
      under += 1;
      return await new Promise<never>(() => undefined);
    };
    await jest.advanceTimersByTimeAsync(120_000);
    expect(under).toBe(1);
    expect(lock.lost.aborted).toBe(false);
  });

  test('is made anew when somebody has deleted its Lease', async () => {
    const api = new FakeApi();
    const lock = await hold(api);
    await api.delete(ref);
    await jest.advanceTimersByTimeAsync(9_000);
    expect(holderIn(api)).toBe('me');
    expect(lock.lost.aborted).toBe(false);
    await lock.release();
    expect(holderIn(api)).toBe('');
  });

  const config = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'a', namespace: 'shop' } };
  const wrote = (api: FakeApi) => api.log.filter((line) => line === 'apply ConfigMap/a').length;

  /** The process is stopped: time goes on, and no timer runs. */
  function stop(ms: number): void {
    jest.setSystemTime(Date.now() + ms);
  }

  test('is renewed before a write that comes after the process was stopped for a while', async () => {
    const api = new FakeApi();
    const lock = await hold(api);
    stop(40_000);
    const from = api.log.length;
    await api.apply(config);
    expect(api.log.slice(from)).toEqual(['replace Lease/gke-rollout.web', 'apply ConfigMap/a']);
    await lock.release();
  });

  test('that another run has taken meanwhile lets nothing be written any more, and says who has it', async () => {
    const api = new FakeApi();
    const lock = await hold(api);
    stop(18_000);
    heldBy(api, 'another');
    await expect(api.apply(config)).rejects.toThrow(/lock of release "web" was lost.*"another" has taken it over/);
    expect(wrote(api)).toBe(0);
    expect(lock.lost.aborted).toBe(true);
    await expect(api.apply(config)).rejects.toThrow('was lost');
    await lock.release();
    expect(holderIn(api)).toBe('another');
  });

  test('lets a write wait for a renewal as long as the server is away, and not for ever', async () => {
    const api = new FakeApi();
    const clock = new HastyClock();
    const lock = await take(api, 'me', clock);
    api.replace = async () => await new Promise<never>(() => undefined);
    await clock.sleep(11_000);
    const from = clock.now();
    await expect(api.apply(config)).rejects.toThrow('could not be renewed for');
    expect(wrote(api)).toBe(0);
    expect(clock.now() - from).toBeLessThanOrEqual(61_000);
    expect(lock.lost.aborted).toBe(false);
  });

  test('that is free again lets this client write without it', async () => {
    const api = new FakeApi();
    await (await hold(api)).release();
    stop(60_000);
    await api.apply(config);
    expect(wrote(api)).toBe(1);
  });

  test('is lost when somebody else has it, and is not released for them', async () => {
    const api = new FakeApi();
    const lock = await hold(api);
    heldBy(api, 'thief');
    await jest.advanceTimersByTimeAsync(5_000);
    expect(lock.lost.aborted).toBe(true);
    await lock.release();
    expect(holderIn(api)).toBe('thief');
  });
});
