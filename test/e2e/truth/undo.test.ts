import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { randomBytes } from 'node:crypto';

import { at } from '../../../src/base/json.ts';
import { kubectl } from '../../support/kubectl.ts';
import { configMap, deployment } from '../../support/objects.ts';
import { image, Stage } from '../../support/strategy-stage.ts';

/** No undo is left half-done for ever because of one object: what cannot go back is named, and the release goes on. */

const none = 'registry.test/pulled/ctwoc:9.9.9';

let stage: Stage;
const clusterScoped: string[] = [];

beforeAll(async () => {
  stage = await Stage.open('rolling');
});

afterAll(async () => {
  await stage[Symbol.asyncDispose]();
  for (const name of clusterScoped) await kubectl(['delete', name, '--ignore-not-found', '--wait=false']);
});

async function clusterObject(object: { kind: string; metadata: { name: string } }): Promise<void> {
  clusterScoped.push(`${object.kind}/${object.metadata.name}`);
  await kubectl(['apply', '-f', '-'], JSON.stringify(object));
}

function web(name: string, version: string) {
  return deployment(name, {
    image: version === 'none' ? none : image(version),
    envFrom: [{ configMapRef: { name } }],
  });
}

describe('config that has become immutable (pulumi/pulumi-kubernetes#3181)', () => {
  test('comes back as it was, and the next deploy needs no hand', async () => {
    const [one, two] = [{ GREETING: 'one' }, { GREETING: 'two' }];
    await stage.given('sealed', [configMap('sealed', one), web('sealed', '1.0.0')]);
    const sealed = { ...configMap('sealed', two), immutable: true };
    const failed = await stage.deploy('sealed', [sealed, web('sealed', 'none')]);
    expect(failed.outputs['status']).toBe('undone');
    expect(await stage.read('configmap', 'sealed')).toMatchObject({ data: one });
    expect(at(await stage.read('configmap', 'sealed'), 'immutable')).toBeUndefined();
    expect(failed.summary).toContain('deleted and recreated');
    await stage.kubectl('delete', 'pod', '-l', 'app=sealed', '--wait=true');
    await stage.kubectl('rollout', 'status', 'deployment/sealed', '--timeout=60s');
    expect(await stage.answers('app=sealed', '/env?name=GREETING')).toEqual(['one']);

    const good = await stage.deploy('sealed', [sealed, web('sealed', '2.0.0')]);
    expect(good.outputs['status']).toBe('deployed');
    expect(good.log).not.toContain('killed');
  });
});

describe('a claim that has grown', () => {
  test('keeps its size, all else goes back, and later runs say so until the next version is live', async () => {
    const storage = `undo-${randomBytes(3).toString('hex')}`;
    await clusterObject({
      apiVersion: 'storage.k8s.io/v1',
      kind: 'StorageClass',
      metadata: { name: storage },
      provisioner: 'example.test/none',
      allowVolumeExpansion: true,
    } as never);
    await clusterObject({
      apiVersion: 'v1',
      kind: 'PersistentVolume',
      metadata: { name: storage },
      spec: {
        storageClassName: storage,
        capacity: { storage: '1Gi' },
        accessModes: ['ReadWriteOnce'],
        hostPath: { path: `/tmp/${storage}` },
      },
    } as never);
    const claim = (size: string, tier: string) => ({
      apiVersion: 'v1',
      kind: 'PersistentVolumeClaim',
      metadata: { name: 'grown', labels: { tier } },
      spec: {
        storageClassName: storage,
        accessModes: ['ReadWriteOnce'],
        resources: { requests: { storage: size } },
      },
    });
    const app = (version: string) => deployment('grown', { image: version === 'none' ? none : image(version) });
    await stage.given('grown', [claim('1Gi', 'old'), app('1.0.0')]);
    const failed = await stage.deploy('grown', [claim('2Gi', 'new'), app('none')]);
    expect(failed.outputs['status']).toBe('failed');
    expect(failed.summary).toContain('failed and was undone, except PersistentVolumeClaim');
    expect(await stage.read('pvc', 'grown')).toMatchObject({
      metadata: { labels: { tier: 'old' } },
      spec: { resources: { requests: { storage: '2Gi' } } },
    });
    expect(await stage.imageOf('grown')).toBe(image('1.0.0'));

    for (const [command, inputs] of [
      ['scale', { replicas: '2' }],
      ['restart', {}],
    ] as const) {
      const result = await stage.command('grown', command, inputs);
      expect([command, result.exit]).toEqual([command, 0]);
      expect(result.log).not.toContain('killed');
    }
    const next = await stage.deploy('grown', [claim('2Gi', 'new'), app('2.0.0')]);
    expect(next.outputs['status']).toBe('deployed');
    expect(next.log).toContain('"grown" in namespace');
    expect(next.log).toContain('stays as revision 2 left it (spec.resources.requests.storage)');
    expect((await stage.deploy('grown', [claim('2Gi', 'new'), app('3.0.0')])).log).not.toContain('stays as revision');
  });
});

describe('an object that a policy does not let go back', () => {
  test('is named with the policy’s words; the others go back, and the release goes on (helm/helm#11359)', async () => {
    const policy = `undo-${randomBytes(3).toString('hex')}`;
    await stage.given('refused', [configMap('refused', { GREETING: 'one' }), web('refused', '1.0.0')]);
    await clusterObject({
      apiVersion: 'admissionregistration.k8s.io/v1',
      kind: 'ValidatingAdmissionPolicy',
      metadata: { name: policy },
      spec: {
        matchConstraints: {
          resourceRules: [
            { apiGroups: [''], apiVersions: ['v1'], operations: ['UPDATE', 'CREATE'], resources: ['configmaps'] },
          ],
        },
        validations: [
          {
            expression: "object.metadata.name != 'refused' || object.data.GREETING != 'one'",
            message: 'one is not allowed any more',
          },
        ],
      },
    } as never);
    await clusterObject({
      apiVersion: 'admissionregistration.k8s.io/v1',
      kind: 'ValidatingAdmissionPolicyBinding',
      metadata: { name: policy },
      spec: {
        policyName: policy,
        validationActions: ['Deny'],
        matchResources: { namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': stage.namespace } } },
      },
    } as never);
    const failed = await stage.deploy('refused', [configMap('refused', { GREETING: 'two' }), web('refused', 'none')]);
    expect(failed.outputs['status']).toBe('failed');
    expect(failed.summary).toContain('was undone, except ConfigMap');
    expect(failed.summary).toContain('one is not allowed any more');
    expect(await stage.imageOf('refused')).toBe(image('1.0.0'));
    expect(await stage.read('configmap', 'refused')).toMatchObject({ data: { GREETING: 'two' } });
    const next = await stage.deploy('refused', [configMap('refused', { GREETING: 'three' }), web('refused', '2.0.0')]);
    expect(next.outputs['status']).toBe('deployed');
    expect(next.log).not.toContain('killed');
  });
});
