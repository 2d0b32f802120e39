import { expect, test } from '@jest/globals';

import type { KubernetesObject } from '../../../src/kubernetes/object.ts';
import { assertRoomForRecords, placeForRecords } from '../../../src/release/record-room.ts';
import { FakeApi, refusal } from '../../support/fake-api.ts';
import { configMap, manifestOf, objectOf } from './build.ts';
import type { Prepared } from '../../../src/apply/prepared.ts';

const name = { release: 'web', revision: 3 };

function created(object: KubernetesObject): Prepared {
  return {
    manifest: manifestOf(object),
    live: undefined,
    predicted: object,
    change: 'created',
    takeover: false,
    warnings: [],
  };
}

function quota(hard: string, used: string): KubernetesObject {
  return objectOf('v1', 'ResourceQuota', {
    status: { hard: { 'count/secrets': hard }, used: { 'count/secrets': used } },
  });
}

test('a number is free whose Secret is not there, whatever its labels are', async () => {
  const api = new FakeApi();
  expect(await placeForRecords(api, 'shop', name, [created(configMap({}))])).toBe(3);
  for (const number of [3, 4]) api.put(objectOf('v1', 'Secret', {}, { name: `gke-rollout.web.v${number}` }));
  expect(await placeForRecords(api, 'shop', name, [])).toBe(5);
  expect(api.objects.size).toBe(2);
});

test('a quota that has no place for revision, journal and the Secrets of the files is told before anything is written', async () => {
  const api = new FakeApi();
  const objects = [created(objectOf('v1', 'Secret', {}, { name: 'own' })), created(configMap({}))];
  api.put(quota('10', '7'));
  await placeForRecords(api, 'shop', name, objects);
  api.put(quota('10', '8'));
  await expect(placeForRecords(api, 'shop', name, objects)).rejects.toThrow(
    'no room for the record of revision 3 of release "web" in namespace "shop": the ResourceQuota "a" allows 10 Secrets, there are 8, and the run needs 3 more',
  );
});

test('a plan sees such a quota without writing anything, not even by a dry run', async () => {
  const api = new FakeApi();
  api.put(quota('10', '8'));
  await assertRoomForRecords(api, 'shop', name, []);
  api.put(quota('10', '9'));
  await expect(assertRoomForRecords(api, 'shop', name, [])).rejects.toThrow(
    'allows 10 Secrets, there are 9, and the run needs 2 more',
  );
  expect(api.log.filter((request) => !request.startsWith('list'))).toEqual([]);
});

test('what the server would refuse is told with its words', async () => {
  const api = new FakeApi();
  api.before = (operation, ref) => {
    if (operation === 'create') throw refusal(403, 'Forbidden', ref, { message: 'exceeded quota: small' });
  };
  await expect(placeForRecords(api, 'shop', name, [])).rejects.toThrow(
    /no room for the record .*: exceeded quota: small/,
  );
});

test('quotas that may not be looked at are in the way of nothing', async () => {
  const api = new FakeApi();
  api.before = (operation, ref) => {
    if (operation === 'list') throw refusal(403, 'Forbidden', ref);
  };
  expect(await placeForRecords(api, 'shop', name, [])).toBe(3);
});
