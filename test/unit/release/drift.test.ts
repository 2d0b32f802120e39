import { describe, expect, test } from '@jest/globals';

import type { JsonObject } from '../../../src/base/json.ts';
import type { KubernetesObject, ManagedFieldsEntry } from '../../../src/kubernetes/object.ts';
import { driftOf, type DriftOptions } from '../../../src/release/drift.ts';
import { describeDrift } from '../../../src/release/drift-words.ts';
import { fields, objectOf, owner, updater } from './build.ts';

const deployedAt = '2026-01-01T00:00:00Z';
const changedAt = '2026-01-01T01:00:00Z';
const recordedAt = Date.parse(deployedAt);

const inContainer = (inner: JsonObject): JsonObject => ({
  'f:spec': { 'f:template': { 'f:spec': { 'f:containers': { 'k:{"name":"web"}': { '.': {}, ...inner } } } } },
});

function web(container: JsonObject, spec: JsonObject = {}, managedFields: ManagedFieldsEntry[] = []): KubernetesObject {
  const template = { spec: { containers: [{ name: 'web', image: 'a:1', ...container }] } };
  return objectOf(
    'apps/v1',
    'Deployment',
    { spec: { replicas: 2, template, ...spec } },
    { name: 'web', managedFields },
  );
}

const ours = (time = deployedAt) =>
  owner(
    { 'f:spec': { 'f:replicas': {}, ...(inContainer({ 'f:name': {}, 'f:image': {} })['f:spec'] as JsonObject) } },
    { time },
  );
const by = (manager: string, fieldsV1: JsonObject, more: Partial<ManagedFieldsEntry> = {}) =>
  updater(manager, fieldsV1, { time: changedAt, ...more });

function told(recorded: KubernetesObject, live: KubernetesObject, options: DriftOptions = { recordedAt }): string[] {
  return driftOf(recorded, live, options).map(describeDrift);
}

const withoutImage = owner(fields('spec', 'replicas'), { time: deployedAt });

