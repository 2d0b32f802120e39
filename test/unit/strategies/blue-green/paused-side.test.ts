import { beforeEach, describe, expect, test } from '@jest/globals';

import { setAt } from '../../../../src/base/json.ts';
import type { KubernetesObject } from '../../../../src/kubernetes/object.ts';
import { blueGreen } from '../../../../src/strategies/blue-green/blue-green.ts';
import { FakeApi } from '../../../support/fake-api.ts';
import { manifestOf } from '../../release/build.ts';
import { deployment, linesOf, service } from '../plan-lines.ts';
import { contextOf, planned } from './planned.ts';

const track = (side: string) => ({ 'gke-rollout/track': side });
const negs = { 'cloud.google.com/neg-status': '{"zones":["a"]}' };

let api: FakeApi;
const next = deployment('web', 3);
setAt(next, ['spec', 'template', 'spec', 'terminationGracePeriodSeconds'], 60);

function paused(): KubernetesObject {
  const object = deployment('web', 3, track('blue'));
  setAt(object, ['spec', 'paused'], true);
  return object;
}

/** What holds each stage up while it is paused, with the first step of the stage. */
async function holds(objects: readonly KubernetesObject[], restores = false) {
  const context = contextOf(api);
  const strategy = blueGreen({ autoPromote: true, ownSides: false, restores });
  const arrangement = await strategy(
    context,
    objects.map((object) => manifestOf(object)),
  );
  const { stages } = await arrangement.plan(await context.look(arrangement.manifests));
  return await Promise.all(
    stages.map(async (stage) => {
      const [step = ''] = linesOf((await stage.decide(context)).steps);
      return { step: step.replaceAll(/ at \d+/g, ''), heldBy: stage.heldBy };
    }),
  );
}

beforeEach(() => {
  api = new FakeApi();
  api.put(deployment('web', 3, track('blue')));
  api.put(service('web', { app: 'web', ...track('blue') }, negs));
});

describe('a side that serves, and that somebody has paused', () => {
  beforeEach(() => {
    api.put(paused());
  });

  test('is not switched away from by a deploy: it is refused before the first write', async () => {
    await expect(planned(api, [next, service('web')])).rejects.toMatchObject({
      message: 'Deployment "web" in namespace "shop" is paused by somebody, so its pods would not change',
      hint: 'Run the command "resume" (or kubectl rollout resume) first, or "rollback" to go back, which resumes it too.',
    });
  });

  test('gets a candidate beside it that waits', async () => {
    const { before } = await planned(api, [next, service('web')], { autoPromote: false });
    expect(before).toContain('apply web-green×3 Service/web-preview');
  });

  test('is switched away from by a rollback, at once', async () => {
    const { all } = await planned(api, [next, service('web')], { restores: true });
    expect((await all()).at(-1)).toMatch(/^apply /);
    const stages = await holds([next, service('web')], true);
    expect(stages.map(({ heldBy }) => heldBy)).toEqual(stages.map(() => undefined));
  });
});

test('a pause holds a switch up before anything has moved, and not once both sides serve', async () => {
  const blue = { apiVersion: 'apps/v1', kind: 'Deployment', namespace: 'shop', name: 'web' };
  expect(await holds([next, service('web', { app: 'web' }, negs)])).toEqual([
    { step: '', heldBy: undefined },
    { step: 'apply web-green×3 Service/web-preview', heldBy: undefined },
    { step: 'check web-green ready', heldBy: { refs: [blue], keepsState: false } },
    { step: '', heldBy: undefined },
    { step: 'set web.selector=app:web', heldBy: undefined },
    { step: 'set web.selector=app:web,track:green', heldBy: undefined },
  ]);
});
