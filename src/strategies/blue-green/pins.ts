import { Failure, InvalidInput } from '../../base/errors.ts';
import { numberAt, stringsAt } from '../../base/json.ts';
import { describeRef, refOf, type KubernetesObject } from '../../kubernetes/object.ts';
import type { PlanContext } from '../../plan/plan.ts';
import type { FieldChange } from '../../plan/step.ts';
import { podsBehind, templateLabels } from '../../traffic/pods.ts';
import { trackLabel, isFollowedLate, selectorOf, selects, type Labels } from '../../traffic/services.ts';
import { budgetsIn } from '../outside.ts';
import { labelsToSetApart, policiesIn } from './apart.ts';
import { boundTo, hashLabel, isBound, liveServices, type Group } from './groups.ts';
import type { Side } from './own-sides.ts';
import { isLabelled, liveOn, type State, type Switch } from './state.ts';

/** How the pods that are to come differ from those that serve, so that no Service mixes them up before the switch. */
export async function withFormOfPods(context: PlanContext, state: State, one: Switch): Promise<Switch> {
  const { group, to } = one;
  const apart = group.own === undefined ? await formOfPods(context, state, group, to) : group.apart;
  return { ...one, group: { ...group, apart } };
}

async function formOfPods(context: PlanContext, state: State, group: Group, to: Side): Promise<Group['apart']> {
  const { apart } = group;
  // Then a Service that has to lead to both for a while finds them by one label.
  if (to === 'blue') return { ...apart, blue: apart.green };
  const serving = group.workloads.flatMap((workload) => liveOn(state, group, 'blue', workload) ?? []);
  if (isLabelled(state, group)) {
    const idle = group.workloads.map((workload) => liveOn(state, group, 'green', workload));
    const isUp = idle.some((live) => live !== undefined && (numberAt(live, 'spec', 'replicas') ?? 1) > 0);
    return isUp ? apart : { ...apart, green: [] };
  }
  const live = liveServices(group, state.services);
  // There both sides have to serve for a while.
  if (live.some(isFollowedLate)) return { ...apart, green: [] };
  const namespace = serving[0]?.metadata.namespace ?? context.namespace;
  const [policies, budgets] = await Promise.all([
    policiesIn(context.client, namespace),
    budgetsIn(context.client, namespace),
  ]);
  const loose = live.filter((service) => !isBound(group, selectorOf(service)));
  const green = labelsToSetApart(loose, serving, { services: state.services, policies, budgets }) ?? [];
  const uncounted = budgets.filter((budget) => Object.keys(matchLabels(budget)).some((key) => green.includes(key)));
  for (const budget of green.length === 0 ? [] : uncounted) {
    context.note(
      `${describeRef(refOf(budget))} does not count the pods of this green side: its selector has a label whose value differs on them`,
    );
  }
  return { ...apart, green };
}

function matchLabels(object: KubernetesObject): Labels {
  return stringsAt(object, 'spec', 'selector', 'matchLabels');
}

/** What binds each Service to the pods that serve now, where it would send requests to the candidate's pods too. */
export async function pinsOf(
  context: PlanContext,
  state: State,
  switches: readonly Switch[],
  { autoPromote }: { autoPromote: boolean },
): Promise<FieldChange[]> {
  const pins = await Promise.all(
    switches.map(async ({ group, from }) => {
      // Its pods are others than those that the Services select.
      if (group.apart.green.length > 0 && !isLabelled(state, group)) return [];
      const loose = liveServices(group, state.services).filter((service) => !isBound(group, selectorOf(service)));
      if (loose.length === 0) return [];
      const serving = group.workloads.flatMap((workload) => liveOn(state, group, from, workload) ?? []);
      const labelled = group.own !== undefined || serving.every((object) => trackLabel in templateLabels(object));
      if (labelled) return loose.map((service) => pinned(service, boundTo(group, from, selectorOf(service))));
      return await Promise.all(
        loose.map(async (service) => {
          const selected = serving.filter((object) => selects(selectorOf(service), templateLabels(object)));
          const [only, ...more] = selected;
          if (only === undefined || more.length > 0) throw severalBehind(service, selected);
          if (!autoPromote) throw boundForLong(service, only);
          return pinned(service, { ...selectorOf(service), [hashLabel]: await servingHash(context, service, only) });
        }),
      );
    }),
  );
  return pins.flat();
}

/** The hash of pods is another one as soon as somebody restarts them: nothing may go by it while nobody watches. */
function boundForLong(service: KubernetesObject, workload: KubernetesObject): InvalidInput {
  return new InvalidInput(
    `${describeRef(refOf(service))} cannot tell the pods of a waiting candidate from those of ${describeRef(refOf(workload))}: they have no side label yet, and a load balancer or NetworkPolicy needs their labels`,
    {
      hint: `Add the label "${trackLabel}: blue" to its pod template in a rolling deploy first, or deploy once with "auto-promote: true".`,
    },
  );
}

function severalBehind(service: KubernetesObject, workloads: readonly KubernetesObject[]): Failure {
  return new InvalidInput(
    `${describeRef(refOf(service))} sends requests to ${workloads.length} Deployments, whose pods have no side label yet`,
    {
      hint: `Give the pod templates of ${workloads.map(({ metadata }) => metadata.name).join(', ')} the label "${trackLabel}: blue" in a rolling deploy first.`,
    },
  );
}

/**
 * The hash by which Kubernetes tells the pods of a Deployment's version that get the requests of a Service now: while a
 * rollout is stuck or under way, that need not be its newest version.
 * @throws Failure when there is not one such version
 */
async function servingHash(
  { client }: PlanContext,
  service: KubernetesObject,
  deployment: KubernetesObject,
): Promise<string> {
  const hashes = new Set(
    (await podsBehind(client, service)).flatMap(({ metadata }) => metadata.labels?.[hashLabel] ?? []),
  );
  const [hash, ...more] = hashes;
  if (hash !== undefined && more.length === 0) return hash;
  const name = describeRef(refOf(deployment), true);
  throw new Failure(
    hash === undefined ? `no pod of ${name} is ready` : `pods of ${hashes.size} versions of ${name} get requests`,
    { hint: 'Wait until its rollout is complete, or undo it ("kubectl rollout undo"), then re-run.' },
  );
}

function pinned(service: KubernetesObject, selector: Labels): FieldChange {
  return { of: refOf(service), path: ['spec', 'selector'], to: { ...selector } };
}
