import { Failure } from '../../base/errors.ts';
import { objectAt } from '../../base/json.ts';
import { describeRef, keyOf, refOf, type KubernetesObject } from '../../kubernetes/object.ts';
import type { Manifest } from '../../manifests/manifest.ts';
import { keeperOf, scaledTargets } from '../../apply/hpa.ts';
import { stage, type Decision, type PlanContext, type Stage } from '../../plan/plan.ts';
import type { FieldChange, Step } from '../../plan/step.ts';
import { isFollowedLate, selectorOf, servicesIn, settleMsOf } from '../../traffic/services.ts';
import { podsNeeded, podsTo, type Numbers } from '../numbers.ts';
import { podsOf } from '../../manifests/pod-template.ts';
import { arrangedOn, keepScaled } from './arrange.ts';
import { boundTo, boundToBoth, formOf, liveServices, sideOf, targetOn } from './groups.ts';
import {
  groupNow,
  liveOn,
  servingIn,
  servingNames,
  sideAfter,
  stateOf,
  type Input,
  type State,
  type Switch,
} from './state.ts';

/** What is known when all requests are about to move. */
export interface World {
  state: State;
  switches: readonly Switch[];
}

/**
 * Moves all requests to the other side: one write per Service, guarded against a write in between. Then whatever else has
 * changed is applied. The side that served stays as it is; taking it down is not this plan's business.
 * @param numbers what served when the candidates were made
 */
export function switchStages(input: Input, planned: readonly Switch[], numbers: Numbers = {}): Stage[] {
  let before: World | undefined;
  const look = async (context: PlanContext): Promise<World> => {
    const state = await stateOf(context, input);
    // The labels that its pods have got, which may be those that another run has given them.
    return { state, switches: planned.map((one) => ({ ...one, group: groupNow(state, one.group) })) };
  };
  return [
    stage(
      async (context) => ({ state: await stateOf(context, input), switches: planned }),
      (world) => ({ steps: stepsToEvenOut(world, numbers) }),
    ),
    stage(
      async (context) => (before = await look(context)),
      (world) => ({ steps: stepsToUnite(world) }),
    ),
    // What has been united selects both sides: which one serves is what it was before.
    stage(
      async (context) => {
        const world = before ?? (await look(context));
        return { world, services: await servicesNow(context, world.state) };
      },
      ({ world, services }) => decideSwitch(input, world, services),
    ),
  ];
}

async function servicesNow({ client, namespace }: PlanContext, { services }: State): Promise<KubernetesObject[]> {
  const namespaces = new Set(services.map(({ metadata }) => metadata.namespace ?? namespace));
  return (await Promise.all([...namespaces].map(async (one) => await servicesIn(client, one)))).flat();
}

/** Gives candidates as many pods as they need now to take all requests. */
export function stepsToEvenOut({ state, switches }: World, then: Numbers): Step[] {
  const scaled = scaledTargets(state.autoscalers);
  const wanted = servingIn(state, switches).flatMap(({ serving, to, isBegun }) => {
    const candidate = state.deployments.get(keyOf(to));
    if (candidate === undefined) return [];
    const key = keyOf(refOf(serving));
    const meant = podsOf(candidate);
    const needed = podsNeeded({ meant, then: then[key], now: podsOf(serving), isScaled: scaled.has(key) });
    // What gets requests already loses none of its pods for what happened to the other one since.
    const replicas = isBegun ? Math.max(meant, needed) : needed;
    return replicas === meant ? [] : [{ serving, candidate, meant, replicas }];
  });
  if (wanted.length === 0) return [];
  return [
    ...wanted.map(({ serving, candidate, meant, replicas }): Step => ({
      do: 'note',
      title: `${candidate.metadata.name} gets ${replicas} pods instead of ${meant}: ${serving.metadata.name}, the live side, was scaled meanwhile`,
    })),
    {
      do: 'set',
      title: 'Scale the next live side to the size of the other one',
      fields: wanted.map(({ candidate, replicas }) => podsTo(refOf(candidate), replicas)),
      until: 'ready',
    },
  ];
}

/**
 * Behind a load balancer that takes new endpoints late and drops old ones at once, both sides serve for a while before the
 * old one is taken out.
 */
