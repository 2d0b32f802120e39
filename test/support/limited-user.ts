import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { load, loadAll } from 'js-yaml';

import { kubectl } from './kubectl.ts';

export interface RbacRule {
  apiGroups: string[];
  resources: string[];
  verbs: string[];
}

const group = 'rbac.authorization.k8s.io';

/** The kubeconfig that the suites have, asked for once. */
let administrator: Promise<string> | undefined;

/** Lets a ServiceAccount of the namespace do this and nothing else; answers the text of its kubeconfig. */
export async function limitedUser(namespace: string, name: string, rules: readonly RbacRule[]): Promise<string> {
  const metadata = { name, namespace };
  const subjects = [{ kind: 'ServiceAccount', ...metadata }];
  const objects = [
    { apiVersion: 'v1', kind: 'ServiceAccount', metadata },
    { apiVersion: `${group}/v1`, kind: 'Role', metadata, rules },
    {
      apiVersion: `${group}/v1`,
      kind: 'RoleBinding',
      metadata,
      subjects,
      roleRef: { apiGroup: group, kind: 'Role', name },
    },
  ];
  await kubectl(['apply', '-f', '-'], objects.map((object) => JSON.stringify(object)).join('\n---\n'));
  const token = (await kubectl(['create', 'token', name, '-n', namespace])).trim();
  administrator ??= kubectl(['config', 'view', '--raw', '--flatten', '-o', 'json']);
  const admin = JSON.parse(await administrator) as { users: { name: string }[] };
  return JSON.stringify({ ...admin, users: admin.users.map((user) => ({ name: user.name, user: { token } })) });
}

/** Grants more to the same user. */
export async function grantAlso(namespace: string, name: string, rules: readonly RbacRule[]): Promise<void> {
  const metadata = { name: `${name}-also`, namespace };
  const subjects = [{ kind: 'ServiceAccount', name, namespace }];
  const roleRef = { apiGroup: group, kind: 'Role', name: metadata.name };
  const objects = [
    { apiVersion: `${group}/v1`, kind: 'Role', metadata, rules },
    { apiVersion: `${group}/v1`, kind: 'RoleBinding', metadata, subjects, roleRef },
  ];
  await kubectl(['apply', '-f', '-'], objects.map((object) => JSON.stringify(object)).join('\n---\n'));
}

/** The rules that docs/rights.md gives: for everybody, for StatefulSets and foreign workloads, for canary and blue-green. */
export function documentedRules(): { base: RbacRule[]; special: RbacRule[]; strategies: RbacRule[] } {
  const page = readFileSync(join(import.meta.dirname, '../../docs/rights.md'), 'utf8');
  const section = page.slice(page.indexOf('## What is needed for what'));
  const blocks = [...section.matchAll(/```yaml\n([\s\S]*?)```/g)].map(([, text = '']) => load(text));
  const [base, special, strategies] = blocks as [{ rules: RbacRule[] }, RbacRule[], RbacRule[]];
  return { base: base.rules, special, strategies };
}

/** What that page says in words of each kind of the manifests. */
export function rulesOfKinds(): RbacRule[] {
  const verbs = ['get', 'create', 'patch', 'update', 'delete'];
  return [
    { apiGroups: [''], resources: ['configmaps', 'services'], verbs },
    { apiGroups: ['apps'], resources: ['deployments'], verbs: [...verbs, 'list', 'watch'] },
  ];
}

/** The rules of all Roles and ClusterRoles of a manifest. */
export function rulesIn(manifest: string): RbacRule[] {
  const documents = loadAll(manifest) as { kind: string; rules?: RbacRule[] }[];
  return documents.flatMap(({ rules = [] }) => rules);
}
