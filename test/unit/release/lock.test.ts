import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';

import { systemClock } from '../../../src/base/clock.ts';
import { stringAt } from '../../../src/base/json.ts';
import type { ObjectRef } from '../../../src/kubernetes/object.ts';
import { acquireLock, releaseLeftLock } from '../../../src/release/lock.ts';
import { FakeApi } from '../../support/fake-api.ts';
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
    // Only once the other had not renewed for the whole duration.
    expect(clock.sleeps).toHaveLength(15);
    await lock.release();
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

  test('is lost when it cannot be renewed for long', async () => {
    const api = new FakeApi();
    const lock = await hold(api);
    api.before = () => {
      throw new Error('away');
    };
    await jest.advanceTimersByTimeAsync(40_000);
    expect(lock.lost.aborted).toBe(true);
    expect(String(lock.lost.reason)).toContain('"web"');
    await lock.release();
  });

  test('is lost when its renewals hang', async () => {
    const api = new FakeApi();
    const lock = await hold(api);
    api.replace = async () => await new Promise<never>(() => undefined);
    await jest.advanceTimersByTimeAsync(40_000);
    expect(lock.lost.aborted).toBe(true);
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
