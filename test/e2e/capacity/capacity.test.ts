import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { loadAll } from 'js-yaml';

import { systemClock } from '../../../src/base/clock.ts';
import { objectAt, objectsAt, type JsonObject } from '../../../src/base/json.ts';
import type { KubernetesClient } from '../../../src/kubernetes/client.ts';
import { connect } from '../../../src/kubernetes/connection.ts';
import { createClient } from '../../../src/kubernetes/http-client.ts';
import type { KubernetesObject, ObjectRef } from '../../../src/kubernetes/object.ts';
import { checkCapacity, type CapacityReport } from '../../../src/capacity/capacity.ts';
import { fakeNode, fakeNodeTaint } from '../../cluster/fake-node.ts';
import { figure } from '../../support/figure.ts';
import { createNamespace, deleteNamespace, kubectl, kubectlJson, testKubeconfig } from '../../support/kubectl.ts';
import { cases, type CapacityCase } from './cases.ts';

const poolLabel = 'capacity.test/pool';

let client: KubernetesClient;
let namespace: string;
let suffix: string;
const namespaces: string[] = [];
let agreed = 0;

beforeAll(async () => {
  client = await clientOf(testKubeconfig());
  namespace = await newNamespace();
  suffix = namespace.split('-').at(-1) ?? '';
  await apply(...cases.flatMap((each) => nodesOf(each)));
  await until('the nodes are schedulable', async () => {
    const taints = (await nodesOfTest()).flatMap((node) => objectsAt(node, 'spec', 'taints'));
    return !taints.some(({ key }) => key === 'node.kubernetes.io/not-ready');
  });
});

afterAll(async () => {
  figure('capacity-cases-as-the-scheduler', `${agreed}/${cases.length}`);
  // No kubelet ends the pods on these nodes.
  const drop = (name: string) =>
    kubectl(['delete', 'deployments,pods', '--all', '-n', name, '--force', '--grace-period=0', '--wait=false']);
  await Promise.all(namespaces.map(drop));
  await Promise.all(namespaces.map(deleteNamespace));
  await kubectl(['delete', 'node', '-l', `capacity.test/run=${suffix}`, '--wait=false']);
  await kubectl(['delete', 'clusterrole,clusterrolebinding', '-l', `capacity.test/run=${suffix}`]);
  await kubectl(['delete', 'role,rolebinding', '-n', 'kube-system', '-l', `capacity.test/run=${suffix}`]);
  await client.close();
});

async function clientOf(kubeconfig: string): Promise<KubernetesClient> {
  const connection = await connect({ kubeconfig, cwd: process.cwd(), env: {} });
  const { signal } = new AbortController();
  return createClient(connection, { clock: systemClock, signal, userAgent: 'gke-rollout-tests' });
}

async function newNamespace(): Promise<string> {
  const name = await createNamespace('capacity');
  namespaces.push(name);
  return name;
}

async function apply(...objects: object[]): Promise<void> {
  await kubectl(['create', '-f', '-'], objects.map((object) => JSON.stringify(object)).join('\n---\n'));
}

async function until(what: string, isTrue: () => Promise<boolean>): Promise<void> {
  const end = Date.now() + 120_000;
  while (!(await isTrue())) {
    if (Date.now() > end) throw new Error(`waited in vain until ${what}`);
    await systemClock.sleep(200);
  }
}

function nodesOf({ name, nodes }: CapacityCase): object[] {
  return nodes.map(({ capacity, labels = {}, taints = [], cordoned = false }, index) => {
    const own = { [poolLabel]: name, 'capacity.test/run': suffix, ...labels };
    const node = fakeNode(`capacity-${suffix}-${name}-${index}`, capacity, own);
    const spec = {
      ...node.spec,
      taints: [...node.spec.taints, ...taints],
      ...(cordoned ? { unschedulable: true } : {}),
    };
    return { ...node, spec };
  });
}

async function nodesOfTest(): Promise<JsonObject[]> {
  return objectsAt(await kubectlJson(['get', 'nodes', '-l', `capacity.test/run=${suffix}`]), 'items');
}

/** A Deployment whose pods go into the pool of a case. */
function deploymentIn(pool: string, name: string, replicas: number, pod: JsonObject): KubernetesObject {
  const app = { app: name };
  const spec = {
    nodeSelector: { [poolLabel]: pool, 'capacity.test/run': suffix },
    tolerations: [{ key: fakeNodeTaint.key, operator: 'Exists' }],
    ...pod,
  };
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name, namespace },
    spec: {
      replicas,
      selector: { matchLabels: app },
      template: { metadata: { labels: { ...app, 'capacity.test/case': pool } }, spec },
    },
  };
}

