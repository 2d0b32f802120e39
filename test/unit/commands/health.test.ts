import { describe, expect, test } from '@jest/globals';

import { problemOf } from '../../../src/commands/health.ts';
import { headlineOf, needsAttention, type StatusFacts } from '../../../src/commands/status-words.ts';
import type { HealthReport } from '../../../src/report/run-report.ts';
import { refOf } from '../../../src/kubernetes/object.ts';
import { objectOf } from '../release/build.ts';
import type { Revision } from '../../../src/release/revision-shape.ts';

const web = (replicas: number) => objectOf('apps/v1', 'Deployment', { spec: { replicas } }, { name: 'web' });
const ready = { state: 'ready', message: '0 pods available' } as const;

describe('a workload', () => {
  test('that is scaled to 0 is not well, unless that is recorded or its autoscaler does so', () => {
    const seen = { object: web(0), verdict: ready };
    expect(problemOf(seen, { object: seen.object, recorded: web(2) })?.message).toBe(
      'Deployment "web": scaled to 0, so that no pod runs (2 in the record)',
    );
    expect(problemOf(seen, { object: seen.object, recorded: web(0) })).toBeUndefined();
    expect(problemOf(seen, { object: seen.object, recorded: web(2), mayBeEmpty: true })).toBeUndefined();
  });

  test('whose paused rollout has not come to its end is not well, and one with nothing to roll out is', () => {
    const verdict = { state: 'unchecked', message: 'it is paused: 1 of 2 pods updated' } as const;
    expect(problemOf({ object: web(2), verdict })?.message).toBe('Deployment "web": it is paused: 1 of 2 pods updated');
    expect(problemOf({ object: web(2), verdict: { ...ready, message: '2 pods available' } })).toBeUndefined();
  });

  test('with OnDelete is well as long as its pods are', () => {
    const verdict = { state: 'unchecked', message: 'its update strategy is OnDelete' } as const;
    const set = (readyReplicas: number) =>
      objectOf('apps/v1', 'StatefulSet', { spec: { replicas: 2 }, status: { readyReplicas } }, { name: 'db' });
    expect(problemOf({ object: set(2), verdict })).toBeUndefined();
    expect(problemOf({ object: set(1), verdict })?.message).toContain('1 of 2 pods ready');
  });
});

describe('the headline of status', () => {
  const health: HealthReport = {
    healthy: true,
    problems: [],
    drift: [],
    versions: [],
    paused: [],
    notes: [],
    evidence: [],
  };
  const live: Revision = {
    release: 'shop',
    revision: 3,
    outcome: 'live',
    strategy: 'rolling',
    startedAt: '',
    finishedAt: '',
    images: {},
    objects: [],
  };
  const facts: StatusFacts = {
    release: 'shop',
    namespace: 'prod',
    revisions: [live],
    live,
    health,
    problems: [],
    beside: [],
  };
  const problem = { ref: refOf(web(0)), message: 'Deployment "web": x' };
  const drift = [{ ref: refOf(web(0)), field: 'replicas', recorded: '2', live: '3' }];

  test.each<[string, StatusFacts]>([
    ['Revision 3 of shop is live: healthy', facts],
    [
      'Revision 3 of shop is live: not healthy: Deployment "web": x (and 1 more)',
      { ...facts, problems: [problem, problem] },
    ],
    [
      'Revision 3 of shop is live: healthy; changed since: Deployment "web": replicas: 2 → 3',
      { ...facts, health: { ...health, drift } },
    ],
    [
      'A deploy of shop is in progress; Revision 3 of shop is live: healthy',
      { ...facts, progress: 'A deploy of shop is in progress' },
    ],
    ['Revision 3 of shop is live: healthy; the candidate waits', { ...facts, candidate: 'the candidate waits' }],
    [
      'Nothing of shop is live in namespace prod (revision 3: undone)',
      { ...facts, live: undefined, revisions: [{ ...live, outcome: 'undone' }] },
    ],
  ])('%s', (text, given) => {
    expect(headlineOf(given)).toBe(text);
  });

  test('has no green mark when somebody has to know of something', () => {
    expect(needsAttention(health)).toBe(false);
    expect(needsAttention({ ...health, healthy: false })).toBe(true);
    expect(needsAttention({ ...health, drift })).toBe(true);
    expect(needsAttention({ ...health, paused: ['Deployment "web" is paused'] })).toBe(true);
  });
});
