import type { KubernetesObject } from '../kubernetes/object.ts';
import { stringAt } from '../base/json.ts';
import { groupOf } from '../kubernetes/object.ts';
import { keepsData } from '../manifests/kinds.ts';
import { namesQueue } from '../rollout/queue/kinds.ts';
import { followedBy, hasRule } from '../rollout/readiness/index.ts';
import { userRuleFor, type UserRule } from '../rollout/readiness/user/user-rule.ts';

/**
 * Whether a run can do without a right: not at all (`now`: it is refused before its first write), this time (`later`: it is
 * named along with what is missing now, so that nobody has to come back for it), or always, and then knows less (`optional`).
 */
export type Need = 'now' | 'later' | 'optional';

/** Verbs on one resource, and what they are for. */
export interface Grant {
  /** Empty for the core group. */
  group: string;
  /** As rules name it: `deployments`, `pods/log`. */
  resource: string;
  verbs: readonly string[];
  /** Absent: in the whole cluster. */
  namespace?: string;
  /** Absent: all objects of the resource. */
  name?: string;
  need: Need;
  /** A comment beside the rule. */
  why: string;
  /** Of an optional one: what is lost without it, as a sentence says it. */
  lost?: string;
}

type Rule = readonly [group: string, resource: string, verbs: readonly string[]];

interface RuleSet {
  why: string;
  rules: readonly Rule[];
  lost?: string;
}

/** What is needed beside the kinds of the user's own manifests: docs/rights.md says the same. */
const ruleSets = {
  history: { why: 'revisions and the journal of the current run', rules: [['', 'secrets', ['get', 'list']]] },
  record: {
    why: 'revisions and the journal of the current run',
    rules: [['', 'secrets', ['create', 'patch', 'delete']]],
  },
  noting: {
    why: 'who has paused or resumed it, and why, in the history',
    rules: [['', 'secrets', ['patch']]],
    lost: 'the history does not show who has paused or resumed it',
  },
  lock: { why: 'the lock', rules: [['coordination.k8s.io', 'leases', ['get', 'create', 'update']]] },
  holder: {
    why: 'whether a run is in progress',
    rules: [['coordination.k8s.io', 'leases', ['get']]],
    lost: 'a run that has changed nothing yet is not shown',
  },
  causes: {
    why: 'what pods are busy with, and why they fail',
    rules: [
      ['', 'pods', ['list', 'watch']],
      ['', 'events', ['list', 'watch']],
      ['', 'pods/log', ['get']],
      ['apps', 'replicasets', ['list', 'watch']],
    ],
    lost: 'the cause of a failure may stay unknown',
  },
  queues: {
    why: 'what Kueue says about pods that wait in a queue',
    rules: [['kueue.x-k8s.io', 'workloads', ['list', 'watch']]],
    lost: 'why Kueue does not admit a pod stays unknown',
  },
  autoscalers: {
    why: 'replica counts set by an autoscaler are left alone',
    rules: [['autoscaling', 'horizontalpodautoscalers', ['list']]],
    lost: 'a replica count set by an autoscaler may be overwritten',
  },
  statefulSets: {
    why: 'a broken pod that blocks a StatefulSet after an undo or a rollback',
    rules: [['', 'pods', ['list', 'delete']]],
  },
  traffic: {
    why: 'whether requests go where they should',
    rules: [
      ['', 'services', ['get', 'list']],
      ['', 'pods', ['list']],
      ['discovery.k8s.io', 'endpointslices', ['list']],
    ],
  },
  endpoints: {
    why: 'whether Services have ready endpoints',
    rules: [['discovery.k8s.io', 'endpointslices', ['list']]],
    lost: 'whether a Service has a ready endpoint stays unknown',
  },
  replicaSets: { why: 'which pods serve now', rules: [['apps', 'replicasets', ['list']]] },
  leaving: {
    why: 'candidate pods leave their Services before they terminate',
    rules: [['', 'pods', ['patch']]],
    lost: 'candidate pods terminate as in any rolling update',
  },
  budgets: {
    why: "whether a PodDisruptionBudget would count the candidate's pods",
    rules: [['policy', 'poddisruptionbudgets', ['list']]],
    lost: "a PodDisruptionBudget may count the candidate's pods",
  },
  networkPolicies: {
    why: 'whether a NetworkPolicy selects a label that sets the first green pods apart',
    rules: [['networking.k8s.io', 'networkpolicies', ['list']]],
    lost: 'the first green pods may get a different value for a label that a NetworkPolicy selects',
  },
  room: {
    why: 'whether a canary or blue-green deploy has room',
    rules: [
      ['', 'resourcequotas', ['list']],
      ['', 'limitranges', ['list']],
    ],
    lost: 'capacity for more pods is only partly checked',
  },
  controllerHistory: {
    why: 'the versions that Kubernetes itself keeps',
    rules: [
      ['apps', 'replicasets', ['list']],
      ['apps', 'controllerrevisions', ['list']],
    ],
  },
  previews: {
    why: 'the namespaces of previews',
    rules: [['', 'namespaces', ['get', 'list', 'create', 'patch', 'delete']]],
  },
  teardown: {
    why: 'to find and delete the namespaces of previews',
    rules: [['', 'namespaces', ['get', 'list', 'delete']]],
  },
  bindings: {
    why: 'to give itself the role below in a new preview',
    rules: [['rbac.authorization.k8s.io', 'rolebindings', ['create', 'patch']]],
  },
  answering: {
    why: 'whether a preview answers, if the runner cannot reach it',
    rules: [['', 'services/proxy', ['get']]],
    lost: 'whether a preview answers stays unknown if the runner cannot reach it',
  },
  namespaces: { why: 'the namespace of the release', rules: [['', 'namespaces', ['get', 'create', 'patch']]] },
} as const satisfies Record<string, RuleSet>;