function templateOf(deployment: KubernetesObject): JsonObject {
  return objectAt(deployment, 'spec', 'template');
}

function refIn(where: string, name: string): ObjectRef {
  return { apiVersion: 'apps/v1', kind: 'Deployment', namespace: where, name };
}

/** Once the scheduler has looked at `count` pods: how many of them have a node. */
async function scheduledOf(name: string, count: number): Promise<number> {
  let pods: JsonObject[] = [];
  await until(`the scheduler has looked at ${count} pods of ${name}`, async () => {
    pods = objectsAt(await kubectlJson(['get', 'pods', '-n', namespace, '-l', `app=${name}`]), 'items');
    const conditions = pods.flatMap((pod) => objectsAt(pod, 'status', 'conditions'));
    return conditions.filter(({ type }) => type === 'PodScheduled').length === count;
  });
  return pods.filter((pod) => typeof objectAt(pod, 'spec')['nodeName'] === 'string').length;
}

function textsOf(report: CapacityReport): string[] {
  return report.state === 'fits' ? [] : report.shortages.map(({ message }) => message);
}

function roomIn(report: CapacityReport, extra: number): number {
  const [text = ''] = textsOf(report);
  return report.state === 'fits' ? extra : Number(/capacity for only (?<count>\d+)/.exec(text)?.groups?.['count'] ?? 0);
}

describe('the room that is found is what the scheduler finds', () => {
  test.concurrent.each(cases)('$about', async ({ name, pod, oldPod = pod, old = 0, extra, room, says = /^/ }) => {
    await apply(deploymentIn(name, `${name}-old`, old, oldPod));
    expect(await scheduledOf(`${name}-old`, old)).toBe(old);
    const candidate = deploymentIn(name, `${name}-new`, extra, pod);
    const surge = { ref: refIn(namespace, `${name}-new`), template: templateOf(candidate), extra };
    const report = await checkCapacity(client, namespace, [surge]);
    expect(report.notices).toEqual([]);
    expect(roomIn(report, extra)).toBe(room);
    expect(textsOf(report).join('\n')).toMatch(says);
    await apply(candidate);
    expect(await scheduledOf(`${name}-new`, extra)).toBe(room);
    agreed += 1;
  });
});

test('pods of the workload that go first leave their GPUs', async () => {
  const old = deploymentIn('gpu', 'gpu-old', 3, cases[0]?.pod ?? {});
  await until('the new pods of the pool have gone', async () => {
    await kubectl(['delete', 'deployment', 'gpu-new', '-n', namespace, '--ignore-not-found']);
    await kubectl([
      'delete',
      'pods',
      '-l',
      'app=gpu-new',
      '-n',
      namespace,
      '--force',
      '--grace-period=0',
      '--wait=false',
    ]);
    return objectsAt(await kubectlJson(['get', 'pods', '-l', 'app=gpu-new', '-n', namespace]), 'items').length === 0;
  });
  const surge = { ref: refIn(namespace, 'gpu-old'), template: templateOf(old), extra: 3 };
  expect((await checkCapacity(client, namespace, [surge])).state).toBe('short');
  expect((await checkCapacity(client, namespace, [{ ...surge, freed: 2 }])).state).toBe('fits');
});

test('a quota is counted as the API server counts it, defaults of the namespace included', async () => {
  const where = await newNamespace();
  const metadata = { name: 'team', namespace: where };
  const limits = [{ type: 'Container', default: { cpu: '2' }, defaultRequest: { cpu: '1' } }];
  await apply(
    { apiVersion: 'v1', kind: 'LimitRange', metadata, spec: { limits } },
    {
      apiVersion: 'v1',
      kind: 'ResourceQuota',
      metadata,
      spec: { hard: { pods: '9', 'requests.cpu': '3', 'limits.cpu': '7' } },
    },
  );
  const make = (name: string, replicas: number) => {
    const made = deploymentIn('quota', name, replicas, {
      containers: [{ name: 'web', image: 'registry.test/ctwoc:1.0.0' }],
    });
    return { ...made, metadata: { name, namespace: where } };
  };
  const usedCpu = async () =>
    await kubectl(['get', 'resourcequota', 'team', '-n', where, '-o', 'jsonpath={.status.used.requests\\.cpu}']);
  await apply(make('old', 2));
  await until('two pods are counted', async () => (await usedCpu()) === '2');

  const surge = { ref: refIn(where, 'new'), template: templateOf(make('new', 2)), extra: 2 };
  const report = await checkCapacity(client, where, [surge], { strategy: 'blue-green', autoscaler: 'present' });
  expect(
    report.state === 'short' && report.shortages.filter(({ certain }) => certain).map(({ message }) => message),
  ).toEqual([
    `blue-green of Deployment "new" needs 4 more limits.cpu, but the ResourceQuota "team" of namespace "${where}" has 3 left (4 of 7 used)`,
    `blue-green of Deployment "new" needs 2 more requests.cpu, but the ResourceQuota "team" of namespace "${where}" has 1 left (2 of 3 used)`,
  ]);
  await apply(make('new', 2));
  await until('the third pod is counted', async () => (await usedCpu()) === '3');
  await until('the fourth is refused', async () => {
    const { status } = await kubectlJson(['get', 'deployment', 'new', '-n', where]);
    return objectsAt(status, 'conditions').some(
      ({ type, message }) =>
        type === 'ReplicaFailure' && typeof message === 'string' && message.includes('exceeded quota: team'),
    );
  });
});

