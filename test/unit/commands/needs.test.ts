import { describe, expect, test } from '@jest/globals';

import type { Prepared } from '../../../src/apply/prepared.ts';
import { expectOfLook, expectOfObjects } from '../../../src/commands/needs.ts';
import type { KubernetesObject } from '../../../src/kubernetes/object.ts';
import { RightsCheck } from '../../../src/release/rights-check.ts';
import { FakeApi } from '../../support/fake-api.ts';
import { silentReporter } from '../../support/silent-reporter.ts';
import { compared } from '../strategies/plan-lines.ts';
import { contextOf } from './build.ts';

const groups: KubernetesObject = {
  apiVersion: 'leaderworkerset.x-k8s.io/v1',
  kind: 'LeaderWorkerSet',
  metadata: { name: 'llm', namespace: 'shop' },
};

const bringing = {
  namespace: 'shop',
  strategy: 'rolling',
  undoOnFailure: true,
  surplus: [],
  newNamespaces: new Set<string>(),
};

/** A cluster that does not have all kinds. */
class SmallApi extends FakeApi {
  readonly #missing: string;

  constructor(missing: string) {
    super();
    this.#missing = missing;
  }

  override async resource(apiVersion: string, kind: string) {
    return kind === this.#missing ? undefined : await super.resource(apiVersion, kind);
  }
}

/** The Role of what is expected. */
async function roleIn(api: FakeApi, command: 'deploy' | 'status'): Promise<string> {
  const rights = new RightsCheck(api, silentReporter, { command, release: 'llm' });
  const context = { ...contextOf(api, 'a test'), rights };
  if (command === 'deploy') await expectOfObjects(context, [groups], bringing);
  else await expectOfLook(context, [groups], 'shop');
  return await rights.role();
}

test('the kinds that a custom resource is judged by are asked for', async () => {
  expect(await roleIn(new FakeApi(), 'deploy')).toMatch(
    /# optional: what each LeaderWorkerSet consists of.*\n.*resources: \[statefulsets.*\]\n.*verbs: \[list, watch\]/,
  );
  expect(await roleIn(new FakeApi(), 'status')).toMatch(
    /# optional: what each LeaderWorkerSet consists of.*\n.*resources: \[statefulsets\]\n.*verbs: \[list\]/,
  );
});

test('a kind that the cluster does not serve is not asked for', async () => {
  const role = await roleIn(new SmallApi('StatefulSet'), 'deploy');
  expect(role).toContain('leaderworkersets');
  expect(role).not.toContain('statefulsets');
});

/** Notes what has to be allowed now, by namespace: `list pods`. */
function noting(): { rights: RightsCheck; now: Map<string, Set<string>> } {
  const rights = new RightsCheck(new FakeApi(), silentReporter, { command: 'deploy', release: 'llm' });
  const now = new Map<string, Set<string>>();
  const expecting = rights.expect.bind(rights);
  rights.expect = (grants) => {
    expecting(grants);
    for (const { namespace = '', resource, verbs, need } of grants) {
      if (need !== 'now') continue;
      const known = now.get(namespace) ?? new Set();
      now.set(namespace, new Set([...known, ...verbs.map((verb) => `${verb} ${resource}`)]));
    }
  };
  return { rights, now };
}

describe('what a strategy looks at in another namespace of the release', () => {
  const looks = ['get services', 'list services', 'list pods', 'list endpointslices'];

  const web = (namespace: string, image = 'web:1'): KubernetesObject => ({
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'web', namespace },
    spec: { template: { spec: { containers: [{ name: 'web', image }] } } },
  });

  const entry = (object: KubernetesObject, live: KubernetesObject): Prepared => ({
    ...compared(object, live),
    change: object === live ? 'unchanged' : 'configured',
  });

  async function neededNow(strategy: string, prepared: readonly Prepared[], newNamespaces: string[] = []) {
    const { rights, now } = noting();
    const objects = prepared.map(({ manifest }) => manifest.object);
    const needs = { ...bringing, strategy, newNamespaces: new Set(newNamespaces) };
    await expectOfObjects({ ...contextOf(new FakeApi(), 'a test'), rights }, objects, needs, prepared);
    return (namespace: string) => [...looks, 'create deployments'].filter((one) => now.get(namespace)?.has(one));
  }

  const shop = entry(web('shop', 'web:2'), web('shop'));
  const same = web('monitoring');

  test('what does not change there makes a canary need nothing there now', async () => {
    const needed = await neededNow('canary', [shop, entry(same, same)]);
    expect(needed('shop')).toEqual([...looks, 'create deployments']);
    expect(needed('monitoring')).toEqual([]);
  });

  test('nor does a Deployment that keeps its pods', async () => {
    const scaled = { ...same, spec: { ...(same['spec'] as object), replicas: 4 } };
    expect((await neededNow('canary', [shop, entry(scaled, same)]))('monitoring')).toEqual([]);
  });

  test('a Deployment that gets new pods there makes a canary need it', async () => {
    const needed = await neededNow('canary', [shop, entry(web('monitoring', 'web:2'), same)]);
    expect(needed('monitoring')).toEqual([...looks, 'create deployments']);
  });

  test('blue-green asks there which side serves, whatever changes', async () => {
    const needed = await neededNow('blue-green', [shop, entry(same, same)]);
    expect(needed('monitoring')).toEqual([...looks, 'create deployments']);
  });

  test('a namespace that is to be made needs nothing to be looked at', async () => {
    const added = compared(same, null);
    for (const strategy of ['canary', 'blue-green'])
      expect((await neededNow(strategy, [shop, added], ['monitoring']))('monitoring')).not.toContain('list services');
  });
});

test.each(['canary', 'blue-green', 'rolling'])(
  'what the strategy %s looks at is asked for in each namespace in which the release has Deployments',
  async (strategy) => {
    const api = new FakeApi();
    const asked: string[] = [];
    const rights = new RightsCheck(api, silentReporter, { command: 'deploy', release: 'llm' });
    const expecting = rights.expect.bind(rights);
    rights.expect = (grants) => {
      expecting(grants);
      for (const { namespace, resource, verbs } of grants)
        if (resource === 'services' && verbs.includes('list') && namespace !== undefined) asked.push(namespace);
    };
    const web = (namespace: string): KubernetesObject => ({
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name: 'web', namespace },
    });
    const config: KubernetesObject = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'a', namespace: 'c' } };
    await expectOfObjects({ ...contextOf(api, 'a test'), rights }, [web('shop'), web('b'), config], {
      ...bringing,
      strategy,
    });
    expect([...new Set(asked)]).toEqual(strategy === 'rolling' ? [] : ['shop', 'b']);
  },
);
