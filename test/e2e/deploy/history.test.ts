import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';

import { objectsAt, stringAt } from '../../../src/base/json.ts';
import { createNamespace, deleteNamespace, kubectl, kubectlJson, testKubeconfig } from '../../support/kubectl.ts';
import { configMap, deployment, sampleImage, service } from '../../support/objects.ts';
import { Step, runStep, type StepResult } from '../../support/step.ts';
import { createWorkspace, removeWorkspace } from '../../support/workspace.ts';

let namespace: string;

beforeAll(async () => {
  namespace = await createNamespace('history');
});

afterAll(async () => {
  await deleteNamespace(namespace);
});

interface HistoryEntry {
  revision: number;
  outcome: string;
  restores?: number;
}

async function deploy(
  release: string,
  objects: readonly object[],
  inputs: Record<string, string> = {},
): Promise<StepResult> {
  const workspace = createWorkspace({ 'app.yaml': objects });
  try {
    return await runStep(
      { kubeconfig: testKubeconfig(), namespace, release, manifests: '.', timeout: '60s', ...inputs },
      { workspace },
    );
  } finally {
    removeWorkspace(workspace);
  }
}

/** A run by `workflow_dispatch`: it holds no manifests. */
async function command(name: string, release: string, inputs: Record<string, string> = {}): Promise<StepResult> {
  const workspace = createWorkspace({});
  try {
    return await runStep({ kubeconfig: testKubeconfig(), namespace, release, command: name, ...inputs }, { workspace });
  } finally {
    removeWorkspace(workspace);
  }
}

async function history(release: string): Promise<HistoryEntry[]> {
  const result = await command('status', release);
  expect(result.outputs['status']).toBe('reported');
  return JSON.parse(result.outputs['history'] ?? '[]') as HistoryEntry[];
}

/** Every part of the application in one version: config in a map and in a variable, a Service port, an image. */
function application(name: string, version: 'one' | 'two') {
  const isOne = version === 'one';
  const config = configMap(`${name}-config`, { 'frontend.conf': `# ${version}\n` });
  const secret = {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name: `${name}-secret` },
    stringData: { greeting: version },
  };
  const env = [
    { name: 'ROLE', value: 'frontend' },
    { name: 'SHUTDOWN_DELAY', value: '0.1s' },
    { name: 'GREETING', valueFrom: { secretKeyRef: { name: `${name}-secret`, key: 'greeting' } } },
  ];
  const pod = { volumes: [{ name: 'config', configMap: { name: `${name}-config` } }] };
  const template = deployment(name, {
    image: isOne ? sampleImage : 'registry.test/ctwoc:2.0.0',
    pod,
    volumeMounts: [{ name: 'config', mountPath: '/etc/frontend' }],
  });
  const [container] = template.spec.template.spec.containers;
  Object.assign(container ?? {}, { env });
  return [config, secret, template, service(name, { ports: [{ port: isOne ? 8001 : 8002, targetPort: 8080 }] })];
}

async function serves(name: string, path: string): Promise<string> {
  const port = await kubectl(['get', 'service', name, '-n', namespace, '-o', 'jsonpath={.spec.ports[0].port}']);
  return await kubectl(['get', '--raw', `/api/v1/namespaces/${namespace}/services/${name}:${port}/proxy${path}`]);
}

