import { beforeEach, describe, expect, test } from '@jest/globals';

import { setAt } from '../../../../src/base/json.ts';
import { refOf, type KubernetesObject } from '../../../../src/kubernetes/object.ts';
import { switchTo } from '../../../../src/strategies/blue-green/blue-green.ts';
import { FakeApi } from '../../../support/fake-api.ts';
import { deployment, service } from '../plan-lines.ts';
import { planned, plannedBy } from './planned.ts';

const track = (side: string) => ({ 'gke-rollout/track': side });

let api: FakeApi;

function next(): KubernetesObject {
  const object = deployment('web', 3);
  setAt(object, ['spec', 'template', 'spec', 'terminationGracePeriodSeconds'], 60);
  return object;
}

beforeEach(() => {
  api = new FakeApi();
});

describe('a Service that is not there when a side is brought up', () => {
  test('is not made before the switch where it would lead to both sides: a second one, at the first switch', async () => {
    api.put(deployment('web', 3));
    api.put(service('web'));
    const { before } = await planned(api, [next(), service('web'), service('admin', { app: 'web' })], {
      autoPromote: false,
    });
    expect(before).toEqual(['apply web-green×3 Service/web-preview Service/admin-preview', 'verify preview']);
  });

  test('is not made before the switch either where it is the only one, and deleted', async () => {
    api.put(deployment('web', 3));
    const { before } = await planned(api, [next(), service('web')], { autoPromote: false });
    expect(before).toEqual(['apply web-green×3 Service/web-preview', 'verify preview']);
  });

  test('is made at once where it leads to the side that serves', async () => {
    api.put(deployment('web', 0, track('blue')));
    api.put(deployment('web-green', 3, track('green')));
    const { before } = await planned(api, [next(), service('web')], { autoPromote: false });
    expect(before).toEqual(['apply Service/web', 'apply web×3 Service/web-preview', 'verify preview']);
  });

  test('is made by the switch, for the new side alone', async () => {
    api.put(deployment('web', 3, track('blue')));
    const green = api.put(deployment('web-green', 3, track('green')));
    const strategy = switchTo({ candidates: [refOf(green)] }, { ownSides: false, force: false });
    const { all } = await plannedBy(api, [next(), service('web')], strategy);
    expect(await all()).toContain('set web.selector=app:web,track:green');
  });
});

test("a Service of the user's own sides is not made for the side that is to come", async () => {
  const own = (side: string) => {
    const object = deployment(`web-${side}`, 3, { version: side });
    setAt(object, ['spec', 'template', 'metadata', 'labels', 'app'], 'web');
    return object;
  };
  api.put(own('blue'));
  const objects = [own('green'), service('web', { app: 'web', version: 'green' })];
  const { before } = await planned(api, objects, { autoPromote: false, ownSides: true });
  expect(before).toEqual(['apply web-green×3 Service/web-preview', 'verify preview']);
});
