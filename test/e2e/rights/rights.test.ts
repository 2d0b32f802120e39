import { afterAll, expect, test } from '@jest/globals';

import { knownKinds } from '../../../script/role/kinds.ts';
import { needsOf, type Asked } from '../../../script/role/role.ts';
import { mapConcurrently } from '../../../src/base/concurrency.ts';
import type { KubernetesObject } from '../../../src/kubernetes/object.ts';
import { isBuiltIn } from '../../../src/manifests/kinds.ts';
import { manifestFrom } from '../../../src/manifests/manifest.ts';
import { createNamespace, deleteNamespace, kubectl, testKubeconfig } from '../../support/kubectl.ts';
import { limitedUser, type RbacRule } from '../../support/limited-user.ts';
import { configMap, deployment, service } from '../../support/objects.ts';
import { runStep, type StepResult } from '../../support/step.ts';
import { createWorkspace, removeWorkspace } from '../../support/workspace.ts';

const namespaces: string[] = [];

afterAll(async () => {
  await Promise.all(namespaces.map(deleteNamespace));
});

/** The sample in a version, with config that its pods read. */
function app(version: string): KubernetesObject[] {
  const reads = { envFrom: [{ configMapRef: { name: 'web' } }] };
  return [
    deployment('web', { image: `registry.test/ctwoc:${version}`, ...reads }),
    service('web'),
    configMap('web', { GREETING: version }),
  ];
}

type Inputs = Readonly<Record<string, string>>;

async function run(
  kubeconfig: string,
  namespace: string,
  inputs: Inputs,
  objects: readonly KubernetesObject[],
): Promise<StepResult> {
  const workspace = createWorkspace({ 'app.yaml': objects });
  const { command = 'deploy' } = inputs;
  const deploys = command === 'deploy' ? { manifests: '.' } : {};
  const waits = command === 'status' ? {} : { timeout: '60s' };
  try {
    return await runStep({ kubeconfig, namespace, release: 'web', ...deploys, ...waits, ...inputs }, { workspace });
  } finally {
    removeWorkspace(workspace);
  }
}

/** What `script/rights` prints for a command on the sample: what it needs, and what it can do without, by resource. */
function rulesFor(namespace: string, { command, strategy }: Pick<Case, 'command' | 'strategy'>) {
  const asked: Asked = {
    commands: [command],
    strategies: [strategy],
    namespace,
    undoOnFailure: true,
    checks: [],
    kinds: knownKinds,
    name: 'deployer',
  };
  const { rules } = needsOf(
    app('1.0.0').map((object) => manifestFrom(object, 'app.yaml')),
    asked,
  );
  const byResource = Map.groupBy(rules, ({ group, resource, optional }) => JSON.stringify([group, resource, optional]));
  return [...byResource].map(([key, all]) => {
    const [group, resource, optional] = JSON.parse(key) as [string, string, boolean];
    const rule: RbacRule = { apiGroups: [group], resources: [resource], verbs: all.flatMap(({ verbs }) => verbs) };
    return { rule, resource, optional };
  });
}

/** What a run could have written: by version, and workloads by generation, since their controllers write how they are. */
async function written(namespace: string): Promise<string> {
  const columns = 'K:.kind,N:.metadata.name,V:.metadata.resourceVersion';
  const all = ['secrets,configmaps,services,leases,roles', '-o', `custom-columns=${columns}`];
  const workloads = ['deployments', '-o', `custom-columns=${columns.replace('resourceVersion', 'generation')}`];
  const lists = await Promise.all(
    [all, workloads].map((args) => kubectl(['get', ...args, '-n', namespace, '--ignore-not-found'])),
  );
  return lists.join('\n');
}

interface Case {
  command: Asked['commands'][number];
  strategy: Asked['strategies'][number];
  /** Deploys before it, by somebody who may do everything. */
  before: readonly [version: string, inputs?: Inputs][];
  inputs?: Inputs;
  /** What it deploys. */
  version?: string;
  status: string;
}

const canary = { strategy: 'canary', 'step-duration': '0s', 'canary-steps': '50' };
const waiting = { ...canary, 'auto-promote': 'false' };
const sided = { strategy: 'blue-green', 'keep-old-for': '0s' };

