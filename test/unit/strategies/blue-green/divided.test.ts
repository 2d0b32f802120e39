import { beforeEach, describe, expect, test } from '@jest/globals';

import { InvalidInput } from '../../../../src/base/errors.ts';
import { setAt } from '../../../../src/base/json.ts';
import { refOf, type KubernetesObject } from '../../../../src/kubernetes/object.ts';
import type { PlanContext } from '../../../../src/plan/plan.ts';
import { blueGreen } from '../../../../src/strategies/blue-green/blue-green.ts';
import { FakeApi } from '../../../support/fake-api.ts';
import { silentReporter } from '../../../support/silent-reporter.ts';
import { manifestOf } from '../../release/build.ts';
import { compared, deployment, linesOf, service } from '../plan-lines.ts';

const track = (side: string) => ({ 'gke-rollout/track': side });
const sides = [deployment('web', 3, track('blue')), deployment('web-green', 3, track('green'))];

describe('two Services of the same Deployment', () => {
  let api: FakeApi;
  const liveOf = (object: KubernetesObject) => api.get(refOf(object)) ?? null;

  const context = (): PlanContext => ({
    client: api,
    namespace: 'shop',
    look: (manifests) => Promise.resolve(manifests.map(({ object }) => compared(object, liveOf(object)))),
    note: () => undefined,
    onLowCapacity: 'fail',
    reporter: silentReporter,
  });

  /** The first steps of a deploy of another version than the one that serves. @param other what the other side runs */
  const begun = async (graceSeconds = 60) => {
    const next = deployment('web', 3);
    setAt(next, ['spec', 'template', 'spec', 'terminationGracePeriodSeconds'], graceSeconds);
    const objects = [next, ...['web', 'admin'].map((name) => service(name, { app: 'web' }))];
    const strategy = blueGreen({ autoPromote: true, ownSides: false });
    const arrangement = await strategy(
      context(),
      objects.map((object) => manifestOf(object)),
    );
    const prepared = arrangement.manifests.map(({ object }) => compared(object, liveOf(object) ?? object));
    const { stages } = await arrangement.plan(prepared);
    return async (last = 2) => {
      const lines: string[] = [];
      for (const stage of stages.slice(0, last)) lines.push(...linesOf((await stage.decide(context())).steps));
      return lines;
    };
  };
  const lead = (to: Record<string, string>) => {
    for (const [name, side] of Object.entries(to)) api.put(service(name, { app: 'web', ...track(side) }));
  };

  beforeEach(() => {
    api = new FakeApi();
    for (const side of sides) api.put(side);
  });

  test('that lead to one side get a new version on the other one', async () => {
    lead({ web: 'green', admin: 'green' });
    const steps = await begun();
    expect((await steps())[0]).toMatch(/^apply web×3 /);
  });

  test('that lead to different sides are refused before the first write, and not before a dead run is undone', async () => {
    lead({ web: 'green', admin: 'blue' });
    const steps = await begun();
    const error: unknown = await steps().catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(InvalidInput);
    expect(error).toMatchObject({
      message:
        'Services that change sides together send requests to both: Service "web" to the green side, Service "admin" to the blue side',
      hint: 'Someone switched one of them. Run "status" to see which side is live, switch the others back to it, then run it again.',
    });
  });

  test('that lead to different sides are brought together where the other one runs the wanted version already', async () => {
    const old = deployment('web', 3, track('blue'));
    setAt(old, ['spec', 'template', 'spec', 'terminationGracePeriodSeconds'], 60);
    api.put(old);
    lead({ web: 'green', admin: 'blue' });
    const steps = await begun();
    const [bringIn, ...others] = (await steps(Number.POSITIVE_INFINITY)).map((line) => line.replaceAll(/ at \d+/g, ''));
    expect(bringIn).toMatch(/^apply web×3 /);
    expect(others).toEqual([
      'verify preview',
      'check web ready',
      'set web.selector=app:web,track:blue admin.selector=app:web,track:blue',
      'route web admin',
      'apply web×3 Service/web Service/admin',
    ]);
  });

  test('that lead to one side are refused where somebody switches one meanwhile, also if the other side runs the wanted version', async () => {
    const old = deployment('web', 3, track('blue'));
    setAt(old, ['spec', 'template', 'spec', 'terminationGracePeriodSeconds'], 60);
    api.put(old);
    lead({ web: 'green', admin: 'green' });
    const steps = await begun();
    lead({ admin: 'blue' });
    await expect(steps(Number.POSITIVE_INFINITY)).rejects.toThrow(
      'Service "admin" in namespace "shop" does not send its requests to the green side any more',
    );
  });
});
