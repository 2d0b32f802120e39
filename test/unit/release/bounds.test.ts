import { describe, expect, test } from '@jest/globals';

import { madeBeside } from '../../../src/commands/strays.ts';
import { systemClock } from '../../../src/base/clock.ts';
import { refOf, type KubernetesObject } from '../../../src/kubernetes/object.ts';
import { Bounds, OutOfBounds } from '../../../src/release/bounds.ts';
import { releaseAnnotation } from '../../../src/apply/mark.ts';
import { undo } from '../../../src/release/undo.ts';
import { FakeApi } from '../../support/fake-api.ts';
import { silentReporter } from '../../support/silent-reporter.ts';
import { configMap, fields, objectOf, owner } from './build.ts';

/** Whoever may write Secrets in the namespace of the release "web" writes its records, and no more than that. */

const rbac = 'rbac.authorization.k8s.io/v1';
const ours = { [releaseAnnotation]: 'shop/web' };

function clusterWide(apiVersion: string, kind: string, body: object, parts: object = {}): KubernetesObject {
  return { apiVersion, kind, metadata: { name: 'a', ...parts }, ...body };
}

const binding = clusterWide(rbac, 'ClusterRoleBinding', { subjects: [{ kind: 'User', name: 'mallory' }] });
const elsewhere = (parts: object = {}): KubernetesObject => ({
  ...configMap({ a: '1' }),
  metadata: { name: 'a', namespace: 'kube-system', ...parts },
});

function bounded(): { api: FakeApi; bounds: Bounds } {
  const api = new FakeApi();
  const bounds = new Bounds(api, { namespace: 'shop', release: 'web' });
  bounds.guard();
  return { api, bounds };
}

describe('what only a record speaks of', () => {
  test.each<[string, KubernetesObject]>([
    ['a binding in the whole cluster', binding],
    ['a role in the whole cluster', clusterWide(rbac, 'ClusterRole', { rules: [] })],
    ['a binding in its own namespace', objectOf(rbac, 'RoleBinding', {})],
    ['a webhook', clusterWide('admissionregistration.k8s.io/v1', 'MutatingWebhookConfiguration', {})],
    ['the definition of a kind', clusterWide('apiextensions.k8s.io/v1', 'CustomResourceDefinition', {})],
    ['a namespace', clusterWide('v1', 'Namespace', {})],
    ['an object of another namespace', elsewhere()],
    ['a lock of another namespace', { ...elsewhere(), apiVersion: 'coordination.k8s.io/v1', kind: 'Lease' }],
  ])('is not made where it is not: %s', async (_, object) => {
    const { api } = bounded();
    await expect(api.create(object)).rejects.toThrow(/only a record says .* release "web": it does not exist/);
    await expect(api.apply(object)).rejects.toThrow(OutOfBounds);
    expect(api.objects.size).toBe(0);
  });

  test.each<[string, KubernetesObject]>([
    ["somebody's", elsewhere()],
    ["another release's", elsewhere({ annotations: { [releaseAnnotation]: 'shop/api' } })],
    [
      "another namespace's release of that name",
      elsewhere({ annotations: { [releaseAnnotation]: 'kube-system/web' } }),
    ],
    ['a binding that this action once applied', { ...binding, metadata: { name: 'a', managedFields: [owner({})] } }],
  ])('is not changed or deleted while the cluster shows that it is %s', async (_, object) => {
    const { api } = bounded();
    const live = api.put(object);
    await expect(api.replace({ ...live, data: { a: 'changed' } })).rejects.toThrow(OutOfBounds);
    await expect(api.delete(refOf(live))).rejects.toThrow(OutOfBounds);
    expect(api.get(refOf(live))).toEqual(live);
  });

  test.each<[string, KubernetesObject]>([
    ['of another namespace', elsewhere({ annotations: ours })],
    ['that grants rights', { ...binding, metadata: { name: 'a', annotations: ours } }],
    [
      'that releases share and this action has applied',
      clusterWide('v1', 'Namespace', {}, { managedFields: [owner({})] }),
    ],
  ])('is changed, deleted and made anew by one run while the cluster shows that it is ours: %s', async (_, object) => {
    const { api } = bounded();
    const live = api.put(object);
    await api.replace({ ...live, data: { a: 'changed' } });
    await api.delete(refOf(live));
    await api.create(object);
    expect(api.get(refOf(live))).toMatchObject(object);
  });

  describe('beside a Service and a Deployment of another namespace', () => {
    const there = (apiVersion: string, kind: string, name: string, annotations = {}) =>
      objectOf(apiVersion, kind, {}, { name, namespace: 'b', annotations } as object);
    const service = there('v1', 'Service', 'web', ours);
    const preview = there('v1', 'Service', 'web-preview');
    const recorded = [service, there('apps/v1', 'Deployment', 'web', ours)];

    test('is made where these carry the mark of the release, and removed again: the names that a strategy gives', async () => {
      const { api, bounds } = bounded();
      for (const object of recorded) api.put(object);
      await bounds.vouchForMadeBeside(recorded, madeBeside);
      await expect(bounds.withoutFiles(async () => await api.create(preview))).rejects.toThrow(OutOfBounds);
      await api.create(preview, { dryRun: true });
      await api.create({ ...preview, metadata: { ...preview.metadata, annotations: ours } });
      await api.create(there('apps/v1', 'Deployment', 'web-green', ours));
      await api.delete(refOf(preview));
      await expect(api.create(there('v1', 'Service', 'web-other'))).rejects.toThrow(OutOfBounds);
      await expect(api.create(there('v1', 'Pod', 'web-green'))).rejects.toThrow(OutOfBounds);
    });

    test.each<[string, object]>([
      ['are not there', {}],
      ['carry no mark', { put: {} }],
      ['carry the mark of another release', { put: { [releaseAnnotation]: 'shop/api' } }],
    ])('is not made where these %s', async (_, { put }: { put?: Record<string, string> }) => {
      const { api, bounds } = bounded();
      if (put !== undefined)
        for (const object of recorded) api.put({ ...object, metadata: { ...object.metadata, annotations: put } });
      await bounds.vouchForMadeBeside(recorded, madeBeside);
      await expect(api.create(preview, { dryRun: true })).rejects.toThrow('it does not exist');
    });

    test("is not changed where it is somebody else's", async () => {
      const { api, bounds } = bounded();
      for (const object of recorded) api.put(object);
      await bounds.vouchForMadeBeside(recorded, madeBeside);
      const live = api.put({ ...preview, spec: { type: 'ClusterIP' } });
      await expect(api.replace({ ...live, spec: { type: 'NodePort' } })).rejects.toThrow(OutOfBounds);
    });
  });

  test('is free in the namespace of the release, whatever grants no rights', async () => {
    const { api } = bounded();
    await api.create(configMap({ a: '1' }));
    await api.create(objectOf('apps/v1', 'Deployment', {}));
    expect(api.log).toEqual(['create ConfigMap/a', 'create Deployment/a']);
  });

  test('is a pod of another namespace only if it is a pod of a workload of the release', async () => {
    const { api } = bounded();
    const at = (kind: string, uid: string, more: object): KubernetesObject => ({
      apiVersion: kind === 'Pod' ? 'v1' : 'apps/v1',
      kind,
      metadata: { name: uid, namespace: 'backend', uid, ...more },
    });
    const of = (kind: string, name: string, uid = name) => ({
      ownerReferences: [{ apiVersion: 'apps/v1', kind, name, uid, controller: true }],
    });
    api.put(at('Deployment', 'web', { annotations: ours }));
    api.put(at('ReplicaSet', 'web-1', of('Deployment', 'web')));
    const pod = api.put(at('Pod', 'web-1-x', of('ReplicaSet', 'web-1')));
    const foreign = api.put(at('Pod', 'y', of('ReplicaSet', 'web-1', 'another-uid')));
    await api.delete(refOf(pod));
    await expect(api.delete(refOf(foreign))).rejects.toThrow(OutOfBounds);
  });

  test('may get back the owners of its fields, which are no content', async () => {
    const { api } = bounded();
    const live = api.put(elsewhere());
    await api.replace({ ...live, metadata: { ...live.metadata, managedFields: [owner(fields('data'))] } });
    expect(api.get(refOf(live))?.metadata.managedFields).toHaveLength(1);
  });
});

