import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';

import type { KubernetesClient } from '../../../src/kubernetes/client.ts';
import { refOf, type KubernetesObject, type ObjectRef } from '../../../src/kubernetes/object.ts';
import { createNamespace, deleteNamespace } from '../../support/kubectl.ts';
import { shareOf } from '../../support/share.ts';
import { beforeOf, cases, changedOf, type RestoreCase } from './cases.ts';
import { differences, differencesButPorts } from '../../support/compare.ts';
import {
  createAs,
  defineWidgets,
  deployObjects,
  mustRead,
  needsForce,
  origins,
  settled,
  testClient,
  type Origin,
  undoObjects,
} from './drive.ts';

/** Holds objects; what was made outside a namespace is removed one by one. */
let client: KubernetesClient;
let namespace: string;
const clusterScoped: ObjectRef[] = [];

beforeAll(async () => {
  client = await testClient();
  namespace = await createNamespace('restore');
  await defineWidgets();
});

afterAll(async () => {
  for (const ref of clusterScoped) await client.delete(ref).catch(() => undefined);
  await deleteNamespace(namespace);
  await client.close();
});

let count = 0;
function nameFor(): string {
  count += 1;
  return `${namespace}-c${count}`;
}

async function isNamespaced(object: KubernetesObject): Promise<boolean> {
  return (await client.resource(object.apiVersion, object.kind))?.namespaced === true;
}

/** What another tool owns cannot be removed by us, by force or not. */
function casesFor(origin: Origin): RestoreCase[] {
  const possible = cases.filter((entry) => !(needsForce(origin) && entry.removesForValidity === true));
  return shareOf(possible, ({ kind }) => `${origin} ${kind}`);
}

describe.each(origins)('an object made by %s', (origin) => {
  test.concurrent.each(casesFor(origin))('is as it was after a failed deploy: $kind', async (restoreCase) => {
    const name = nameFor();
    const object = beforeOf(restoreCase, name, namespace);
    const changed = changedOf(restoreCase, name, namespace);
    const ref = refOf(object);
    if (!(await isNamespaced(object))) clusterScoped.push(ref);
    await createAs(client, origin, object);
    const before = await settled(client, ref);

    const force = needsForce(origin);
    const journal = await deployObjects(client, namespace, name, [changed], force);
    const deployed = await mustRead(client, ref);
    expect(differences(before, deployed)).not.toEqual([]);

    const report = await undoObjects(client, journal);
    expect(report.results.map(({ outcome }) => outcome)).toEqual(['restored']);
    expect(differences(before, await mustRead(client, ref))).toEqual([]);

    // Undone once more, as after a kill in the middle of it: nothing is left to do.
    const again = await undoObjects(client, journal);
    expect(again.results.map(({ outcome }) => outcome)).toEqual(['untouched']);

    const second = await deployObjects(client, namespace, name, [changed], force);
    expect(differencesButPorts(deployed, await mustRead(client, ref))).toEqual([]);
    await second.close();
  });
});
