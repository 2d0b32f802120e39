import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { load } from 'js-yaml';

import { isObject, numberAt, objectAt, objectsAt, stringAt } from '../../../src/base/json.ts';
import { waitUntil } from '../../cluster/run.ts';
import { createNamespace, deleteNamespace, kubectl, kubectlJson, testKubeconfig } from '../../support/kubectl.ts';
import { runStep, type StepResult } from '../../support/step.ts';
import { createWorkspace, removeWorkspace } from '../../support/workspace.ts';

const example = join(import.meta.dirname, '../../../examples/model-server');

let namespace: string;
let node: string;
/** Stands for the GPU of the example: the node has exactly as many as there are replicas. */
let device: string;

beforeAll(async () => {
  namespace = await createNamespace('model');
  device = `${namespace}.test/gpu`;
  const nodes = objectsAt(await kubectlJson(['get', 'nodes']), 'items');
  const untainted = nodes.find((each) => objectsAt(each, 'spec', 'taints').length === 0);
  node = stringAt(untainted, 'metadata', 'name') ?? '';
  await patchNode({ op: 'add', path: devicePath(), value: '2' });
  await waitUntil('the device can be allocated', 60_000, async () => {
    return stringAt(await kubectlJson(['get', 'node', node]), 'status', 'allocatable', device) === '2';
  });
}, 90_000);

afterAll(async () => {
  await deleteNamespace(namespace);
  await patchNode({ op: 'remove', path: devicePath() });
});

function devicePath(): string {
  return `/status/capacity/${device.replace('/', '~1')}`;
}

async function patchNode(operation: object): Promise<void> {
  await kubectl(['patch', 'node', node, '--subresource=status', '--type=json', '-p', JSON.stringify([operation])]);
}

/** The inputs of the steps that the README writes, in their order. */
function stepsOfReadme(): Record<string, string>[] {
  const text = readFileSync(join(example, 'README.md'), 'utf8');
  return [...text.matchAll(/```yaml\n(?<yaml>- uses: acme\/gke-rollout@v1\n[\s\S]*?)```/g)].map(({ groups }) => {
    const [step] = [load(groups?.['yaml'] ?? '')].flat();
    const inputs = Object.entries(objectAt(isObject(step) ? step : {}, 'with'));
    return Object.fromEntries(
      inputs.map(([name, value]) => [name, typeof value === 'string' ? value : JSON.stringify(value)]),
    );
  });
}

/** The manifests as they are, with the device of the test and another speed: no other line is touched. */
function manifests(everyLine: string): Record<string, string> {
  const changes: [string, string][] = [
    ['nvidia.com/gpu: 1\n', `${device}: 1\n`],
    ['value: 5s\n', 'value: 0.1s\n'],
    ['value: 7s\n', `value: ${everyLine}\n`],
    ['--sleep=5s', '--sleep=1s'],
    ['seconds: 5\n', 'seconds: 1\n'],
    ['periodSeconds: 2\n', 'periodSeconds: 1\n'],
  ];
  const text = readFileSync(join(example, 'model/deployment.yaml'), 'utf8');
  expect(changes.filter(([before]) => !text.includes(before))).toEqual([]);
  const files = readdirSync(join(example, 'model')).map((name): [string, string] => [
    `model/${name}`,
    readFileSync(join(example, 'model', name), 'utf8'),
  ]);
  const deployment = changes.reduce((changed, [before, after]) => changed.replaceAll(before, after), text);
  return { ...Object.fromEntries(files), 'model/deployment.yaml': deployment };
}

async function run(inputs: Record<string, string> | undefined, version: string, everyLine = '0.1s') {
  const workspace = createWorkspace(manifests(everyLine));
  const own = { kubeconfig: testKubeconfig(), namespace, ...(inputs?.['image-tag'] && { 'image-tag': version }) };
  const quick = inputs?.['step-duration'] === undefined ? {} : { 'step-duration': '1s' };
  try {
    return await runStep({ ...inputs, ...own, ...quick }, { workspace });
  } finally {
    removeWorkspace(workspace);
  }
}

/** The log of a step that did not end as it should, so that a failure of the test shows it. */
const told = ({ exit, outputs, log }: StepResult) => ({ status: outputs['status'], log: exit === 0 ? '' : log });

async function images(): Promise<string[]> {
  const pods = objectsAt(await kubectlJson(['get', 'pods', '-n', namespace, '-l', 'app=model']), 'items');
  return pods.map((pod) => stringAt(pod, 'spec', 'containers', 0, 'image') ?? '').sort();
}

const both = (version: string) => [`registry.test/ctwoc:${version}`, `registry.test/ctwoc:${version}`];

test('what the README of the model server writes comes through on a pool without a spare GPU: deploy, roll, canary, rollback', async () => {
  const [deploy, canary, rollback, ...others] = stepsOfReadme();
  expect(others).toEqual([]);

  const first = await run(deploy, '1.0.0', '6s');
  expect(told(first)).toEqual({ status: 'deployed', log: '' });
  expect(first.log).toMatch(
    /Deployment "model": pod model-\S+: container "server" has been loading weights for \S+: \d+ %, \d of 5 shards/,
  );
  expect(first.log).toContain('check "golden request": pass: 2 of 2 new pods answered correctly');
  expect(first.log).not.toContain('cuts requests');

  const rolled = await run(deploy, '2.0.0');
  expect(told(rolled)).toEqual({ status: 'deployed', log: '' });
  expect(await images()).toEqual(both('2.0.0'));

  const promoted = await run(canary, '3.0.0');
  expect(told(promoted)).toEqual({ status: 'deployed', log: '' });
  expect(promoted.log).toContain('check "golden request": pass: 1 of 1 new pods answered correctly');
  expect(await images()).toEqual(both('3.0.0'));
  expect(numberAt(await kubectlJson(['get', 'deployment', 'model', '-n', namespace]), 'spec', 'replicas')).toBe(2);

  const back = await run(rollback, '');
  expect(told(back)).toEqual({ status: 'rolled-back', log: '' });
  expect(await images()).toEqual(both('2.0.0'));
});
