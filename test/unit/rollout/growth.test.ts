import { expect, test } from '@jest/globals';

import type { KubernetesObject } from '../../../src/kubernetes/object.ts';
import { decide } from '../../../src/rollout/decide.ts';
import { defaultGraces } from '../../../src/rollout/failures/graces.ts';
import { growthOf } from '../../support/cpu-time.ts';

const template = { metadata: { labels: { app: 'web' } }, spec: { containers: [{ name: 'web', image: 'web:1' }] } };

function object(apiVersion: string, kind: string, uid: string, body: object, owner?: string): KubernetesObject {
  const ownerReferences = owner === undefined ? [] : [{ apiVersion: 'apps/v1', kind: 'X', name: owner, uid: owner }];
  return {
    apiVersion,
    kind,
    metadata: { name: uid, namespace: 'shop', uid, generation: 1, ownerReferences },
    ...body,
  };
}

test('a look at all workloads of a release grows with their number', async () => {
  const growth = await growthOf((count) => {
    const names = Array.from({ length: count }, (_, index) => `web-${index}`);
    const spec = { replicas: 1, selector: { matchLabels: { app: 'web' } }, template };
    const status = { observedGeneration: 1, replicas: 1, updatedReplicas: 1, unavailableReplicas: 1 };
    const deployments = names.map((name) => object('apps/v1', 'Deployment', name, { spec, status }));
    const replicaSets = names.map((name) =>
      object('apps/v1', 'ReplicaSet', `${name}-set`, { spec: { template } }, name),
    );
    const pods = names.map((name) =>
      object('v1', 'Pod', `${name}-pod`, { spec: template.spec, status: { phase: 'Pending' } }, `${name}-set`),
    );
    return () => {
      const snapshot = { pods, replicaSets, events: [] };
      const seen = new Map<string, number>();
      const states = deployments.map((asWritten) => {
        const facts = { generation: 1, changed: true, writtenAt: 0, now: 1000, asWritten, quietMs: 0 };
        return decide(asWritten, facts, snapshot, seen, defaultGraces).verdict.state;
      });
      expect(new Set(states)).toEqual(new Set(['progressing']));
    };
  }, 200);
  expect(growth).toBeLessThan(9);
});
