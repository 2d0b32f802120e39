import { randomBytes } from 'node:crypto';

import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';

import { isObject } from '../../../src/base/json.ts';
import { createNamespace, deleteNamespace, kubectl, kubectlJson } from '../../support/kubectl.ts';
import { configMap, deployment } from '../../support/objects.ts';
import { recordData, valueIn } from '../../support/stored-record.ts';
import { Stage } from '../../support/strategy-stage.ts';

/**
 * Somebody who may write Secrets in the namespace of a release, and nothing else, writes into its records what the next run would
 * do for him: the run may do anything here.
 */

let stage: Stage;
let elsewhere: string;
const suffix = randomBytes(3).toString('hex');
const evil = `planted-${suffix}`;
const rbac = 'rbac.authorization.k8s.io';
const group = `${rbac}/v1`;

beforeAll(async () => {
  stage = await Stage.open('rolling');
  elsewhere = await createNamespace('planted');
});

afterAll(async () => {
  await kubectl(['delete', 'clusterrolebinding,clusterrole', evil, `own-${suffix}`, '--ignore-not-found']);
  await deleteNamespace(elsewhere);
  await stage[Symbol.asyncDispose]();
});

const binding = {
  apiVersion: group,
  kind: 'ClusterRoleBinding',
  metadata: { name: evil },
  roleRef: { apiGroup: rbac, kind: 'ClusterRole', name: 'cluster-admin' },
  subjects: [{ apiGroup: rbac, kind: 'User', name: 'mallory' }],
};
const inside = () => ({ ...binding, kind: 'RoleBinding', metadata: { name: evil, namespace: stage.namespace } });
const outside = (value: string) => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name: evil, namespace: elsewhere },
  data: { value },
});

const refOf = ({ apiVersion, kind, metadata }: { apiVersion: string; kind: string; metadata: object }) => ({
  apiVersion,
  kind,
  ...metadata,
});

function journalOf(release: string, entries: readonly object[], more: object = {}): object {
  return {
    release,
    command: 'deploy',
    run: { holder: 'a run that has died' },
    startedAt: '2026-01-01T00:00:00.000Z',
    undoOnFailure: true,
    entries,
    ...more,
  };
}

async function plant(release: string, journal: object): Promise<void> {
  const labels = {
    'app.kubernetes.io/managed-by': 'gke-rollout',
    'gke-rollout/release': release,
    'gke-rollout/record': 'journal',
  };
  const metadata = { name: `gke-rollout.${release}.journal`, labels };
  const data = recordData(journal);
  await stage.applyAs('mallory', [{ apiVersion: 'v1', kind: 'Secret', metadata, type: 'gke-rollout/record', data }]);
}

/** Puts objects into a revision beside those that it has. */
async function tamper(secret: string, objects: readonly object[], more: object = {}): Promise<void> {
  const value = valueIn(await stage.read('secret', secret));
  const own = isObject(value) && Array.isArray(value['objects']) ? value['objects'] : [];
  if (!isObject(value)) throw new Error(`${secret} holds no revision`);
  await stage.patch('secret', secret, { data: recordData({ ...value, ...more, objects: [...own, ...objects] }) });
}

/** What there is of what was planted. */
async function harm(): Promise<string> {
  const roles = await kubectl(['get', 'clusterrolebindings', evil, '--ignore-not-found', '-o', 'name']);
  const inNamespace = await stage.kubectl('get', 'rolebindings', evil, '--ignore-not-found', '-o', 'name');
  const maps = await kubectl([
    '-n',
    elsewhere,
    'get',
    'configmaps',
    evil,
    '--ignore-not-found',
    '-o',
    'jsonpath={.data}',
  ]);
  return [roles, inNamespace, maps].map((text) => text.trim()).join('|');
}

describe('a journal that was planted', () => {
  test('brings no rights and nothing of another namespace into being, and the deploy goes on', async () => {
    const entries = [binding, inside(), outside('planted')].map((object) => ({
      ref: refOf(object),
      before: object,
      after: null,
      done: false,
    }));
    await plant('made', journalOf('made', entries));
    const result = await stage.deploy('made', [configMap('made', { value: '1' })]);
    expect(await harm()).toBe('||');
    expect(result.log).toContain(
      `ClusterRoleBinding "${evil}": stays as it is: ClusterRoleBinding "${evil}" is outside of namespace "${stage.namespace}"`,
    );
    expect(result.log).toContain(`RoleBinding "${evil}" in namespace "${stage.namespace}" grants rights`);
    expect(result.outputs).toMatchObject({ status: 'deployed' });
    expect(await stage.exists('secret', 'gke-rollout.made.journal')).toBe(false);
  });

  test('changes and deletes nothing of another namespace', async () => {
    await kubectl(['-n', elsewhere, 'apply', '-f', '-'], JSON.stringify(outside('theirs')));
    const live = await kubectlJson(['-n', elsewhere, 'get', 'configmap', evil]);
    const ref = refOf(outside(''));
    await plant(
      'changed',
      journalOf('changed', [
        { ref, before: { ...live, data: { value: 'planted' } }, after: live, done: true },
        { ref, before: null, after: live, done: true, step: 1 },
      ]),
    );
    await stage.deploy('changed', [configMap('changed', { value: '1' })]);
    expect(await harm()).toBe('||{"value":"theirs"}');

    const temporary = journalOf('changed', [], { revision: 1, temporary: [ref] });
    await plant('changed', temporary);
    await stage.deploy('changed', [configMap('changed', { value: '2' })]);
    expect(await harm()).toBe('||{"value":"theirs"}');
    await kubectl(['-n', elsewhere, 'delete', 'configmap', evil]);
  });

  test('and that a run finds which has the same object in its files, does not get it in before', async () => {
    const own = { ...binding, metadata: { name: `own-${suffix}` } };
    await plant('files', journalOf('files', [{ ref: refOf(own), before: own, after: null, done: false }]));
    const meant = { ...own, subjects: [{ apiGroup: rbac, kind: 'User', name: 'friend' }] };
    const result = await stage.deploy('files', [meant, configMap('files', { value: '1' })]);
    expect(result.log).toContain(`ClusterRoleBinding "own-${suffix}": stays as it is`);
    expect(result.exit).toBe(0);
    const made = await kubectlJson(['get', 'clusterrolebinding', `own-${suffix}`]);
    expect(made['subjects']).toEqual(meant.subjects);
  });
});

