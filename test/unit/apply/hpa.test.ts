import { describe, expect, test } from '@jest/globals';

import { numberAt } from '../../../src/base/json.ts';
import type { ManagedFieldsEntry } from '../../../src/kubernetes/object.ts';
import { leaveReplicasToAutoscaler, scaledTargets } from '../../../src/apply/hpa.ts';
import { frozen } from '../../support/frozen.ts';
import { fields, objectOf, owner, updater } from '../release/build.ts';

const hpa = objectOf('autoscaling/v2', 'HorizontalPodAutoscaler', {
  spec: { scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'a' } },
});
const targets = scaledTargets([hpa]);
const replicas = fields('spec', 'replicas');
const scaler = updater('kube-controller-manager', replicas, { subresource: 'scale' });

function after(wanted: number | undefined, live: number | undefined, owners: ManagedFieldsEntry[], name = 'a') {
  const manifest = objectOf(
    'apps/v1',
    'Deployment',
    { spec: wanted === undefined ? {} : { replicas: wanted } },
    { name },
  );
  const current = objectOf('apps/v1', 'Deployment', { spec: { replicas: live } }, { name, managedFields: owners });
  const left = leaveReplicasToAutoscaler(frozen(manifest), live === undefined ? undefined : frozen(current), targets);
  return numberAt(left, 'spec', 'replicas');
}

describe('replicas of a workload with an autoscaler (kubernetes/kubernetes#25238)', () => {
  test('are left out once the autoscaler owns them', () => {
    expect(after(3, 9, [owner(fields('spec', 'paused')), scaler])).toBeUndefined();
  });

  test('keep the live number while we alone own them, or they would fall to 1', () => {
    expect(after(3, 9, [owner(replicas)])).toBe(9);
    expect(after(undefined, 9, [owner(replicas)])).toBe(9);
  });

  test('keep the live number when kubectl apply owned them: its fields are taken over (kubernetes/kubernetes#67135)', () => {
    expect(after(undefined, 9, [updater('kubectl-client-side-apply', replicas)])).toBe(9);
  });

  test('are those of the manifest for a workload that is not there yet', () => {
    expect(after(3, undefined, [])).toBe(3);
  });

  test('are those of the manifest for a workload that nothing scales', () => {
    expect(after(3, 9, [owner(replicas)], 'other')).toBe(3);
  });
});
