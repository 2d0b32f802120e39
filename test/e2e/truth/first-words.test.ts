import { readFileSync } from 'node:fs';

import { afterAll, beforeAll, expect, test } from '@jest/globals';

import { createNamespace, deleteNamespace, kubectl, testKubeconfig } from '../../support/kubectl.ts';
import { deployment, service } from '../../support/objects.ts';
import { runStep, type StepResult } from '../../support/step.ts';
import { createWorkspace, removeWorkspace } from '../../support/workspace.ts';

let namespace: string;

beforeAll(async () => {
  namespace = await createNamespace('first-words');
});

afterAll(async () => {
  await deleteNamespace(namespace);
});

const headingOf = ({ summary }: StepResult) => summary.split('\n')[0] ?? '';

test.concurrent.each([
  [{ command: 'status', release: 'No_Name' }, 'Status failed'],
  [{ command: 'promote', timeout: 'soon' }, 'Promotion failed'],
  [{ command: 'scale' }, 'Scaling failed'],
  [{ command: 'rollback', manifests: '.' }, 'Rollback failed'],
  [{ release: 'No_Name' }, 'Deploy failed'],
  [{ command: 'launch' }, 'Run failed'],
])('the heading names the command that was asked for, also where inputs are wrong: %j', async (inputs, heading) => {
  const result = await runStep({ kubeconfig: testKubeconfig(), namespace, ...inputs });
  expect(result.exit).toBe(1);
  expect(headingOf(result)).toBe(`### ❌ ${heading}`);
  expect(result.log).toContain(heading);
});

test('a kubeconfig in base64 is read and masked; the namespace that counts is said; a path can follow the address', async () => {
  const workspace = createWorkspace({ 'app.yaml': [deployment('web'), service('web', { type: 'LoadBalancer' })] });
  const text = readFileSync(testKubeconfig(), 'utf8');
  const encoded = Buffer.from(text).toString('base64');
  const keys = [...text.matchAll(/client-key-data"?: *"?([\w+/=]+)/g)].map(([, key = '']) => key);
  try {
    const inputs = { kubeconfig: encoded, namespace, release: 'web', manifests: '.', timeout: '60s' };
    const result = await runStep(inputs, { workspace });
    expect({ exit: result.exit, log: result.exit === 0 ? '' : result.log }).toEqual({ exit: 0, log: '' });
    for (const secret of [encoded, ...keys]) expect(result.log).toContain(`::add-mask::${secret}`);
    expect(result.log).toMatch(new RegExp(`^cluster .*, namespace "${namespace}"$`, 'm'));
    const ip = await kubectl([
      'get',
      'service/web',
      '-n',
      namespace,
      '-o',
      'jsonpath={.status.loadBalancer.ingress[0].ip}',
    ]);
    expect(result.outputs['url']).toBe(`http://${ip}`);
    expect(result.summary).toContain(`<http://${ip}>`);
    const answer = await fetch(`${result.outputs['url'] ?? ''}/version`, { redirect: 'error' });
    expect(answer.status).toBe(200);
  } finally {
    removeWorkspace(workspace);
  }
});
