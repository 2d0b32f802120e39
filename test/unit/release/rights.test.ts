import { expect, test } from '@jest/globals';
import { loadAll } from 'js-yaml';

import type { Json } from '../../../src/base/json.ts';
import type { KubernetesObject, ObjectRef } from '../../../src/kubernetes/object.ts';
import { MissingRights, RightsCheck } from '../../../src/release/rights-check.ts';
import {
  checkGrants,
  derivedGrants,
  followGrants,
  grantsOf,
  objectGrants,
  type Grant,
} from '../../../src/release/rights.ts';
import { roleFor } from '../../../src/release/role.ts';
import type { Reporter } from '../../../src/base/reporter.ts';
import { FakeApi, refusal } from '../../support/fake-api.ts';
import { silentReporter } from '../../support/silent-reporter.ts';

const shop = 'shop';
const place = { group: 'apps', resource: 'deployments', namespace: shop };
const web: KubernetesObject = { apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'web', namespace: shop } };

/** Answers reviews by what is allowed: `get secrets`, `get secrets/a` for one object. */
class Authorizer extends FakeApi {
  readonly #allowed: ReadonlySet<string>;
  readonly asked: string[] = [];

  constructor(allowed: readonly string[]) {
    super();
    this.#allowed = new Set(allowed);
  }

