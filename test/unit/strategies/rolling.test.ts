import { describe, expect, test } from '@jest/globals';

import type { Prepared } from '../../../src/apply/prepared.ts';
import type { Decision, Plan, PlanContext } from '../../../src/plan/plan.ts';
import { allAtOnce } from '../../../src/strategies/rolling.ts';
import { compared, deployment, linesOf, service } from './plan-lines.ts';

async function decisionsOf(plan: Plan): Promise<Decision[]> {
  return await Promise.all(plan.stages.map((stage) => stage.decide({} as PlanContext)));
}

async function lines(prepared: readonly Prepared[]): Promise<string[]> {
  return linesOf((await decisionsOf(allAtOnce(prepared))).flatMap(({ steps }) => steps));
}

describe('all at once', () => {
  test('is one step', async () => {
    expect(await lines([compared(deployment('web', 3)), compared(service('web'))])).toEqual([
      'apply web×3 Service/web',
    ]);
  });

  test('leads a Service to pods that are made anew only once these are ready', async () => {
    const moved = compared(service('web', { app: 'next' }), service('web', { app: 'web' }));
    expect(await lines([moved, compared(deployment('next', 2), null)])).toEqual(['apply next×2', 'apply Service/web']);
  });

  test('does not hold a Service back whose pods are there and are not made anew', async () => {
    const moved = compared(service('web', { app: 'next' }), service('web', { app: 'web' }));
    expect(await lines([moved, compared(deployment('next', 2))])).toEqual(['apply Service/web next×2']);
  });

  test('is refused for what somebody has paused', () => {
    const object = deployment('web', 3);
    const live = { ...object, spec: { ...(object['spec'] as object), paused: true } };
    const paused = { ...compared(object, live), predicted: { ...live, spec: { ...live.spec, template: {} } } };
    expect(() => allAtOnce([paused])).toThrow('is paused');
  });
});
