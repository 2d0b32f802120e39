import { beforeEach, describe, expect, test } from '@jest/globals';

import { numberAt, stringAt } from '../../../src/base/json.ts';
import { restart } from '../../../src/commands/pausing.ts';
import { scale } from '../../../src/commands/scale.ts';
import type { KubernetesObject, ObjectRef } from '../../../src/kubernetes/object.ts';
import { readJournal } from '../../../src/release/journal.ts';
import { recordRevision } from '../../../src/release/record-revision.ts';
import { FakeApi } from '../../support/fake-api.ts';
import { liveDeployment, template } from '../../support/rollout-objects.ts';
import { owner, revision } from '../release/build.ts';
import { contextOf, options } from './build.ts';

const container = { 'k:{"name":"web"}': { '.': {}, 'f:name': {}, 'f:image': {} } };
const owned = { 'f:spec': { 'f:replicas': {}, 'f:template': { 'f:spec': { 'f:containers': container } } } };

function web(version: string, replicas = 2): KubernetesObject {
  const spec = { replicas, template: template(`r.test/web:${version}`) };
  return liveDeployment({ metadata: { name: 'web', namespace: 'shop', managedFields: [owner(owned)] }, spec });
}

const imageIn = (object: KubernetesObject | null | undefined) =>
  stringAt(object, 'spec', 'template', 'spec', 'containers', 0, 'image');

/** A cluster whose Deployment is another one once the lock is held: a deploy of 2 was killed, and its undo brings 1 back. */
describe('what another run has written until the lock was free', () => {
  let api: FakeApi;
  let written: KubernetesObject[];

  const meanwhile = (object: KubernetesObject) => {
    api.before = (operation, ref) => {
      if (operation !== 'create' || ref.kind !== 'Lease') return;
      api.before = () => undefined;
      api.put(object);
    };
  };

  beforeEach(async () => {
    api = new FakeApi();
    written = [];
    const stop = (object: KubernetesObject) => {
      written.push(object);
      return Promise.reject(new Error('that is enough'));
    };
    api.apply = stop;
    api.patch = (async (ref: ObjectRef, _patch: unknown, { dryRun = false }) => {
      const object = await api.read(ref);
      if (object !== undefined && dryRun) return { object, warnings: [] };
      return await stop((await readJournal(api, 'shop', 'web'))?.record.entries[0]?.before ?? web('none'));
    }) as unknown as FakeApi['patch'];
    await recordRevision(api, 'shop', revision(1, 'live', { objects: [web('1')] }), []);
    api.put(web('2'));
  });

  test('stays when the workload is scaled', async () => {
    meanwhile(web('1'));
    await scale.run(contextOf(api, 'me'), { ...options, replicas: ['web=5'] });
    expect([imageIn(written[0]), numberAt(written[0], 'spec', 'replicas')]).toEqual(['r.test/web:1', 5]);
  });

  test('is what the undo of a restart would bring back', async () => {
    meanwhile(web('1'));
    await restart.run(contextOf(api, 'me'), options);
    expect(written.map(imageIn)).toEqual(['r.test/web:1']);
  });

  test('is not restarted where it has no pods any more', async () => {
    meanwhile(web('1', 0));
    const report = await restart.run(contextOf(api, 'me'), options);
    expect(written).toEqual([]);
    expect(report.headline).toBe('Nothing to restart: Deployment "web" is scaled to 0 and has no pods');
  });
});
