import { expect, test } from '@jest/globals';

import type { KubernetesObject } from '../../../src/kubernetes/object.ts';
import type { Drift } from '../../../src/release/drift-words.ts';
import type { ReleaseEvent } from '../../../src/release/release-event.ts';
import { describeScaled, lastScaled, scaledNotes, withoutScaled } from '../../../src/release/scaled.ts';

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

test('a number that scale has set is no drift, and one that somebody else has set since is', () => {
  expect(withoutScaled([drift('5')], [event(5)])).toEqual([]);
  for (const other of [drift('4'), drift('5', 'image of container "web"')])
    expect(withoutScaled([other], [event(5)])).toEqual([other]);
});

test('a number that scale has set is told where the manifests say another one, as long as it is there', () => {
  const deployment = (replicas?: number) => {
    return {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name: 'web' },
      spec: { replicas },
    } as KubernetesObject;
  };
  const note = 'Deployment "web" was scaled from 2 to 5; the next deploy sets the number of the manifests again';
  const told = (live: number, stated?: number) =>
    scaledNotes([{ object: deployment(live), recorded: deployment(stated) }], [event(5)]);
  expect([told(5, 2), told(4, 2), told(5, 5), told(5)]).toEqual([[note], [], [], []]);
  expect(scaledNotes([{ object: deployment(5) }], undefined)).toEqual([]);
});
