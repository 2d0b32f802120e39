import { expect, test } from '@jest/globals';

import { decidedConflicts } from '../../../src/release/decided-conflicts.ts';
import { refOf } from '../../../src/kubernetes/object.ts';
import { refusal } from '../../support/fake-api.ts';
import { objectOf } from './build.ts';

const live = objectOf('apps/v1', 'Deployment', { spec: { replicas: 5 } }, { labels: { 'a.b/c': 'x' } });

function conflict(...causes: [field: string, manager: string][]) {
  return refusal(409, 'Conflict', refOf(live), {
    details: {
      causes: causes.map(([field, manager]) => ({
        reason: 'FieldManagerConflict',
        field,
        message: `conflict with "${manager}" using apps/v1`,
      })),
    },
  });
}

test('what kubectl has changed for the moment is what the manifest says again, and that is told', () => {
  expect(
    decidedConflicts(conflict(['.spec.replicas', 'kubectl'], ['.metadata.labels.a.b/c', 'kubectl-label']), live),
  ).toEqual([
    'spec.replicas was 5 by "kubectl", and is set to what the manifest says',
    'metadata.labels[a.b/c] was "x" by "kubectl-label", and is set to what the manifest says',
  ]);
});

test.each<[string, [string, string][]]>([
  ['another version', [['.spec.template.spec.containers[name="web"].image', 'kubectl-set']]],
  [
    'one of several',
    [
      ['.spec.replicas', 'kubectl'],
      ['.spec.strategy.type', 'kubectl-patch'],
    ],
  ],
  ['another tool', [['.spec.replicas', 'keda']]],
  ['an autoscaler', [['.spec.replicas', 'kube-controller-manager']]],
])('%s is for somebody to decide', (_, causes) => {
  expect(decidedConflicts(conflict(...causes), live)).toBeUndefined();
});
