import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { expect, test } from '@jest/globals';
import { loadAll } from 'js-yaml';
import { format, resolveConfig } from 'prettier';

import { describe as inWords, printed } from '../../../script/role/command-line.ts';
import { kindsNamed, knownKinds } from '../../../script/role/kinds.ts';
import { roleOf, type Asked } from '../../../script/role/role.ts';
import { manifestFrom } from '../../../src/manifests/manifest.ts';
import type { KubernetesObject } from '../../../src/kubernetes/object.ts';
import { createWorkspace, removeWorkspace } from '../../support/workspace.ts';

const root = join(import.meta.dirname, '../../..');

const plain: Asked = {
  commands: ['deploy'],
  strategies: ['rolling'],
  namespace: 'shop',
  undoOnFailure: true,
  checks: [],
  kinds: knownKinds,
  name: 'deployer',
};

interface Rule {
  apiGroups: string[];
  resources: string[];
  resourceNames?: string[];
  verbs: string[];
}

function object(apiVersion: string, kind: string, more: object = {}): KubernetesObject {
  return { apiVersion, kind, metadata: { name: kind.toLowerCase() }, ...more };
}

const deployment = object('apps/v1', 'Deployment');
const statefulSet = object('apps/v1', 'StatefulSet');
const service = object('v1', 'Service', { spec: { ports: [] } });
const balancer = object('v1', 'Service', { spec: { type: 'LoadBalancer' } });
const configMap = object('v1', 'ConfigMap');
const groups = object('leaderworkerset.x-k8s.io/v1', 'LeaderWorkerSet');
const claim = object('v1', 'PersistentVolumeClaim');

/** The documents of the Role of these, by kind. */
function documentsOf(
  objects: readonly KubernetesObject[],
  asked: Partial<Asked> = {},
): Record<string, { rules?: Rule[] }> {
  const manifests = structuredClone(objects).map((one) => manifestFrom(one, 'app.yaml'));
  const documents = loadAll(roleOf(manifests, { ...plain, ...asked })) as ({ kind: string } & { rules?: Rule[] })[];
  return Object.fromEntries(documents.map((one) => [one.kind, one]));
}

