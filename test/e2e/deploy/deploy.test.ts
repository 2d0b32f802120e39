import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';

import { stringAt, type Json } from '../../../src/base/json.ts';
import { createNamespace, deleteNamespace, kubectl, kubectlJson, testKubeconfig } from '../../support/kubectl.ts';
import { configMap, deployment, sampleImage, service } from '../../support/objects.ts';
import { Step, runStep, type StepResult } from '../../support/step.ts';
import { createWorkspace, removeWorkspace } from '../../support/workspace.ts';

let namespace: string;
const workspaces: string[] = [];

beforeAll(async () => {
  namespace = await createNamespace('deploy');
});

afterEach(() => {
  for (const folder of workspaces.splice(0)) removeWorkspace(folder);
});

afterAll(async () => {
  await deleteNamespace(namespace);
});

/** A step that deploys these objects, or files by name. */
function stepFor(
  release: string,
  files: readonly object[] | Record<string, string | readonly object[]>,
  inputs: Record<string, string> = {},
): Step {
  const workspace = createWorkspace(Array.isArray(files) ? { 'app.yaml': files } : (files as Record<string, string>));
  workspaces.push(workspace);
  return new Step(
    { kubeconfig: testKubeconfig(), namespace, release, manifests: '.', timeout: '60s', ...inputs },
    { workspace },
  );
}

async function deploy(
  release: string,
  files: readonly object[] | Record<string, string | readonly object[]>,
  inputs: Record<string, string> = {},
): Promise<StepResult> {
  const step = stepFor(release, files, inputs);
  try {
    return await step.main();
  } finally {
    step.dispose();
  }
}

async function get(kind: string, name: string): Promise<Json> {
  return await kubectlJson(['get', kind, name, '-n', namespace]);
}

function failureOf(result: StepResult): { reason: string; message: string; hint?: string } {
  return JSON.parse(result.outputs['failure'] ?? '{}') as { reason: string; message: string; hint?: string };
}

async function names(kind: string): Promise<string[]> {
  return (await kubectl(['get', kind, '-n', namespace, '-o', 'name'])).split('\n').filter((line) => line !== '');
}

