import { expect, test } from '@jest/globals';

import { expectOfLook, expectOfObjects } from '../../../src/commands/needs.ts';
import type { KubernetesObject } from '../../../src/kubernetes/object.ts';
import { RightsCheck } from '../../../src/release/rights-check.ts';
import { FakeApi } from '../../support/fake-api.ts';
import { silentReporter } from '../../support/silent-reporter.ts';
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
