import { createHash } from 'node:crypto';

import type { Grant } from './rights.ts';

/** Verbs that somebody lacks on a resource. */
export interface MissingRule {
  group: string;
  resource: string;
  verbs: readonly string[];
  /** Absent: in the whole cluster. */
  namespace?: string;
  /** The only objects that they are needed for; empty: all. */
  names: readonly string[];
  why: string;
  /** The run can do without it. */
  optional: boolean;
}

/** The order in which people write verbs. */
const verbOrder = ['get', 'list', 'watch', 'create', 'update', 'patch', 'delete'];

/** Whom a Role is for, and what it is called. */
interface RoleOptions {
  /** As the API server calls it; undefined where it does not say. */
  user: string | undefined;
  release: string;
  /**
   * Absent: the name of the release and what it holds, so that a Role of an earlier time, which may hold something else, is added
   * to and not written over.
   */
  name?: string;
}

/**
 * What somebody may apply to grant these: a Role and its RoleBinding in each namespace, and a ClusterRole only for what lies in
 * none.
 */
export function roleFor(missing: readonly MissingRule[], options: RoleOptions): string {
  const places = [...new Set(missing.map(({ namespace }) => namespace))];
  return places
    .map((namespace) => {
      const rules = mergedRules(missing.filter((rule) => rule.namespace === namespace)).map(ruleLines);
      return documentsOf(rules.flat(), namespace, options);
    })
    .join('---\n');
}

/** A ClusterRole that nobody is bound to: a run binds it to itself, in a namespace that it has made. */
export function unboundRoleFor(rules: readonly MissingRule[], name: string): string {
  return `${[
    '# Bound inside previews only.',
    'apiVersion: rbac.authorization.k8s.io/v1',
    'kind: ClusterRole',
    'metadata:',
    `  name: ${quoted(name)}`,
    'rules:',
    ...mergedRules(rules).flatMap(ruleLines),
  ].join('\n')}\n`;
}

/**
 * All that these grants allow, each verb of a resource once. In a namespace it is for every object of a kind, so that a manifest
 * can be added without asking anybody; what lies in none is named, since it concerns the whole cluster.
 */
export function rulesOf(grants: readonly Grant[]): MissingRule[] {
  const single = grants.flatMap((grant) => grant.verbs.map((verb) => ({ ...grant, verb })));
  const byRight = Map.groupBy(single, ({ verb, group, resource, namespace }) =>
    JSON.stringify([verb, group, resource, namespace]),
  );
  return [...byRight.values()].flatMap((all) => {
    const first = all.find(({ need }) => need !== 'optional') ?? all[0];
    if (first === undefined) return [];
    const { verb, group, resource, namespace, need, why } = first;
    const canBeNamed = namespace === undefined && !unnamedVerbs.includes(verb);
    const names = canBeNamed ? all.map(({ name }) => name) : [];
    return {
      group,
      resource,
      verbs: [verb],
      ...(namespace === undefined ? {} : { namespace }),
      names: names.every((name) => name !== undefined) ? [...new Set(names)] : [],
      why,
      optional: need === 'optional',
    };
  });
}

/** Requests that name no object (kubernetes.io/docs/reference/access-authn-authz/rbac, "Referring to resources"). */
const unnamedVerbs = ['list', 'watch', 'create'];

/** Which verbs on which resources, each pair once: `create, patch deployments.apps`. */
export function listOf(missing: readonly MissingRule[]): string[] {
  const byResource = new Map<string, Set<string>>();
  for (const { group, resource, verbs } of missing) {
    const key = group === '' ? resource : `${resource}.${group}`;
    byResource.set(key, new Set([...(byResource.get(key) ?? []), ...verbs]));
  }
  return [...byResource].map(([resource, verbs]) => `${inOrder([...verbs]).join(', ')} ${resource}`);
}

function inOrder(verbs: readonly string[]): string[] {
  const rank = (verb: string) => (verbOrder.includes(verb) ? verbOrder.indexOf(verb) : verbOrder.length);
  return [...new Set(verbs)].sort((left, right) => rank(left) - rank(right) || left.localeCompare(right));
}

