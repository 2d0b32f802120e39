import { beforeEach, describe, expect, test } from '@jest/globals';

import { setAt } from '../../../../src/base/json.ts';
import { refOf, type KubernetesObject } from '../../../../src/kubernetes/object.ts';
import { blueGreen, switchTo } from '../../../../src/strategies/blue-green/blue-green.ts';
import { FakeApi } from '../../../support/fake-api.ts';
import { listeningReporter } from '../../../support/silent-reporter.ts';
import { manifestOf } from '../../release/build.ts';
import { deployment, linesOf, service } from '../plan-lines.ts';
import { contextOf, planned, plannedBy } from './planned.ts';

const track = (side: string) => ({ 'gke-rollout/track': side });
const metadata = { name: 'web', namespace: 'shop' };
const scaledObject: KubernetesObject = {
  apiVersion: 'keda.sh/v1alpha1',
  kind: 'ScaledObject',
  metadata,
  spec: { scaleTargetRef: { name: 'web' }, triggers: [] },
};

/** An autoscaler that something keeps. */
function kept(apiVersion: string, kind: string): KubernetesObject {
  const ownerReferences = [{ apiVersion, kind, name: 'web', uid: 'x', controller: true }];
  const scaleTargetRef = { apiVersion: 'apps/v1', kind: 'Deployment', name: 'web' };
  return {
    apiVersion: 'autoscaling/v2',
    kind: 'HorizontalPodAutoscaler',
    metadata: { ...metadata, name: 'keda-hpa-web', ownerReferences },
    spec: { scaleTargetRef, maxReplicas: 5 },
  };
}

let api: FakeApi;
const green = deployment('web-green', 3, track('green'));
const objects = [deployment('web', 3), service('web')];
const strategy = switchTo({ candidates: [refOf(green)] }, { ownSides: false, force: false });

beforeEach(() => {
  api = new FakeApi();
  for (const object of [
    deployment('web', 3, track('blue')),
    green,
    service('web', { app: 'web', ...track('blue') }),
    kept('keda.sh/v1alpha1', 'ScaledObject'),
  ])
    api.put(object);
});

describe('an autoscaler that KEDA keeps', () => {
  test('is left to its ScaledObject, which follows the side that serves', async () => {
    api.put(scaledObject);
    const { all } = await plannedBy(api, objects, strategy);
    expect(await all()).toContain('set web.selector=app:web,track:green web.scaleTargetRef=name:web-green');
  });

  test('has its ScaledObject in the manifests lead to the side that serves', async () => {
    api.put(scaledObject);
    api.put(service('web', { app: 'web', ...track('green') }));
    const manifests = [...objects, scaledObject].map((object) => manifestOf(object));
    const arranged = await strategy(contextOf(api), manifests);
    const found = arranged.manifests.find(({ object }) => object.kind === 'ScaledObject');
    expect(found?.object['spec']).toEqual({ scaleTargetRef: { name: 'web-green' }, triggers: [] });
  });

  test('is refused before the first write where the ScaledObject cannot be read', async () => {
    await expect(plannedBy(api, objects, strategy)).rejects.toMatchObject({
      message:
        'HorizontalPodAutoscaler "keda-hpa-web" cannot follow the switch: it belongs to ScaledObject "web", which would set its target back',
      hint: 'Allow this action to get, patch and update "scaledobjects" (keda.sh) in the namespace: then it changes the target there.',
    });
  });
});

describe('an autoscaler that something else keeps, in a rollback,', () => {
  const next = deployment('web', 3);
  setAt(next, ['spec', 'template', 'spec', 'terminationGracePeriodSeconds'], 60);
  const warningsOf = async () => {
    api.put({ ...green, metadata: { ...green.metadata, labels: track('green') } });
    const reporter = listeningReporter();
    const context = { ...contextOf(api), reporter };
    const back = blueGreen({ autoPromote: true, ownSides: false, restores: true });
    const arrangement = await back(
      context,
      [next, service('web')].map((object) => manifestOf(object)),
    );
    const { stages } = await arrangement.plan(await context.look(arrangement.manifests));
    const lines: string[] = [];
    for (const stage of stages) lines.push(...linesOf((await stage.decide(context)).steps));
    expect(lines.join('\n')).toMatch(/^set web\.selector=app:web,track:green at \d+$/m);
    return reporter.lines;
  };

  test('stays with the side that is left, and the run says so: nothing keeps users from going back', async () => {
    expect(await warningsOf()).toEqual([
      'warning HorizontalPodAutoscaler "keda-hpa-web" does not follow the switch and goes on scaling "web": it belongs to ScaledObject "web", which this action cannot change. Set its target to "web-green" there.',
    ]);
  });

  test('is none to speak of where it leads to the side that is to serve already', async () => {
    const scaler = kept('keda.sh/v1alpha1', 'ScaledObject');
    setAt(scaler, ['spec', 'scaleTargetRef', 'name'], 'web-green');
    api.put(scaler);
    expect(await warningsOf()).toEqual([]);
  });
});

test('an autoscaler that something else keeps is refused by a deploy, too', async () => {
  api.put(kept('example.com/v1', 'Scaler'));
  const next = deployment('web', 3);
  setAt(next, ['spec', 'template', 'spec', 'terminationGracePeriodSeconds'], 60);
  await expect(planned(api, [next, service('web')])).rejects.toMatchObject({
    message:
      'HorizontalPodAutoscaler "keda-hpa-web" cannot follow the switch: it belongs to Scaler "web", which would set its target back',
    hint: 'Deploy with "strategy: rolling", or scale this Deployment with a HorizontalPodAutoscaler of your own.',
  });
});
