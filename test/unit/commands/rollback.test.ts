import { describe, expect, test } from '@jest/globals';

import { revisionBefore } from '../../../src/commands/rollback.ts';
import type { JournalRecord } from '../../../src/release/journal.ts';
import type { Outcome, Revision } from '../../../src/release/revision.ts';

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

function journalOf(more: Partial<JournalRecord>): JournalRecord {
  const startedAt = '2026-01-01T00:00:00.000Z';
  return {
    release: 'web',
    command: 'deploy',
    run: { holder: 'x' },
    startedAt,
    undoOnFailure: true,
    entries: [],
    ...more,
  };
}

describe('a rollback without a number', () => {
  const history = [revision(1, 'superseded'), revision(2, 'live'), revision(3, 'failed')];

  test('goes to the live revision when a run died on its way to a newer one', () => {
    expect(revisionBefore(journalOf({ revision: 4 }), history)).toBe('2');
  });

  test('goes further back when the run had come to its end, or made no revision, or when there is none', () => {
    expect(revisionBefore(journalOf({ revision: 2 }), history)).toBeUndefined();
    expect(revisionBefore(journalOf({ command: 'scale' }), history)).toBeUndefined();
    expect(revisionBefore(undefined, history)).toBeUndefined();
    expect(revisionBefore(journalOf({ revision: 1 }), [])).toBeUndefined();
  });

  test('does not take a candidate that waits for a dead run', () => {
    const waiting = { revision: 4, step: 0, candidates: [], since: '2026-01-01T00:00:00.000Z' };
    expect(revisionBefore(journalOf({ revision: 4, waiting }), history)).toBeUndefined();
  });
});
