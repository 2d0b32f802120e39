import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';

import { systemClock } from '../../../src/base/clock.ts';
import { numberAt, stringAt } from '../../../src/base/json.ts';
import type { KubernetesClient } from '../../../src/kubernetes/client.ts';
import { refOf, type KubernetesObject, type ObjectRef } from '../../../src/kubernetes/object.ts';
import { withFreshObject } from '../../../src/apply/apply.ts';
import { takeOver } from '../../../src/apply/takeover.ts';
import { createNamespace, deleteNamespace, kubectl } from '../../support/kubectl.ts';
import { shareOf } from '../../support/share.ts';
import { beforeOf, cases, changedOf, type RestoreCase } from './cases.ts';
import { differences } from '../../support/compare.ts';
import { createAs, defineWidgets, deployObjects, mustRead, settled, testClient, undoObjects } from './drive.ts';

let client: KubernetesClient;
let namespace: string;
const clusterScoped: ObjectRef[] = [];
let count = 0;

beforeAll(async () => {
  client = await testClient();
  namespace = await createNamespace('interference');
  await defineWidgets();
});

afterAll(async () => {
  for (const ref of clusterScoped) await client.delete(ref).catch(() => undefined);
  await deleteNamespace(namespace);
  await client.close();
});

function objectsOf(restoreCase: RestoreCase) {
  count += 1;
  const name = `${namespace}-${count}`;
  const before = beforeOf(restoreCase, name, namespace);
  if (before.metadata.namespace === undefined) clusterScoped.push(refOf(before));
  return { name, before, changed: changedOf(restoreCase, name, namespace), ref: refOf(before) };
}

function caseOf(kind: string): RestoreCase {
  const found = cases.find((entry) => entry.kind === kind);
  if (found === undefined) throw new Error(`no case of ${kind}`);
  return found;
}

const dataHolding = new Set(['Namespace', 'PersistentVolumeClaim', 'PersistentVolume', 'CustomResourceDefinition']);

describe('an object that the failed deploy created', () => {
  test.each(shareOf(cases, ({ kind }) => `created ${kind}`))(
    'is gone or kept, and the deploy can be made again: $kind',
    async (restoreCase) => {
      const { name, before, ref } = objectsOf(restoreCase);
      const journal = await deployObjects(client, namespace, name, [before], false);
      const isKept = dataHolding.has(before.kind);
      expect((await undoObjects(client, journal)).results).toEqual([{ ref, outcome: isKept ? 'kept' : 'deleted' }]);
      expect((await client.read(ref)) === undefined).toBe(!isKept);
      await deployObjects(client, namespace, name, [before], false);
      await mustRead(client, ref);
    },
  );
});

describe('a run that was killed', () => {
  test.each(shareOf(cases, ({ kind }) => `killed ${kind}`))(
    'before it learned what its write had done is undone all the same: $kind',
    async (restoreCase) => {
      const { name, before, changed, ref } = objectsOf(restoreCase);
      await createAs(client, 'gke-rollout', before);
      const old = await settled(client, ref);
      const journal = await deployObjects(client, namespace, name, [changed], false, 'killed before the answer');
      expect(journal.record.entries).toMatchObject([{ done: false }]);
      expect((await undoObjects(client, journal)).results).toEqual([{ ref, outcome: 'restored' }]);
      expect(differences(old, await mustRead(client, ref))).toEqual([]);
    },
  );

  test('between taking fields over and applying gives them back', async () => {
    const { name, before, changed, ref } = objectsOf(caseOf('Deployment'));
    await createAs(client, 'kubectl apply', before);
    const old = await settled(client, ref);
    const journal = await deployObjects(client, namespace, name, [changed], false, 'killed before the write');
    // As the deploy does it: its controller may write in between.
    await withFreshObject(client, ref, await mustRead(client, ref), (object) => takeOver(client, object));
    expect((await undoObjects(client, journal)).results).toEqual([{ ref, outcome: 'restored' }]);
    expect(differences(old, await mustRead(client, ref))).toEqual([]);
  });
});

