import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';

import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';

import { at, numberAt, type Json } from '../../../src/base/json.ts';
import type { KubernetesObject } from '../../../src/kubernetes/object.ts';
import { waitUntil } from '../../cluster/run.ts';
import { createNamespace, deleteNamespace, kubectl, kubectlJson, testKubeconfig } from '../../support/kubectl.ts';
import { deployment } from '../../support/objects.ts';
import { runStep, Step, type StepResult } from '../../support/step.ts';
import { createWorkspace, removeWorkspace } from '../../support/workspace.ts';
import { Devices } from './devices.ts';

let namespace: string;
/** As many of it as the model has pods. */
let device: string;
let devices: Devices;

const rollingUpdate = { maxSurge: 1, maxUnavailable: 0 };

beforeAll(async () => {
  namespace = await createNamespace('in-place');
  device = `${namespace}.test/gpu`;
  devices = await Devices.create({ [device]: 2 });
}, 90_000);

afterAll(async () => {
  await deleteNamespace(namespace);
  await devices[Symbol.asyncDispose]();
});

beforeEach(async () => {
  const first = await deploy({ GREETING: 'one' });
  if (first.exit !== 0) throw new Error(first.log);
}, 90_000);

function model(env: Record<string, string>, image?: string): object {
  return deployment('model', {
    replicas: 2,
    env,
    ...(image === undefined ? {} : { image }),
    resources: { limits: { [device]: '1' } },
    spec: { strategy: { type: 'RollingUpdate', rollingUpdate } },
  });
}

function inputsOf(more: Record<string, string> = {}): Record<string, string> {
  const common = { kubeconfig: testKubeconfig(), namespace, release: 'model', timeout: '60s' };
  return { ...common, 'on-low-capacity': 'in-place', ...more };
}

async function deploy(
  env: Record<string, string>,
  { image, ...inputs }: { image?: string; command?: string } = {},
): Promise<StepResult> {
  const workspace = createWorkspace({ 'app.yaml': [model(env, image)] });
  try {
    return await runStep(inputsOf({ manifests: '.', ...inputs }), { workspace });
  } finally {
    removeWorkspace(workspace);
  }
}

async function live(): Promise<KubernetesObject> {
  return await kubectlJson(['get', 'deployment', 'model', '-n', namespace]);
}

/** What the user has asked for, who owns it, and whether all pods are there. */
function stateOf(object: KubernetesObject): unknown {
  const { managedFields = [] } = object.metadata;
  return {
    spec: object['spec'],
    owners: managedFields
      .filter(({ subresource }) => subresource === undefined)
      .map(({ manager, operation, fieldsV1 }) => ({ manager, operation, fieldsV1 })),
    ready: numberAt(object, 'status', 'readyReplicas'),
    updated: numberAt(object, 'status', 'updatedReplicas'),
    all: numberAt(object, 'status', 'replicas'),
  };
}

/** Follows a Deployment for as long as it is used. */
class Watch implements Disposable {
  readonly #child;
  readonly surges = new Set<Json>();
  least = Infinity;

  constructor() {
    const path = '{.spec.strategy.rollingUpdate.maxSurge} {.status.availableReplicas}{"\\n"}';
    const args = ['--kubeconfig', testKubeconfig(), 'get', 'deployment', 'model', '-n', namespace, '-w'];
    this.#child = spawn(process.env['TEST_KUBECTL'] ?? 'kubectl', [...args, '-o', `jsonpath=${path}`]);
    createInterface({ input: this.#child.stdout }).on('line', (line) => {
      const [surge = '', available = ''] = line.split(' ');
      this.surges.add(Number(surge));
      this.least = Math.min(this.least, Number(available));
    });
  }

  [Symbol.dispose](): void {
    this.#child.kill();
  }
}

const sentence = () =>
  `Deployment "model": no free ${device} for an extra pod, so its pods are replaced in place one at a time, and 1 of 2 serves meanwhile`;
const restored = 'rolling update settings of Deployment "model" restored';

test('a full pool is rolled in place, never with more than one pod missing, and the values of the manifest are back (LLMKube#192)', async () => {
  const before = await live();
  const planned = await deploy({ GREETING: 'two' }, { command: 'plan' });
  expect(planned.outputs['status']).toBe('planned');
  expect(planned.log).toContain(`1. ${sentence()}`);
  expect(planned.log).toContain(
    '3. Restore the rolling update settings of Deployment "model", until everything is ready',
  );
  expect(stateOf(await live())).toEqual(stateOf(before));

  using watch = new Watch();
  await waitUntil('the Deployment is followed', 10_000, () => Promise.resolve(watch.least === 2));
  const deployed = await deploy({ GREETING: 'two' });
  expect({ status: deployed.outputs['status'], log: deployed.exit === 0 ? '' : deployed.log }).toEqual({
    status: 'deployed',
    log: '',
  });
  for (const text of [sentence(), restored]) {
    expect(deployed.log).toContain(text);
    expect(deployed.summary).toContain(text);
  }
  expect([watch.least, [...watch.surges]]).toEqual([1, [1, 0]]);

  const after = await live();
  expect(stateOf(after)).toEqual(withEnv(stateOf(before), 'two'));
  expect((await deploy({ GREETING: 'two' })).outputs['status']).toBe('unchanged');

  const back = await runStep(inputsOf({ command: 'rollback' }));
  expect({ status: back.outputs['status'], log: back.log }).toMatchObject({
    status: 'rolled-back',
    log: expect.stringContaining(sentence()),
  });
  expect(stateOf(await live())).toEqual(stateOf(before));
});