describe('a deploy', () => {
  test('applies, waits, and says what it did', async () => {
    const result = await deploy('first', [deployment('first', { replicas: 2 }), service('first')]);
    expect(result.exit).toBe(0);
    expect(result.outputs).toMatchObject({
      status: 'deployed',
      release: 'first',
      revision: '1',
      'previous-revision': '',
    });
    expect(
      await kubectl(['get', 'deployment', 'first', '-n', namespace, '-o', 'jsonpath={.status.readyReplicas}']),
    ).toBe('2');
    expect(result.summary).toMatch(/^### ✅ first: first 1\.0\.0 \(new\), live in \d+s \(revision 1\)$/m);
  });

  test('that changes nothing writes nothing and makes no revision', async () => {
    const objects = [deployment('same'), service('same'), configMap('same', { a: '1' })];
    await deploy('same', objects);
    const before = await get('configmap', 'same');
    const again = await deploy('same', objects);
    expect(again.outputs).toMatchObject({ status: 'unchanged', revision: '1', changed: '[]' });
    expect(await get('configmap', 'same')).toEqual(before);
  });

  test('takes the image tag, and tells the images before and after', async () => {
    await deploy('tagged', [deployment('tagged')]);
    const result = await deploy('tagged', [deployment('tagged')], { 'image-tag': '2.0.0' });
    expect(result.outputs).toMatchObject({ status: 'deployed', revision: '2', 'previous-revision': '1' });
    expect(result.summary).toContain('`registry.test/ctwoc:1.0.0` → `2.0.0`');
  });

  test('makes namespaces, custom kinds and their objects in one go', async () => {
    const suffix = namespace.split('-').at(-1) ?? '';
    const other = `made-${suffix}`;
    const group = `${suffix}.gke-rollout.test`;
    const schema = {
      type: 'object',
      properties: { spec: { type: 'object', properties: { size: { type: 'integer' } } } },
    };
    const objects = [
      { apiVersion: `${group}/v1`, kind: 'Gadget', metadata: { name: 'one', namespace: other }, spec: { size: 1 } },
      { ...configMap('in-other', { a: '1' }), metadata: { name: 'in-other', namespace: other } },
      { apiVersion: 'v1', kind: 'Namespace', metadata: { name: other } },
      {
        apiVersion: 'apiextensions.k8s.io/v1',
        kind: 'CustomResourceDefinition',
        metadata: { name: `gadgets.${group}` },
        spec: {
          group,
          names: { kind: 'Gadget', plural: 'gadgets' },
          scope: 'Namespaced',
          versions: [{ name: 'v1', served: true, storage: true, schema: { openAPIV3Schema: schema } }],
        },
      },
    ];
    const result = await deploy('custom', objects);
    expect(result.log).not.toContain('::error');
    expect(result.outputs['status']).toBe('deployed');
    expect(await kubectl(['get', `gadgets.${group}`, 'one', '-n', other, '-o', 'jsonpath={.spec.size}'])).toBe('1');
    await kubectl(['delete', 'crd', `gadgets.${group}`, '--wait=false']);
    await deleteNamespace(other);
  });

  test('removes fields that kubectl apply had set and the manifest no longer has (R21, kubernetes#99003)', async () => {
    await kubectl(['apply', '-n', namespace, '-f', '-'], JSON.stringify(configMap('inherited', { a: '1', b: '2' })));
    const result = await deploy('inherited', [configMap('inherited', { a: '1' })]);
    expect(result.outputs['status']).toBe('deployed');
    expect(await kubectl(['get', 'configmap', 'inherited', '-n', namespace, '-o', 'jsonpath={.data}'])).toBe(
      '{"a":"1"}',
    );
  });

  test('leaves the number of pods to an autoscaler (R23, kubernetes#25238)', async () => {
    const autoscaler = {
      apiVersion: 'autoscaling/v2',
      kind: 'HorizontalPodAutoscaler',
      metadata: { name: 'scaled' },
      spec: {
        minReplicas: 2,
        maxReplicas: 3,
        scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'scaled' },
      },
    };
    const replicas = () => kubectl(['get', 'deployment', 'scaled', '-n', namespace, '-o', 'jsonpath={.spec.replicas}']);
    await deploy('scaled', [deployment('scaled'), autoscaler]);
    await kubectl(['wait', 'deployment/scaled', '-n', namespace, '--for=jsonpath={.spec.replicas}=2', '--timeout=60s']);
    const result = await deploy('scaled', [deployment('scaled', { env: { GREETING: 'new' } }), autoscaler]);
    expect(result.outputs['status']).toBe('deployed');
    expect(await replicas()).toBe('2');
  });
});

describe('a mistake is named before anything has changed', () => {
  test('an unknown field, at its line, with the documentation of the one that was meant', async () => {
    const manifest = [
      'apiVersion: v1',
      'kind: ConfigMap',
      'metadata:',
      '  name: untouched',
      '---',
      'apiVersion: apps/v1',
      'kind: Deployment',
      'metadata:',
      '  name: typo',
      'spec:',
      '  replcas: 2',
      '  selector: {matchLabels: {app: typo}}',
      '  template:',
      '    metadata: {labels: {app: typo}}',
      `    spec: {containers: [{name: web, image: "${sampleImage}"}]}`,
    ].join('\n');
    const result = await deploy('typo', { 'k8s/app.yaml': manifest });
    expect(result.exit).toBe(1);
    expect(result.log).toMatch(/::error .*file=k8s\/app\.yaml,line=11.*unknown field "spec\.replcas"/);
    expect(result.log).toContain('Number of desired pods');
    expect(result.log).toContain('Did you mean "replicas"?');
    expect(await names('configmap')).not.toContain('configmap/untouched');
    expect(await names('lease')).not.toContain('lease/gke-rollout.typo');
  });

  test('several mistakes in one go', async () => {
    const result = await deploy('several', [{ ...configMap('x', {}), datum: {} }, { ...deployment('Bad_Name') }]);
    expect(result.log.match(/^::error /gm)?.length).toBeGreaterThanOrEqual(2);
    expect(result.outputs['status']).toBe('failed');
  });

  test('a field that belongs to another manager, unless it is forced', async () => {
    await kubectl(
      ['apply', '--server-side', '--field-manager=other-tool', '-n', namespace, '-f', '-'],
      JSON.stringify(configMap('owned', { a: '1' })),
    );
    const refused = await deploy('owned', [configMap('owned', { a: '2' })]);
    expect(failureOf(refused).message).toContain('"other-tool"');
    expect(failureOf(refused).hint).toContain('force-conflicts: true');
    const forced = await deploy('owned', [configMap('owned', { a: '2' })], { 'force-conflicts': 'true' });
    expect(forced.outputs['status']).toBe('deployed');
  });

  test('a command that does not exist', async () => {
    const result = await runStep({ kubeconfig: testKubeconfig(), namespace, release: 'early', command: 'explode' });
    expect(result.exit).toBe(1);
    expect(failureOf(result).message).toContain('the input "command" is "explode"; it must be one of');
  });

  test('a namespace that is not there', async () => {
    const result = await deploy('nowhere', [configMap('x', {})], { namespace: 'no-such-namespace' });
    expect(failureOf(result).message).toBe('there is no namespace "no-such-namespace" in the cluster');
  });

  test('an API server that does not answer', async () => {
    const kubeconfig = (await kubectl(['config', 'view', '--raw', '-o', 'json'])).replace(
      /"server": *"[^"]*"/,
      '"server": "https://127.0.0.1:1"',
    );
    const result = await deploy('dead', [configMap('x', {})], { kubeconfig });
    expect(failureOf(result).message).toContain('cannot reach the API server at 127.0.0.1:1');
  });
});

