import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { createNamespace, deleteNamespace, kubectl } from '../../support/kubectl.ts';
import { grantAlso, limitedUser, rulesOfKinds, documentedRules } from '../../support/limited-user.ts';
import { configMap, deployment, service } from '../../support/objects.ts';
import { runStep, type StepResult } from '../../support/step.ts';
import { createWorkspace, removeWorkspace } from '../../support/workspace.ts';

let namespace: string;
/** Of a user who has the rules of docs/rights.md and those on the kinds of the manifests, in one namespace and nowhere else. */
let kubeconfig: string;

beforeAll(async () => {
  namespace = await createNamespace('rights');
  const { base, special } = documentedRules();
  kubeconfig = await limitedUser(namespace, 'deployer', [...base, ...special, ...rulesOfKinds()]);
});

afterAll(async () => {
  await deleteNamespace(namespace);
});

async function step(inputs: Record<string, string>, objects: readonly object[] = []): Promise<StepResult> {
  const workspace = createWorkspace({ 'app.yaml': objects });
  try {
    return await runStep({ kubeconfig, namespace, release: 'small', ...inputs }, { workspace });
  } finally {
    removeWorkspace(workspace);
  }
}

test('the rights of docs/rights.md are enough to deploy, undo, scale, roll back and look', async () => {
  const deploying = { manifests: '.', timeout: '60s' };
  const first = await step(deploying, [deployment('small'), service('small'), configMap('small', { a: '1' })]);
  expect(first.log).not.toMatch(/^::(error|warning)/m);
  expect(first.outputs['status']).toBe('deployed');
  const second = await step(deploying, [deployment('small', { env: { GREETING: 'x' } }), service('small')]);
  expect(second.outputs['status']).toBe('deployed');
  const broken = await step(deploying, [deployment('small', { image: 'registry.test/pulled/ctwoc:9.9.9' })]);
  expect(broken.outputs['status']).toBe('undone');
  expect(broken.outputs['failure']).toContain('not found');
  expect((await step({ command: 'scale', replicas: '2' })).outputs['status']).toBe('scaled');
  expect((await step({ command: 'rollback' })).outputs['status']).toBe('rolled-back');
  expect((await step({ command: 'status' })).outputs['status']).toBe('reported');
});

test('they are enough to roll back what somebody else has deployed, when it is named', async () => {
  await kubectl(['apply', '-n', namespace, '-f', '-'], JSON.stringify(deployment('foreign')));
  await kubectl(['rollout', 'status', 'deployment/foreign', '-n', namespace, '--timeout=60s']);
  await kubectl(['set', 'image', 'deployment/foreign', 'web=registry.test/pulled/ctwoc:9.9.9', '-n', namespace]);
  const back = await step({ command: 'rollback', release: 'foreign', workload: 'Deployment/foreign' });
  expect(back.outputs['status']).toBe('rolled-back');
  const told = await step({ command: 'status', release: 'nothing' });
  // There is no such release, and the rights are enough to say which there are.
  expect(told.exit).toBe(1);
  expect(told.outputs['failure']).toContain('Releases here: ');
});

test('a check through the API server without the right for it is refused before the first write, and the rule is named', async () => {
  const checked = { manifests: '.', timeout: '60s', release: 'checked', verify: '- path: /healthz\n  via: proxy' };
  const result = await step(checked, [deployment('checked'), service('checked')]);
  expect(result.outputs['status']).toBe('failed');
  const { message, manifest } = JSON.parse(result.outputs['failure'] ?? '') as Record<string, string>;
  expect(message).toContain('get services/proxy in namespace');
  expect(manifest).toContain('resources: [services/proxy]');
  expect(await kubectl(['get', 'deployment', 'checked', '-n', namespace, '--ignore-not-found'])).toBe('');
});

test('a right that is missing is named with the rule to add', async () => {
  const job = { restartPolicy: 'Never', containers: [{ name: 'x', image: 'registry.test/ctwoc:1.0.0' }] };
  const object = { apiVersion: 'batch/v1', kind: 'Job', metadata: { name: 'x' }, spec: { template: { spec: job } } };
  const result = await step({ manifests: '.' }, [object]);
  expect(result.exit).toBe(1);
  const { reason, message, manifest } = JSON.parse(result.outputs['failure'] ?? '') as Record<string, string>;
  expect(reason).toBe('MissingRights');
  expect(message).toContain('get, list, watch, create, update, patch, delete jobs.batch');
  expect(manifest).toContain('resources: [jobs]');
});

test('with the rules that the page adds they are enough for canary and blue-green', async () => {
  await grantAlso(namespace, 'deployer', documentedRules().strategies);
  const app = (version: string) => [deployment('sided', { image: `registry.test/ctwoc:${version}` }), service('sided')];
  const deploying = { manifests: '.', timeout: '60s', release: 'sided' };
  await step(deploying, app('1.0.0'));
  const canary = { ...deploying, strategy: 'canary', 'step-duration': '0s', 'auto-promote': 'false' };
  expect((await step(canary, app('2.0.0'))).outputs['status']).toBe('waiting');
  const promoted = await step({ command: 'promote', release: 'sided', timeout: '60s' });
  expect(promoted.outputs['status']).toBe('deployed');
  expect(promoted.log).not.toContain('without permission');
  const sided = { ...deploying, strategy: 'blue-green', 'keep-old-for': '0s' };
  expect((await step(sided, app('3.0.0'))).outputs['status']).toBe('deployed');
});
