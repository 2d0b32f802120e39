import { beforeEach, expect, test } from '@jest/globals';

import { setAt } from '../../../../src/base/json.ts';
import type { KubernetesObject } from '../../../../src/kubernetes/object.ts';
import { FakeApi } from '../../../support/fake-api.ts';
import { deployment, service } from '../plan-lines.ts';
import { planned } from './planned.ts';

const track = (side: string) => ({ 'gke-rollout/track': side });

let api: FakeApi;

/** @param seconds another version has another number */
function database(seconds: number): KubernetesObject {
  const object = { ...deployment('db', 1), kind: 'StatefulSet' };
  setAt(object, ['spec', 'template', 'spec', 'terminationGracePeriodSeconds'], seconds);
  return object;
}

beforeEach(() => {
  api = new FakeApi();
  for (const object of [deployment('web', 3, track('blue')), service('web', { app: 'web', ...track('blue') })])
    api.put(object);
  api.put(database(5));
});

const said = 'StatefulSet "db" has no second side: its pods are replaced in place, by its own update strategy';

test('a rollback brings a StatefulSet back that somebody has changed, and says how', async () => {
  const { notes, before } = await planned(api, [deployment('web', 3), service('web'), database(10)], {
    restores: true,
  });
  expect(before).toEqual(['apply StatefulSet/db×1 web×3 Service/web']);
  expect(notes).toContain(said);
});

test('a rollback that switches does so after the switch', async () => {
  const old = deployment('web', 3);
  setAt(old, ['spec', 'template', 'spec', 'terminationGracePeriodSeconds'], 60);
  const { notes, before, all } = await planned(api, [old, service('web'), database(10)], { restores: true });
  expect(before.join('\n')).not.toContain('db');
  expect((await all()).at(-1)).toContain('StatefulSet/db×1');
  expect(notes).toContain(said);
});

test('a deploy refuses to change one', async () => {
  await expect(planned(api, [deployment('web', 3), service('web'), database(10)])).rejects.toThrow(
    'StatefulSet "db" would get new pods, which the strategy "blue-green" cannot do',
  );
});
