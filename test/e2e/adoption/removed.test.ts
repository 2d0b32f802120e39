import { expect, test } from '@jest/globals';

import { objectsAt } from '../../../src/base/json.ts';
import { deployment, service } from '../../support/objects.ts';
import { Stage } from '../../support/strategy-stage.ts';

/** What another version has less than the objects of an origin is a change of its pods like any other. */

test.concurrent.each([
  { by: 'kubectl apply', strategy: 'canary', candidate: 'web-canary' },
  { by: 'kubectl apply', strategy: 'blue-green', candidate: 'web-green' },
  { by: 'kubectl apply --server-side', strategy: 'canary', candidate: 'web-canary' },
] as const)(
  'a variable of $by that the manifest has no more is tried by $strategy first',
  async ({ by, strategy, candidate }) => {
    await using stage = await Stage.open(strategy);
    const made = [deployment('web', { env: { DEBUG: '1' } }), service('web')];
    await (by === 'kubectl apply' ? stage.apply(made) : stage.applyAs('kubectl', made));
    await stage.kubectl('rollout', 'status', 'deployment/web', '--timeout=90s');

    const result = await stage.deploy('web', [deployment('web'), service('web')], { 'auto-promote': 'false' });
    expect([result.exit, result.outputs['status']]).toEqual([0, 'waiting']);
    expect(await variablesOf(stage, 'web')).toContain('DEBUG');
    expect(await variablesOf(stage, candidate)).not.toContain('DEBUG');
  },
);

async function variablesOf(stage: Stage, name: string): Promise<unknown[]> {
  const live = await stage.read('deployment', name);
  return objectsAt(live, 'spec', 'template', 'spec', 'containers', 0, 'env').map((variable) => variable['name']);
}