describe('a revision that was tampered with', () => {
  test('brings back what the release has, and nothing beside it', async () => {
    await stage.given('back', [configMap('back', { value: '1' })]);
    await stage.given('back', [configMap('back', { value: '2' })]);
    await tamper('gke-rollout.back.v1', [binding, inside(), outside('planted')]);
    const result = await stage.command('back', 'rollback', { 'to-revision': '1' });
    expect(await harm()).toBe('||');
    expect((await stage.read('configmap', 'back'))['data']).toEqual({ value: '1' });
    expect(result.log).toMatch(/is left as it is: .*only a record says that it belongs to release "back"/);
  });

  test('deletes nothing elsewhere that it says was once there', async () => {
    await stage.given('prune', [configMap('prune', { value: '1' })]);
    await stage.given('prune', [configMap('prune', { value: '2' })]);
    await kubectl(['-n', elsewhere, 'apply', '-f', '-'], JSON.stringify(outside('theirs')));
    await tamper('gke-rollout.prune.v2', [outside('theirs')]);
    await stage.command('prune', 'rollback', { 'to-revision': '1', prune: 'true' });
    expect(await harm()).toBe('||{"value":"theirs"}');
    await kubectl(['-n', elsewhere, 'delete', 'configmap', evil]);
  });
});

test("workloads elsewhere are neither restarted nor scaled because a revision says that they are the release's", async () => {
  // No node has this label: nothing of it runs.
  const theirs = deployment(evil, { pod: { nodeSelector: { nothing: 'has-this' } } });
  const outsideDeployment = { ...theirs, metadata: { name: evil, namespace: elsewhere } };
  await kubectl(['-n', elsewhere, 'apply', '-f', '-'], JSON.stringify(outsideDeployment));
  const specOf = async () => (await kubectlJson(['-n', elsewhere, 'get', 'deployment', evil]))['spec'];
  const before = await specOf();

  // A run that changes nothing takes down what its revision says is to retire.
  await stage.given('retired', [configMap('retired', {})]);
  const retiring = { refs: [refOf(outsideDeployment)], until: '2026-01-01T00:00:00.000Z' };
  await tamper('gke-rollout.retired.v1', [], { retiring });
  const unchanged = await stage.deploy('retired', [configMap('retired', {})]);
  expect(unchanged.log).toContain(`the old side (${evil}) still runs`);
  expect(await specOf()).toEqual(before);

  await stage.given('scaled', [deployment('scaled')]);
  await tamper('gke-rollout.scaled.v1', [outsideDeployment]);

  const restarted = await stage.command('scaled', 'restart', { timeout: '30s' });
  expect(restarted.exit).toBe(1);
  expect(restarted.log).toContain(`Deployment "${evil}" in namespace "${elsewhere}" is outside of namespace`);
  expect(await specOf()).toEqual(before);
});

test('a role of the release and what it has in another namespace go back with it, by rollback and by undo', async () => {
  const role = (verb: string): object => ({
    apiVersion: group,
    kind: 'ClusterRole',
    metadata: { name: evil },
    rules: [{ apiGroups: [''], resources: ['configmaps'], verbs: [verb] }],
  });
  const version = (value: string, verb: string) => [
    role(verb),
    { ...outside(value), metadata: { name: `own-${suffix}`, namespace: elsewhere } },
    configMap('whole', { value }),
  ];
  await stage.given('whole', version('1', 'get'));
  await stage.given('whole', version('2', 'list'));
  const back = await stage.command('whole', 'rollback');
  expect(back.log).not.toContain('is left as it is');
  const verbs = async () => {
    const { rules } = (await kubectlJson(['get', 'clusterrole', evil])) as unknown as { rules: { verbs: string[] }[] };
    return rules.flatMap((rule) => rule.verbs);
  };
  const value = async () => (await kubectlJson(['-n', elsewhere, 'get', 'configmap', `own-${suffix}`]))['data'];
  expect([await verbs(), await value()]).toEqual([['get'], { value: '1' }]);

  const bad = {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'whole' },
    spec: { containers: [{ name: 'a', image: 'registry.test/pulled/ctwoc:9.9.9' }] },
  };
  const failed = await stage.deploy('whole', [...version('3', 'watch'), bad], { timeout: '20s' });
  expect(failed.outputs['status']).toBe('undone');
  expect([await verbs(), await value()]).toEqual([['get'], { value: '1' }]);
});
