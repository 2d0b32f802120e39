import { listAt, numberAt, objectAt, objectsAt, stringAt, type JsonObject } from '../base/json.ts';
import type { KubernetesObject } from '../kubernetes/object.ts';
import { amountsAt, minus, plus, times, type Amounts } from './amounts.ts';
import { limitsOf, requestsOf, requestsOfContainer } from './demand.ts';
import { matchesExpression } from './selectors.ts';

/** Pods that are to be made, and pods that go before; `spec` has the defaults of the namespace. */
interface QuotaChange {
  spec: JsonObject;
  extra: number;
  /** The specs of the pods that go. */
  freed: readonly JsonObject[];
}

export type QuotaShortage =
  | { kind: 'exceeded'; quota: string; resource: string; hard: number; used: number; more: number }
  | { kind: 'unspecified'; quota: string; resource: string; container: string };

/** Resources that every container must say once a quota counts them (kubernetes pkg/quota/v1/evaluator/core/pods.go). */
const explicit = new Set(['cpu', 'memory', 'requests.cpu', 'requests.memory', 'limits.cpu', 'limits.memory']);

/**
 * What a quota of the namespace does not allow.
 * @param objects how many objects of each kind are to be made, by the names that quotas have for them
 */
export function exceeds(
  quota: KubernetesObject,
  changes: readonly QuotaChange[],
  objects: ReadonlyMap<string, number> = new Map(),
): QuotaShortage[] {
  const inScope = changes.map((change) => ({
    ...change,
    extra: isInScope(quota, change.spec) ? change.extra : 0,
    freed: change.freed.filter((spec) => isInScope(quota, spec)),
  }));
  const name = quota.metadata.name;
  const hard = hardOf(quota);
  const used = amountsAt(quota, 'status', 'used');
  const unspecified = inScope
    .filter(({ extra }) => extra > 0)
    .flatMap(({ spec }) => unspecifiedIn(spec, [...hard.keys()]))
    .map((problem): QuotaShortage => ({ kind: 'unspecified', quota: name, ...problem }));
  const growth = inScope.reduce<Amounts>(
    (sum, { spec, extra, freed }) =>
      freed.reduce((rest, each) => minus(rest, usageOf(each)), plus(sum, times(usageOf(spec), extra))),
    objects,
  );
  const exceeded = [...hard].flatMap(([resource, limit]): QuotaShortage[] => {
    const more = growth.get(resource) ?? 0;
    const now = used.get(resource) ?? 0;
    if (more <= 0 || now + more <= limit) return [];
    return [{ kind: 'exceeded', quota: name, resource, hard: limit, used: now, more }];
  });
  return [...unspecified, ...exceeded];
}

/** Until its controller has seen a quota, only its spec says what it allows. */
function hardOf(quota: KubernetesObject): Amounts {
  const status = amountsAt(quota, 'status', 'hard');
  return status.size > 0 ? status : amountsAt(quota, 'spec', 'hard');
}

/** What one pod counts for, by the names that quotas have for it. */
function usageOf(spec: JsonObject): Amounts {
  const requests = [...requestsOf(spec)].flatMap(([name, amount]): [string, number][] =>
    name.includes('/')
      ? [[`requests.${name}`, amount]]
      : [
          [name, amount],
          [`requests.${name}`, amount],
        ],
  );
  const limits = [...limitsOf(spec)].map(([name, amount]): [string, number] => [`limits.${name}`, amount]);
  return new Map([...requests, ...limits, ['pods', 1], ['count/pods', 1]]);
}

function unspecifiedIn(spec: JsonObject, counted: readonly string[]): { resource: string; container: string }[] {
  if (Object.keys(objectAt(spec, 'resources')).length > 0) return [];
  const containers = ['initContainers', 'containers'].flatMap((list) => objectsAt(spec, list));
  return counted
    .filter((resource) => explicit.has(resource))
    .flatMap((resource) => {
      const base = resource.replace(/^(requests|limits)\./, '');
      const has = (container: JsonObject) =>
        resource.startsWith('limits.')
          ? amountsAt(container, 'resources', 'limits').has(base)
          : requestsOfContainer(container).has(base);
      const without = containers.find((container) => !has(container));
      return without === undefined ? [] : [{ resource, container: stringAt(without, 'name') ?? '' }];
    });
}

/** A quota with scopes counts only pods that are in all of them. */
function isInScope(quota: KubernetesObject, spec: JsonObject): boolean {
  const scopes = listAt(quota, 'spec', 'scopes').filter((scope) => typeof scope === 'string');
  const selected = objectsAt(quota, 'spec', 'scopeSelector', 'matchExpressions');
  return (
    scopes.every((scope) => isOfScope(scope, spec)) &&
    selected.every((expression) => {
      const scope = stringAt(expression, 'scopeName') ?? '';
      if (scope !== 'PriorityClass') return isOfScope(scope, spec);
      const name = stringAt(spec, 'priorityClassName');
      return matchesExpression({ ...expression, key: scope }, name === undefined ? {} : { [scope]: name });
    })
  );
}

function isOfScope(scope: string, spec: JsonObject): boolean {
  switch (scope) {
    case 'BestEffort':
      return isBestEffort(spec);
    case 'NotBestEffort':
      return !isBestEffort(spec);
    case 'Terminating':
      return numberAt(spec, 'activeDeadlineSeconds') !== undefined;
    case 'NotTerminating':
      return numberAt(spec, 'activeDeadlineSeconds') === undefined;
    case 'PriorityClass':
      return stringAt(spec, 'priorityClassName') !== undefined;
    case 'CrossNamespacePodAffinity':
      return hasCrossNamespaceAffinity(spec);
    default:
      return false;
  }
}

function isBestEffort(spec: JsonObject): boolean {
  const counts = (amounts: Amounts) =>
    [...amounts].some(([name, amount]) => (name === 'cpu' || name === 'memory') && amount > 0);
  return !counts(requestsOf(spec)) && !counts(limitsOf(spec));
}

function hasCrossNamespaceAffinity(spec: JsonObject): boolean {
  return ['podAffinity', 'podAntiAffinity'].some((kind) => {
    const required = objectsAt(spec, 'affinity', kind, 'requiredDuringSchedulingIgnoredDuringExecution');
    const preferred = objectsAt(spec, 'affinity', kind, 'preferredDuringSchedulingIgnoredDuringExecution');
    return [...required, ...preferred.map((term) => objectAt(term, 'podAffinityTerm'))].some(
      (term) => listAt(term, 'namespaces').length > 0 || 'namespaceSelector' in term,
    );
  });
}
