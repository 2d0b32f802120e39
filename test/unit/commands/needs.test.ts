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
