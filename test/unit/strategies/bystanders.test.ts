import { beforeEach, describe, expect, test } from '@jest/globals';

import type { KubernetesObject } from '../../../src/kubernetes/object.ts';
import { blueGreen } from '../../../src/strategies/blue-green/blue-green.ts';
import { canary } from '../../../src/strategies/canary/canary.ts';
import { FakeApi } from '../../support/fake-api.ts';
import { plannedBy } from './blue-green/planned.ts';
import { deployment, service } from './plan-lines.ts';

const steps = { steps: [10], stepDurationMs: 1, autoPromote: true, constantTotal: false, variants: [] };
const strategies = {
  canary: canary(steps),
  'blue-green': blueGreen({ autoPromote: true, ownSides: false }),
};

let api: FakeApi;

/** A pod of the Deployment "web". */
const pod: KubernetesObject = {
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: {
    name: 'web-1',
    namespace: 'shop',
    labels: { app: 'web' },
    ownerReferences: [{ apiVersion: 'apps/v1', kind: 'Deployment', name: 'web', uid: 'web', controller: true }],
  },
};

beforeEach(() => {
  api = new FakeApi();
  for (const object of [deployment('web', 3), service('web'), pod]) api.put(object);
});

describe.each(['canary', 'blue-green'] as const)('a Deployment that becomes another kind with %s', (name) => {
  test.each(['StatefulSet', 'DaemonSet'])('a %s of the same name is refused', async (kind) => {
    const objects = [{ ...deployment('web', 3), kind }, service('web')];
    await expect(plannedBy(api, objects, strategies[name])).rejects.toMatchObject({
      message: `Service "web" sends its requests to Deployment "web", and ${kind} "web" is new: the strategy "${name}" would roll it out all at once, and leave Deployment "web" beside it`,
      hint: 'If it was renamed or changed its kind, deploy it once with "strategy: rolling", then delete Deployment "web". If both are to stay, give their pods and Services different labels.',
    });
  });

  test('a Job that the Service would select is none', async () => {
    const objects = [{ ...deployment('web', 3), apiVersion: 'batch/v1', kind: 'Job' }, service('web')];
    await expect(plannedBy(api, objects, strategies[name])).resolves.toBeDefined();
  });
});