describe('a failed deploy is named and undone', () => {
  const good = (release: string) => [deployment(release), configMap(release, { greeting: 'old' })];

  async function failing(
    release: string,
    broken: readonly object[],
    inputs: Record<string, string> = {},
  ): Promise<StepResult> {
    const first = await deploy(release, good(release));
    expect(first.outputs['status']).toBe('deployed');
    const before = stringAt(await get('configmap', release), 'data', 'greeting');
    const result = await deploy(release, [...broken, configMap(release, { greeting: 'new' })], inputs);
    expect(result.exit).toBe(1);
    expect(result.outputs['status']).toBe('undone');
    // A failure without a cause of its own would be a riddle: the log goes with it.
    if (result.outputs['failure']?.includes('"reason":"Failed"') === true)
      throw new Error(`no cause was named:\n${result.log}`);
    expect(stringAt(await get('configmap', release), 'data', 'greeting')).toBe(before);
    expect(await kubectl(['rollout', 'status', `deployment/${release}`, '-n', namespace, '--timeout=30s'])).toContain(
      'successfully rolled out',
    );
    return result;
  }

  test('an image that is not there, within 15 s', async () => {
    const result = await failing('image', [deployment('image', { image: 'registry.test/pulled/ctwoc:9.9.9' })]);
    expect(failureOf(result)).toMatchObject({
      reason: expect.stringMatching(/ImagePull/),
      namedAfterSeconds: expect.any(Number),
    });
    expect(failureOf(result).message).toContain('container "web": image "registry.test/pulled/ctwoc:9.9.9" not found');
    expect((failureOf(result) as { namedAfterSeconds?: number }).namedAfterSeconds).toBeLessThanOrEqual(15);
    expect(result.log).toMatch(/::error .*file=app\.yaml,line=1/);
  });

  test('an image that may not be pulled', async () => {
    const result = await failing('denied', [deployment('denied', { image: 'registry.test/denied/ctwoc:1.0.0' })]);
    expect(failureOf(result).message).toContain('access denied by the registry');
  });

  test('an image name that is none', async () => {
    const result = await deploy('invalid', [deployment('invalid', { image: 'registry.test/UPPER:1' })]);
    expect(result.exit).toBe(1);
    expect(failureOf(result).message).toContain('registry.test/UPPER:1');
  });

  test('a container that crashes, with its exit code and its last words', async () => {
    const env = { START_DELAY: '60s', CRASH_AFTER: '0.1s', EXIT_CODE: '3', CRASH_MESSAGE: 'fatal: no database' };
    const result = await failing('crash', [deployment('crash', { env })]);
    expect(failureOf(result).message).toContain('exit code 3');
    expect(result.summary).toContain('fatal: no database');
  });

  test('a container that needs more memory than it may have', async () => {
    const result = await failing('memory', [
      deployment('memory', {
        env: { START_DELAY: '60s', MEMORY_GROWTH: '200' },
        resources: { limits: { memory: '64Mi' } },
      }),
    ]);
    expect(failureOf(result)).toMatchObject({ reason: 'OOMKilled' });
  });

  test('a ConfigMap that is missing', async () => {
    const envFrom = [{ configMapRef: { name: 'absent' } }];
    const result = await failing('config', [deployment('config', { envFrom })]);
    expect(failureOf(result).message).toContain('configmap "absent" not found');
  });

  test('a Secret volume that is missing', async () => {
    const pod = { volumes: [{ name: 'x', secret: { secretName: 'absent' } }] };
    const result = await failing('volume', [
      deployment('volume', { pod, volumeMounts: [{ name: 'x', mountPath: '/x' }] }),
    ]);
    expect(failureOf(result).message).toContain('there is no Secret "absent"');
  });

  test('a pod that fits on no node', async () => {
    const resources = { requests: { cpu: '500' } };
    const result = await failing('unschedulable', [deployment('unschedulable', { resources })], { timeout: '8s' });
    expect(failureOf(result).message).toContain('pod cannot be scheduled');
    expect(failureOf(result).message).toContain('not enough cpu');
  });

  test('a quota that is used up (R6)', async () => {
    const quota = {
      apiVersion: 'v1',
      kind: 'ResourceQuota',
      metadata: { name: 'pods' },
      spec: { hard: { pods: '0' } },
    };
    const own = await createNamespace('quota');
    await kubectl(['create', '-n', own, '-f', '-'], JSON.stringify(quota));
    const result = await deploy('quota', [deployment('quota')], { namespace: own });
    expect(failureOf(result).message).toContain('the quota is exhausted');
    await deleteNamespace(own);
  });

  test('a readiness probe that fails until the time is up', async () => {
    const result = await failing('probe', [deployment('probe', { env: { NEVER_READY: 'true' } })], { timeout: '12s' });
    expect(failureOf(result).message).toContain('its readiness probe (GET /readyz) fails');
  });

  test('a Job that fails', async () => {
    const job = {
      apiVersion: 'batch/v1',
      kind: 'Job',
      metadata: { name: 'migrate' },
      spec: {
        backoffLimit: 0,
        template: {
          spec: {
            restartPolicy: 'Never',
            containers: [
              { name: 'migrate', image: sampleImage, args: ['job', '-exit', '4', '-print', 'no such table'] },
            ],
          },
        },
      },
    };
    const result = await deploy('job', [job]);
    expect(result.outputs['status']).toBe('undone');
    expect(failureOf(result)).toMatchObject({ reason: 'BackoffLimitExceeded' });
    expect(result.summary).toContain('no such table');
    expect(await names('job')).toEqual([]);
  });

  test('a first deploy: what it made is removed, but what holds data stays', async () => {
    const claim = {
      apiVersion: 'v1',
      kind: 'PersistentVolumeClaim',
      metadata: { name: 'fresh' },
      spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } },
    };
    const result = await deploy('fresh', [
      claim,
      service('fresh'),
      deployment('fresh', { image: 'registry.test/pulled/ctwoc:9.9.9' }),
    ]);
    expect(result.outputs['status']).toBe('undone');
    expect(await names('service')).not.toContain('service/fresh');
    expect(await names('deployment')).not.toContain('deployment.apps/fresh');
    expect(await names('pvc')).toContain('persistentvolumeclaim/fresh');
    expect(result.summary).toContain('fresh');
  });

  test('or is left as it is when the user wants that', async () => {
    const broken = [deployment('left', { image: 'registry.test/pulled/ctwoc:9.9.9' })];
    const result = await deploy('left', broken, { 'undo-on-failure': 'false' });
    expect(result.outputs['status']).toBe('failed');
    expect(await names('deployment')).toContain('deployment.apps/left');
  });

  test('and counts as a revision of its own once it is healthy, not as the one before', async () => {
    const missing = { envFrom: [{ configMapRef: { name: 'healed' } }] };
    await deploy('healing', [deployment('healing')]);
    const failed = await deploy('healing', [deployment('healing', missing)], { 'undo-on-failure': 'false' });
    expect(failed.outputs['status']).toBe('failed');
    await kubectl(['create', 'configmap', 'healed', '-n', namespace]);
    await kubectl(['rollout', 'status', 'deployment/healing', '-n', namespace, '--timeout=60s']);
    const again = await deploy('healing', [deployment('healing', missing)]);
    expect(again.outputs).toMatchObject({ status: 'deployed', changed: '[]', 'previous-revision': '1' });
    const later = await deploy('healing', [deployment('healing', missing)]);
    expect(later.outputs).toMatchObject({ status: 'unchanged', revision: again.outputs['revision'] });
  });
});

