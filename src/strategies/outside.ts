import { setAt, stringsAt } from '../base/json.ts';
import type { KubernetesClient } from '../kubernetes/client.ts';
import { withSuffix } from '../base/shorten.ts';
import { labelSelectorOf } from '../kubernetes/label-selector.ts';
import { describeRef, keyOf, refOf, type KubernetesObject, type ObjectRef } from '../kubernetes/object.ts';
import { scaledTargets } from '../apply/hpa.ts';
import { templateLabels } from '../traffic/pods.ts';
import { selectorOf, selects, type Labels } from '../traffic/services.ts';
import { longestLabel } from './candidate.ts';

/** What counts the pods of a stable Deployment by their labels, and would count those of a candidate with them. */
export interface Counter {
  ref: ObjectRef;
  selector: Labels;
}

/**
 * The autoscalers of a Deployment, which go by the Deployment's own selector (kubernetes/kubernetes#116898), and the budgets
 * that select its pods.
 */
export function countersOf(
  deployment: KubernetesObject,
  autoscalers: readonly KubernetesObject[],
  budgets: readonly KubernetesObject[],
): Counter[] {
  const labels = templateLabels(deployment);
  return [
    ...autoscalers
      .filter((autoscaler) => scaledTargets([autoscaler]).has(keyOf(refOf(deployment))))
      .map((autoscaler) => ({ ref: refOf(autoscaler), selector: matchLabels(deployment) })),
    ...budgets
      .map((budget) => ({ ref: refOf(budget), selector: matchLabels(budget) }))
      .filter(({ selector }) => selects(selector, labels)),
  ];
}

/** The budgets of a namespace; none are known without the right to list them. */
export async function budgetsIn(client: KubernetesClient, namespace: string): Promise<KubernetesObject[]> {
  const resource = await client.resource('policy/v1', 'PodDisruptionBudget');
  if (resource === undefined) return [];
  return (await client.list(resource, { namespace }).catch(() => ({ items: [] }))).items;
}

function matchLabels(object: KubernetesObject): Labels {
  return stringsAt(object, 'spec', 'selector', 'matchLabels');
}

/**
 * Takes a derived candidate out of the selector of its stable Deployment, in place: the labels that this one selects by, and
 * no Service does, get another value. Where the Services select by all of them nothing changes.
 * @param services those that send requests to the stable pods
 */
export function stepOutside(
  candidate: KubernetesObject,
  stable: KubernetesObject,
  services: readonly KubernetesObject[],
): void {
  const needed = new Set(services.flatMap((service) => Object.keys(selectorOf(service))));
  const own = matchLabels(candidate);
  const labels = templateLabels(candidate);
  const other = Object.entries(matchLabels(stable))
    .filter(([key, value]) => !needed.has(key) && !Object.hasOwn(own, key) && labels[key] === value)
    .map(([key, value]): [string, string] => [key, withSuffix(value, '-canary', longestLabel)]);
  setAt(candidate, ['spec', 'template', 'metadata', 'labels'], { ...labels, ...Object.fromEntries(other) });
}

/** Of these, the ones that count the candidate's pods. */
export function countingStill(counters: readonly Counter[], candidate: KubernetesObject): Counter[] {
  return counters.filter(({ selector }) => selects(selector, templateLabels(candidate)));
}

/** What the user should know of it, and how it is avoided. */
export function warningOf(
  counters: readonly Counter[],
  stable: KubernetesObject,
  services: readonly KubernetesObject[],
): string {
  const who = counters.map(({ ref }) => describeRef(ref)).join(' and ');
  const counts = counters.length === 1 ? 'counts' : 'count';
  const selector = labelSelectorOf(matchLabels(stable));
  const names = services.map(({ metadata }) => `"${metadata.name}"`).join(', ');
  return (
    `${who} ${counts} the candidate's pods together with those of ${describeRef(refOf(stable))}, because they have the labels ` +
    `${selector} too. To keep them apart, give the pod template a label that the selector of the Deployment does not have, ` +
    `and let the Service ${names} select by that label alone.`
  );
}
