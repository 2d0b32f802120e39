import { describe, expect, test } from '@jest/globals';

import { tooMany } from '../../../src/release/retention.ts';
import type { Outcome, Revision } from '../../../src/release/revision-shape.ts';
import { revision } from './build.ts';

/** From this number on, all with this outcome. */
function many(from: number, count: number, outcome: Outcome): Revision[] {
  return Array.from({ length: count }, (_, index) => revision(from + index, outcome));
}

function kept(revisions: readonly Revision[]): number[] {
  const gone = new Set(tooMany(revisions));
  return revisions.filter((one) => !gone.has(one)).map((one) => one.revision);
}

describe('of the records of a release', () => {
  test('the newest ten stay where all of them were live', () => {
    expect(kept([...many(1, 11, 'superseded'), revision(12, 'live')])).toEqual([3, 4, 5, 6, 7, 8, 9, 10, 11, 12]);
  });

  test('those stay that a rollback goes to one after the other, however many have gone forth and back', () => {
    const rollbacks = [4, 3, 4, 3, 4, 3, 4].map((restores, index) => revision(9 + index, 'superseded', { restores }));
    const revisions = [
      ...many(1, 4, 'superseded'),
      ...many(5, 4, 'failed'),
      ...rollbacks,
      revision(16, 'live', { restores: 3 }),
      ...many(17, 10, 'undone'),
    ];
    expect(kept(revisions)).toEqual(expect.arrayContaining([1, 2, 15, 16]));
  });

  test('what waits stays, and so does what an undo could not bring back since', () => {
    const ref = { apiVersion: 'v1', kind: 'ConfigMap', namespace: 'shop', name: 'a' };
    const revisions = [
      revision(1, 'live'),
      revision(2, 'waiting'),
      revision(3, 'failed', { kept: [{ ref, reason: 'forbidden' }] }),
      ...many(4, 20, 'failed'),
    ];
    expect(kept(revisions)).toEqual([1, 2, 3, 17, 18, 19, 20, 21, 22, 23]);
  });

  test('the key of the config hashes stays, and the highest number', () => {
    const keyed = revision(1, 'superseded', { configKey: 'a' });
    const revisions = [keyed, ...many(2, 7, 'superseded'), revision(9, 'live'), ...many(10, 20, 'aborted')];
    expect(kept(revisions)).toEqual([1, 4, 5, 6, 7, 8, 9, 27, 28, 29]);
  });
});
