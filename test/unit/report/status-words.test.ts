import { describe, expect, test } from '@jest/globals';

import type { Revision } from '../../../src/release/revision-shape.ts';
import type { HealthReport } from '../../../src/report/run-report.ts';
import {
  headlineOf,
  moodOf,
  sentenceOfCandidate,
  sentenceOfProgress,
  type StatusFacts,
} from '../../../src/report/status-words.ts';

const web = { apiVersion: 'apps/v1', kind: 'Deployment', name: 'web' };

describe('the headline of status', () => {
  const health: HealthReport = {
    healthy: true,
    problems: [],
    starting: [],
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
    starting: [],
    beside: [],
  };
  const problem = { ref: web, message: 'Deployment "web": x' };
  const drift = [{ ref: web, field: 'replicas', recorded: '2', live: '3' }];

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
      'A deploy of shop is in progress; revision 3 of shop is live: healthy',
      { ...facts, progress: sentenceOfProgress({ command: 'deploy', isAlive: true }, 'shop') },
    ],
    [
      'Revision 3 of shop is live: not ready yet: Deployment "web" (and 1 more)',
      { ...facts, starting: [problem, problem] },
    ],
    [
      'Revision 3 of shop is live: not healthy: Deployment "web": x',
      { ...facts, problems: [problem], starting: [problem] },
    ],
    [
      'Revision 3 of shop is live: healthy; DaemonSet "agent" has no pods: no node matches',
      { ...facts, empty: ['DaemonSet "agent" has no pods: no node matches'] },
    ],
    ['Revision 3 of shop is live: healthy; the candidate waits', { ...facts, candidate: 'the candidate waits' }],
    [
      'No live revision of shop in namespace prod (revision 3: undone)',
      { ...facts, live: undefined, revisions: [{ ...live, outcome: 'undone' }] },
    ],
  ])('%s', (text, given) => {
    expect(headlineOf(given)).toBe(text);
  });

  test.each([
    ['An abort of shop is in progress', { command: 'abort', isAlive: true }],
    ['A run of shop is in progress', { isAlive: true, onlyLocks: true }],
    ['A deploy of shop was killed before it finished', { command: 'deploy', isAlive: false }],
    [
      'A deploy of shop ended without releasing its lock, which has expired',
      { command: 'deploy', isAlive: false, onlyLocks: true },
    ],
  ] as const)('says of a run: %s', (text, run) => {
    expect(sentenceOfProgress(run, 'shop')).toBe(text);
  });

  test('says of a candidate whether it is ready, still starts or is not well', () => {
    const waiting = { revision: 4, step: 0, candidates: [], since: '2026-03-02T09:00:00Z' };
    const name = 'the candidate (revision 4, since 2026-03-02 09:00:00 UTC) is';
    expect(sentenceOfCandidate(waiting, [])).toBe(
      `${name} ready and waiting for approval: run "promote" to roll it out or "abort" to remove it`,
    );
    expect(sentenceOfCandidate(waiting, [], [problem])).toBe(`${name} not ready yet: Deployment "web"`);
    expect(sentenceOfCandidate(waiting, [problem])).toBe(`${name} not healthy: Deployment "web": x`);
  });

  test('has no green mark when somebody has to know of something', () => {
    expect(moodOf(health)).toBe('fine');
    expect(moodOf({ ...health, healthy: false })).toBe('attention');
    expect(moodOf({ ...health, drift })).toBe('attention');
    expect(moodOf({ ...health, paused: ['Deployment "web" is paused'] })).toBe('attention');
    expect(moodOf({ ...health, healthy: false, starting: [problem] })).toBe('waiting');
    expect(moodOf({ ...health, healthy: false, starting: [problem], problems: [problem] })).toBe('attention');
  });
});
