import { expect, test } from '@jest/globals';

import { manifestOfRevision } from '../../../src/apply/adopt.ts';
import type { WorkloadRevision } from '../../../src/rollout/workload-history.ts';
import { liveDeployment, template } from '../../support/rollout-objects.ts';
import { fields, updater } from '../release/build.ts';

function revision(more: Partial<WorkloadRevision> = {}): WorkloadRevision {
  return {
    revision: 1,
    name: 'web-1',
    createdAt: '',
    template: template('registry.test/web:1'),
    images: [],
    pods: 0,
    ready: 0,
    state: 'unknown',
    reason: '',
    ...more,
  };
}

const annotations = {
  'kubectl.kubernetes.io/last-applied-configuration': '{}',
  'kubernetes.io/change-cause': 'a typo',
  'deployment.kubernetes.io/revision': '2',
  'example.com/team': 'shop',
  'example.com/checksum': 'of an operator',
};

const live = liveDeployment({
  replicas: 5,
  metadata: {
    labels: { app: 'web' },
    annotations,
    managedFields: [
      updater('kubectl-client-side-apply', {
        'f:metadata': {
          'f:annotations': {
            'f:kubectl.kubernetes.io/last-applied-configuration': {},
            'f:example.com/team': {},
            'f:kubernetes.io/change-cause': {},
          },
        },
      }),
      updater('operator', fields('metadata', 'annotations', 'example.com/checksum')),
    ],
  },
  spec: { paused: true, minReadySeconds: 3 },
});

test('an earlier version is the workload as it is, with the template of then: complete, so that it can be applied again', () => {
  expect(manifestOfRevision(live, revision())).toEqual({
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: {
      name: 'web',
      namespace: 'shop',
      labels: { app: 'web' },
      annotations: { 'example.com/team': 'shop' },
    },
    spec: {
      replicas: 5,
      minReadySeconds: 3,
      selector: { matchLabels: { app: 'web' } },
      template: template('registry.test/web:1'),
    },
  });
});

test('its change-cause comes back with it', () => {
  const { metadata } = manifestOfRevision(live, revision({ changeCause: 'first version' }));
  expect(metadata.annotations).toEqual({ 'example.com/team': 'shop', 'kubernetes.io/change-cause': 'first version' });
});

test('the empty values of an old server are left out', () => {
  const old = { ...template(), metadata: { creationTimestamp: null, labels: { app: 'web' } } };
  expect(manifestOfRevision(live, revision({ template: old }))['spec']).toMatchObject({
    template: { metadata: { labels: { app: 'web' } } },
  });
  expect(JSON.stringify(manifestOfRevision(live, revision({ template: old })))).not.toContain('null');
});