/** The same with another value of the one variable that differs. */
function withEnv(state: unknown, value: string): unknown {
  return JSON.parse(JSON.stringify(state).replaceAll('"value":"one"', `"value":"${value}"`));
}

test('what somebody changes beside it during the rollout stays, and does not fail it', async () => {
  const meant = model({ GREETING: 'five', READY_DELAY: '3s' });
  const annotated = (team: string) => ({ metadata: { name: 'model', annotations: { team } } });
  const workspace = createWorkspace({ 'app.yaml': [{ ...meant, ...annotated('serving') }] });
  const running = runStep(inputsOf({ manifests: '.' }), { workspace });
  await waitUntil('a pod of the new version is there', 60_000, async () => {
    const object = await live();
    return object.metadata.annotations?.['team'] === 'serving' && numberAt(object, 'status', 'updatedReplicas') === 1;
  });
  const patch = JSON.stringify(annotated('research'));
  await kubectl(['patch', 'deployment', 'model', '-n', namespace, '--type=merge', '-p', patch, '--field-manager=ops']);
  const deployed = await running;
  removeWorkspace(workspace);
  expect({ status: deployed.outputs['status'], log: deployed.exit === 0 ? '' : deployed.log }).toEqual({
    status: 'deployed',
    log: '',
  });
  expect(await live()).toMatchObject({ ...annotated('research'), spec: { strategy: { rollingUpdate } } });
});

test('a restart, whose pods would never get a device, is refused before the first change', async () => {
  const before = await live();
  const inputs = { kubeconfig: testKubeconfig(), namespace, release: 'model', timeout: '60s' };
  const restarted = await runStep({ command: 'restart', ...inputs });
  expect({ status: restarted.outputs['status'], log: restarted.log }).toMatchObject({
    status: 'failed',
    log: expect.stringContaining(
      `rolling update of Deployment "model" needs 1 more pod with 1 ${device} each, but there is no capacity: 1 matching node, 0 free ${device}`,
    ),
  });
  expect(restarted.log).toContain('Deploy it with "maxSurge: 0" and "maxUnavailable: 1"');
  expect((await live()).metadata.generation).toBe(before.metadata.generation);
});

test('a pod of somebody else that waits for the same device is named before the first change', async () => {
  const before = await live();
  const pod = { ...(deployment('rival', { resources: { limits: { [device]: '1' } } }).spec.template as object) };
  const rival = { apiVersion: 'v1', kind: 'Pod', ...pod, metadata: { name: 'rival', namespace } };
  await kubectl(['apply', '-f', '-'], JSON.stringify(rival));
  const refused = await deploy({ GREETING: 'six' });
  await kubectl(['delete', 'pod', 'rival', '-n', namespace, '--now']);
  expect({ exit: refused.exit, log: refused.log }).toMatchObject({
    exit: 1,
    log: expect.stringContaining(`pod "rival" in namespace "${namespace}" is pending and would take the ${device}`),
  });
  expect((await live()).metadata.generation).toBe(before.metadata.generation);
});

test('an image that cannot be pulled is undone in place: the old pods are back, and so is the rolling update', async () => {
  const before = stateOf(await live());
  const failed = await deploy({ GREETING: 'three' }, { image: 'registry.test/pulled/ctwoc:9.9.9' });
  expect({ status: failed.outputs['status'], log: failed.log }).toMatchObject({
    status: 'undone',
    log: expect.stringContaining(sentence()),
  });
  expect(stateOf(await live())).toEqual(before);
});

test('killed half-way, when one new pod serves and the other holds its device, it is put right by the next run', async () => {
  const before = stateOf(await live());
  const workspace = createWorkspace({ 'app.yaml': [model({ GREETING: 'four', READY_DELAY: '4s' })] });
  const step = new Step(inputsOf({ manifests: '.' }), { workspace });
  const main = step.main();
  await waitUntil('one of two new pods is ready', 60_000, async () => {
    const object = await live();
    const count = (field: string) => numberAt(object, 'status', field);
    return count('updatedReplicas') === 2 && count('readyReplicas') === 1;
  });
  step.signal('SIGKILL');
  expect((await main).exit).toBe('SIGKILL');
  step.dispose();
  removeWorkspace(workspace);
  expect(at(await live(), 'spec', 'strategy', 'rollingUpdate', 'maxSurge')).toBe(0);

  const next = await deploy({ GREETING: 'one' });
  expect(next.log).toContain('was killed before it finished');
  expect({ exit: next.exit, log: next.exit === 0 ? '' : next.log }).toEqual({ exit: 0, log: '' });
  expect(stateOf(await live())).toEqual(before);
});
