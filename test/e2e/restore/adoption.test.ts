import { afterAll, beforeAll, expect, test } from '@jest/globals';

import type { KubernetesClient } from '../../../src/kubernetes/client.ts';
import { refOf, type KubernetesObject } from '../../../src/kubernetes/object.ts';
import { createNamespace, deleteNamespace, kubectl } from '../../support/kubectl.ts';
import { deployObjects, mustRead, testClient, undoObjects } from './drive.ts';

let client: KubernetesClient;
let namespace: string;

beforeAll(async () => {
  client = await testClient();
  namespace = await createNamespace('adoption');
});

afterAll(async () => {
  await deleteNamespace(namespace);
  await client.close();
});

function config(name: string, data: Record<string, string>): KubernetesObject {
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, namespace }, data };
}

async function kubectlApply(object: KubernetesObject): Promise<void> {
  await kubectl(['apply', '-f', '-'], JSON.stringify(object));
}

const lastApplied = 'kubectl.kubernetes.io/last-applied-configuration';

test('a field that kubectl apply had set goes when the manifest lacks it (R21, kubernetes/kubernetes#99003)', async () => {
  const ref = refOf(config('removal', {}));
  await kubectlApply(config('removal', { a: '1', b: '2' }));
  await deployObjects(client, namespace, 'removal', [config('removal', { a: '1' })], false);
  const object = await mustRead(client, ref);
  expect(object['data']).toEqual({ a: '1' });
  // A later kubectl apply would compute removals from it.
  expect(object.metadata.annotations?.[lastApplied]).toBeUndefined();
});

test('kubectl apply goes on where a deploy has been, and brings nothing back', async () => {
  const ref = refOf(config('onwards', {}));
  await kubectlApply(config('onwards', { a: '1', b: '2' }));
  await deployObjects(client, namespace, 'onwards', [config('onwards', { a: '2', c: '3' })], false);
  await kubectlApply(config('onwards', { a: '3' }));
  expect((await mustRead(client, ref))['data']).toEqual({ a: '3', c: '3' });
});

test('after an undo kubectl apply still removes what it had set (R22, kubernetes/kubernetes#94698)', async () => {
  const ref = refOf(config('undone', {}));
  await kubectlApply(config('undone', { a: '1', b: '2' }));
  const journal = await deployObjects(client, namespace, 'undone', [config('undone', { a: '9' })], false);
  await undoObjects(client, journal);
  expect((await mustRead(client, ref))['data']).toEqual({ a: '1', b: '2' });
  await kubectlApply(config('undone', { a: '1' }));
  expect((await mustRead(client, ref))['data']).toEqual({ a: '1' });
});

test('fields of another tool are a conflict that names it, and are taken by force only', async () => {
  await client.apply(config('helm', { a: '1' }), { fieldManager: 'helm' });
  const wanted = config('helm', { a: '2' });
  await expect(deployObjects(client, namespace, 'helm', [wanted], false)).rejects.toThrow(/\.data\.a.*"helm"/);
  await deployObjects(client, namespace, 'helm', [wanted], true);
  expect((await mustRead(client, refOf(wanted)))['data']).toEqual({ a: '2' });
});

test('200 objects are written with one journal entry for all, and cost nothing when they are unchanged', async () => {
  const objects = Array.from({ length: 200 }, (_, index) => config(`many-${index}`, { a: String(index) }));
  const journal = await deployObjects(client, namespace, 'many', objects, false);
  expect(journal.record.entries).toHaveLength(200);
  await journal.close();
  const writes = () => [...client.requestCounts].filter(([verb]) => verb !== 'GET').map(([, number]) => number);
  const before = writes();
  await deployObjects(client, namespace, 'many', objects, false);
  expect(writes()).toEqual(before);
});
