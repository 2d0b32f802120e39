import { expect, test } from '@jest/globals';

import type { KubernetesObject } from '../../../../src/kubernetes/object.ts';
import type { PlanContext } from '../../../../src/plan/plan.ts';
import { canaryStages } from '../../../../src/strategies/canary/bring-in.ts';
import { behindWhich, keptApart, lookAround, refuseAutoscaled } from '../../../../src/strategies/canary/neighbours.ts';
import type { Pair } from '../../../../src/strategies/canary/pairs.ts';
import { FakeApi } from '../../../support/fake-api.ts';
import { listeningReporter } from '../../../support/silent-reporter.ts';
import { objectOf } from '../../release/build.ts';
import { compared, deployment, linesOf, service } from '../plan-lines.ts';

/** A release in the namespace "shop" has its Deployment and Service in "other". */
const elsewhere = (object: KubernetesObject) => ({ ...object, metadata: { ...object.metadata, namespace: 'other' } });

const live = elsewhere(deployment('web', 3));
const candidate = compared(elsewhere(deployment('web-canary', 1)), null);
const pair: Pair = { stable: compared(live), live, candidate: candidate.manifest };

function contextWith(...objects: KubernetesObject[]): PlanContext {
  const client = new FakeApi();
  for (const object of [live, ...objects]) client.put(object);
  return {
    client,
    namespace: 'shop',
    look: () => Promise.resolve([]),
    note: () => undefined,
    onLowCapacity: 'fail',
    reporter: listeningReporter(),
  };
}

test('a step waits until requests reach a candidate in another namespace, and for no Service of the same labels', async () => {
  const options = { steps: [25], stepDurationMs: 60_000, autoPromote: true, constantTotal: false, variants: [] };
  const [stage] = canaryStages({ pairs: [pair], temporary: [candidate], inPlace: false }, options);
  const decision = await stage?.decide(contextWith(elsewhere(service('web')), service('shop', { app: 'web' })));
  expect(linesOf(decision?.steps ?? [])).toContain('route web');
  expect(behindWhich([service('web')], live)).toEqual([]);
});

test('"constant-total" is refused over an autoscaler in another namespace', async () => {
  const scaleTargetRef = { apiVersion: 'apps/v1', kind: 'Deployment', name: 'web' };
  const hpa = objectOf('autoscaling/v2', 'HorizontalPodAutoscaler', { spec: { scaleTargetRef } });
  const neighbours = await lookAround(contextWith(elsewhere(hpa)), [pair]);
  expect(() => {
    refuseAutoscaled(neighbours, [], [pair]);
  }).toThrow('Deployment "web" is scaled by a HorizontalPodAutoscaler');
});

test('a budget of another namespace with the same labels does not count the pods', async () => {
  const budget = objectOf('policy/v1', 'PodDisruptionBudget', { spec: { selector: { matchLabels: { app: 'web' } } } });
  const reporter = listeningReporter();
  const context = { ...contextWith(budget), reporter };
  const neighbours = { ...(await lookAround(context, [pair])), budgets: [budget] };
  expect(keptApart(context, neighbours, [pair])).toEqual([pair]);
  expect(reporter.lines).toEqual([]);
});
