import { describe, expect, test } from '@jest/globals';

import type { Revision } from '../../../src/release/revision-shape.ts';
import type { HealthReport } from '../../../src/report/run-report.ts';
import { headlineOf, needsAttention, sentenceOfProgress, type StatusFacts } from '../../../src/report/status-words.ts';

const web = { apiVersion: 'apps/v1', kind: 'Deployment', name: 'web' };

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
      'A deploy of shop has been in progress since 2026-03-02 09:00:00 UTC; revision 3 of shop is live: healthy',
      { ...facts, progress: sentenceOfProgress('deploy', 'shop', '2026-03-02T09:00:00.123Z', true) },
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