describe('what the files of the run have', () => {
  test('is written wherever it is, with what a strategy makes beside it', async () => {
    const { api, bounds } = bounded();
    bounds.vouchFor([refOf(binding), refOf(elsewhere())]);
    await api.create(binding);
    await api.create(elsewhere());
    await api.create(elsewhere({ name: 'a-canary' }));
    await expect(api.create(elsewhere({ name: 'b' }))).rejects.toThrow(OutOfBounds);
    await expect(api.create({ ...binding, metadata: { name: 'a-canary' } })).rejects.toThrow(OutOfBounds);
  });

  test('says nothing of what another run has recorded', async () => {
    const { api, bounds } = bounded();
    bounds.vouchFor([refOf(binding)]);
    await expect(bounds.withoutFiles(() => api.create(binding))).rejects.toThrow(OutOfBounds);
    await api.create(binding);
  });
});

test('an undo tells of what it may not bring back at once, and brings back all else', async () => {
  const { api } = bounded();
  const journal = [
    { ref: refOf(binding), before: binding, after: null, done: false },
    { ref: refOf(elsewhere()), before: null, after: elsewhere({ uid: 'u' }), done: true },
    { ref: refOf(configMap({})), before: configMap({ a: '1' }), after: configMap({ a: '2' }), done: true },
  ];
  api.put(elsewhere({ uid: 'u' }));
  const from = performance.now();
  const { complete, results } = await undo(api, journal, { reporter: silentReporter, clock: systemClock });
  // It would have tried again for a minute.
  expect(performance.now() - from).toBeLessThan(30_000);
  expect(complete).toBe(false);
  expect(results.map(({ ref, outcome }) => `${ref.kind} ${outcome}`).sort()).toEqual([
    'ClusterRoleBinding refused',
    'ConfigMap refused',
    'ConfigMap restored',
  ]);
  expect([...api.objects.keys()].sort()).toEqual(['/ConfigMap/kube-system/a', '/ConfigMap/shop/a']);
});
