import { afterAll, beforeAll, expect, test } from '@jest/globals';

import { createNamespace, deleteNamespace, kubectlJson, testKubeconfig } from '../../support/kubectl.ts';
import { deployment } from '../../support/objects.ts';
import { runStep, type StepResult } from '../../support/step.ts';
import { createWorkspace, removeWorkspace } from '../../support/workspace.ts';
import { Devices } from './devices.ts';

let namespace: string;
let devices: Devices;
/** A device that one node has once, as the kubelet would tell of a GPU; and one that it has twice. */
let device: string;
let pair: string;

beforeAll(async () => {
  namespace = await createNamespace('gpu');
  device = `${namespace}.test/gpu`;
  pair = `${namespace}.test/pair`;
  devices = await Devices.create({ [device]: 1, [pair]: 2 });
}, 90_000);

afterAll(async () => {
  await deleteNamespace(namespace);
  await devices[Symbol.asyncDispose]();
});

/** A model that needs the device, in this version. */
async function deploy(
  version: string,
  { spec = {}, inputs = {} }: { spec?: object; inputs?: Record<string, string> } = {},
): Promise<StepResult> {
  const resources = { limits: { [device]: '1' } };
  return await run('model', deployment('model', { env: { GREETING: version }, resources, spec }), inputs);
}

async function run(release: string, object: object, inputs: Record<string, string> = {}): Promise<StepResult> {
  const workspace = createWorkspace({ 'app.yaml': [object] });
  const common = { kubeconfig: testKubeconfig(), namespace, release, manifests: '.', timeout: '60s' };
  try {
    return await runStep({ ...common, 'unschedulable-grace': '3s', ...inputs }, { workspace });
  } finally {
    removeWorkspace(workspace);
  }
}

function failureOf(result: StepResult): { message: string; hint: string } {
  return JSON.parse(result.outputs['failure'] ?? '{}') as { message: string; hint: string };
}

test('a rolling update in a full pool is refused before the first write and says what helps, which does (LLMKube#192)', async () => {
  expect((await deploy('one')).outputs['status']).toBe('deployed');
  const before = await kubectlJson(['get', 'deployments', '-n', namespace, '-l', 'app=model']);

  for (const inputs of [{ command: 'plan' }, {}]) {
    const refused = await deploy('two', { inputs });
    expect(refused.outputs['status']).toBe('failed');
    const { message, hint } = failureOf(refused);
    expect(message).toMatch(
      new RegExp(
        `^rolling update of Deployment "model" needs 1 more pod with 1 ${device} each, but there is no capacity: `,
      ),
    );
    expect(hint).toMatch(
      /^Set "on-low-capacity: in-place" to replace pods one at a time in this run, or set "maxSurge: 0" and "maxUnavailable: 1" /,
    );
    expect(hint).toContain('With 1 replica, nothing serves from then on until the new pod is ready.');
  }
  expect(await kubectlJson(['get', 'deployments', '-n', namespace, '-l', 'app=model'])).toEqual(before);

  const rollingUpdate = { maxSurge: 0, maxUnavailable: 1 };
  const inPlace = await deploy('two', { spec: { strategy: { type: 'RollingUpdate', rollingUpdate } } });
  expect(inPlace.outputs['status']).toBe('deployed');
});

test('one that is tried anyway ends after unschedulable-grace, says the same, and is undone', async () => {
  const began = Date.now();
  const stuck = await deploy('three', { inputs: { 'on-low-capacity': 'warn' } });
  expect(stuck.log).toContain(`rolling update of Deployment "model" needs 1 more pod with 1 ${device} each`);
  expect(stuck.outputs['status']).toBe('undone');
  const failure = failureOf(stuck);
  expect(failure.message).toMatch(new RegExp(`^Deployment "model": pod cannot be scheduled: .*not enough ${device}`));
  expect(failure.hint).toContain('set "maxSurge: 0" and "maxUnavailable: 1"');
  expect(Date.now() - began).toBeLessThan(45_000);
});

test('a GPU that no node has is not told to take the serving pod away for it', async () => {
  const plain = deployment('plain');
  expect((await run('plain', plain)).outputs['status']).toBe('deployed');
  const greedy = deployment('plain', { resources: { limits: { [`${namespace}.test/none`]: '1' } } });
  const { message, hint } = failureOf(await run('plain', greedy));
  expect(message).toContain(`not enough ${namespace}.test/none`);
  expect(hint).toMatch(/^No eligible node has that much /);
  const { hint: beforehand } = failureOf(await run('plain', greedy, { strategy: 'canary' }));
  expect(beforehand).toMatch(/^None of these nodes has that much .*, even when empty/);
});

test('a canary with a constant total in a full pool covers its promotion: it is refused before the first write, or comes through', async () => {
  const model = (version: string, spec: object = {}) => {
    const resources = { limits: { [pair]: '1' } };
    return deployment('pair', { replicas: 2, env: { GREETING: version }, resources, spec });
  };
  expect((await run('pair', model('one'))).outputs['status']).toBe('deployed');
  const before = await kubectlJson(['get', 'deployments', '-n', namespace, '-l', 'app=pair']);

  const canary = { strategy: 'canary', 'canary-steps': '50', 'step-duration': '1s', 'constant-total': 'true' };
  const refused = await run('pair', model('two'), canary);
  expect(refused.outputs['status']).toBe('failed');
  expect(failureOf(refused).message).toMatch(/^promotion of Deployment "pair" needs 1 more pod with 1 /);
  expect(failureOf(refused).hint).toContain('set "maxSurge: 0" and "maxUnavailable: 1"');
  expect(await kubectlJson(['get', 'deployments', '-n', namespace, '-l', 'app=pair'])).toEqual(before);

  const rollingUpdate = { maxSurge: 0, maxUnavailable: 1 };
  const promoted = await run('pair', model('two', { strategy: { type: 'RollingUpdate', rollingUpdate } }), canary);
  expect({ status: promoted.outputs['status'], log: promoted.exit === 0 ? '' : promoted.log }).toEqual({
    status: 'deployed',
    log: '',
  });
});
