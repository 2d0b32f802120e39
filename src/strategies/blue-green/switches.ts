import { InvalidInput } from '../../base/errors.ts';
import { numberAt, objectAt, stringAt } from '../../base/json.ts';
import { describeRef, keyOf, refOf, type KubernetesObject, type ObjectRef } from '../../kubernetes/object.ts';
import type { Manifest } from '../../manifests/manifest.ts';
import { isScaledObject, keeperOf } from '../../apply/hpa.ts';
import { checkCapacity, enforceCapacity } from '../../capacity/capacity.ts';
import { changesPods } from '../../apply/preflight.ts';
import type { Prepared } from '../../apply/prepared.ts';
import type { PlanContext } from '../../plan/plan.ts';
import type { Step } from '../../plan/step.ts';
import { isFollowedLate, previewName, selectorOf } from '../../traffic/services.ts';
import { bystandersOf, type Bystanders } from '../bystanders.ts';
import { boundTo, boundToBoth, formOf, idOf, liveServices, refOn, sideOf, targetOn } from './groups.ts';
import { otherSide } from './own-sides.ts';
import { liveOn, refsOfGroup, type State, type Switch } from './state.ts';

export function switchesOf(prepared: readonly Prepared[], manifests: readonly Manifest[], state: State): Switch[] {
  const changed = new Set(
    prepared
      .filter(({ change, live }) => change === 'configured' && live !== undefined)
      .map(({ manifest }) => keyOf(refOf(manifest.object))),
  );
  return state.groups.flatMap((group) => {
    const from = group.serving;
    const { own } = group;
    if (own !== undefined) return own.side === from ? [] : [{ group, from, to: own.side }];
    const isLive = group.workloads.some((workload) => {
      const live = liveOn(state, group, from, workload);
      return live !== undefined && (numberAt(live, 'spec', 'replicas') ?? 1) > 0;
    });
    const refs = new Set(group.workloads.map(({ object }) => keyOf(refOn(group, from, object))));
    const pods = prepared.some((entry) => refs.has(keyOf(refOf(entry.manifest.object))) && changesPods(entry));
    const form = formOf(group, from, manifests, true);
    const config = form.config.some(({ object }) => changed.has(keyOf(refOf(object))));
    return isLive && (pods || config) ? [{ group, from, to: otherSide(from) }] : [];
  });
}

/** @throws InvalidInput where both sides would have to serve for a while, and cannot */
export function refuseWithoutUnion(state: State, switches: readonly Switch[]): void {
  for (const { group, to } of switches) {
    const service = liveServices(group, state.services).find((live) => {
      const selector = selectorOf(live);
      return isFollowedLate(live) && sideOf(group, selector) !== to && boundToBoth(group, selector) === undefined;
    });
    if (service === undefined) continue;
    if (group.apart.green.length > 0) {
      throw new InvalidInput(
        `${describeRef(refOf(service))} cannot select the pods of both sides, and both have to serve until the load balancer catches up`,
        { hint: 'Run "abort" if a candidate waits, and deploy again: its pods then get labels for that.' },
      );
    }
    throw new InvalidInput(
      `${describeRef(refOf(service))} selects pods by their side alone, so the two sides cannot both serve until the load balancer catches up`,
      { hint: 'Add a label to its selector that the pods of both sides have, such as "app".' },
    );
  }
}

/** @throws InvalidInput where an autoscaler that has to change sides would be led back to the old one */
export function refuseKept(state: State, switches: readonly Switch[]): void {
  const [kept] = keptIn(state, switches);
  if (kept === undefined) return;
  const { autoscaler, keeper } = kept;
  throw new InvalidInput(
    `${describeRef(refOf(autoscaler))} cannot follow the switch: it belongs to ${describeRef(keeper)}, which would set its target back`,
    {
      hint: isScaledObject(keeper)
        ? 'Allow this action to get, patch and update "scaledobjects" (keda.sh) in the namespace: then it changes the target there.'
        : 'Deploy with "strategy: rolling", or scale this Deployment with a HorizontalPodAutoscaler of your own.',
    },
  );
}

/** The same where somebody goes back, which nothing of that kind may keep them from. */
export function warnOfKept({ reporter }: PlanContext, state: State, switches: readonly Switch[]): void {
  for (const { autoscaler, keeper, now, wanted } of keptIn(state, switches)) {
    reporter.warning(
      `${describeRef(refOf(autoscaler))} does not follow the switch and goes on scaling "${now}": it belongs to ${describeRef(keeper)}, which this action cannot change. Set its target to "${wanted}" there.`,
    );
  }
}

/** An autoscaler that would have to change sides, and that something else leads back. */
interface Kept {
  autoscaler: KubernetesObject;
  keeper: ObjectRef;
  /** What it scales. */
  now: string;
  wanted: string;
}

