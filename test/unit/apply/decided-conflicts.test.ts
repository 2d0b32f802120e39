import { expect, test } from '@jest/globals';

import { decidedConflicts } from '../../../src/apply/decided-conflicts.ts';
import { refOf } from '../../../src/kubernetes/object.ts';
import { refusal } from '../../support/fake-api.ts';
import { objectOf } from '../release/build.ts';

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

test('what kubectl has changed is what the manifest says again, and that is told', () => {
  expect(
    decidedConflicts(conflict(['.spec.replicas', 'kubectl'], ['.metadata.labels.a.b/c', 'kubectl-label']), live),
  ).toEqual([
    'spec.replicas was 5 by "kubectl", and is set to what the manifest says',
    'metadata.labels[a.b/c] was "x" by "kubectl-label", and is set to what the manifest says',
  ]);
});

test('another image is told, and of what may be secret only that it was changed', () => {
  const web = objectOf('apps/v1', 'Deployment', {
    spec: {
      template: { spec: { containers: [{ name: 'web', image: 'web:9', env: [{ name: 'TOKEN', value: 's3cret' }] }] } },
    },
  });
  const container = '.spec.template.spec.containers[name="web"]';
  const told = decidedConflicts(
    conflict([`${container}.image`, 'kubectl-set'], [`${container}.env[name="TOKEN"].value`, 'kubectl-edit']),
    web,
  );
  expect(told?.[0]).toMatch(/image was "web:9" by "kubectl-set"/);
  expect(told?.[1]).toMatch(/was changed by "kubectl-edit"/);
  expect(JSON.stringify(told)).not.toContain('s3cret');
});

test.each<[string, [string, string][]]>([
  [
    'one of several',
    [
      ['.spec.replicas', 'kubectl'],
      ['.spec.strategy.type', 'terraform'],
    ],
  ],
  ['another tool', [['.spec.replicas', 'keda']]],
  ['an autoscaler', [['.spec.replicas', 'kube-controller-manager']]],
])('%s is for somebody to decide', (_, causes) => {
  expect(decidedConflicts(conflict(...causes), live)).toBeUndefined();
});