/** `deployments: get list` for each resource of the Role that is not optional, whatever every run needs aside. */
function needed(objects: readonly KubernetesObject[], asked: Partial<Asked> = {}): string[] {
  const manifests = structuredClone(objects).map((one) => manifestFrom(one, 'app.yaml'));
  const text = roleOf(manifests, { ...plain, ...asked });
  const withoutOptional = text.replaceAll(/^ {2}- apiGroups: .*# optional: .*\n(?: {4}.*\n)*/gm, '');
  const rules = (loadAll(withoutOptional) as { rules?: Rule[] }[]).flatMap((one) => one.rules ?? []);
  return rules.flatMap(({ resources, verbs }) => resources.map((name) => `${name}: ${verbs.join(' ')}`)).sort();
}

const record = 'secrets: get list create patch delete';
const lock = 'leases: get create update';
const all = 'get list watch create update patch delete';
const unwatched = 'get create update patch delete';

test.each<[string, Partial<Asked>, KubernetesObject[], string[]]>([
  ['a deploy', {}, [deployment, service], [`deployments: ${all}`, lock, record, `services: ${unwatched}`]],
  ['an address that is waited for', {}, [balancer], [lock, record, `services: ${all}`]],
  ['a deploy without an undo', { undoOnFailure: false }, [configMap], ['configmaps: get create patch', lock, record]],
  [
    'data that is never deleted',
    {},
    [claim],
    [lock, 'persistentvolumeclaims: get list watch create update patch', record],
  ],
  [
    'a StatefulSet, whose broken pods may have to go',
    {},
    [statefulSet],
    [lock, 'pods: list delete', record, `statefulsets: ${all}`],
  ],
  [
    'a canary',
    { strategies: ['canary'] },
    [deployment, service, configMap],
    [
      `configmaps: ${all}`,
      `deployments: ${all}`,
      'endpointslices: list',
      lock,
      'pods: list',
      record,
      'services: get list create update patch delete',
    ],
  ],
  [
    'blue-green',
    { strategies: ['blue-green'] },
    [deployment, service],
    [
      `deployments: ${all}`,
      'endpointslices: list',
      lock,
      'pods: list',
      'replicasets: list',
      record,
      'services: get list create update patch delete',
    ],
  ],
  [
    'a rollback of a canary, which goes in place',
    { commands: ['rollback'], strategies: ['canary'] },
    [deployment],
    [`deployments: ${all}`, lock, record],
  ],
  [
    'scale',
    { commands: ['scale'] },
    [deployment, service, configMap],
    ['deployments: get list watch update patch', lock, record],
  ],
  [
    'restart',
    { commands: ['restart'] },
    [deployment, configMap],
    ['deployments: get list watch update patch', lock, record],
  ],
  [
    'scale of a custom resource',
    { commands: ['scale'] },
    [groups, object('serving.kserve.io/v1beta1', 'InferenceService')],
    ['leaderworkersets: get list watch update patch', lock, record],
  ],
  ['restart of custom resources, which it leaves as they are', { commands: ['restart'] }, [groups], [lock, record]],
  ['pause', { commands: ['pause'] }, [deployment, statefulSet], ['deployments: get patch', 'secrets: get list']],
  ['resume', { commands: ['resume'] }, [deployment], ['deployments: get list watch patch', 'secrets: get list']],
  ['status', { commands: ['status'] }, [deployment, service], ['secrets: get list']],
  [
    'abort',
    { commands: ['abort'], strategies: ['canary'] },
    [deployment, configMap],
    [
      'configmaps: get delete',
      'deployments: get update delete',
      'endpointslices: list',
      lock,
      'pods: list',
      record,
      'services: get list',
    ],
  ],
  [
    'two commands at once',
    { commands: ['status', 'pause'] },
    [deployment],
    ['deployments: get patch', 'secrets: get list'],
  ],
])('%s needs this and nothing more', (_, asked, objects, expected) => {
  expect(needed(objects, asked)).toEqual(expected.toSorted());
});

test.each([
  ['deploy', 'list, watch'],
  ['scale', 'list, watch'],
  ['status', 'list'],
] as const)('of what a custom resource consists of a %s may do without the right to %s it', (command, verbs) => {
  const text = roleOf([manifestFrom(structuredClone(groups), 'llm.yaml')], { ...plain, commands: [command] });
  const [, comment = '', resources = '', may = ''] =
    /# (optional: .*)\n.*resources: \[(.*statefulsets.*)\]\n.*verbs: \[(.*)\]/.exec(text) ?? [];
  expect(comment).toContain('what each LeaderWorkerSet consists of');
  expect(resources.split(', ')).toContain('statefulsets');
  expect(may).toBe(verbs);
});

const whole = 'namespaces: get list create patch delete';
const isolation = ['limitranges', 'networkpolicies', 'resourcequotas'];

test('a namespace that the run creates needs a ClusterRole, since no Role can lie in it before', () => {
  const text = roleOf([manifestFrom(structuredClone(configMap), 'app.yaml')], { ...plain, createsNamespace: true });
  expect(text).toContain('# It holds in all namespaces: no Role can lie in namespace shop before a run creates it.');
  const documents = documentsOf([configMap], { createsNamespace: true });
  expect(Object.keys(documents)).toEqual(['ClusterRole', 'ClusterRoleBinding']);
  const rules = documents['ClusterRole']?.rules ?? [];
  expect(rules.filter(({ resources }) => resources.includes('namespaces'))).toMatchObject([
    { verbs: ['get', 'patch'], resourceNames: ['shop'] },
    { verbs: ['create'] },
  ]);
  expect(needed([configMap], { createsNamespace: true })).toContain(record);
});

test('a preview needs its namespaces, and its manifests with what isolates them in each', () => {
  const asked: Partial<Asked> = { commands: ['preview'], namespace: 'preview' };
  const documents = documentsOf([deployment], asked);
  expect(Object.keys(documents)).toEqual(['ClusterRole', 'ClusterRoleBinding']);
  const resources = (documents['ClusterRole']?.rules ?? []).flatMap((rule) => rule.resources);
  expect(resources).toEqual(expect.arrayContaining(['namespaces', 'secrets', 'deployments', ...isolation]));
  const unlimited = documentsOf([deployment], { ...asked, isolation: 'none' })['ClusterRole']?.rules ?? [];
  const others = unlimited.flatMap((rule) => rule.resources);
  expect(isolation.filter((resource) => others.includes(resource))).toEqual([]);
});

test('with a role that it binds to itself, a preview may do nothing else outside of its namespaces', () => {
  const manifests = [deployment, service].map((one) => manifestFrom(structuredClone(one), 'app.yaml'));
  const copies = [{ resource: 'secrets', namespace: 'staging', name: 'pull' }] as const;
  const asked: Asked = { ...plain, commands: ['preview'], namespace: 'preview', previewRole: 'inside', copies };
  const documents = loadAll(roleOf(manifests, asked)) as ({ kind: string; metadata: object } & { rules?: Rule[] })[];
  const [outside, , copied, , inside] = documents;
  expect(outside?.rules?.map(({ resources, verbs, resourceNames }) => ({ resources, verbs, resourceNames }))).toEqual([
    { resources: ['namespaces'], verbs: ['get', 'list', 'create', 'patch', 'delete'], resourceNames: undefined },
    { resources: ['rolebindings'], verbs: ['create', 'patch'], resourceNames: undefined },
    { resources: ['clusterroles'], verbs: ['bind'], resourceNames: ['inside'] },
  ]);
  expect(copied).toMatchObject({ kind: 'Role', metadata: { namespace: 'staging' } });
  expect(copied?.rules).toMatchObject([{ resources: ['secrets'], resourceNames: ['pull'], verbs: ['get'] }]);
  expect(inside).toMatchObject({ kind: 'ClusterRole', metadata: { name: 'inside' } });
  expect(inside?.rules?.some(({ resourceNames }) => resourceNames !== undefined)).toBe(false);
  expect(documents).toHaveLength(5);
});

test('teardown needs no manifests, and its namespaces alone', async () => {
  expect(needed([], { commands: ['teardown'] })).toEqual(['namespaces: get list delete']);
  expect(needed([], { commands: ['preview', 'teardown'] })).toContain(whole);
  const text = await printed(['--command', 'teardown', '--service-account', 'ci/previews'], root);
  expect(text).toContain('# What teardown needs in the namespaces of previews.');
});

test('what lies in no namespace is a ClusterRole, for these objects alone', () => {
  const documents = documentsOf([deployment, object('v1', 'Namespace'), object('storage.k8s.io/v1', 'StorageClass')]);
  expect(Object.keys(documents)).toEqual(['Role', 'RoleBinding', 'ClusterRole', 'ClusterRoleBinding']);
  const rules = documents['ClusterRole']?.rules ?? [];
  // Requests to list and to create name no object.
  const unnamed = rules.filter(({ resourceNames }) => resourceNames === undefined).flatMap(({ verbs }) => verbs);
  expect([...new Set(unnamed)]).toEqual(['list', 'watch', 'create']);
  expect(rules.flatMap(({ resourceNames = [] }) => resourceNames).sort()).toEqual(['namespace', 'storageclass']);
});

test('an object of another namespace gets a Role there', () => {
  const elsewhere = { ...configMap, metadata: { name: 'x', namespace: 'kube-public' } };
  const text = roleOf([manifestFrom(elsewhere, 'x.yaml')], plain);
  const roles = (loadAll(text) as KubernetesObject[]).filter(({ kind }) => kind === 'Role');
  expect(roles.map(({ metadata }) => metadata.namespace)).toEqual(['shop', 'kube-public']);
});

test('a custom resource is known by its definition among the manifests, or by what is said', () => {
  const certificate = object('cert-manager.io/v1', 'Certificate');
  const names = { kind: 'Certificate', plural: 'certificates' };
  const definition = object('apiextensions.k8s.io/v1', 'CustomResourceDefinition', {
    spec: { group: 'cert-manager.io', scope: 'Namespaced', names },
  });
  expect(needed([certificate, definition])).toContain(`certificates: ${all}`);
  const kinds = new Map([...knownKinds, ...kindsNamed(['Certificate=certificates.cert-manager.io'], true)]);
  expect(needed([certificate], { kinds })).toContain(`certificates: ${all}`);
  expect(() => needed([certificate])).toThrow(
    'Certificate of cert-manager.io/v1 is a custom resource, and its plural is not known: add "--resource Certificate=PLURAL.cert-manager.io"',
  );
  expect(() => needed([object('apps/v1', 'Deploymint')])).toThrow('did you mean Deployment?');
});

/** What is said of what is wrong with these arguments. */
async function problem(args: readonly string[], cwd = '.'): Promise<string> {
  return await printed(args, cwd).then(() => 'nothing', inWords);
}

test('manifests are read like those of a deploy, and the Role is bound to whom it is for', async () => {
  const workspace = createWorkspace({ 'k8s/web.yaml': [deployment], 'k8s/web-canary.yaml': [statefulSet] });
  try {
    const whom = ['--service-account', 'ci/deployer', '--name', 'web'];
    const text = await printed(['--namespace', 'shop', ...whom, '--configmaps', 'a=a.txt', 'k8s'], workspace);
    expect(text).toContain('# What deploy (rolling) needs in namespace shop: ConfigMap, Deployment.');
    const [role, binding] = loadAll(text) as Record<string, unknown>[];
    expect(role).toMatchObject({ kind: 'Role', metadata: { name: 'web', namespace: 'shop' } });
    expect(binding).toMatchObject({ subjects: [{ kind: 'ServiceAccount', namespace: 'ci', name: 'deployer' }] });
    expect(text).not.toContain('statefulsets');
  } finally {
    removeWorkspace(workspace);
  }
});

test('docs/rights.md shows what the command prints', async () => {
  const page = readFileSync(join(root, 'docs/rights.md'), 'utf8');
  const example = /```sh\nscript\/rights (?<args>.*)\n```\n\n```yaml\n(?<text>[\s\S]*?)```/.exec(page)?.groups ?? {};
  const { args = '', text } = example;
  const config = await resolveConfig(join(root, 'docs/rights.md'));
  expect(text).toBe(await format(await printed(args.split(' '), root), { ...config, parser: 'yaml' }));
});

test.each([
  [
    ['--namespace', 'shop', '--command', 'deplyo', 'x'],
    '--command deplyo: there is no such command; did you mean deploy?',
  ],
  [
    ['--namespace', 'shop', '--command', 'preview', '--command', 'deploy', 'x'],
    'previews have namespaces and roles of their own: ask for preview and teardown without other commands',
  ],
  [
    ['--command', 'preview', '--isolation', 'all', 'x'],
    '--isolation all: there is no such isolation; there are none, default, fork',
  ],
  [['--command', 'preview', '--copy-secrets', 'pull', 'x'], '"--copy-secrets pull" is not of the form NAMESPACE/NAME'],
  [
    ['--namespace', 'shop', '--strategy', 'red', 'x'],
    '--strategy red: there is no such strategy; there are rolling, canary, blue-green',
  ],
  [['--namespace', 'shop'], 'no manifests are named: script/rights --namespace shop k8s/'],
  [['k8s'], '--namespace is missing: script/rights --namespace shop k8s/'],
  [
    ['--namespace', 'shop', '--user', 'a', '--service-account', 'b', 'x'],
    '--user and --service-account exclude each other: a Role is for one of them',
  ],
  [
    ['--namespace', 'shop', '--resource', 'Certificate', 'x'],
    '"--resource Certificate" is not of the form KIND=PLURAL.GROUP, as in Certificate=certificates.cert-manager.io',
  ],
])('%j ends with one line that says what is wrong', async (args, expected) => {
  expect(await problem(args)).toBe(`error: ${expected}`);
});

test('a file that is not there, or cannot be read, is named in one line', async () => {
  const workspace = createWorkspace({ 'broken.yaml': 'a: [' });
  try {
    const missing = await problem(['--namespace', 'shop', 'nope.yaml'], workspace);
    expect(missing).toMatch(/^error: the input "manifests" names "nope.yaml", which matches no file.*$/);
    const broken = await problem(['--namespace', 'shop', 'broken.yaml'], workspace);
    expect(broken).toMatch(/^error: broken.yaml:\d+: .*$/);
  } finally {
    removeWorkspace(workspace);
  }
});