test.each<[string, Case]>([
  ['a first deploy', { command: 'deploy', strategy: 'rolling', before: [], version: '1.0.0', status: 'deployed' }],
  [
    'a deploy of a change',
    { command: 'deploy', strategy: 'rolling', before: [['1.0.0']], version: '2.0.0', status: 'deployed' },
  ],
  [
    'a canary',
    {
      command: 'deploy',
      strategy: 'canary',
      before: [['1.0.0']],
      version: '2.0.0',
      inputs: canary,
      status: 'deployed',
    },
  ],
  [
    'a blue-green deploy',
    {
      command: 'deploy',
      strategy: 'blue-green',
      before: [['1.0.0']],
      version: '2.0.0',
      inputs: sided,
      status: 'deployed',
    },
  ],
  ['promote', { command: 'promote', strategy: 'canary', before: [['1.0.0'], ['2.0.0', waiting]], status: 'deployed' }],
  ['abort', { command: 'abort', strategy: 'canary', before: [['1.0.0'], ['2.0.0', waiting]], status: 'aborted' }],
  ['rollback', { command: 'rollback', strategy: 'rolling', before: [['1.0.0'], ['2.0.0']], status: 'rolled-back' }],
  [
    'scale',
    { command: 'scale', strategy: 'rolling', before: [['1.0.0']], inputs: { replicas: '2' }, status: 'scaled' },
  ],
  ['restart', { command: 'restart', strategy: 'rolling', before: [['1.0.0']], status: 'restarted' }],
  ['status', { command: 'status', strategy: 'rolling', before: [['1.0.0']], status: 'reported' }],
])('%s can be done with what script/rights prints, and not without any rule of it', async (_, one) => {
  const { command, before, inputs = {}, version = '1.0.0', status } = one;
  const namespace = await createNamespace('rights');
  namespaces.push(namespace);
  for (const [earlier, how = {}] of before) {
    const done = await run(testKubeconfig(), namespace, how, app(earlier));
    expect(['deployed', 'waiting']).toContain(done.outputs['status']);
  }
  const rules = rulesFor(namespace, one);
  const needed = rules.filter(({ optional }) => !optional);
  const users = await mapConcurrently([undefined, ...needed], 2, async (missing, index) => {
    const left = rules.filter((rule) => rule !== missing).map(({ rule }) => rule);
    return { missing, kubeconfig: await limitedUser(namespace, `user-${index}`, left) };
  });
  const untouched = await written(namespace);
  const refused = users.filter(({ missing }) => missing !== undefined);
  const told = await mapConcurrently(refused, 2, async ({ missing, kubeconfig }) => {
    const result = await run(kubeconfig, namespace, { command, ...inputs }, app(version));
    return { exit: result.exit, resource: missing?.resource, failure: result.outputs['failure'] ?? '' };
  });
  for (const { exit, resource = '', failure } of told) {
    expect({ resource, exit }).toEqual({ resource, exit: 1 });
    expect(failure).toContain(resource);
  }
  expect(await written(namespace)).toBe(untouched);
  const [whole] = users;
  const result = await run(whole?.kubeconfig ?? '', namespace, { command, ...inputs }, app(version));
  expect(result.log).not.toContain('optional rights are missing');
  expect(result.outputs).toMatchObject({ status });
});

interface Served {
  groupVersion: string;
  resources: { name: string; kind: string; namespaced: boolean; verbs: string[] }[];
}

test('the kinds of Kubernetes are called as the cluster calls them', async () => {
  const { groups } = JSON.parse(await kubectl(['get', '--raw', '/apis'])) as {
    groups: { preferredVersion: { groupVersion: string } }[];
  };
  const paths = ['/api/v1', ...groups.map(({ preferredVersion }) => `/apis/${preferredVersion.groupVersion}`)];
  const served = await mapConcurrently(
    paths,
    2,
    async (path) => JSON.parse(await kubectl(['get', '--raw', path])) as Served,
  );
  const kinds = served
    .filter(({ groupVersion }) => isBuiltIn({ apiVersion: groupVersion }))
    .flatMap(({ groupVersion, resources }) => {
      const group = groupVersion.includes('/') ? groupVersion.replace(/\/.*/, '') : '';
      return resources
        .filter(({ name, verbs }) => !name.includes('/') && verbs.includes('create') && verbs.includes('patch'))
        .map(({ name: resource, kind, namespaced }) => [`${group}/${kind}`, { group, resource, namespaced }] as const);
    });
  expect(kinds.length).toBeGreaterThan(50);
  expect(Object.fromEntries(kinds.map(([key]) => [key, knownKinds.get(key)]))).toEqual(Object.fromEntries(kinds));
});
