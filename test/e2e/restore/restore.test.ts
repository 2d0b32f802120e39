import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';

import { systemClock } from '../../../src/base/clock.ts';
import { connect } from '../../../src/kubernetes/connection.ts';
import { createClient } from '../../../src/kubernetes/http-client.ts';
import type { KubernetesClient } from '../../../src/kubernetes/client.ts';
import { refOf, type KubernetesObject, type ObjectRef } from '../../../src/kubernetes/object.ts';
import { createNamespace, deleteNamespace, kubectl, testKubeconfig } from '../../support/kubectl.ts';
import { beforeOf, cases, changedOf, widgetDefinition } from './cases.ts';
import { differences, differencesButPorts } from './compare.ts';
import { createAs, deployObjects, needsForce, origins, undoObjects } from './drive.ts';

/** Holds objects; what was made outside a namespace is removed one by one. */
let client: KubernetesClient;
let namespace: string;
const clusterScoped: ObjectRef[] = [];

beforeAll(async () => {
  const connection = await connect({ kubeconfig: testKubeconfig(), cwd: process.cwd(), env: {} });
  client = createClient(connection, { clock: systemClock, userAgent: 'restore-test' });
  namespace = await createNamespace('restore');
  await kubectl(['apply', '--server-side', '-f', '-'], widgetDefinition);
  await kubectl(['wait', '--for=condition=Established', 'crd/widgets.restore.gke-rollout.test', '--timeout=30s']);
});

afterAll(async () => {
  for (const ref of clusterScoped) await client.delete(ref).catch(() => undefined);
  await deleteNamespace(namespace);
  await client.close();
});

async function read(ref: ObjectRef): Promise<KubernetesObject> {
  const object = await client.read(ref);
  if (object === undefined) throw new Error(`${ref.kind} "${ref.name}" is gone`);
  return object;
}

let count = 0;
function nameFor(): string {
  count += 1;
  return `${namespace}-c${count}`;
}

async function isNamespaced(object: KubernetesObject): Promise<boolean> {
  return (await client.resource(object.apiVersion, object.kind))?.namespaced === true;
}

describe.each(origins)('an object made by %s', (origin) => {
  test.concurrent.each(cases.filter((entry) => !(needsForce(origin) && entry.removesForValidity === true)))(
    'is as it was after a failed deploy: $kind',
    async (restoreCase) => {
      const name = nameFor();
      const object = beforeOf(restoreCase, name, namespace);
      const changed = changedOf(restoreCase, name, namespace);
      const ref = refOf(object);
      if (!(await isNamespaced(object))) clusterScoped.push(ref);
      await createAs(client, origin, object);
      await settled(ref);
      const before = await read(ref);

      const force = needsForce(origin);
      const journal = await deployObjects(client, namespace, name, [changed], force);
      const deployed = await read(ref);
      expect(differences(before, deployed)).not.toEqual([]);

      const report = await undoObjects(client, journal);
      expect(report.results.map(({ outcome }) => outcome)).toEqual(['restored']);
      expect(differences(before, await read(ref))).toEqual([]);

      // Undone once more, as after a kill in the middle of it: nothing is left to do.
      const again = await undoObjects(client, journal);
      expect(again.results.map(({ outcome }) => outcome)).toEqual(['untouched']);

      const second = await deployObjects(client, namespace, name, [changed], force);
      expect(differencesButPorts(deployed, await read(ref))).toEqual([]);
      await second.close();
    },
  );
});

/** Controllers that look at a new object write once or twice; wait until they are done. */
async function settled(ref: ObjectRef): Promise<void> {
  let version = '';
  for (;;) {
    const current = (await read(ref)).metadata.resourceVersion ?? '';
    if (current === version) return;
    version = current;
    await systemClock.sleep(30);
  }
}