export function stepsToUnite({ state, switches }: World): Step[] {
  const united = switches.flatMap(({ group, to }) =>
    liveServices(group, state.services)
      .filter((service) => isFollowedLate(service) && sideOf(group, selectorOf(service)) !== to)
      .map((service) => ({ service, selector: boundToBoth(group, selectorOf(service)) })),
  );
  if (united.length === 0) return [];
  const late = united.map(({ service }) => service);
  const names = late.map(({ metadata }) => metadata.name).join(', ');
  const seconds = Math.max(...late.map(settleMsOf)) / 1000;
  return [
    {
      do: 'set',
      title: `Let both sides serve behind ${names}`,
      fields: united.map(({ service, selector }) => ({
        of: refOf(service),
        path: ['spec', 'selector'],
        to: { ...selector },
      })),
    },
    {
      do: 'note',
      title: `${names}: both sides serve for ${seconds} s, until the load balancer in front has picked up the new one`,
    },
    { do: 'route', title: 'Wait until the load balancer picks up the new side', services: late.map(refOf) },
  ];
}

/** @param services as they are now @throws Failure when somebody else has moved one meanwhile */
export function decideSwitch(
  input: Input,
  { state, switches }: World,
  services: readonly KubernetesObject[],
): Decision {
  const own = switches.flatMap((one) =>
    formOf(one.group, one.to, [], true).services.map((manifest) => guardedBy(manifest, services, one)),
  );
  const foreign = switches.flatMap((one) =>
    liveServices({ ...one.group, services: [] }, services).map((live) => moved(live, one)),
  );
  const all = [...own.map(({ object }) => refOf(object)), ...foreign.map(({ of }) => of)];
  const arranged = arrangedOn(input.manifests, state, (group) => sideAfter(group, switches));
  return {
    steps: [
      {
        do: 'set',
        title: `Send all requests for ${all.map(({ name }) => name).join(', ')} to the new side`,
        objects: own,
        fields: [...foreign, ...followersOf(state, switches)],
      },
      {
        do: 'route',
        title: 'Wait until all requests reach the new side, and none the old one',
        services: all,
        marks: all.map(({ name }) => `${name} sends all requests to the new side`),
      },
      { do: 'apply', title: 'Apply all other changes', objects: keepScaled(arranged, state, switches) },
    ],
    end: {
      state: 'live',
      serving: servingNames(state, switches),
      retired: switches.flatMap(({ group, from }) =>
        group.workloads.flatMap((workload) => {
          const live = liveOn(state, group, from, workload);
          return live === undefined ? [] : [refOf(live)];
        }),
      ),
      replaces: new Map(servingIn(state, switches).map(({ serving, to }) => [keyOf(to), serving] as const)),
    },
  };
}

/** Autoscalers look after the side that serves. One that belongs to something else is moved with that. */
function followersOf({ autoscalers }: State, switches: readonly Switch[]): FieldChange[] {
  return switches.flatMap(({ group, to }) =>
    autoscalers
      .filter((one) => keeperOf(one) === undefined)
      .flatMap((autoscaler) => {
        const { name } = targetOn(to, group, autoscaler) ?? {};
        const target = objectAt(autoscaler, 'spec', 'scaleTargetRef');
        return name === undefined || name === target['name']
          ? []
          : [{ of: refOf(autoscaler), path: ['spec', 'scaleTargetRef'], to: { ...target, name } }];
      }),
  );
}

/** A Service that no manifest has, with the guard of its own. */
function moved(live: KubernetesObject, by: Switch): FieldChange {
  refuseMoved(live, by);
  const { group, to } = by;
  const { resourceVersion } = live.metadata;
  return {
    of: refOf(live),
    path: ['spec', 'selector'],
    to: { ...boundTo(group, to, selectorOf(live)) },
    ...(resourceVersion === undefined ? {} : { at: resourceVersion }),
  };
}

/** Only a Service that is still as it was read is switched. @throws Failure when somebody else has moved it meanwhile */
function guardedBy(manifest: Manifest, services: readonly KubernetesObject[], by: Switch): Manifest {
  const live = services.find((service) => keyOf(refOf(service)) === keyOf(refOf(manifest.object)));
  if (live === undefined) return manifest;
  refuseMoved(live, by);
  const { resourceVersion } = live.metadata;
  if (resourceVersion === undefined) return manifest;
  const { object } = manifest;
  return { ...manifest, object: { ...object, metadata: { ...object.metadata, resourceVersion } } };
}

function refuseMoved(live: KubernetesObject, { group, from, isBegun }: Switch): void {
  const side = sideOf(group, selectorOf(live));
  if (isBegun === true || side === undefined || side === from) return;
  throw new Failure(`${describeRef(refOf(live), true)} does not send its requests to the ${from} side any more`, {
    hint: 'Someone else switched it meanwhile. Find out who, then run it again.',
  });
}
