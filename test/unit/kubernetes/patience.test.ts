import { describe, expect, test } from '@jest/globals';

import { TimeLimit } from '../../../src/base/time-limit.ts';
import { HastyClock } from '../../support/fake-clock.ts';
import { status, type Reply } from '../../support/scripted-server.ts';
import { clientOf, configMap } from './clients.ts';

const object = configMap('app');
const ref = { apiVersion: 'v1', kind: 'ConfigMap', namespace: 'shop', name: 'app' };

describe('a Retry-After', () => {
  const refusal = (after: string, more: Record<string, string> = {}): Reply => ({
    status: 429,
    headers: { 'Retry-After': after, ...more },
    json: {},
  });

  test.each(['0', '-5', 'soon', ''])('of "%s" is no reason to ask without a pause', async (after) => {
    await using fixture = await clientOf(() => refusal(after));
    await expect(fixture.client.read(ref)).rejects.toThrow();
    expect(fixture.received().length).toBeLessThan(30);
  });

  test('that is a date is a time by the clock of the server, and kept', async () => {
    const date = { Date: 'Sun, 06 Nov 1994 08:49:30 GMT' };
    await using fixture = await clientOf((_, count) =>
      count === 1 ? refusal('Sun, 06 Nov 1994 08:49:37 GMT', date) : { json: object },
    );
    expect(await fixture.client.read(ref)).toEqual(object);
    expect(fixture.clock.sleeps).toEqual([7000]);
  });

  test('that has passed already costs no more than the usual pause', async () => {
    const date = { Date: 'Sun, 06 Nov 1994 08:49:30 GMT' };
    await using fixture = await clientOf((_, count) =>
      count === 1 ? refusal('Sun, 06 Nov 1994 07:00:00 GMT', date) : { json: object },
    );
    expect(await fixture.client.read(ref)).toEqual(object);
    expect(fixture.clock.sleeps).toEqual([200]);
  });
});

describe('the time of a run', () => {
  const down = () => status(503, 'ServiceUnavailable');

  /** A client whose server has answered once before. */
  async function limited(script: (count: number) => Reply) {
    const clock = new HastyClock();
    const limit = new TimeLimit(clock);
    const fixture = await clientOf((_, count) => (count === 1 ? { json: object } : script(count)), { clock, limit });
    await fixture.client.read(ref);
    return { ...fixture, clock, limit };
  }

  test('ends the patience of a call that is under way', async () => {
    await using fixture = await limited(down);
    const { clock, limit } = fixture;
    const began = clock.now();
    limit.begin(20_000);
    await expect(fixture.client.read(ref)).rejects.toThrow('ServiceUnavailable');
    expect(clock.now() - began).toBeGreaterThan(14_000);
    expect(clock.now() - began).toBeLessThanOrEqual(20_000);
  });

  test('leaves a moment for each call that comes when it is over, so that a fault of seconds does no harm', async () => {
    await using fixture = await limited((count) => (count < 5 ? down() : { json: object }));
    const { clock, limit } = fixture;
    limit.begin(1000);
    await clock.sleep(2000);
    expect(await fixture.client.read(ref)).toEqual(object);
  });

  test('is not used up again by each call that comes when it is over: after one in vain others are not tried for a while', async () => {
    await using fixture = await limited(down);
    const { clock, limit } = fixture;
    limit.begin(1000);
    await clock.sleep(2000);
    const began = clock.now();
    for (let call = 0; call < 10; call += 1)
      await expect(fixture.client.read(ref)).rejects.toThrow('ServiceUnavailable');
    expect(clock.now() - began).toBeLessThanOrEqual(5000);
  });

  test('begins anew with each part of the run, and what was given up before is tried again', async () => {
    let isDown = true;
    await using fixture = await limited(() => (isDown ? down() : { json: object }));
    const { clock, limit } = fixture;
    limit.begin(1000);
    await clock.sleep(2000);
    await expect(fixture.client.read(ref)).rejects.toThrow('ServiceUnavailable');
    isDown = false;
    limit.begin(20_000);
    expect(await fixture.client.read(ref)).toEqual(object);
  });

  test('does not run while something is awaited that was planned', async () => {
    await using fixture = await limited(down);
    const { clock, limit } = fixture;
    limit.begin(1000);
    limit.extend(60_000);
    const began = clock.now();
    await expect(fixture.client.read(ref)).rejects.toThrow('ServiceUnavailable');
    expect(clock.now() - began).toBeGreaterThan(45_000);
  });

  test('ends the wait of a write for a lock that cannot be renewed', async () => {
    await using fixture = await limited(() => ({ json: object }));
    const { clock, limit } = fixture;
    const given: number[] = [];
    fixture.client.guardWrites((until) => {
      given.push(until - clock.now());
      return Promise.resolve();
    });
    limit.begin(20_000);
    await fixture.client.delete(ref);
    expect(given).toEqual([20_000]);
  });
});
