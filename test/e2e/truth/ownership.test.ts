import { afterAll, beforeAll, expect, test } from '@jest/globals';

import { numberAt } from '../../../src/base/json.ts';
import { kubectl } from '../../support/kubectl.ts';
import { configMap, deployment, service } from '../../support/objects.ts';
import { Stage } from '../../support/strategy-stage.ts';
import type { StepResult } from '../../support/step.ts';

let stage: Stage;

beforeAll(async () => {
  stage = await Stage.open('canary');
});

afterAll(async () => {
  await stage[Symbol.asyncDispose]();
});

const rolling = { strategy: 'rolling' };

async function deploy(
  release: string,
  objects: readonly object[],
  inputs: Record<string, string> = {},
): Promise<StepResult> {
  // The stage's own step-duration belongs to canaries.
  return await stage.run(release, { ...rolling, 'step-duration': '1m', ...inputs }, { 'app.yaml': objects });
}

async function given(release: string, objects: readonly object[], inputs: Record<string, string> = {}): Promise<void> {
  const result = await deploy(release, objects, inputs);
  if (result.exit !== 0) throw new Error(result.log);
}

async function valueOf(name: string): Promise<unknown> {
  return (await stage.read('configmap', name))['data'];
}

async function markOf(kind: string, name: string): Promise<string | undefined> {
  return (await stage.read(kind, name)).metadata.annotations?.['gke-rollout/release'];
}

function broken(name: string): object {
  return deployment(name, { image: 'registry.test/pulled/ctwoc:9.9.9' });
}

