import { expect, test } from '@jest/globals';

import { isComplete } from '../../../script/bench/completion.ts';

const base = { apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'web', generation: 2 } };
const all = { observedGeneration: 2, replicas: 3, updatedReplicas: 3, availableReplicas: 3 };

test.each<[string, Record<string, number>, boolean]>([
  ['all pods are new and available', all, true],
  ['its status is of an older generation', { ...all, observedGeneration: 1 }, false],
  ['an old pod is left', { ...all, replicas: 4 }, false],
  ['a new pod is missing', { ...all, updatedReplicas: 2 }, false],
  ['a new pod is not available', { ...all, availableReplicas: 2 }, false],
  ['it has no status', {}, false],
])('a Deployment when %s', (_, status, expected) => {
  expect(isComplete({ ...base, spec: { replicas: 3 }, status })).toBe(expected);
});
