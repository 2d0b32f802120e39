import { describe, expect, test } from '@jest/globals';

import { refOf } from '../../../src/kubernetes/object.ts';
import { Journal } from '../../../src/release/journal.ts';
import type { JournalEntry, JournalRecord } from '../../../src/release/journal-shape.ts';
import { isHalfDone, leftoverIn } from '../../../src/release/leftover.ts';
import type { Outcome, Revision } from '../../../src/release/revision-shape.ts';
import { FakeApi } from '../../support/fake-api.ts';
import { configMap } from './build.ts';

function revisions(...outcomes: Outcome[]): Revision[] {
  return outcomes.map((outcome, index) => ({
    release: 'web',
    revision: index + 1,
    outcome,
    strategy: 'canary',
    startedAt: '2026-01-01T00:00:00Z',
    finishedAt: '2026-01-01T00:00:00Z',
    images: {},
    objects: [],
  }));
}

function entry(step: number): JournalEntry {
  const object = configMap({ a: '1' });
  return { ref: refOf(object), before: null, after: object, done: true, step };
}

function journal(parts: Partial<JournalRecord>): Journal {
  return new Journal(new FakeApi(), 'shop', {
    release: 'web',
    command: 'deploy',
    run: { holder: 'a' },
    startedAt: '2026-01-01T00:00:00Z',
    undoOnFailure: true,
    entries: [],
    ...parts,
  });
}

const waiting = { revision: 2, step: 1, candidates: [], since: '2026-01-01T00:00:00Z' };

describe('what runs have left', () => {
  test.each([
    ['none', undefined, revisions('live')],
    ['dead', journal({ revision: 2, entries: [entry(0)] }), revisions('live')],
    ['dead', journal({}), revisions('live')],
    ['finished', journal({ revision: 2, entries: [entry(0)] }), revisions('superseded', 'live')],
    ['finished', journal({ revision: 2, waiting, entries: [entry(0), entry(2)] }), revisions('superseded', 'live')],
    ['waiting', journal({ revision: 2, waiting, entries: [entry(0), entry(1)] }), revisions('live', 'waiting')],
    ['dead', journal({ revision: 2, waiting, entries: [entry(1), entry(2)] }), revisions('live', 'waiting')],
  ] as const)('is "%s" (%#)', (state, left, recorded) => {
    const leftover = leftoverIn(left, recorded);
    expect(leftover.state).toBe(state);
    expect(isHalfDone(leftover)).toBe(state === 'dead' || state === 'finished');
  });
});