describe('what somebody else did after the deploy', () => {
  test.each(shareOf(cases, ({ kind }) => `interference ${kind}`))(
    'stays, and the rest goes back: $kind',
    async (restoreCase) => {
      const { name, before, changed, ref } = objectsOf(restoreCase);
      await createAs(client, 'gke-rollout', before);
      const old = await settled(client, ref);
      const journal = await deployObjects(client, namespace, name, [changed], false);
      const patch = { metadata: { annotations: { 'somebody.test/note': 'mine' } } };
      await client.patch(ref, { type: 'merge', patch }, { fieldManager: 'somebody' });
      expect((await undoObjects(client, journal)).results).toEqual([{ ref, outcome: 'restored' }]);
      const left = differences(old, await mustRead(client, ref));
      expect(left.filter((line) => !line.includes('somebody'))).toEqual([]);
      expect(left).toHaveLength(2);
    },
  );

  test('to a field that the deploy had changed is kept and named', async () => {
    const { name, before, changed, ref } = objectsOf(caseOf('ConfigMap'));
    await createAs(client, 'gke-rollout', before);
    const journal = await deployObjects(client, namespace, name, [changed], false);
    await client.patch(ref, { type: 'merge', patch: { data: { a: 'theirs' } } }, { fieldManager: 'somebody' });
    expect(await undoObjects(client, journal)).toEqual({
      complete: false,
      results: [{ ref, outcome: 'partly', fields: ['data.a'] }],
    });
    expect(await mustRead(client, ref)).toMatchObject({ data: { a: 'theirs', b: '2' } });
  });

  test.each([
    'ConfigMap',
    'Service (NodePort)',
    'Deployment',
    'Job',
    'Pod',
    'PersistentVolumeClaim',
    'custom resource',
  ])('when it was to delete the object is made good: %s', async (kind) => {
    const { name, before, changed, ref } = objectsOf(caseOf(kind));
    await createAs(client, 'gke-rollout', before);
    const old = await settled(client, ref);
    const journal = await deployObjects(client, namespace, name, [changed], false);
    await kubectl(['delete', '--wait=true', '-n', namespace, `${ref.kind}/${ref.name}`]);
    const report = await undoObjects(client, journal);
    expect(report.results).toEqual([{ ref, outcome: 'restored', note: expect.stringContaining('recreated') }]);
    const left = differences(old, await mustRead(client, ref));
    // A Job's pods, a Pod's volume of its token and its node belong to the one object.
    const own = /^metadata\.(uid|creationTimestamp)|controller-uid|kube-api-access|metadata\.finalizers/;
    expect(left.filter((line) => !own.test(line))).toEqual([]);
  });
});

describe('workloads', () => {
  test('a StatefulSet that waits for a broken pod goes on (R10, kubernetes/kubernetes#67250)', async () => {
    const { name, before, ref } = objectsOf(caseOf('StatefulSet'));
    await createAs(client, 'gke-rollout', before);
    await until(async () => numberAt(await mustRead(client, ref), 'status', 'readyReplicas') === 1);
    const broken = JSON.parse(
      JSON.stringify(before).replaceAll('registry.test/ctwoc:1.0.0', 'registry.test/missing:1.0.0'),
    ) as KubernetesObject;
    const journal = await deployObjects(client, namespace, name, [broken], false);
    const pod: ObjectRef = { apiVersion: 'v1', kind: 'Pod', namespace, name: `${name}-0` };
    await until(async () =>
      (stringAt(await client.read(pod), 'spec', 'containers', 0, 'image') ?? '').includes('missing'),
    );
    await undoObjects(client, journal);
    await until(async () => numberAt(await mustRead(client, ref), 'status', 'readyReplicas') === 1);
    expect(stringAt(await client.read(pod), 'spec', 'containers', 0, 'image')).toBe('registry.test/ctwoc:1.0.0');
  });

  test('replicas that an autoscaler has set survive deploy and undo (R23, kubernetes/kubernetes#25238)', async () => {
    const { name, before, changed, ref } = objectsOf(caseOf('Deployment'));
    await createAs(client, 'kubectl apply', before);
    await client.create(
      {
        apiVersion: 'autoscaling/v2',
        kind: 'HorizontalPodAutoscaler',
        metadata: { name, namespace },
        spec: { scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name }, minReplicas: 3, maxReplicas: 4 },
      },
      { fieldManager: 'somebody' },
    );
    await until(async () => numberAt(await mustRead(client, ref), 'spec', 'replicas') === 3);
    const journal = await deployObjects(client, namespace, name, [changed], false);
    expect(numberAt(await mustRead(client, ref), 'spec', 'replicas')).toBe(3);
    expect((await undoObjects(client, journal)).complete).toBe(true);
    expect(numberAt(await mustRead(client, ref), 'spec', 'replicas')).toBe(3);
  });
});

/** Waits for what the cluster does by itself. */
async function until(isTrue: () => Promise<boolean>): Promise<void> {
  while (!(await isTrue())) await systemClock.sleep(100);
}
