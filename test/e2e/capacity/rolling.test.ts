import { afterAll, beforeAll, expect, test } from '@jest/globals';

import { objectsAt, stringAt } from '../../../src/base/json.ts';
import { createNamespace, deleteNamespace, kubectl, kubectlJson, testKubeconfig } from '../../support/kubectl.ts';
import { deployment } from '../../support/objects.ts';
import { waitUntil } from '../../cluster/run.ts';
import { runStep, type StepResult } from '../../support/step.ts';
import { createWorkspace, removeWorkspace } from '../../support/workspace.ts';

let namespace: string;
let node: string;
/** A device that one node has once, as the kubelet would tell of a GPU. */
let device: string;

beforeAll(async () => {
  namespace = await createNamespace('gpu');
  device = `${namespace}.test/gpu`;
  node = await realNode();
  await patchNode({ op: 'add', path: devicePath(), value: '1' });
  // The kubelet says at its next heartbeat that it may be used.
  await waitUntil('the device can be allocated', 60_000, async () => {
    const found = await kubectlJson(['get', 'node', node]);
    return stringAt(found, 'status', 'allocatable', device) === '1';
  });
}, 90_000);

afterAll(async () => {
  await deleteNamespace(namespace);
  await patchNode({ op: 'remove', path: devicePath() });
});

/** One with a kubelet, on which pods become ready. */
async function realNode(): Promise<string> {
  const nodes = objectsAt(await kubectlJson(['get', 'nodes']), 'items');
  const untainted = nodes.find((each) => objectsAt(each, 'spec', 'taints').length === 0);
  return stringAt(untainted, 'metadata', 'name') ?? '';
}

function devicePath(): string {
  return `/status/capacity/${device.replace('/', '~1')}`;
}

async function patchNode(operation: object): Promise<void> {
  await kubectl(['patch', 'node', node, '--subresource=status', '--type=json', '-p', JSON.stringify([operation])]);
}

/** A model that needs the device, in this version. */
async function deploy(version: string, spec: object = {}): Promise<StepResult> {
  const model = deployment('model', { env: { GREETING: version }, resources: { limits: { [device]: '1' } }, spec });
  const workspace = createWorkspace({ 'app.yaml': [model] });
  try {
    return await runStep(
      {
        kubeconfig: testKubeconfig(),
        namespace,
        release: 'model',
        manifests: '.',
        timeout: '60s',
        'unschedulable-grace': '3s',
      },
      { workspace },
    );
  } finally {
    removeWorkspace(workspace);
  }
}

test('a rolling update in a full pool ends after unschedulable-grace and says what helps, which does (LLMKube#192)', async () => {
  expect((await deploy('one')).outputs['status']).toBe('deployed');

  const began = Date.now();
  const stuck = await deploy('two');
  expect(stuck.outputs['status']).toBe('undone');
  const failure = JSON.parse(stuck.outputs['failure'] ?? '{}') as { message: string; hint: string };
  expect(failure.message).toMatch(new RegExp(`^Deployment "model": no node fits: .*too little ${device}`));
  expect(failure.hint).toContain('set "maxSurge: 0" and "maxUnavailable: 1"');
  expect(Date.now() - began).toBeLessThan(45_000);

  const rollingUpdate = { maxSurge: 0, maxUnavailable: 1 };
  const inPlace = await deploy('two', { strategy: { type: 'RollingUpdate', rollingUpdate } });
  expect(inPlace.outputs['status']).toBe('deployed');
});
