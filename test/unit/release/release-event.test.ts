import { describe, expect, test } from '@jest/globals';

import type { Json } from '../../../src/base/json.ts';
import { recordEvent, recordRevision, setOutcome } from '../../../src/release/record-revision.ts';
import { forRecord, type ReleaseEvent } from '../../../src/release/release-event.ts';
import { revisionOf, type Outcome } from '../../../src/release/revision-shape.ts';
import { listRevisions } from '../../../src/release/revision.ts';
import { FakeApi } from '../../support/fake-api.ts';
import { configMap, revision } from './build.ts';

const recorded = (number: number, outcome: Outcome) => revision(number, outcome, { objects: [configMap({ a: '1' })] });

function scaled(what: string, more: Partial<ReleaseEvent> = {}): ReleaseEvent {
  return { command: 'scale', outcome: 'done', at: '2026-01-01T01:00:00Z', what, actor: 'octocat', ...more };
}

async function withLive(): Promise<FakeApi> {
  const api = new FakeApi();
  await recordRevision(api, 'shop', recorded(1, 'live'), []);
  return api;
}

/** As a Secret has it. */
function stored(value: unknown): Json {
  return JSON.parse(JSON.stringify(value)) as Json;
}

const ofLive = { release: 'web', revision: undefined };

describe('what is done to a release without a new revision', () => {
  test('is noted with the live one, with who and why, and changes nothing else of it', async () => {
    const api = await withLive();
    const [before] = await listRevisions(api, 'shop', 'web');
    const event = scaled('Deployment web to 5', { reason: 'more visitors', run: 'https://github.test/runs/1' });
    expect(await recordEvent(api, 'shop', ofLive, event)).toBe(true);
    expect(await listRevisions(api, 'shop', 'web')).toEqual([{ ...before, events: [event] }]);
  });

  test('makes no revision where nothing is live', async () => {
    const api = new FakeApi();
    expect(await recordEvent(api, 'shop', ofLive, scaled('Deployment web to 5'))).toBe(false);
    expect(await listRevisions(api, 'shop', 'web')).toEqual([]);
  });

  test('is kept the last twenty times', async () => {
    const api = await withLive();
    for (let pods = 1; pods <= 22; pods += 1) await recordEvent(api, 'shop', ofLive, scaled(`web to ${pods}`));
    const [live] = await listRevisions(api, 'shop', 'web');
    expect(live?.events?.map(({ what }) => what)).toEqual(
      Array.from({ length: 20 }, (_, index) => `web to ${index + 3}`),
    );
  });

  test('is still there when a later revision is live', async () => {
    const api = await withLive();
    await recordEvent(api, 'shop', ofLive, scaled('web to 5'));
    await recordRevision(api, 'shop', recorded(2, 'live'), await listRevisions(api, 'shop', 'web'));
    const [first, second] = await listRevisions(api, 'shop', 'web');
    expect(first).toMatchObject({ outcome: 'superseded', events: [scaled('web to 5')] });
    expect(second?.events).toBeUndefined();
  });

  test('is all there when two runs note something at the same moment', async () => {
    const api = await withLive();
    await Promise.all([recordEvent(api, 'shop', ofLive, scaled('a')), recordEvent(api, 'shop', ofLive, scaled('b'))]);
    const [live] = await listRevisions(api, 'shop', 'web');
    expect(live?.events?.map(({ what = '' }) => what).toSorted()).toEqual(['a', 'b']);
  });

  test('does not bring an outcome back that another run has just written over', async () => {
    const api = await withLive();
    const noted = recordEvent(api, 'shop', ofLive, scaled('a')).catch(() => false);
    await Promise.all([setOutcome(api, 'shop', 'web', 1, 'superseded'), noted]);
    const [one] = await listRevisions(api, 'shop', 'web');
    expect(one?.outcome).toBe('superseded');
  });
});

describe('a record', () => {
  const name = { release: 'web', revision: 1 };

  test('of before is read without reason, cause and events', () => {
    expect(revisionOf(stored(recorded(1, 'live')), name)).toEqual(recorded(1, 'live'));
  });

  test.each([
    ['a reason of several lines', { reason: 'a\nb' }, '"reason" is not one line of text'],
    ['a reason that no input can have been', { reason: 'x'.repeat(500) }, '"reason" is longer than 400 characters'],
    [
      'an event of no command',
      { events: [{ ...scaled('a'), command: 'explode' }] },
      '"events[0].command" is not one of deploy, promote, abort, scale, pause, resume, restart',
    ],
    ['an event of no time', { events: [{ ...scaled('a'), at: 'yesterday' }] }, '"events[0].at" is not a time'],
  ])('with %s is not believed', (_, more, message) => {
    expect(() => revisionOf(stored({ ...revision(1, 'live'), ...more }), name)).toThrow(message);
  });

  test('has sentences in one line that are not too long', () => {
    expect(forRecord(' a\n\u0007 b ')).toBe('a b');
    const long = forRecord('🚀'.repeat(1000));
    expect(long.length).toBeLessThanOrEqual(500);
    const cause = { ...revision(1, 'failed'), cause: long };
    expect(revisionOf(stored(cause), name)).toEqual(cause);
  });
});
