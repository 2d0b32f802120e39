import { expect, test } from '@jest/globals';

import type { Drift } from '../../../src/release/drift-words.ts';
import type { ReleaseEvent } from '../../../src/release/release-event.ts';
import { describeScaled, lastScaled, withoutScaled } from '../../../src/release/scaled.ts';

const at = '2026-03-02T09:00:00Z';
const web = { kind: 'Deployment', name: 'web' };

const event = (replicas: number, outcome: ReleaseEvent['outcome'] = 'done'): ReleaseEvent => {
  const worker = { kind: 'StatefulSet', name: 'worker', replicas: 1 };
  return { command: 'scale', outcome, at, what: describeScaled([{ ...web, replicas }, worker]) };
};

const drift = (live: string, field = 'replicas'): Drift => {
  return { ref: { apiVersion: 'apps/v1', ...web }, field, recorded: '2', live };
};

test('what scale has set last is read from the history of the revision, and nothing else is', () => {
  const events: ReleaseEvent[] = [
    event(3),
    event(5),
    event(7, 'undone'),
    { command: 'restart', outcome: 'done', at, what: 'Deployment web to 9' },
    { command: 'scale', outcome: 'done', at, what: 'Deployment web to many' },
    { command: 'scale', outcome: 'done', at },
  ];
  expect(Object.fromEntries(lastScaled(events))).toEqual({ 'Deployment web': 5, 'StatefulSet worker': 1 });
  expect(lastScaled(undefined).size).toBe(0);
});

test('a number that scale has set is a note, and one that somebody else has set since is not as recorded', () => {
  expect(withoutScaled([drift('5')], [event(5)])).toEqual({
    drift: [],
    notes: ['Deployment "web" was scaled from 2 to 5; the next deploy sets the number of the manifests again'],
  });
  for (const other of [drift('4'), drift('5', 'image of container "web"')])
    expect(withoutScaled([other], [event(5)])).toEqual({ drift: [other], notes: [] });
});