describe('what is told of a live object against the recorded one', () => {
  test('nothing when it is as it was written, with the defaults of the server', () => {
    const live = web({ terminationMessagePath: '/dev/termination-log' }, { progressDeadlineSeconds: 600 }, [ours()]);
    expect(told(web({}), live)).toEqual([]);
  });

  test('the image that somebody has set, who, and since when', () => {
    const live = web({ image: 'a:2' }, {}, [withoutImage, by('kubectl-set', inContainer({ 'f:image': {} }))]);
    expect(told(web({}), live)).toEqual([
      `Deployment "web": image of container "web": a:1 → a:2 (kubectl-set, since ${changedAt})`,
    ]);
  });

  test('a variable that was added, changed, or taken away; what could be a secret without its value', () => {
    const live = web(
      {
        env: [
          { name: 'NEW', value: 'x' },
          { name: 'LEVEL', value: 'debug' },
          { name: 'DB_PASSWORD', value: 'hunter2' },
        ],
      },
      {},
      [
        ours(),
        by(
          'kubectl-set',
          inContainer({
            'f:env': {
              '.': {},
              'k:{"name":"NEW"}': { '.': {}, 'f:name': {}, 'f:value': {} },
              'k:{"name":"LEVEL"}': { 'f:value': {} },
              'k:{"name":"DB_PASSWORD"}': { '.': {}, 'f:name': {}, 'f:value': {} },
            },
          }),
        ),
      ],
    );
    const recorded = web({
      env: [
        { name: 'LEVEL', value: 'info' },
        { name: 'GONE', value: '1' },
      ],
    });
    expect(told(recorded, live)).toEqual([
      `Deployment "web": env LEVEL of container "web": info → debug (kubectl-set, since ${changedAt})`,
      'Deployment "web": env GONE of container "web": 1 → (none)',
      `Deployment "web": env NEW of container "web": (none) → x (kubectl-set, since ${changedAt})`,
      `Deployment "web": env DB_PASSWORD of container "web": changed (kubectl-set, since ${changedAt})`,
    ]);
  });

  test('the number of pods, whoever set it, unless an autoscaler does', () => {
    const scale = by('kubectl', fields('spec', 'replicas'), { subresource: 'scale' });
    const live = web({}, { replicas: 0 }, [owner(inContainer({ 'f:image': {} }), { time: deployedAt }), scale]);
    expect(told(web({}), live)).toEqual([`Deployment "web": replicas: 2 → 0 (kubectl, since ${changedAt})`]);
    expect(told(web({}), live, { recordedAt, autoscaled: true })).toEqual([]);
  });

  test('what a later run of this action has written, unless it is at work', () => {
    const live = web({ image: 'a:2' }, { replicas: 5 }, [ours(changedAt)]);
    expect(told(web({}), live)).toEqual([
      `Deployment "web": replicas: 2 → 5 (gke-rollout, since ${changedAt})`,
      `Deployment "web": image of container "web": a:1 → a:2 (gke-rollout, since ${changedAt})`,
    ]);
    expect(told(web({}), live, { recordedAt, inProgress: true })).toEqual([]);
  });

  test('no amount or number that the server spells in another way, also when nobody owns anything', () => {
    const recorded = web({ resources: { limits: { cpu: '0.5', memory: '1024Mi' } } }, { minReadySeconds: '5' });
    const live = web({ resources: { limits: { cpu: '500m', memory: '1Gi' } } }, { minReadySeconds: 5 });
    expect(told(recorded, live)).toEqual([]);
    const less = web({ resources: { limits: { cpu: '250m', memory: '1Gi' } } }, { minReadySeconds: 5 });
    expect(told(recorded, less)).toEqual(['Deployment "web": resources.limits.cpu of container "web": 0.5 → 250m']);
  });

  test('neither a restart, nor marks of this action, nor the work of the cluster', () => {
    const annotations = { 'kubectl.kubernetes.io/restartedAt': changedAt, 'gke-rollout/config': 'x' };
    const live = web({}, {}, [ours(), by('kubectl-rollout', fields('spec', 'template', 'metadata', 'annotations'))]);
    Object.assign((live['spec'] as JsonObject)['template'] as JsonObject, { metadata: { annotations } });
    expect(told(web({}), live)).toEqual([]);
    const claim = objectOf(
      'v1',
      'Service',
      { spec: { clusterIP: '10.0.0.1', externalName: 'x' } },
      {
        managedFields: [by('kube-controller-manager', fields('spec', 'externalName'))],
      },
    );
    expect(told(objectOf('v1', 'Service', { spec: {} }), claim)).toEqual([]);
  });

  test('the keys of a Secret, never their values', () => {
    const secret = (data: JsonObject) => objectOf('v1', 'Secret', { data });
    const recorded = objectOf('v1', 'Secret', { stringData: { same: 'hello', other: 'one' } });
    const live = secret({
      same: Buffer.from('hello').toString('base64'),
      other: Buffer.from('two').toString('base64'),
    });
    expect(told(recorded, live)).toEqual(['Secret "a": key "other": changed']);
  });

  test('no secret that is part of a whole or of a longer text', () => {
    const database = (spec: JsonObject) => objectOf('example.com/v1', 'Database', { spec });
    expect(told(database({ login: { user: 'admin', password: 'hunter2' } }), database({}))).toEqual([
      'Database "a": spec.login: changed',
    ]);
    const config = (text: string) => objectOf('v1', 'ConfigMap', { data: { 'app.conf': text } });
    expect(told(config('level: info\npassword: hunter2\n'), config('level: debug\npassword: hunter2\n'))).toEqual([
      'ConfigMap "a": key "app.conf": changed',
    ]);
  });

  test('the image of a container that is called like a secret, and the name of a Secret', () => {
    const live = web({ name: 'auth-token', image: 'a:2' });
    expect(told(web({ name: 'auth-token' }), live)).toEqual([
      'Deployment "web": image of container "auth-token": a:1 → a:2',
    ]);
    const ingress = (secretName: string) =>
      objectOf('networking.k8s.io/v1', 'Ingress', { spec: { tls: [{ name: 'a', secretName }] } });
    expect(told(ingress('old'), ingress('new'))).toEqual(['Ingress "a": spec.tls.a.secretName: old → new']);
  });

  test('what is no amount, although amounts stand around it', () => {
    const stored = (name: string) =>
      objectOf('example.com/v1', 'Database', { spec: { storage: { storageClassName: name, size: '1Gi' } } });
    expect(told(stored('fast'), stored('slow'))).toEqual(['Database "a": spec.storage.storageClassName: fast → slow']);
  });

  test('a Service that leads elsewhere, on another port', () => {
    const service = (app: string, port: number, managedFields: ManagedFieldsEntry[] = []) =>
      objectOf(
        'v1',
        'Service',
        { spec: { selector: { app }, ports: [{ port, targetPort: 80, protocol: 'TCP' }] } },
        { managedFields },
      );
    const edit = by('kubectl-edit', {
      'f:spec': { 'f:selector': {}, 'f:ports': { 'k:{"port":81,"protocol":"TCP"}': { '.': {} } } },
    });
    expect(told(service('web', 80), service('other', 81, [edit]))).toEqual([
      `Service "a": spec.selector.app: web → other (kubectl-edit, since ${changedAt})`,
      'Service "a": spec.ports.80/TCP: {"port":80,"targetPort":80,"protocol":"TCP"} → (none)',
      `Service "a": spec.ports.81/TCP: (none) → {"port":81,"targetPort":80,"protocol":"TCP"} (kubectl-edit, since ${changedAt})`,
    ]);
  });

  test('nothing of what a strategy calls otherwise', () => {
    const recorded = web(
      { envFrom: [{ configMapRef: { name: 'config' } }] },
      { selector: { matchLabels: { app: 'web' } } },
    );
    const live = web(
      { envFrom: [{ configMapRef: { name: 'config-green' } }] },
      { selector: { matchLabels: { 'gke-rollout/track': 'green' } } },
    );
    expect(told(recorded, live, { recordedAt, suffix: '-green' })).toEqual([]);
  });
});