  override async create(object: KubernetesObject) {
    const { kind } = object;
    if (kind === 'SelfSubjectRulesReview') {
      this.asked.push('rules');
      return { object: { ...object, status: { resourceRules: [], incomplete: true } }, warnings: [] };
    }
    if (kind === 'SelfSubjectReview') {
      const status = { userInfo: { username: 'system:serviceaccount:ci:deployer' } };
      return { object: { ...object, status }, warnings: [] };
    }
    const { verb, resource, subresource, name } = (object['spec'] as { resourceAttributes: Record<string, string> })
      .resourceAttributes;
    const kindOf = `${verb ?? ''} ${[resource, subresource].filter((part) => part !== undefined).join('/')}`;
    const text = name === undefined ? kindOf : `${kindOf} ${name}`;
    this.asked.push(text);
    return await Promise.resolve({ object: { ...object, status: { allowed: this.#allowed.has(text) } }, warnings: [] });
  }
}

function checkOf(client: FakeApi, reporter: Reporter = silentReporter): RightsCheck {
  return new RightsCheck(client, reporter, { command: 'deploy', release: 'web' });
}

function named(grants: readonly Grant[], need: Grant['need']): string[] {
  return grants.filter((grant) => grant.need === need).flatMap(({ verbs }) => verbs);
}

test('an object that is there needs what changes it and brings it back; to make and delete it only later', () => {
  const grants = objectGrants(web, place, 'differs', { undone: true });
  expect(named(grants, 'now')).toEqual(['get', 'list', 'watch', 'patch', 'update']);
  expect(named(grants, 'later')).toEqual(['create', 'delete']);
});

test('an object that is not there needs what makes it, and what takes it away again', () => {
  expect(named(objectGrants(web, place, 'absent', { undone: true }), 'now')).toEqual([
    'get',
    'list',
    'watch',
    'patch',
    'create',
    'delete',
  ]);
});

test('what a strategy makes beside an object may be made and taken away again, and looked at where it is waited for', () => {
  const kinds = ['Deployment', 'Service', 'Ingress'].map((kind) => ({ kind, place }));
  const verbs = ['get', 'create', 'patch', 'update', 'delete'];
  expect(
    derivedGrants({ Deployment: 'watched', Service: 'unwatched' }, kinds, 'now').map((grant) => grant.verbs),
  ).toEqual([[...verbs, 'list', 'watch'], verbs]);
  expect(derivedGrants({}, kinds, 'now')).toEqual([]);
});

test('without an undo nothing is deleted or written back', () => {
  const grants = objectGrants(web, place, 'unknown', { undone: false });
  expect(grants.flatMap(({ verbs }) => verbs)).toEqual(['get', 'list', 'watch', 'patch', 'create']);
});

test('what may hold data is never deleted, and what is ready at once is never watched', () => {
  const claim = { ...web, apiVersion: 'v1', kind: 'PersistentVolumeClaim' };
  const config = { ...web, apiVersion: 'v1', kind: 'ConfigMap' };
  const verbs = (object: KubernetesObject) =>
    objectGrants(object, place, 'unknown', { undone: true }).flatMap((grant) => grant.verbs);
  expect(verbs(claim)).not.toContain('delete');
  expect(verbs(config)).toEqual(['get', 'patch', 'create', 'update', 'delete']);
});

test('all that is missing stands in one message, as one Role and its binding for the user', async () => {
  const check = checkOf(new Authorizer(['get leases', 'create leases', 'update leases']));
  check.expect(grantsOf('history', shop));
  check.expect(grantsOf('lock', shop));
  check.expect(objectGrants(web, place, 'absent', { undone: true }));
  const error: unknown = await check.require().catch((reason: unknown) => reason);
  if (!(error instanceof MissingRights)) throw new Error('nothing is missing');
  expect(error.message).toBe(
    'user "system:serviceaccount:ci:deployer" lacks rights that this "deploy" and its undo need: get, list secrets; get, list, watch, create, update, patch, delete deployments.apps in namespace "shop"',
  );
  const [role, binding] = loadAll(error.manifest) as Record<string, Json>[];
  expect(role).toMatchObject({
    kind: 'Role',
    metadata: { namespace: shop },
    rules: [
      { apiGroups: [''], resources: ['secrets'], verbs: ['get', 'list'] },
      {
        apiGroups: ['apps'],
        resources: ['deployments'],
        verbs: ['get', 'list', 'watch', 'create', 'update', 'patch', 'delete'],
      },
    ],
  });
  expect(binding).toMatchObject({
    kind: 'RoleBinding',
    metadata: { namespace: shop },
    subjects: [{ kind: 'ServiceAccount', namespace: 'ci', name: 'deployer' }],
  });
});

test('what a later run will need is named, and alone refuses nothing', async () => {
  const grants = objectGrants(web, place, 'same', { undone: true });
  await expect(checkOf(new Authorizer(['get deployments'])).require()).resolves.toBeUndefined();
  const check = checkOf(new Authorizer(['get deployments']));
  check.expect(grants);
  await expect(check.require()).resolves.toBeUndefined();
  check.expect(grantsOf('lock', shop));
  await expect(check.require()).rejects.toThrow('delete deployments.apps');
});

test('rights by the names of objects are enough, and a missing name is added by name', async () => {
  const client = new Authorizer(['get deployments web', 'patch deployments web', 'get deployments api']);
  const check = checkOf(client);
  const of = (name: string, verbs: string[]): Grant => ({ ...place, name, verbs, need: 'now', why: 'Deployment' });
  check.expect([of('web', ['get', 'patch']), of('api', ['get'])]);
  await expect(check.require()).resolves.toBeUndefined();
  check.expect([of('api', ['patch'])]);
  const error: unknown = await check.require().catch((reason: unknown) => reason);
  if (!(error instanceof MissingRights)) throw new Error('nothing is missing');
  expect(error.manifest).toContain('resourceNames: [api]');
});

test('each question is asked once, and the rules of a namespace first', async () => {
  const client = new Authorizer(['get secrets', 'list secrets']);
  const check = checkOf(client);
  check.expect([...grantsOf('history', shop), ...grantsOf('history', shop)]);
  await check.require();
  await check.require();
  expect(client.asked).toEqual(['rules', 'get secrets', 'list secrets']);
});

test.each([
  [{ method: 'GET', via: 'proxy', eachPod: false }, ['get services', 'list pods', 'get services/proxy']],
  [{ method: 'POST', eachPod: true }, ['get services', 'list pods', 'create pods/proxy']],
  [{ method: 'GET', via: 'address', eachPod: false }, ['get services', 'list pods']],
])('a check %j needs what it asks through', (check, expected) => {
  const grants = checkGrants(check, shop);
  expect(grants.flatMap(({ verbs, resource }) => verbs.map((verb) => `${verb} ${resource}`))).toEqual(expected);
});

test('what is optional stands in the Role as such, and not among what is needed', async () => {
  const check = checkOf(new Authorizer([]));
  check.expect([...grantsOf('lock', shop), ...grantsOf('autoscalers', shop)]);
  const error: unknown = await check.require().catch((reason: unknown) => reason);
  if (!(error instanceof MissingRights)) throw new Error('nothing is missing');
  expect(error.message).not.toContain('horizontalpodautoscalers');
  expect(error.manifest).toContain('# optional: replica counts');
});

test('the whole Role has what the user may do already, too', async () => {
  const check = checkOf(new Authorizer(['get leases', 'create leases', 'update leases']));
  check.expect([...grantsOf('lock', shop), ...objectGrants(web, place, 'same', { undone: true })]);
  const [role, binding] = loadAll(await check.role()) as Record<string, Json>[];
  expect(role).toMatchObject({
    metadata: { name: 'gke-rollout', namespace: shop },
    rules: [
      { resources: ['leases'], verbs: ['get', 'create', 'update'] },
      { resources: ['deployments'], verbs: ['get', 'list', 'watch', 'create', 'update', 'patch', 'delete'] },
    ],
  });
  expect(binding).toMatchObject({ subjects: [{ kind: 'ServiceAccount', namespace: 'ci', name: 'deployer' }] });
});

test('what is optional is told once, in one warning that says what is lost', async () => {
  const warnings: string[] = [];
  const reporter = { ...silentReporter, warning: (text: string) => void warnings.push(text) };
  const check = checkOf(new Authorizer([]), reporter);
  check.expect([...grantsOf('causes', shop), ...grantsOf('autoscalers', shop)]);
  await check.require();
  await check.require();
  expect(warnings).toEqual([
    'Some optional rights are missing: the cause of a failure may stay unknown (list, watch pods; list, watch events; get pods/log; list, watch replicasets.apps); a replica count set by an autoscaler may be overwritten (list horizontalpodautoscalers.autoscaling)',
  ]);
});

test('what a custom resource consists of is optional, too, with its pods', async () => {
  const warnings: string[] = [];
  const reporter = { ...silentReporter, warning: (text: string) => void warnings.push(text) };
  const check = checkOf(new Authorizer([]), reporter);
  const groups = { ...web, apiVersion: 'leaderworkerset.x-k8s.io/v1', kind: 'LeaderWorkerSet' };
  const sets = { group: 'apps', resource: 'statefulsets', namespace: shop };
  check.expect([...grantsOf('causes', shop), ...followGrants(groups, [sets])]);
  await check.require();
  await check.require();
  expect(warnings).toEqual([
    'Some optional rights are missing: the cause of a failure may stay unknown (list, watch pods; list, watch events; get pods/log; list, watch replicasets.apps); each LeaderWorkerSet is judged by its own status alone (list, watch statefulsets.apps)',
  ]);
  expect(followGrants(web, [])).toEqual([]);
});

test('the Workloads of Kueue are optional, and asked for where the manifest names a queue', () => {
  const label = { 'kueue.x-k8s.io/queue-name': 'models' };
  const queued = { ...web, metadata: { ...web.metadata, labels: label } };
  const byPods = { ...web, spec: { template: { metadata: { labels: label } } } };
  for (const object of [queued, byPods])
    expect(followGrants(object, [])).toEqual([
      {
        group: 'kueue.x-k8s.io',
        resource: 'workloads',
        verbs: ['list', 'watch'],
        namespace: shop,
        need: 'optional',
        why: 'what Kueue says about pods that wait in a queue',
        lost: 'why Kueue does not admit a pod stays unknown',
      },
    ]);
  expect(followGrants(web, [])).toEqual([]);
});

test('a cluster that does not answer such questions refuses nothing', async () => {
  const client = new FakeApi();
  client.before = (operation, ref: ObjectRef) => {
    if (operation === 'create') throw refusal(404, 'NotFound', ref);
  };
  const check = checkOf(client);
  check.expect(grantsOf('lock', shop));
  await expect(check.require()).resolves.toBeUndefined();
});

test('a refusal for another reason than a right stays what it is', async () => {
  const check = checkOf(new Authorizer([]));
  check.expect(grantsOf('lock', shop));
  const quota = refusal(403, 'Forbidden', { apiVersion: 'v1', kind: 'Pod', name: 'x' });
  expect(await check.explain(quota)).toBe(quota);
});

test('cluster-scoped rights are a ClusterRole of their own, and names keep what was granted before', () => {
  const missing = { group: '', resource: 'namespaces', verbs: ['create'], names: [], why: 'x', optional: false };
  const other = { group: '', resource: 'pods', verbs: ['list'], names: [], why: 'y', optional: false, namespace: shop };
  const documents = loadAll(
    roleFor([missing, other], { release: 'web', user: 'jane@example.com' }),
  ) as KubernetesObject[];
  expect(documents.map(({ kind }) => kind)).toEqual(['ClusterRole', 'ClusterRoleBinding', 'Role', 'RoleBinding']);
  expect(documents[1]).toMatchObject({ subjects: [{ kind: 'User', name: 'jane@example.com' }] });
  const again = loadAll(
    roleFor([{ ...other, verbs: ['watch'] }], { release: 'web', user: 'jane@example.com' }),
  ) as KubernetesObject[];
  expect(again[0]?.metadata.name).not.toBe(documents[2]?.metadata.name);
});
