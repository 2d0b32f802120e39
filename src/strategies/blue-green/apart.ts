import { objectAt, objectsAt, stringsAt } from '../../base/json.ts';
import { withSuffix } from '../../base/shorten.ts';
import type { KubernetesClient } from '../../kubernetes/client.ts';
import { isStatus } from '../../kubernetes/errors.ts';
import type { KubernetesObject } from '../../kubernetes/object.ts';
import { templateLabels } from '../../traffic/pods.ts';
import { selectorOf, selects, type Labels } from '../../traffic/services.ts';
import { longestLabel } from '../candidate.ts';

/*
 * Beside pods that have no label of a side, a Service can leave out those of a green side only if these lack one of the
 * labels that it selects by. A bond to the hash of the serving pods would do it too, but only until somebody restarts them.
 * So green's pods get another value for such a label, and the value itself under a key of ours, for the Service to
 * select by once they serve.
 */

const suffix = 'as.gke-rollout';

/** `app` is kept as `as.gke-rollout/app`, `example.com/app` as `example.com.as.gke-rollout/app`. */
export function keptKey(key: string): string {
  const slash = key.indexOf('/');
  return slash < 0 ? `${suffix}/${key}` : `${key.slice(0, slash)}.${suffix}${key.slice(slash)}`;
}

function originalKey(key: string): string | undefined {
  if (key.startsWith(`${suffix}/`)) return key.slice(suffix.length + 1);
  const at = key.indexOf(`.${suffix}/`);
  return at < 0 ? undefined : `${key.slice(0, at)}${key.slice(at + suffix.length + 1)}`;
}

/** A selector by the kept values of these labels, wherever it goes by them. */
export function byKept(selector: Labels, keys: readonly string[]): Labels {
  return mapKeys(selector, (key) => (keys.includes(key) ? keptKey(key) : key));
}

/** The same back as it was. */
export function byOriginal(selector: Labels): Labels {
  return mapKeys(selector, (key) => originalKey(key) ?? key);
}

function mapKeys(labels: Labels, map: (key: string) => string): Labels {
  return Object.fromEntries(Object.entries(labels).map(([key, value]) => [map(key), value]));
}

/** Labels whose values the pods of a workload keep under keys of ours. */
export function keptLabels(workload: KubernetesObject): string[] {
  return Object.keys(templateLabels(workload)).flatMap((key) => originalKey(key) ?? []);
}

/** The values of these labels under keys of ours. */
export function kept(labels: Labels, keys: readonly string[]): Labels {
  return Object.fromEntries(
    keys.flatMap((key) => (Object.hasOwn(labels, key) ? [[keptKey(key), labels[key] ?? '']] : [])),
  );
}

/** Labels of pods that no selector by these keys selects, and a selector by what is kept of them does. */
export function setApart(labels: Labels, keys: readonly string[]): Labels {
  const others = Object.fromEntries(
    Object.entries(labels)
      .filter(([key]) => keys.includes(key))
      .map(([key, value]) => [key, withSuffix(value, '-green', longestLabel)]),
  );
  return { ...labels, ...others, ...kept(labels, keys) };
}

/** What in a namespace goes by the labels of pods, beside the Services of a release. */
interface Selecting {
  services: readonly KubernetesObject[];
  policies: readonly KubernetesObject[];
  budgets: readonly KubernetesObject[];
}

/** The NetworkPolicies of a namespace; none are known without the right to list them. */
export async function policiesIn(client: KubernetesClient, namespace: string): Promise<KubernetesObject[]> {
  const resource = await client.resource('networking.k8s.io/v1', 'NetworkPolicy');
  if (resource === undefined) return [];
  try {
    return (await client.list(resource, { namespace })).items;
  } catch (error) {
    if (isStatus(error, 403)) return [];
    throw error;
  }
}

/**
 * Labels that set pods apart from all of these Services. A NetworkPolicy must treat both sides alike, so no label is taken that
 * one goes by, and a label that a budget counts pods by only where there is no other. Undefined where there is no such label.
 * @param services those that send requests to the workloads, without a bond of ours
 * @param workloads what serves
 */
export function labelsToSetApart(
  services: readonly KubernetesObject[],
  workloads: readonly KubernetesObject[],
  around: Selecting,
): string[] | undefined {
  const ruled = new Set(around.policies.flatMap((policy) => keysOfPolicy(policy, workloads)));
  const counted = new Set(around.budgets.flatMap((budget) => Object.keys(matchLabels(budget))));
  const chosen: string[] = [];
  for (const service of services) {
    const free = Object.keys(selectorOf(service)).filter((key) => !ruled.has(key));
    if (free.some((key) => chosen.includes(key))) continue;
    const key = free.find((one) => !counted.has(one)) ?? free[0];
    if (key === undefined) return undefined;
    chosen.push(key);
  }
  const isTaken = workloads.some((workload) => {
    const labels = setApart(templateLabels(workload), chosen);
    return around.services.some((service) => selects(selectorOf(service), labels));
  });
  return isTaken ? undefined : chosen;
}

/** The labels by which a NetworkPolicy may mean the pods of these workloads: as its subject, or as a peer. */
function keysOfPolicy(policy: KubernetesObject, workloads: readonly KubernetesObject[]): string[] {
  const rules = [...objectsAt(policy, 'spec', 'ingress'), ...objectsAt(policy, 'spec', 'egress')];
  const peers = rules.flatMap((rule) => [...objectsAt(rule, 'from'), ...objectsAt(rule, 'to')]);
  const selectors = [objectAt(policy, 'spec', 'podSelector'), ...peers.map((peer) => objectAt(peer, 'podSelector'))];
  return selectors.flatMap((selector) => {
    const labels = Object.entries(stringsAt(selector, 'matchLabels'));
    const isMeant = workloads.some((workload) =>
      labels.every(([key, value]) => templateLabels(workload)[key] === value),
    );
    const expressions = objectsAt(selector, 'matchExpressions').map(({ key }) => key);
    return isMeant ? [...labels.map(([key]) => key), ...expressions.filter((key) => typeof key === 'string')] : [];
  });
}

function matchLabels(object: KubernetesObject): Labels {
  return stringsAt(object, 'spec', 'selector', 'matchLabels');
}
