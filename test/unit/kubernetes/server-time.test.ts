import { describe, expect, test } from '@jest/globals';

import { serverNow, ServerTime } from '../../../src/kubernetes/server-time.ts';
import { HastyClock } from '../../support/fake-clock.ts';
import type { Received, Reply } from '../../support/scripted-server.ts';
import { clientOf, configMap } from './clients.ts';

const start = Date.UTC(2026, 0, 1);
const tenMinutes = 600_000;

/** `Thu, 01 Jan 2026 00:00:05 GMT` */
function dateAt(ms: number): string {
  return new Date(start + ms).toUTCString();
}

/** `2026-01-01T00:00:05Z` */
function timeAt(ms: number): string {
  return new Date(Math.floor((start + ms) / 1000) * 1000).toISOString().replace('.000Z', 'Z');
}

describe('how far the server is ahead', () => {
  test('is 0 before an answer, and where an answer tells no date', () => {
    const time = new ServerTime();
    expect(time.aheadMs).toBe(0);
    time.learnFromDate('', start, start);
    time.learnFromDate('yesterday', start, start);
    expect(time.aheadMs).toBe(0);
  });

  test('is 0 where both clocks agree but for the parts of a second', () => {
    const time = new ServerTime();
    for (const ms of [0, 400, 999, 1300, 7777])
      time.learnFromDate(dateAt(Math.floor(ms / 1000) * 1000), start + ms - 20, start + ms);
    expect(time.aheadMs).toBe(0);
  });

  test.each([tenMinutes, -tenMinutes])('is told by the first answer to the second (%d)', (ahead) => {
    const time = new ServerTime();
    time.learnFromDate(dateAt(ahead), start, start + 50);
    expect(Math.abs(time.aheadMs - ahead)).toBeLessThanOrEqual(1000);
  });

  test('is told more exactly by more answers', () => {
    const time = new ServerTime();
    for (const ms of [0, 130, 270, 430, 590, 710, 880, 990, 1370, 1850]) {
      const server = ms + tenMinutes + 340;
      time.learnFromDate(dateAt(Math.floor(server / 1000) * 1000), start + ms - 5, start + ms + 5);
    }
    expect(Math.abs(time.aheadMs - tenMinutes - 340)).toBeLessThanOrEqual(150);
  });

  test('is not spoilt by an answer that took long', () => {
    const time = new ServerTime();
    time.learnFromDate(dateAt(tenMinutes), start, start + 10);
    time.learnFromDate(dateAt(tenMinutes + 30_000), start + 1000, start + 31_000);
    expect(Math.abs(time.aheadMs - tenMinutes)).toBeLessThanOrEqual(1000);
  });

  test('begins anew when the clock of the runner was set', () => {
    const time = new ServerTime();
    time.learnFromDate(dateAt(tenMinutes), start, start + 10);
    time.learnFromDate(dateAt(tenMinutes + 2000), start + tenMinutes + 2000, start + tenMinutes + 2010);
    expect(time.aheadMs).toBe(0);
  });

  test('is told by what the server has made, where somebody in between has another date', () => {
    const time = new ServerTime();
    time.learnFromDate(dateAt(tenMinutes), start, start + 10);
    time.learnFromCreation(timeAt(0), start, start + 10);
    expect(time.aheadMs).toBe(0);
    // The date is wrong by as much in all later answers.
    time.learnFromDate(dateAt(tenMinutes + 5000), start + 5000, start + 5010);
    time.learnFromCreation(timeAt(7000), start + 7000, start + 7010);
    expect(time.aheadMs).toBe(0);
  });

  test('is told by what the server has made, where there is no date', () => {
    const time = new ServerTime();
    time.learnFromCreation(timeAt(-tenMinutes), start, start + 10);
    expect(Math.abs(time.aheadMs + tenMinutes)).toBeLessThanOrEqual(1000);
  });
});

describe('a client', () => {
  const shifted = (aheadMs: number, json: (request: Received) => Reply) => (request: Received) => {
    const reply = json(request);
    if (typeof reply !== 'object' || !('json' in reply)) return reply;
    return { ...reply, headers: { Date: dateAt(aheadMs) } };
  };

  test.each([tenMinutes, -tenMinutes])('knows the time of its server from any answer (%d)', async (ahead) => {
    await using fixture = await clientOf(shifted(ahead, () => ({ json: { ...configMap('a') } })));
    await fixture.client.read({ apiVersion: 'v1', kind: 'ConfigMap', namespace: 'shop', name: 'a' });
    expect(Math.abs(fixture.client.aheadMs - ahead)).toBeLessThanOrEqual(1000);
    expect(Math.abs(serverNow(fixture.client, new HastyClock()) - start - ahead)).toBeLessThanOrEqual(1000);
  });

  test('believes what the server has made more than the date of its answer', async () => {
    const made = configMap('a');
    const json = { ...made, metadata: { ...made.metadata, creationTimestamp: timeAt(0) } };
    await using fixture = await clientOf(shifted(tenMinutes, () => ({ status: 201, json })));
    await fixture.client.create(made, { fieldManager: 'test' });
    expect(fixture.client.aheadMs).toBe(0);
  });

  test('learns nothing from a page of somebody in between', async () => {
    await using fixture = await clientOf((_, count) =>
      count === 1
        ? { status: 200, headers: { 'Content-Type': 'text/html', Date: dateAt(tenMinutes) }, text: '<html></html>' }
        : { headers: { Date: dateAt(0) }, json: { ...configMap('a') } },
    );
    const read = fixture.client.read({ apiVersion: 'v1', kind: 'ConfigMap', namespace: 'shop', name: 'a' });
    await read.catch(() => undefined);
    expect(fixture.client.aheadMs).toBe(0);
  });
});
