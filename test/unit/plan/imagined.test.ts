import { describe, expect, test } from '@jest/globals';

import { numberAt, type JsonObject } from '../../../src/base/json.ts';
import { refOf, type KubernetesObject, type ObjectRef } from '../../../src/kubernetes/object.ts';
import { UnknownKind } from '../../../src/kubernetes/unknown-kind.ts';
import { Imagined } from '../../../src/plan/imagined.ts';
import { FakeApi } from '../../support/fake-api.ts';
import { manifestOf } from '../release/build.ts';
import { compared, deployment, service } from '../strategies/plan-lines.ts';

function cluster(...objects: KubernetesObject[]): FakeApi {
  const api = new FakeApi();
  for (const object of objects) api.put(object);
  return api;
}

describe('the cluster as it will be', () => {
  test('shows what steps have written, in reads and lists, and the cluster itself is as it was', async () => {
    const api = cluster(deployment('web', 3), service('web'));
    const imagined = new Imagined(api, []);
    await imagined.apply({ do: 'apply', title: '', objects: [manifestOf(deployment('web-canary', 1))] });
    await imagined.set({
      do: 'set',
      title: '',
      fields: [{ of: refOf(deployment('web', 3)), path: ['spec', 'replicas'], to: 2 }],
    });
    const resource = await api.resource('apps/v1', 'Deployment');
    if (resource === undefined) throw new Error('there is no such kind');
    const { items } = await imagined.client.list(resource, { namespace: 'shop' });
    expect(items.map((object) => [object.metadata.name, numberAt(object, 'spec', 'replicas')]).sort()).toEqual([
      ['web', 2],
      ['web-canary', 1],
    ]);
    expect(numberAt(api.get(refOf(deployment('web', 3))), 'spec', 'replicas')).toBe(3);
    expect(api.log.filter((line) => /^(apply|create|replace|delete)/.test(line))).toEqual([]);
  });

  test('has no field that is not to be stated any more, and what was stated beside it', async () => {
    const now = deployment('web', 3);
    const imagined = new Imagined(cluster(now), []);
    const rolled = { ...now, spec: { ...(now['spec'] as JsonObject), strategy: { type: 'Recreate' } } };
    await imagined.apply({ do: 'apply', title: '', objects: [manifestOf(rolled)] });
    const field = { of: refOf(now), path: ['spec', 'strategy'], to: undefined };
    const writes = await imagined.set({ do: 'set', title: '', fields: [field] });
    expect(writes).toEqual([{ ref: refOf(now), change: 'change', field: 'spec.strategy' }]);
    expect((await imagined.read(refOf(now)))?.['spec']).toEqual(now['spec']);
  });

  test('has no write for what an apply before it has stated, and one for what it takes back', async () => {
    const imagined = new Imagined(cluster(deployment('web', 3), service('web')), []);
    const bound = manifestOf(service('web', { app: 'web', track: 'canary' }));
    const apply = async (manifest: typeof bound) =>
      await imagined.apply({ do: 'apply', title: '', objects: [manifest] });
    expect(await apply(bound)).toMatchObject([{ change: 'change' }]);
    expect(await apply(bound)).toEqual([]);
    expect(await apply(manifestOf(service('web')))).toMatchObject([{ change: 'change' }]);
  });

  test('goes by what the server has answered, where it has compared the very same', async () => {
    const same = { ...compared(deployment('web', 3)), change: 'unchanged' as const };
    const imagined = new Imagined(cluster(deployment('web', 3)), [same]);
    const step = { do: 'apply', title: '', objects: [manifestOf(deployment('web', 3))] } as const;
    expect(await imagined.apply(step)).toEqual([]);
  });

  test('has nothing yet of a kind that the plan itself brings', async () => {
    const api = cluster();
    api.before = (_, ref: ObjectRef) => {
      if (ref.kind === 'Gadget') throw new UnknownKind(ref.apiVersion, ref.kind, []);
    };
    const gadget: KubernetesObject = {
      apiVersion: 'acme.test/v1',
      kind: 'Gadget',
      metadata: { name: 'a', namespace: 'shop' },
    };
    const writes = await new Imagined(api, []).apply({ do: 'apply', title: '', objects: [manifestOf(gadget)] });
    expect(writes).toMatchObject([{ change: 'create', ref: { kind: 'Gadget' } }]);
  });
});