describe('a run that does not come to its end', () => {
  const slow = (name: string) => [deployment(name, { env: { READY_DELAY: '300s', GREETING: 'new' } })];
  const image = (name: string) =>
    kubectl(['get', 'deployment', name, '-n', namespace, '-o', 'jsonpath={.spec.template.spec.containers[0].env}']);

  async function startAndWaitForPods(name: string): Promise<{ step: Step; main: Promise<StepResult>; before: string }> {
    await deploy(name, [deployment(name)]);
    const before = await image(name);
    const step = stepFor(name, slow(name), { timeout: '5m' });
    const main = step.main();
    await kubectl([
      'wait',
      `deployment/${name}`,
      '-n',
      namespace,
      '--for=jsonpath={.status.updatedReplicas}=1',
      '--for=jsonpath={.metadata.generation}=2',
      '--timeout=60s',
    ]);
    return { step, main, before };
  }

  test('cancelled: the main step stops within 5 s and the post step undoes', async () => {
    const { step, main, before } = await startAndWaitForPods('cancelled');
    const from = Date.now();
    step.signal('SIGINT');
    const result = await main;
    expect(Date.now() - from).toBeLessThan(5000);
    expect(result.outputs['status']).toBe('cancelled');
    const post = await step.post();
    step.dispose();
    expect(post.log).toContain('was cancelled and was undone');
    expect(await image('cancelled')).toBe(before);
    expect(await names('secret')).not.toContain('secret/gke-rollout.cancelled.journal');
    const told = await runStep({ kubeconfig: testKubeconfig(), namespace, release: 'cancelled', command: 'status' });
    expect(JSON.parse(told.outputs['history'] ?? '[]')).toMatchObject([
      { revision: 2, outcome: 'undone' },
      { revision: 1, outcome: 'live' },
    ]);
  });

  test('killed: the next run undoes it first, and then does its own work', async () => {
    const { step, main } = await startAndWaitForPods('killed');
    step.signal('SIGKILL');
    expect((await main).exit).toBe('SIGKILL');
    step.dispose();
    const next = await deploy('killed', [deployment('killed', { env: { GREETING: 'next' } })]);
    expect(next.log).toContain('was killed before it finished');
    expect(next.outputs['status']).toBe('deployed');
    expect(await image('killed')).toContain('next');
  });

  test('two runs of one release do not interleave', async () => {
    await deploy('twice', [deployment('twice')]);
    const one = deploy('twice', [deployment('twice', { env: { READY_DELAY: '5s', GREETING: 'one' } })]);
    const two = deploy('twice', [deployment('twice', { env: { GREETING: 'two' } })]);
    const results = await Promise.all([one, two]);
    expect(results.map((result) => result.outputs['status'])).toEqual(['deployed', 'deployed']);
    expect(results.map((result) => result.outputs['revision']).sort()).toEqual(['2', '3']);
  });
});

test('scaling changes the number of pods and nothing else', async () => {
  await deploy('size', [deployment('size')]);
  const inputs = { kubeconfig: testKubeconfig(), namespace, release: 'size', command: 'scale', replicas: '2' };
  const result = await runStep(inputs);
  expect(result.outputs['status']).toBe('scaled');
  expect(await kubectl(['get', 'deployment', 'size', '-n', namespace, '-o', 'jsonpath={.status.readyReplicas}'])).toBe(
    '2',
  );
  const again = await runStep(inputs);
  expect(again.outputs['status']).toBe('unchanged');
});