export type RuleSetId = keyof typeof ruleSets;

/** What a command needs of these that changes a release under its lock. */
export const locking = ['history', 'record', 'lock', 'causes'] as const satisfies readonly RuleSetId[];

/** The grants of a set in a namespace. */
export function grantsOf(
  id: RuleSetId,
  namespace: string | undefined,
  need: Exclude<Need, 'optional'> = 'now',
): Grant[] {
  const { why, rules, lost }: RuleSet = ruleSets[id];
  return rules.map(([group, resource, verbs]) => ({
    group,
    resource,
    verbs,
    ...(namespace === undefined ? {} : { namespace }),
    why,
    ...(lost === undefined ? { need } : { need: 'optional', lost }),
  }));
}

/** A kind as rules name it. */
export interface Place {
  group: string;
  resource: string;
  /** Absent for cluster-scoped kinds. */
  namespace?: string;
}

/** How an object of the release compares with the cluster before the run; `unknown` where it could not be looked at. */
export type State = 'absent' | 'differs' | 'same' | 'unknown';

/**
 * What an object of the manifests needs, for the run and its undo. Each verb that any state of it may need is named, so that the
 * next run finds all there is to find; only those of the present state are needed now.
 */
export function objectGrants(
  object: KubernetesObject,
  place: Place,
  state: State,
  { undone, userRules = [] }: { undone: boolean; userRules?: readonly UserRule[] },
): Grant[] {
  const isIn = (...states: State[]): Need => (state === 'unknown' || states.includes(state) ? 'now' : 'later');
  const { name } = object.metadata;
  const why = `${object.kind} of the manifests`;
  const grant = (verbs: string[], need: Need, named = true): Grant => ({
    ...place,
    verbs,
    need,
    why,
    ...(named ? { name } : {}),
  });
  const mayGo = undone && !keepsData(object);
  return [
    grant(['get'], 'now'),
    ...(isWatched(object, userRules) ? [grant(['list', 'watch'], isIn('absent', 'differs'), false)] : []),
    grant(['patch'], isIn('absent', 'differs')),
    grant(['create'], isIn('absent')),
    ...(undone ? [grant(['update'], isIn('differs'))] : []),
    ...(mayGo ? [grant(['delete'], isIn('absent'))] : []),
  ];
}

/** Whether a run waits for objects of the kind, so that it watches them. */
function isWatched(object: KubernetesObject, userRules: readonly UserRule[]): boolean {
  const userRule = userRuleFor(userRules, object);
  if (userRule !== undefined) return !userRule.isNever;
  if (object.kind === 'Service' && groupOf(object.apiVersion) === '')
    return stringAt(object, 'spec', 'type') === 'LoadBalancer';
  const group = groupOf(object.apiVersion);
  // What Kubernetes and its community have without a rule keeps no condition by which it could be awaited.
  return hasRule(object) || (group.includes('.') && !group.endsWith('.k8s.io'));
}

/**
 * What an object is judged by beside itself: the kinds that it owns, its pods, and the queue that it waits in. Without them a run
 * goes on, and knows less.
 * @param children where the kinds lie that its rule names
 * @param verbs `list` alone where it is looked at once
 */
