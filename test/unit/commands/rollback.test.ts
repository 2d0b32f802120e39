import { describe, expect, test } from '@jest/globals';

import { chooseRevision } from '../../../src/commands/rollback.ts';
import { chooseWorkloadRevision } from '../../../src/commands/rollback-workload.ts';
import type { Outcome, Revision } from '../../../src/release/revision.ts';
import type { WorkloadRevision } from '../../../src/rollout/workload-history.ts';
import { liveDeployment } from '../../support/rollout-objects.ts';
import { configMap } from '../release/build.ts';

function recorded(revision: number, outcome: Outcome, more: Partial<Revision> = {}): Revision {
  const time = '2026-01-01T00:00:00Z';
  const objects = [configMap({ a: String(revision) })];
  return {
    release: 'web',
    revision,
    outcome,
    strategy: 'rolling',
    startedAt: time,
    finishedAt: time,
    images: {},
    objects,
    ...more,
  };
}

describe('a rollback of a release', () => {
  const choose = (revisions: Revision[], wanted?: string) => chooseRevision(revisions, wanted, 'web', 'shop').revision;

  test('goes to what was live before, past what failed (R25, kubernetes#49701)', () => {
    expect(choose([recorded(1, 'superseded'), recorded(2, 'failed'), recorded(3, 'undone'), recorded(4, 'live')])).toBe(
      1,
    );
  });

  test('goes further back the second time', () => {
    const revisions = [recorded(1, 'superseded'), recorded(2, 'superseded'), recorded(3, 'superseded')];
    expect(choose([...revisions, recorded(4, 'live', { restores: 2 })])).toBe(1);
  });

  test('never to one of which no objects are recorded, asked for or not', () => {
    const lost = recorded(2, 'unreadable', { objects: [], problem: 'the record in Secret "x" cannot be read' });
    const cancelled = recorded(3, 'undone', { objects: [] });
    const revisions = [recorded(1, 'superseded'), lost, cancelled, recorded(4, 'live')];
    expect(choose(revisions)).toBe(1);
    expect(() => choose(revisions, '2')).toThrow('no objects are recorded: the record in Secret "x" cannot be read');
    expect(() => choose(revisions, '3')).toThrow('no objects are recorded: its run was cancelled');
  });
});

describe('a rollback of a workload', () => {
  const workload = liveDeployment();

  function kept(revision: number, state: WorkloadRevision['state'], reason = ''): WorkloadRevision {
    return { revision, name: '', createdAt: '', template: {}, images: [], pods: 0, ready: 0, state, reason };
  }

  const choose = (history: WorkloadRevision[], wanted?: string) =>
    chooseWorkloadRevision(workload, history, wanted).revision;

  test('goes to the good one', () => {
    expect(choose([kept(3, 'current'), kept(2, 'unknown'), kept(1, 'good')])).toBe(1);
  });

  test('takes a number as it is meant', () => {
    expect(choose([kept(3, 'current'), kept(2, 'bad'), kept(1, 'good')], '2')).toBe(2);
    expect(() => choose([kept(3, 'current'), kept(1, 'good')], '2')).toThrow(
      'there is no revision 2 of Deployment/web: there are 3 (current), 1 (good)',
    );
  });

  test('says why there is none to go back to', () => {
    expect(() => choose([])).toThrow('its controller keeps none');
    expect(() => choose([kept(1, 'current')])).toThrow('there are 1 (current)');
    expect(() => choose([kept(2, 'current'), kept(1, 'bad', 'has 2 pods, none of them ready')])).toThrow(
      '1 has 2 pods, none of them ready',
    );
  });
});