describe('rollback', () => {
  test('brings back every object of a revision, without manifests, and forward again', async () => {
    await deploy('whole', application('whole', 'one'));
    await deploy('whole', application('whole', 'two'));
    expect(await serves('whole', '/version')).toBe('2.0.0\n');

    const back = await command('rollback', 'whole');
    expect(back.outputs).toMatchObject({ status: 'rolled-back', revision: '3', 'previous-revision': '2' });
    expect(await serves('whole', '/version')).toBe('1.0.0\n');
    expect(await serves('whole', '/config')).toContain('# one');
    expect(await serves('whole', '/env?name=GREETING')).toBe('one\n');
    expect(await kubectl(['get', 'service', 'whole', '-n', namespace, '-o', 'jsonpath={.spec.ports[*].port}'])).toBe(
      '8001',
    );

    const forward = await command('rollback', 'whole', { 'to-revision': '2' });
    expect(forward.outputs['status']).toBe('rolled-back');
    expect(await serves('whole', '/config')).toContain('# two');
    expect((await history('whole')).map(({ revision, outcome, restores }) => [revision, outcome, restores])).toEqual([
      [4, 'live', 2],
      [3, 'superseded', 1],
      [2, 'superseded', undefined],
      [1, 'superseded', undefined],
    ]);
  });

  test('goes to the last good one: good, bad, bad (R25, kubernetes#49701)', async () => {
    const bad = { image: 'registry.test/pulled/ctwoc:9.9.9' };
    await deploy('bad', [deployment('bad', { env: { GREETING: 'first' } })]);
    await deploy('bad', [deployment('bad', { env: { GREETING: 'second' } })]);
    await deploy('bad', [deployment('bad', bad)]);
    await deploy('bad', [deployment('bad', bad)]);
    const result = await command('rollback', 'bad');
    expect(result.log).toContain('going back to revision 1');
    expect(result.outputs['status']).toBe('rolled-back');
    const again = await command('rollback', 'bad');
    expect(again.exit).toBe(1);
    expect(again.log).toContain('has no earlier revision that was live');
  });

  test('to what is live already says so', async () => {
    await deploy('same', [deployment('same')]);
    const result = await command('rollback', 'same', { 'to-revision': '1' });
    expect(result.outputs).toMatchObject({ status: 'unchanged', revision: '1' });
  });

  test('lists objects that the revision did not have, and removes them only with prune', async () => {
    await deploy('surplus', [deployment('surplus')]);
    await deploy('surplus', [
      deployment('surplus', { env: { GREETING: 'x' } }),
      configMap('surplus-extra', { a: '1' }),
    ]);
    const left = await command('rollback', 'surplus');
    expect(left.log).toContain('ConfigMap "surplus-extra" in namespace');
    expect(await kubectl(['get', 'configmap', '-n', namespace, '-o', 'name'])).toContain('surplus-extra');
    await command('rollback', 'surplus', { 'to-revision': '2' });
    const pruned = await command('rollback', 'surplus', { 'to-revision': '1', prune: 'true' });
    expect(pruned.outputs['status']).toBe('rolled-back');
    expect(await kubectl(['get', 'configmap', '-n', namespace, '-o', 'name'])).not.toContain('surplus-extra');
  });

  test('is followed by a deploy that works as usual, removed fields included (R22, kubernetes#94698)', async () => {
    const versions = [{ GREETING_A: '1', GREETING_B: '2' }, { GREETING_A: '1' }] as const;
    await deploy('again', [deployment('again', { env: versions[0] })]);
    await deploy('again', [deployment('again', { env: versions[1] })]);
    await command('rollback', 'again');
    const result = await deploy('again', [deployment('again', { env: versions[1] })]);
    expect(result.outputs['status']).toBe('deployed');
    const env = await kubectl([
      'get',
      'deployment',
      'again',
      '-n',
      namespace,
      '-o',
      'jsonpath={.spec.template.spec.containers[0].env[*].name}',
    ]);
    expect(env).not.toContain('GREETING_B');
  });

  test('of a StatefulSet that waits for a broken pod frees it (R10, kubernetes#67250)', async () => {
    const { metadata, spec } = deployment('ordered');
    const set = (image: string) => {
      const copy = structuredClone({ apiVersion: 'apps/v1', kind: 'StatefulSet', metadata, spec });
      Object.assign(copy.spec.template.spec.containers[0] ?? {}, { image });
      return copy;
    };
    await deploy('ordered', [set(sampleImage)]);
    const broken = await deploy('ordered', [set('registry.test/pulled/ctwoc:9.9.9')], { 'undo-on-failure': 'false' });
    expect(broken.outputs['status']).toBe('failed');
    const result = await command('rollback', 'ordered', { 'to-revision': '1', timeout: '60s' });
    expect(result.outputs['status']).toBe('rolled-back');
    const ready = await kubectl([
      'get',
      'pod',
      'ordered-0',
      '-n',
      namespace,
      '-o',
      'jsonpath={.spec.containers[0].image}',
    ]);
    expect(ready).toBe(sampleImage);
  });

  test('keeps the number of pods', async () => {
    await deploy('pods', [deployment('pods')]);
    await deploy('pods', [deployment('pods', { env: { GREETING: 'x' } })]);
    await command('scale', 'pods', { replicas: '2' });
    await command('rollback', 'pods');
    expect(await kubectl(['get', 'deployment', 'pods', '-n', namespace, '-o', 'jsonpath={.spec.replicas}'])).toBe('2');
  });

  test('of a release that is not there lists what to do', async () => {
    const result = await command('rollback', 'absent');
    expect(result.exit).toBe(1);
    expect(result.log).toContain('there is no revision of release "absent"');
  });
});

test('a roll is paused half-way by another run, and resumed by a third', async () => {
  await deploy('halted', [deployment('halted', { replicas: 3 })]);
  const workspace = createWorkspace({
    'app.yaml': [deployment('halted', { replicas: 3, env: { READY_DELAY: '3s' } })],
  });
  const step = new Step(
    { kubeconfig: testKubeconfig(), namespace, release: 'halted', manifests: '.', timeout: '120s' },
    { workspace },
  );
  const rolling = step.main();
  await kubectl([
    'wait',
    'deployment/halted',
    '-n',
    namespace,
    '--for=jsonpath={.status.updatedReplicas}=1',
    '--timeout=60s',
  ]);
  const paused = await command('pause', 'halted');
  expect(paused.outputs['status']).toBe('paused');
  const during = await command('status', 'halted');
  expect(during.log).toContain('A deploy of halted is in progress');
  const resumed = await command('resume', 'halted');
  expect(resumed.outputs['status']).toBe('resumed');
  expect((await rolling).outputs['status']).toBe('deployed');
  step.dispose();
  removeWorkspace(workspace);
});

test('a restart makes all pods anew and leaves the next deploy with nothing to do', async () => {
  await deploy('fresh', [deployment('fresh')]);
  /** Of the pods that stay: those of before may still be ending. */
  const uid = async () => {
    const list = await kubectlJson(['get', 'pods', '-n', namespace, '-l', 'app=fresh']);
    const pods = objectsAt(list, 'items').filter((pod) => stringAt(pod, 'metadata', 'deletionTimestamp') === undefined);
    return pods.map((pod) => stringAt(pod, 'metadata', 'uid')).join(' ');
  };
  const before = await uid();
  expect((await command('restart', 'fresh')).outputs['status']).toBe('restarted');
  expect(await uid()).not.toContain(before);
  expect((await deploy('fresh', [deployment('fresh')])).outputs['status']).toBe('unchanged');
});
