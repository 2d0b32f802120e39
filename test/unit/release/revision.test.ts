import { describe, expect, test } from '@jest/globals';

import {
  listRevisions,
  liveRevision,
  nextRevision,
  recordRevision,
  type Outcome,
  type Revision,
} from '../../../src/release/revision.ts';
import { FakeApi } from '../../support/fake-api.ts';

function revision(number: number, outcome: Outcome): Revision {
  return {
    release: 'web',
    revision: number,
    outcome,
    strategy: 'rolling',
    startedAt: '2026-01-01T00:00:00.000Z',
    finishedAt: '2026-01-01T00:01:00.000Z',
    images: {},
    objects: [],
  };
}

async function recordAll(api: FakeApi, outcomes: readonly Outcome[]): Promise<Revision[]> {
  for (const outcome of outcomes) {
    const known = await listRevisions(api, 'shop', 'web');
    await recordRevision(api, 'shop', revision(nextRevision(known), outcome), known);
  }
  return await listRevisions(api, 'shop', 'web');
}

const short = (revisions: readonly Revision[]) => revisions.map((entry) => `${entry.revision} ${entry.outcome}`);

describe('the history of a release', () => {
  test('has one live revision: the last that was good', async () => {
    const revisions = await recordAll(new FakeApi(), ['live', 'live', 'undone']);
    expect(short(revisions)).toEqual(['1 superseded', '2 live', '3 undone']);
    expect(liveRevision(revisions)?.revision).toBe(2);
  });

  test('goes back to the good one after two bad ones (kubernetes/kubernetes#49701)', async () => {
    const revisions = await recordAll(new FakeApi(), ['live', 'failed', 'failed']);
    expect(liveRevision(revisions)?.revision).toBe(1);
  });

  test('is sorted by number, not by name', async () => {
    const revisions = await recordAll(
      new FakeApi(),
      Array.from({ length: 10 }, (): Outcome => 'live'),
    );
    expect(revisions.map((entry) => entry.revision)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
    expect(nextRevision(revisions)).toBe(11);
  });

  test('keeps ten, the live one among them however old it is', async () => {
    const revisions = await recordAll(new FakeApi(), ['live', ...Array.from({ length: 14 }, (): Outcome => 'failed')]);
    expect(revisions.map((entry) => entry.revision)).toEqual([1, 7, 8, 9, 10, 11, 12, 13, 14, 15]);
  });

  test('begins with 1', () => {
    expect(nextRevision([])).toBe(1);
  });
});