function keptIn({ autoscalers }: State, switches: readonly Switch[]): Kept[] {
  const moved = new Set(autoscalers.map((one) => keyOf(refOf(one))));
  return switches.flatMap(({ group, to }) =>
    autoscalers.flatMap((autoscaler): Kept[] => {
      const { name: wanted } = targetOn(to, group, autoscaler) ?? {};
      const now = stringAt(autoscaler, 'spec', 'scaleTargetRef', 'name');
      const keeper = keeperOf(autoscaler);
      if (wanted === undefined || now === undefined || keeper === undefined) return [];
      return now === wanted || moved.has(keyOf(keeper)) ? [] : [{ autoscaler, keeper, now, wanted }];
    }),
  );
}

/** @throws InvalidInput where Services of one group lead to different sides: those on the idle one would get new pods unchecked */
export function refuseDivided(state: State, switches: readonly Switch[]): void {
  for (const { group } of switches) {
    const leads = liveServices(group, state.services).flatMap((service) => {
      const side = sideOf(group, selectorOf(service));
      return side === undefined ? [] : [{ service, side }];
    });
    if (new Set(leads.map(({ side }) => side)).size < 2) continue;
    const ways = leads.map(({ service, side }) => `${describeRef(refOf(service))} to the ${side} side`);
    throw new InvalidInput(`Services that change sides together send requests to both: ${ways.join(', ')}`, {
      hint: 'Someone switched one of them. Run "status" to see which side is live, switch the others back to it, then run it again.',
    });
  }
}

/** Who has pods behind the Services that are to be switched, beside both sides, before and after. */
export async function bystandersBehind(
  context: PlanContext,
  { services }: State,
  switches: readonly Switch[],
): Promise<Bystanders[]> {
  const asked = switches.flatMap(({ group, to }) =>
    liveServices(group, services).map((service) => ({ service, group, to })),
  );
  return await Promise.all(
    asked.map(async ({ service, group, to }) => {
      const selector = selectorOf(service);
      const selectors = [selector, boundTo(group, to, selector)];
      return { service, owners: await bystandersOf(context, service, selectors, refsOfGroup(group)) };
    }),
  );
}

/** What does not change sides. */
export function besides(prepared: readonly Prepared[], { groups }: State, switches: readonly Switch[]): Prepared[] {
  const sided = groups.filter((group) => switches.some((one) => idOf(one.group) === idOf(group)));
  const keys = new Set(sided.flatMap((group) => refsOfGroup(group).map(keyOf)));
  return prepared.filter(({ manifest }) => !keys.has(keyOf(refOf(manifest.object))));
}

/** @throws LowCapacity when there is no room for a second full set of pods */
export async function requireRoom(context: PlanContext, candidates: readonly Manifest[], state: State): Promise<void> {
  const { client, namespace, onLowCapacity, reporter } = context;
  const surges = candidates.map(({ object }) => {
    const running = numberAt(state.deployments.get(keyOf(refOf(object))), 'spec', 'replicas') ?? 0;
    const extra = Math.max(0, (numberAt(object, 'spec', 'replicas') ?? 1) - running);
    return { ref: refOf(object), template: objectAt(object, 'spec', 'template'), extra };
  });
  const creates = candidates.map(({ object }) => refOf(object)).filter((ref) => !state.deployments.has(keyOf(ref)));
  const report = await checkCapacity(client, namespace, surges, { strategy: 'blue-green', creates });
  enforceCapacity(report, onLowCapacity, reporter);
}

/**
 * Whether the side that is to serve is good now, asked of its pods and of the EndpointSlices, before a request goes there.
 * @param deployed says what was deployed, where the journal does not; absent for what this very run has waited for
 */
export function lookAtSides(state: State, switches: readonly Switch[], deployed?: readonly Prepared[]): Step[] {
  const check: Step = {
    do: 'check',
    title: 'Check that the new side is what was deployed, and ready',
    candidates: candidatesOf(switches),
    asks: deployed === undefined ? 'ready' : 'sound',
    ...(deployed === undefined ? {} : { deployed }),
    behind: switches.flatMap(({ group, to }) =>
      liveServices(group, state.services).map((service) => ({
        service: {
          ...service,
          spec: { ...objectAt(service, 'spec'), selector: { ...boundTo(group, to, selectorOf(service)) } },
        },
        preview: previewName(service.metadata.name),
      })),
    ),
  };
  return deployed === undefined ? [check] : [check, { do: 'verify', title: 'Verify the new side', of: 'preview' }];
}

function candidatesOf(switches: readonly Switch[]): ObjectRef[] {
  return switches.flatMap(({ group, to }) => group.workloads.map(({ object }) => refOn(group, to, object)));
}
