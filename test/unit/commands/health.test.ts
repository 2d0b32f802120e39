import { describe, expect, test } from '@jest/globals';

import { problemOf } from '../../../src/commands/health.ts';
import { objectOf } from '../release/build.ts';

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