interface Rule {
  group: string;
  resources: string[];
  verbs: string[];
  names: readonly string[];
  why: string[];
  optional: boolean;
}

/** One rule for each resource, and one for all resources of a group that need the same. */
function mergedRules(missing: readonly MissingRule[]): Rule[] {
  const byResource = new Map<string, Rule>();
  for (const { group, resource, verbs, names, why, optional } of missing) {
    const key = JSON.stringify([group, resource, [...names].sort(), optional]);
    const known = byResource.get(key) ?? { group, resources: [resource], verbs: [], names, why: [], optional };
    byResource.set(key, {
      ...known,
      verbs: inOrder([...known.verbs, ...verbs]),
      why: [...new Set([...known.why, why])],
    });
  }
  const byVerbs = new Map<string, Rule>();
  for (const rule of byResource.values()) {
    const key = JSON.stringify([rule.group, rule.verbs, [...rule.names].sort(), rule.optional]);
    const known = byVerbs.get(key);
    byVerbs.set(
      key,
      known === undefined
        ? rule
        : {
            ...known,
            resources: [...known.resources, ...rule.resources],
            why: [...new Set([...known.why, ...rule.why])],
          },
    );
  }
  return [...byVerbs.values()];
}

function ruleLines({ group, resources, verbs, names, why, optional }: Rule): string[] {
  return [
    `  - apiGroups: [${quoted(group)}] # ${optional ? 'optional: ' : ''}${why.join('; ')}`,
    `    resources: [${resources.map(quoted).join(', ')}]`,
    ...(names.length === 0 ? [] : [`    resourceNames: [${names.map(quoted).join(', ')}]`]),
    `    verbs: [${verbs.map(quoted).join(', ')}]`,
  ];
}

function documentsOf(
  rules: readonly string[],
  namespace: string | undefined,
  { release, user, name: given }: RoleOptions,
): string {
  const kind = namespace === undefined ? 'ClusterRole' : 'Role';
  const subject = subjectLines(user);
  const digest = createHash('sha256')
    .update([...rules, ...subject].join('\n'))
    .digest('hex');
  const name = given ?? `gke-rollout-${release}-${digest.slice(0, 6)}`;
  const metadata = [
    'metadata:',
    `  name: ${quoted(name)}`,
    ...(namespace === undefined ? [] : [`  namespace: ${quoted(namespace)}`]),
  ];
  return `${[
    'apiVersion: rbac.authorization.k8s.io/v1',
    `kind: ${kind}`,
    ...metadata,
    'rules:',
    ...rules,
    '---',
    'apiVersion: rbac.authorization.k8s.io/v1',
    `kind: ${kind}Binding`,
    ...metadata,
    'roleRef:',
    '  apiGroup: rbac.authorization.k8s.io',
    `  kind: ${kind}`,
    `  name: ${quoted(name)}`,
    'subjects:',
    ...subject,
  ].join('\n')}\n`;
}

function subjectLines(user: string | undefined): string[] {
  const account = /^system:serviceaccount:(?<namespace>[^:]+):(?<name>[^:]+)$/.exec(user ?? '')?.groups;
  if (account !== undefined) {
    const { namespace = '', name = '' } = account;
    return ['  - kind: ServiceAccount', `    namespace: ${quoted(namespace)}`, `    name: ${quoted(name)}`];
  }
  const comment = user === undefined ? ' # the user of the kubeconfig' : '';
  return ['  - apiGroup: rbac.authorization.k8s.io', '    kind: User', `    name: ${quoted(user ?? 'USER')}${comment}`];
}

/** A scalar that YAML reads as the text that it is, in version 1.1 too. */
function quoted(text: string): string {
  return /^[a-z][a-z0-9./-]+$/.test(text) && !/^(true|false|yes|no|on|off|null)$/.test(text)
    ? text
    : JSON.stringify(text);
}