export function followGrants(
  object: KubernetesObject,
  children: readonly Place[],
  verbs: readonly ('list' | 'watch')[] = ['list', 'watch'],
): Grant[] {
  const { kind, metadata } = object;
  const owned = children.map((place): Grant => ({
    ...place,
    verbs,
    need: 'optional',
    why: `what each ${kind} consists of`,
    lost: `each ${kind} is judged by its own status alone`,
  }));
  return [
    ...owned,
    ...(followedBy(object)?.runsPods === true ? grantsOf('causes', metadata.namespace) : []),
    ...(namesQueue(object) ? grantsOf('queues', metadata.namespace) : []),
  ];
}

/** An object that is removed because a release has it no more; an undo makes it anew. */
export function pruneGrants({ kind, metadata }: KubernetesObject, place: Place, undone: boolean): Grant[] {
  const why = `${kind} to be removed`;
  const one = { ...place, name: metadata.name, why, need: 'now' as const };
  return [{ ...one, verbs: ['get', 'delete', ...(undone ? ['create', 'update'] : [])] }];
}

/** An object that a journal may have to bring back, or to take away where it was made. */
export function undoGrants(kind: string, name: string, place: Place, wasMade: boolean): Grant[] {
  const why = `${kind} that an undo brings back`;
  const verbs = wasMade ? ['get', ...(keepsData({ kind }) ? [] : ['delete'])] : ['get', 'update'];
  return [{ ...place, name, why, need: 'now', verbs }];
}

/** A workload in the cluster that a command changes in one field. */
export function workloadGrants(
  { kind, metadata }: KubernetesObject,
  place: Place,
  { undone, waits }: { undone: boolean; waits: boolean },
): Grant[] {
  const why = `${kind} of the release`;
  const one = { ...place, why, need: 'now' as const };
  return [
    { ...one, name: metadata.name, verbs: ['get', 'patch', ...(undone ? ['update'] : [])] },
    ...(waits ? [{ ...one, verbs: ['list', 'watch'] }] : []),
  ];
}

/** An object of the release that a command only looks at: what may not be read stays unknown. */
export function lookGrants({ kind, metadata }: KubernetesObject, place: Place): Grant[] {
  const lost = `the state of each ${kind} stays unknown`;
  return [{ ...place, name: metadata.name, verbs: ['get'], need: 'optional', why: `${kind} of the release`, lost }];
}

/** How the verb of a request through the API server's proxy is called (kubernetes/apiserver pkg/endpoints/request). */
const proxyVerbs: Readonly<Record<string, string>> = {
  POST: 'create',
  PUT: 'update',
  PATCH: 'patch',
  DELETE: 'delete',
};

/** A question to a Service, by its pods one by one or through the API server where it says so. */
export function checkGrants(
  { method, via, eachPod }: { method: string; via?: string; eachPod: boolean },
  namespace: string,
): Grant[] {
  const one = { group: '', namespace, need: 'now' as const, why: 'the checks of "verify"' };
  const verbs = [proxyVerbs[method] ?? 'get'];
  return [
    { ...one, resource: 'services', verbs: ['get'] },
    { ...one, resource: 'pods', verbs: ['list'] },
    ...(via === 'proxy' && !eachPod ? [{ ...one, resource: 'services/proxy', verbs }] : []),
    ...(eachPod ? [{ ...one, resource: 'pods/proxy', verbs }] : []),
  ];
}

/** The namespace of a preview, and how a run gets its rights in it. @param role what it binds there; undefined: it has them */
export function previewGrants(role: string | undefined): Grant[] {
  if (role === undefined) return grantsOf('previews', undefined);
  const binding: Grant = {
    group: 'rbac.authorization.k8s.io',
    resource: 'clusterroles',
    verbs: ['bind'],
    name: role,
    need: 'now',
    why: 'that role and no other',
  };
  return [...grantsOf('previews', undefined), ...grantsOf('bindings', undefined), binding];
}

/** The one namespace that a run makes. */
export function namespaceGrants(name: string): Grant[] {
  return grantsOf('namespaces', undefined).map((grant) => ({ ...grant, name }));
}

/** Kinds of which a strategy makes objects of its own beside the user's, and whether it waits for them. */
export type Made = Readonly<Record<string, 'watched' | 'unwatched'>>;

/** What making such objects needs, for objects of these kinds. */
export function derivedGrants(made: Made, places: readonly { kind: string; place: Place }[], need: Need): Grant[] {
  const verbs = ['get', 'create', 'patch', 'update', 'delete'];
  return places
    .filter(({ kind }) => Object.hasOwn(made, kind))
    .map(({ kind, place }) => ({
      ...place,
      verbs: made[kind] === 'watched' ? [...verbs, 'list', 'watch'] : verbs,
      need,
      why: `${kind} beside the one that serves`,
    }));
}
