import { describe, expect, test } from '@jest/globals';

import { keyOf, refOf } from '../../../src/kubernetes/object.ts';
import { describeChangesByHand } from '../../../src/commands/changes-by-hand.ts';
import { chooseRevision, droppedBy, finishRollback, revisionBefore } from '../../../src/commands/rollback.ts';
import { chooseWorkloadRevision, refuseSide } from '../../../src/commands/rollback-workload.ts';
import type { WorkloadRevision } from '../../../src/rollout/workload-history.ts';
import { liveDeployment } from '../../support/rollout-objects.ts';
import type { RunReport, Status } from '../../../src/report/run-report.ts';
import { configMap, manifestOf } from '../release/build.ts';
import type { Outcome, Revision } from '../../../src/release/revision-shape.ts';
import type { JournalRecord } from '../../../src/release/journal-shape.ts';

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
    expect(() => choose(revisions, '2')).toThrow('has no recorded objects: the record in Secret "x" cannot be read');
    expect(() => choose(revisions, '3')).toThrow('has no recorded objects: its run was cancelled');
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
      'there is no ReplicaSet #2 of Deployment/web: there are #3 (current), #1 (healthy)',
    );
  });

  test('says why there is none to go back to', () => {
    expect(() => choose([])).toThrow('its controller keeps none');
    expect(() => choose([kept(1, 'current')])).toThrow('there are #1 (current)');
    expect(() => choose([kept(2, 'current'), kept(1, 'bad', '2 pods, none ready')])).toThrow('#1: 2 pods, none ready');
  });
});

describe('a rollback of a workload of a blue-green release', () => {
  const deployment = (name: string, labels: Record<string, string> = {}) => {
    const object = liveDeployment();
    return { ...object, metadata: { ...object.metadata, name, labels } };
  };
  const green = deployment('web-green', { 'gke-rollout/workload': 'web', 'gke-rollout/track': 'green' });
  const servedBy = (name: string) => {
    const web = deployment('web');
    return recorded(2, 'live', { objects: [web], serving: { [keyOf(refOf(web))]: name } });
  };

  test('is refused for a side that a strategy has made, and for the one that does not serve', () => {
    expect(() => {
      refuseSide(green, servedBy('web-green'), 'shop');
    }).toThrow('Deployment/web-green was created by a strategy');
    expect(() => {
      refuseSide(deployment('web'), servedBy('web-green'), 'shop');
    }).toThrow('Deployment/web of release "shop" does not serve now, but web-green does');
  });

  test('goes on for one that serves under its own name, or that is on no side', () => {
    expect(() => {
      refuseSide(deployment('web'), servedBy('web'), 'shop');
      refuseSide(deployment('db'), servedBy('web-green'), 'shop');
      refuseSide(deployment('web'), undefined, 'shop');
    }).not.toThrow();
  });
});

describe('a rollback without a number', () => {
  const history = [recorded(1, 'superseded'), recorded(2, 'live'), recorded(3, 'undone')];

  test('goes to the live revision when a run died on its way to a newer one', () => {
    expect(revisionBefore(journalOf({ revision: 4 }), history)).toBe('2');
  });

  test('goes further back when the run had come to its end, or made no revision, or when there is none', () => {
    expect(revisionBefore(journalOf({ revision: 2 }), history)).toBeUndefined();
    expect(revisionBefore(journalOf({ command: 'scale' }), history)).toBeUndefined();
    expect(revisionBefore(undefined, history)).toBeUndefined();
    expect(revisionBefore(journalOf({ revision: 1 }), [])).toBeUndefined();
  });

  test('goes to the live revision when a newer one failed and was left, or not undone completely (helm#1796)', () => {
    const left = [{ ref: refOf(configMap({})), reason: 'field is immutable' }];
    expect(revisionBefore(undefined, [...history, recorded(4, 'failed'), recorded(5, 'undone')])).toBe('2');
    expect(revisionBefore(undefined, [...history, recorded(4, 'aborted', { kept: left })])).toBe('2');
    expect(revisionBefore(undefined, [recorded(1, 'failed'), recorded(2, 'live')])).toBeUndefined();
  });

  test('does not take a candidate that waits for a dead run', () => {
    const waiting = { revision: 4, step: 0, candidates: [], since: '2026-01-01T00:00:00.000Z' };
    expect(revisionBefore(journalOf({ revision: 4, waiting }), history)).toBeUndefined();
  });
});

describe('a rollback that leaves a workload out', () => {
  const left = [{ manifest: manifestOf(liveDeployment()), reason: 'its selector is immutable' }];
  const headlines: Partial<Record<Status, string>> = {
    'rolled-back': 'web: rolled back to revision 1, now revision 3',
    paused: 'web: applied as revision 3, but not all pods run it: StatefulSet "db": 0 of 3 pods updated',
    undone: 'web: rollback to revision 1 failed and was undone',
  };

  function finish(status: Status, byHand: readonly string[] = []) {
    const empty = { objects: [], workloads: [], addresses: [], timeline: [], warnings: [], durationMs: 0 };
    const report: RunReport = { command: 'rollback', status, headline: headlines[status] ?? '', ...empty };
    return finishRollback(report, byHand, left, { warning: () => undefined });
  }

  test('has failed: the version is not back', () => {
    expect(finish('rolled-back')).toMatchObject({
      status: 'failed',
      headline: 'web: rolled back to revision 1, now revision 3, except Deployment "web"',
      failure: { message: 'Deployment "web" is left as it is: its selector is immutable' },
    });
  });

  test('has failed as well where another workload keeps its pods from it', () => {
    expect(finish('paused', ['Deployment "web": "kubectl-edit" has changed spec.template'])).toMatchObject({
      status: 'failed',
      headline:
        'web: applied as revision 3, but not all pods run it: StatefulSet "db": 0 of 3 pods updated; not rolled back: Deployment "web"',
      failure: { message: 'Deployment "web" is left as it is: its selector is immutable' },
      warnings: ['a manual change was dropped: Deployment "web": "kubectl-edit" has changed spec.template'],
    });
  });

  test('says no more than that it was undone where it was', () => {
    expect(finish('undone')).toMatchObject({ status: 'undone', headline: headlines.undone });
  });
});

test('a rollback to a revision without an object that somebody has deleted takes nothing of that back', () => {
  const [kept, gone] = [configMap({}, { name: 'kept' }), configMap({}, { name: 'gone' })];
  const byHand = describeChangesByHand([kept, gone], new Map(), '2026-01-01T00:00:00.000Z');
  expect(droppedBy({ objects: [kept] }, byHand)).toEqual(['ConfigMap "kept": someone deleted it']);
});