test('an object of another release is an error that names it, before anything is written; an input takes it', async () => {
  await given('one', [configMap('shared', { of: 'one' })]);
  const refused = await deploy('two', [configMap('shared', { of: 'two' }), configMap('two', { a: '1' })]);
  expect(refused.exit).toBe(1);
  expect(refused.outputs['failure']).toMatch(/ConfigMap \\"shared\\" .* belongs to release \\"one\\" \(revision 1 of /);
  expect(refused.outputs['failure']).toContain('take-from-release: one');
  expect(await valueOf('shared')).toEqual({ of: 'one' });
  expect(await stage.exists('configmap', 'two')).toBe(false);
  const taking = { 'take-from-release': 'one' };
  await given('two', [configMap('shared', { of: 'two' }), configMap('two', { a: '1' })], taking);
  expect(await valueOf('shared')).toEqual({ of: 'two' });
  const back = await deploy('one', [configMap('shared', { of: 'one' })]);
  expect(back.outputs['failure']).toContain('belongs to release \\"two\\"');
});

test('what has lost its mark is known by the records of its release', async () => {
  await given('recorded', [configMap('recorded', { of: 'recorded' })]);
  await stage.kubectl('annotate', 'configmap', 'recorded', 'gke-rollout/release-');
  const refused = await deploy('stranger', [configMap('recorded', { of: 'stranger' })]);
  expect(refused.outputs['failure']).toContain('belongs to release \\"recorded\\"');
});

test('an object stays that of its release when the records are gone', async () => {
  await given('forgotten', [configMap('forgotten', { of: 'forgotten' })]);
  await stage.kubectl('delete', 'secret', '-l', 'gke-rollout/release=forgotten');
  const refused = await deploy('stranger', [configMap('forgotten', { of: 'stranger' })]);
  expect(refused.outputs['failure']).toContain('belongs to release \\"forgotten\\"');
  await given('forgotten', [configMap('forgotten', { of: 'again' })]);
  expect(await valueOf('forgotten')).toEqual({ of: 'again' });
});

test('objects without a mark are not written again for it, and no pod is made anew', async () => {
  const objects = [deployment('plain'), configMap('plain', { a: '1' })];
  await given('plain', objects);
  const kinds = ['deployment', 'configmap'];
  for (const kind of kinds) await stage.kubectl('annotate', kind, 'plain', 'gke-rollout/release-');
  const versions = async () =>
    await Promise.all(kinds.map(async (kind) => (await stage.read(kind, 'plain')).metadata.resourceVersion));
  const before = await versions();
  const again = await deploy('plain', objects);
  expect(again.outputs['status']).toBe('unchanged');
  expect(await versions()).toEqual(before);
  const [pod] = await stage.pods('app=plain');
  await given('plain', [deployment('plain', { spec: { revisionHistoryLimit: 3 } }), configMap('plain', { a: '1' })]);
  expect(await markOf('deployment', 'plain')).toBe(`${stage.namespace}/plain`);
  expect((await stage.pods('app=plain')).map(({ metadata }) => metadata.uid)).toEqual([pod?.metadata.uid]);
});

test('an undo puts the mark back as it was', async () => {
  await given('undoing', [configMap('undoing', { a: '1' })]);
  await stage.kubectl('annotate', 'configmap', 'undoing', 'gke-rollout/release-');
  const before = await stage.read('configmap', 'undoing');
  const failed = await deploy('undoing', [configMap('undoing', { a: '2' }), broken('undoing')], { timeout: '10s' });
  expect(failed.outputs['status']).toBe('undone');
  expect((await stage.read('configmap', 'undoing')).metadata.annotations).toEqual(before.metadata.annotations);
  expect(await valueOf('undoing')).toEqual({ a: '1' });
});

test('a failed taking over gives the object back to the release that had it', async () => {
  await given('giver', [configMap('given', { of: 'giver' })]);
  const inputs = { 'take-from-release': 'giver', timeout: '10s' };
  const failed = await deploy('taker', [configMap('given', { of: 'taker' }), broken('taker')], inputs);
  expect(failed.outputs['status']).toBe('undone');
  expect(await valueOf('given')).toEqual({ of: 'giver' });
  expect(await markOf('configmap', 'given')).toBe(`${stage.namespace}/giver`);
});

test('a rollback with prune leaves what another release has taken since, and says so', async () => {
  await given('first', [configMap('kept', { a: '1' })]);
  await given('first', [configMap('kept', { a: '2' }), configMap('moved', { of: 'first' })]);
  await given('second', [configMap('moved', { of: 'second' })], { 'take-from-release': 'first' });
  const back = await stage.command('first', 'rollback', { prune: 'true' });
  expect(back.outputs['status']).toBe('rolled-back');
  expect(back.log).toMatch(/::warning.*ConfigMap "moved" .* is left: release "second"/);
  expect(await valueOf('moved')).toEqual({ of: 'second' });
  expect(await valueOf('kept')).toEqual({ a: '1' });
});

test('a rollback to a revision that has it brings back the rest, and leaves the one with its new release', async () => {
  await given('third', [configMap('rest', { a: '1' }), configMap('gone', { of: 'third' })]);
  await given('third', [configMap('rest', { a: '2' })]);
  await given('fourth', [configMap('gone', { of: 'fourth' })], { 'take-from-release': 'third' });
  const back = await stage.command('third', 'rollback');
  expect(back.outputs['status']).toBe('rolled-back');
  expect(back.log).toMatch(/::warning.*ConfigMap "gone" .* is left as it is: it belongs to release "fourth"/);
  expect(await valueOf('gone')).toEqual({ of: 'fourth' });
  expect(await valueOf('rest')).toEqual({ a: '1' });
});

test('an abort leaves what another release has taken since the candidate came, and reports it (carvel-dev/kapp#398)', async () => {
  const app = (image: string) => [deployment('cand', { image: `registry.test/ctwoc:${image}` }), service('cand')];
  await given('cand', app('1.0.0'));
  const canary = { strategy: 'canary', 'step-duration': '0s', 'auto-promote': 'false' };
  const waiting = await deploy('cand', [...app('2.0.0'), configMap('beside', { of: 'cand' })], canary);
  expect(waiting.outputs['status']).toBe('waiting');
  await given('other', [configMap('beside', { of: 'other' })], { 'take-from-release': 'cand' });
  const aborted = await stage.command('cand', 'abort');
  expect(aborted.log).toContain('has since taken it over');
  expect(aborted.outputs['status']).not.toBe('aborted');
  expect(await valueOf('beside')).toEqual({ of: 'other' });
  expect(await stage.exists('deployment', 'cand-canary')).toBe(false);
  await given('cand', app('3.0.0'));
});

test('commands on a workload that another release has taken name that release', async () => {
  await given('sold', [deployment('sold')]);
  await given('bought', [deployment('sold')], { 'take-from-release': 'sold' });
  for (const [command, inputs] of [
    ['scale', { replicas: '3' }],
    ['restart', {}],
    ['pause', { timeout: '10m' }],
  ] as const) {
    const refused = await stage.command('sold', command, inputs);
    expect(refused.exit).toBe(1);
    expect(refused.outputs['failure']).toContain('belongs to release \\"bought\\"');
  }
  expect(numberAt(await stage.read('deployment', 'sold'), 'spec', 'replicas')).toBe(1);
});

test('a renamed release is told how to adopt its history, and with it rolls back to what the old name had', async () => {
  const objects = (value: string) => [deployment('app'), configMap('app', { value }), service('app')];
  await given('old-name', objects('1'));
  await given('old-name', objects('2'));
  const [pod] = await stage.pods('app=app');
  const refused = await deploy('new-name', objects('2'));
  expect(refused.outputs['failure']).toContain('all of the 3 objects to deploy belong to release \\"old-name\\"');
  expect(refused.outputs['failure']).toContain('adopt-release: old-name');
  await given('new-name', objects('3'), { 'adopt-release': 'old-name' });
  expect((await stage.pods('app=app')).map(({ metadata }) => metadata.uid)).toEqual([pod?.metadata.uid]);
  expect(await stage.kubectl('get', 'secrets', '-l', 'gke-rollout/release=old-name', '-o', 'name')).toBe('');
  await given('new-name', objects('3'), { 'adopt-release': 'old-name' });
  const back = await stage.command('new-name', 'rollback', { 'to-revision': '1' });
  expect(back.outputs['status']).toBe('rolled-back');
  expect(await valueOf('app')).toEqual({ value: '1' });
  const old = await deploy('old-name', objects('2'));
  expect(old.outputs['failure']).toContain('belong to release \\"new-name\\"');
});

test('a Namespace and a definition of a kind may be in several releases', async () => {
  const space = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: stage.namespace, labels: { team: 'shop' } } };
  await given('left', [space, configMap('left', { a: '1' })]);
  await given('right', [space, configMap('right', { a: '1' })]);
  const live = await kubectl(['get', 'namespace', stage.namespace, '-o', 'jsonpath={.metadata.annotations}']);
  expect(live).not.toContain('gke-rollout/release');
});
