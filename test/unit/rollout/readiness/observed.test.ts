import { describe, expect, it } from '@jest/globals';

import type { KubernetesObject } from '../../../../src/kubernetes/object.ts';
import { judge } from '../../../../src/rollout/readiness/index.ts';
import { factsOf, live, template } from '../../../support/rollout-objects.ts';

/** As the API server 1.36 answers their creation, before any controller has seen them. */
const created: KubernetesObject[] = [
  live('DaemonSet', {
    spec: { template: template(), updateStrategy: { type: 'RollingUpdate' } },
    status: { currentNumberScheduled: 0, desiredNumberScheduled: 0, numberMisscheduled: 0, numberReady: 0 },
  }),
  live('StatefulSet', { spec: { replicas: 0, template: template() }, status: { replicas: 0, availableReplicas: 0 } }),
  live('Deployment', { spec: { replicas: 0, template: template() }, status: {} }),
  live('ReplicaSet', { spec: { replicas: 0, template: template() }, status: { replicas: 0 } }),
  live('PodDisruptionBudget', {
    apiVersion: 'policy/v1',
    status: { currentHealthy: 0, desiredHealthy: 0, disruptionsAllowed: 0, expectedPods: 0 },
  }),
];

describe('an object that was just created', () => {
  it.each(created.map((object) => [object.kind, object] as const))(
    '%s: is not ready by the zeros of a status that no controller has written',
    (_, object) => {
      expect(judge(object, factsOf(object)).state).toBe('progressing');
    },
  );
});