describe('rights', () => {
  /** A client of a user with these rules in the namespace, and those of the page for the cluster if wanted. */
  async function userWith(where: string, name: string, wholeCluster: boolean): Promise<KubernetesClient> {
    const group = 'rbac.authorization.k8s.io';
    const labels = { 'capacity.test/run': suffix };
    const subjects = [{ kind: 'ServiceAccount', name, namespace: where }];
    const rules = [{ apiGroups: [''], resources: ['resourcequotas', 'limitranges'], verbs: ['list'] }];
    const roles = [
      { apiVersion: `${group}/v1`, kind: 'Role', metadata: { name, namespace: where, labels }, rules },
      ...(wholeCluster ? rolesOfPage() : []).map(({ metadata, ...role }) => ({
        ...role,
        metadata: { ...(metadata as JsonObject), name: `${name}-${suffix}`, labels },
      })),
    ] as KubernetesObject[];
    const bindings = roles.map(({ kind, metadata }) => ({
      apiVersion: `${group}/v1`,
      kind: `${kind}Binding`,
      metadata,
      subjects,
      roleRef: { apiGroup: group, kind, name: metadata.name },
    }));
    await apply(
      { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name, namespace: where } },
      ...roles,
      ...bindings,
    );
    const token = (await kubectl(['create', 'token', name, '-n', where])).trim();
    const admin = JSON.parse(await kubectl(['config', 'view', '--raw', '--flatten', '-o', 'json'])) as {
      users: { name: string }[];
    };
    const users = admin.users.map((user) => ({ name: user.name, user: { token } }));
    return await clientOf(JSON.stringify({ ...admin, users }));
  }

  /** What docs/capacity.md asks for. */
  function rolesOfPage(): JsonObject[] {
    const page = readFileSync(join(import.meta.dirname, '../../../docs/capacity.md'), 'utf8');
    const block = /```yaml\n(?<roles>apiVersion: rbac[\s\S]*?)```/.exec(page)?.groups?.['roles'] ?? '';
    return loadAll(block) as JsonObject[];
  }

  const pod = { containers: [{ name: 'web', image: 'registry.test/ctwoc:1.0.0' }], nodeSelector: { nobody: 'has' } };

  test('of one namespace leave the quotas, and a notice names the rest', async () => {
    const where = await newNamespace();
    const user = await userWith(where, 'small', false);
    const surge = { ref: refIn(where, 'web'), template: templateOf(deploymentIn('none', 'web', 1, pod)), extra: 2 };
    const told = 'no permission to list nodes and pods cluster-wide';
    expect(await checkCapacity(user, where, [surge])).toEqual({
      state: 'fits',
      notices: [expect.stringContaining(told)],
    });
    const spec = { hard: { pods: '1' } };
    await apply({ apiVersion: 'v1', kind: 'ResourceQuota', metadata: { name: 'one', namespace: where }, spec });
    expect(textsOf(await checkCapacity(user, where, [surge]))).toEqual([
      expect.stringContaining('ResourceQuota "one"'),
    ]);
    await user.close();
  });

  test('of the page are enough, with few requests', async () => {
    const where = await newNamespace();
    const user = await userWith(where, 'large', true);
    const surge = { ref: refIn(where, 'web'), template: templateOf(deploymentIn('none', 'web', 1, pod)), extra: 2 };
    await user.resources();
    const before = user.requestCounts.get('GET') ?? 0;
    const report = await checkCapacity(user, where, [surge]);
    figure('capacity-requests', (user.requestCounts.get('GET') ?? 0) - before);
    expect(report).toMatchObject({ state: 'short', notices: [], shortages: [{ certain: true }] });
    expect((user.requestCounts.get('GET') ?? 0) - before).toBeLessThanOrEqual(5);
    await user.close();
  });
});
