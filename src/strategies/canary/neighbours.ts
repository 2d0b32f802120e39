import { InvalidInput } from '../../base/errors.ts';
import type { KubernetesClient } from '../../kubernetes/client.ts';
import { describeRef, keyOf, refOf, type KubernetesObject } from '../../kubernetes/object.ts';
import { autoscalersIn, isAutoscaler, scaledTargets } from '../../apply/hpa.ts';
import type { Prepared } from '../../apply/prepared.ts';
import type { PlanContext } from '../../plan/plan.ts';
import { templateLabels } from '../../traffic/pods.ts';
import { isService, selectorOf, selects, servicesIn } from '../../traffic/services.ts';
import { isBeside } from '../blue-green/groups.ts';
import { bystandersOf, namesOf } from '../bystanders.ts';
import { budgetsIn, countersOf, countingStill, stepOutside, warningOf } from '../outside.ts';
import type { Pair } from './pairs.ts';

/** What in the namespaces of stable Deployments goes by the labels of pods. */
interface Neighbours {
  services: readonly KubernetesObject[];
  autoscalers: readonly KubernetesObject[];
  budgets: readonly KubernetesObject[];
}

export async function lookAround(context: PlanContext, pairs: readonly Pair[]): Promise<Neighbours> {
  const stable = pairs.map(({ live }) => live);
  const [services, autoscalers, budgets] = await Promise.all([
    inEach(context, stable, servicesIn),
    inEach(context, stable, autoscalersIn),
    inEach(context, stable, budgetsIn),
  ]);
  return { services, autoscalers, budgets };
}

/** What there is of a kind in the namespaces of these workloads. */
export async function inEach(
  { client, namespace }: PlanContext,
  workloads: readonly KubernetesObject[],
  list: (client: KubernetesClient, namespace: string) => Promise<KubernetesObject[]>,
): Promise<KubernetesObject[]> {
  const namespaces = new Set(workloads.map(({ metadata }) => metadata.namespace ?? namespace));
  return (await Promise.all([...namespaces].map(async (one) => await list(client, one)))).flat();
}

export function refuseAutoscaled(
  { autoscalers }: Neighbours,
  prepared: readonly Prepared[],
  pairs: readonly Pair[],
): void {
  const own = prepared.map(({ manifest }) => manifest.object).filter(isAutoscaler);
  const targets = scaledTargets([...autoscalers, ...own]);
  const scaled = pairs.find((pair) => targets.has(keyOf(refOf(pair.live))));
  if (scaled === undefined) return;
  throw new InvalidInput(
    `${describeRef(refOf(scaled.live))} is scaled by a HorizontalPodAutoscaler, which would scale up what "constant-total" scales down`,
    { hint: 'Remove the input "constant-total"; the candidate is then added to the stable pods.' },
  );
}

/** The user's own candidate may have labels that no Service looks for: then it would be tried by nobody. */
export function refuseUnreachable(neighbours: Neighbours, prepared: readonly Prepared[], pairs: readonly Pair[]): void {
  const own = prepared.map(({ manifest }) => manifest.object).filter(isService);
  const all = new Map([...neighbours.services, ...own].map((service) => [keyOf(refOf(service)), service]));
  for (const { live, candidate } of pairs) {
    // Those of the manifests come with the promotion only: until then the Services are as they are.
    const serving = [...behindWhich(neighbours.services, live), ...behindWhich([...all.values()], live)];
    const missing = serving.find((service) => !selects(selectorOf(service), templateLabels(candidate.object)));
    if (missing !== undefined) {
      const next = all.get(keyOf(refOf(missing)));
      const isToFollow = next !== undefined && selects(selectorOf(next), templateLabels(candidate.object));
      throw new InvalidInput(
        `${describeRef(refOf(candidate.object))} would get no requests: its pods do not have the labels that ${describeRef(refOf(missing))} selects`,
        {
          location: candidate.source.locate(['spec', 'template', 'metadata', 'labels']),
          hint: isToFollow
            ? 'The selector of the Service in the manifest selects them, but it is applied with the promotion only. Deploy this change with "strategy: rolling".'
            : 'Give its pod template the labels in the selector of the Service.',
        },
      );
    }
  }
}

/** Others behind the same Services get their share of the requests, and make that of the candidate smaller. */
export async function tellBystanders(
  context: PlanContext,
  { services }: Neighbours,
  prepared: readonly Prepared[],
  pairs: readonly Pair[],
): Promise<void> {
  const own = [...prepared.map(({ manifest }) => manifest.object), ...pairs.map(({ candidate }) => candidate.object)];
  for (const service of new Set(pairs.flatMap(({ live }) => behindWhich(services, live)))) {
    const others = await bystandersOf(context, service, [selectorOf(service)], own.map(refOf));
    if (others.length > 0)
      context.reporter.warning(
        `${describeRef(refOf(service))} sends requests to ${namesOf(others)} too, which stays as it is: the candidate gets a smaller share than its steps say`,
      );
  }
}

/** The Services that send requests to the pods of a Deployment. */
export function behindWhich(services: readonly KubernetesObject[], deployment: KubernetesObject): KubernetesObject[] {
  return services.filter(
    (service) => isBeside(service, deployment) && selects(selectorOf(service), templateLabels(deployment)),
  );
}

/**
 * Autoscalers and budgets of a stable Deployment count pods by its labels: the candidate gets others where its Services do
 * not need them. Where they do, the user is told.
 */
export function keptApart(
  { reporter }: PlanContext,
  { services, autoscalers, budgets }: Neighbours,
  pairs: readonly Pair[],
): Pair[] {
  return pairs.map((pair) => {
    const { live, variant } = pair;
    const counters = countersOf(
      live,
      autoscalers,
      budgets.filter((budget) => isBeside(budget, live)),
    );
    if (counters.length === 0) return pair;
    const serving = behindWhich(services, live);
    const object = structuredClone(pair.candidate.object);
    if (variant === undefined) stepOutside(object, live, serving);
    const still = countingStill(counters, object);
    if (still.length > 0) reporter.warning(warningOf(still, live, serving));
    return { ...pair, candidate: { ...pair.candidate, object } };
  });
}
