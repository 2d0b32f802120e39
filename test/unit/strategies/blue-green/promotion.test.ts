import { beforeEach, describe, expect, test } from '@jest/globals';

import { refOf, type KubernetesObject } from '../../../../src/kubernetes/object.ts';
import type { Decision, PlanContext } from '../../../../src/plan/plan.ts';
import { switchTo } from '../../../../src/strategies/blue-green/blue-green.ts';
import { FakeApi } from '../../../support/fake-api.ts';
import { silentReporter } from '../../../support/silent-reporter.ts';
import { manifestOf } from '../../release/build.ts';
import { deployment, linesOf, service } from '../plan-lines.ts';

const track = (side: string) => ({ 'gke-rollout/track': side });
const blue = deployment('web', 3, track('blue'));
const green = deployment('web-green', 3, track('green'));
const late = { 'cloud.google.com/neg-status': '{"zones":["a"]}' };

describe('the promotion of a side that waits', () => {
  let api: FakeApi;

  const context = (): PlanContext => ({
    client: api,
    namespace: 'shop',
    look: () => Promise.resolve([]),
    note: () => undefined,
    onLowCapacity: 'fail',
    reporter: silentReporter,
  });

  /** Services that lead to these sides, by their names. */
  const put = (sides: Record<string, string>, annotations: Record<string, string> = {}) => {
    for (const [name, side] of Object.entries(sides))
      api.put(service(name, { app: 'web', ...track(side) }, annotations));
  };

  /** What it does, stage by stage. @param waiting the candidate @param during what happens between the plan and the switch */
  const promotion = async (services: readonly string[], waiting = green, during: () => void = () => undefined) => {
    const objects = [deployment('web', 3), ...services.map((name) => service(name, { app: 'web' }))];
    const strategy = switchTo({ candidates: [refOf(waiting)] }, { ownSides: false, force: false });
    const arrangement = await strategy(
      context(),
      objects.map((object) => manifestOf(object)),
    );
    const { stages } = await arrangement.plan([]);
    during();
    const decisions: Decision[] = [];
    for (const stage of stages) decisions.push(await stage.decide(context()));
    const end = decisions.at(-1)?.end;
    return {
      lines: decisions.map(({ steps }) => linesOf(steps).map((line) => line.replaceAll(/ at \d+/g, ''))),
      retired: end?.state === 'live' ? end.retired?.map(({ name }) => name) : undefined,
      serving: end?.state === 'live' ? Object.values(end.serving ?? {}) : undefined,
    };
  };

  beforeEach(() => {
    api = new FakeApi();
    api.put(blue);
    api.put(green);
  });

  const whole = [
    ['check web-green sound', 'verify preview'],
    [],
    [],
    ['set web.selector=app:web,track:green', 'route web', 'apply web-green×3 Service/web'],
  ];

  test('looks at it, switches, and takes the other side out', async () => {
    put({ web: 'blue' });
    expect(await promotion(['web'])).toEqual({ lines: whole, retired: ['web'], serving: ['web-green'] });
  });

  test('does the same where somebody has switched to it already', async () => {
    put({ web: 'green' });
    expect(await promotion(['web'])).toEqual({ lines: whole, retired: ['web'], serving: ['web-green'] });
  });

  test('takes no pods from a side that somebody has switched to, whatever has become of the other one', async () => {
    const autoscaler = {
      apiVersion: 'autoscaling/v2',
      kind: 'HorizontalPodAutoscaler',
      metadata: { name: 'web', namespace: 'shop' },
      spec: { scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'web' }, maxReplicas: 10 },
    };
    api.put(deployment('web', 2, track('blue')));
    api.put(autoscaler);
    put({ web: 'green' });
    expect((await promotion(['web'])).lines[1]).toEqual([]);
    put({ web: 'blue' });
    expect((await promotion(['web'])).lines[1]).toContain('set web-green.replicas=2 until ready');
  });

  test.each([
    ['green', green, 'web'],
    ['blue', blue, 'web-green'],
  ])('moves the rest where somebody has switched one of two Services to %s', async (to, waiting, retired) => {
    put({ web: to, admin: to === 'green' ? 'blue' : 'green' });
    const { lines, ...end } = await promotion(['web', 'admin'], waiting);
    expect(lines[0]).toEqual([`check ${waiting.metadata.name} sound`, 'verify preview']);
    expect(lines.at(-1)?.[0]).toBe(`set web.selector=app:web,track:${to} admin.selector=app:web,track:${to}`);
    expect(end).toEqual({ retired: [retired], serving: [waiting.metadata.name] });
  });

  test('gives requests back to no side behind a load balancer that follows late', async () => {
    put({ web: 'green' }, late);
    expect((await promotion(['web'])).lines).toEqual(whole);
  });

  test('leaves a Deployment of the same name in another namespace, which does not wait, where it is', async () => {
    put({ web: 'green' });
    const elsewhere = (object: KubernetesObject) => ({ ...object, metadata: { ...object.metadata, namespace: 'b' } });
    for (const object of [blue, green, service('web', { app: 'web', ...track('green') })]) api.put(elsewhere(object));
    const objects = [deployment('web', 3), service('web')];
    const strategy = switchTo({ candidates: [refOf(blue)] }, { ownSides: false, force: false });
    const manifests = [...objects, ...objects.map(elsewhere)].map((object) => manifestOf(object));
    const { stages } = await (await strategy(context(), manifests)).plan([]);
    const decisions: Decision[] = [];
    for (const stage of stages) decisions.push(await stage.decide(context()));
    const end = decisions.at(-1)?.end;
    expect(decisions.flatMap(({ steps }) => linesOf(steps).map((line) => line.replaceAll(/ at \d+/g, '')))).toEqual([
      'check web sound',
      'verify preview',
      'set web.selector=app:web,track:blue',
      'route web',
      'apply web×3 Service/web web-green×3 Service/web',
    ]);
    expect(end?.state === 'live' ? end.serving : undefined).toEqual({
      'apps/Deployment/shop/web': 'web',
      'apps/Deployment/b/web': 'web-green',
    });
  });

  test('is refused where somebody switches between the look and the switch', async () => {
    put({ web: 'blue' });
    const switched = promotion(['web'], green, () => {
      put({ web: 'green' });
    });
    await expect(switched).rejects.toThrow(
      'Service "web" in namespace "shop" does not send its requests to the blue side any more',
    );
  });
});
