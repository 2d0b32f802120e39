import { numberAt } from '../../base/json.ts';
import { keyOf, refOf, type KubernetesObject } from '../../kubernetes/object.ts';
import type { Manifest } from '../../manifests/manifest.ts';
import { rankOf } from '../../manifests/order.ts';
import { scaledTargets } from '../../apply/hpa.ts';
import { changesPods } from '../../apply/preflight.ts';
import type { Prepared } from '../../apply/prepared.ts';
import { heldByPauses, settled, stage, type HeldBy, type Plan, type PlanContext, type Stage } from '../../plan/plan.ts';
import type { FieldChange, Step } from '../../plan/step.ts';
import { isPaused, pausedError } from '../../rollout/pause.ts';
import { isService, selectorOf } from '../../traffic/services.ts';
import { refuseBystanders } from '../bystanders.ts';
import { refuseForeign } from '../fitness.ts';
import { numbersOf, withPods } from '../numbers.ts';
import { refusePaused } from '../paused.ts';
import { applyCompared } from '../rolling.ts';
import { judgeSharedClaims } from '../shared-claims.ts';
import { formOf, liveServices, previewOf, refOn, servicesOf, sideOf, type SideForm } from './groups.ts';
import { pinsOf, withFormOfPods } from './pins.ts';
import { liveOn, servingIn, type Input, type State, type Switch } from './state.ts';
import { switchStages } from './switch-over.ts';
import {
  besides,
  bystandersBehind,
  lookAtSides,
  refuseDivided,
  refuseKept,
  refuseWithoutUnion,
  requireRoom,
  warnOfKept,
} from './switches.ts';

export interface BlueGreenOptions {
  /** Switch when the candidate is ready and verified; otherwise it is left waiting. */
  autoPromote: boolean;
  /** The manifests hold one of two sides that are both the user's own: the one that is to serve. */
  ownSides: boolean;
  /** The manifests are those of an earlier revision: what has no second side goes back in place. */
  restores?: boolean;
}

/** What is found before a switch. */
interface Found {
  input: Input;
  state: State;
  /** Groups that are to change sides. */
  found: readonly Switch[];
}

/** @throws InvalidInput, LowCapacity, Failures when a second set of pods cannot be brought up beside what serves */
export async function planSwitch(
  context: PlanContext,
  prepared: readonly Prepared[],
  { input, state, found }: Found,
  options: BlueGreenOptions,
): Promise<Plan> {
  const switches = await Promise.all(found.map(async (one) => await withFormOfPods(context, state, one)));
  refuseWithoutUnion(state, switches);
  if (options.restores === true) warnOfKept(context, state, switches);
  else refuseKept(state, switches);
  refuseBystanders(await bystandersBehind(context, state, switches));
  const forms = switches.map((one) => formWithPods(one, input, state));
  await refuseSharedClaims(context, { input, state, found: switches }, forms);
  const previews = switches.flatMap(({ group, to }, index) =>
    servicesOf(group).flatMap((service) => previewOf(group, service, forms[index]?.workloads ?? [], to) ?? []),
  );
  const candidates = forms.flatMap(({ workloads }) => workloads);
  const [preparedCandidates, pins] = await Promise.all([
    context.look([...forms.flatMap(({ config }) => config), ...candidates, ...previews]),
    pinsOf(context, state, switches, options),
  ]);
  refuseForeign(madeByUs(preparedCandidates, switches, forms, previews), 'green side');
  refusePaused([...preparedCandidates, ...besides(prepared, state, switches)]);
  await requireRoom(context, candidates, state);
  const live = servingIn(state, switches).map(({ serving }) => serving);
  const heldBy = heldByPausesOf(live, options);
  const numbers = numbersOf(live);
  const refs = candidates.map(({ object }) => refOf(object));
  const renewed = gettingNewPods(switches, forms, preparedCandidates);
  const steps = stepsToBringIn({ prelude: preludeOf(prepared, switches), pins, candidates, preparedCandidates });
  return {
    temporary: previews.map(({ object }) => refOf(object)),
    stages: [
      undivided(state, renewed),
      ...(options.autoPromote
        ? [
            settled(steps),
            // After a pause, and not before it; and once both sides serve, the switch is completed.
            ...heldByPauses([settled(lookAtSides(state, switches))], heldBy),
            ...switchStages(input, begunIn(state, switches, renewed), numbers),
          ]
        : [settled(steps, { state: 'waiting', candidates: refs, numbers })]),
    ],
  };
}

/**
 * What a switch waits for while somebody pauses it meanwhile. Whoever goes back does not wait for the side that is to be left.
 * @param live what serves
 * @throws InvalidInput where a deploy would wait for what is paused already
 */
function heldByPausesOf(
  live: readonly KubernetesObject[],
  { autoPromote, restores = false }: BlueGreenOptions,
): HeldBy | undefined {
  if (!autoPromote || restores) return undefined;
  const paused = live.find(isPaused);
  if (paused !== undefined) throw pausedError(paused);
  // Until then nothing that serves has changed, but Services may be pinned to its pods: that does not stay.
  return { refs: live.map(refOf), keepsState: false };
}

/**
 * That all Services lead to the side that serves, before the other one gets new pods. What a dead run has left half switched is undone
 * before a plan is carried out, so that this is asked then, and not while it is made.
 */
function undivided(state: State, switches: readonly Switch[]): Stage {
  const refusal = stage(
    () => Promise.resolve(state),
    (world) => {
      refuseDivided(world, switches);
      return { steps: [] };
    },
  );
  return { ...refusal, guard: true };
}

/** Those whose other side gets another version; one that runs it already may be gone back to from wherever Services lead. */
function gettingNewPods(
  switches: readonly Switch[],
  forms: readonly SideForm[],
  prepared: readonly Prepared[],
): Switch[] {
  const changing = new Set(prepared.filter(changesPods).map(({ manifest }) => keyOf(refOf(manifest.object))));
  return switches.filter((_, index) =>
    forms[index]?.workloads.some(({ object }) => changing.has(keyOf(refOf(object)))),
  );
}

/** A side that gets no new pods may have Services already: somebody has switched them back to it, and the others follow. */
function begunIn(state: State, switches: readonly Switch[], renewed: readonly Switch[]): Switch[] {
  return switches.map((one) => {
    const { group, to } = one;
    const isLedTo = liveServices(group, state.services).some((live) => sideOf(group, selectorOf(live)) === to);
    return isLedTo && !renewed.includes(one) ? { ...one, isBegun: true } : one;
  });
}

/** A second full set of pods, set apart from those that serve before the first of them comes. */
export function stepsToBringIn({
  prelude,
  pins,
  candidates,
  preparedCandidates,
}: {
  prelude: readonly Prepared[];
  pins: readonly FieldChange[];
  candidates: readonly Manifest[];
  preparedCandidates: readonly Prepared[];
}): Step[] {
  const names = candidates.map(({ object }) => object.metadata.name).join(', ');
  const before: Step[] = [];
  if (prelude.length > 0) before.push(applyCompared('Apply new objects that do not affect the live side', prelude));
  if (pins.length > 0)
    before.push({
      do: 'set',
      title: 'Pin Services to the live pods, so no requests go to the new ones',
      fields: pins,
    });
  return [
    ...before,
    {
      ...applyCompared(`Start ${names} beside the live side`, preparedCandidates),
      marks: [`${names} ready beside the live side`],
    },
    { do: 'verify', title: `Verify ${names} before it serves`, of: 'preview' },
  ];
}

/** The side that is to come, with as many pods as it needs to take all requests. */
function formWithPods({ group, from, to }: Switch, { manifests }: Input, state: State): SideForm {
  const form = formOf(group, to, manifests, true);
  const scaled = scaledTargets(state.autoscalers);
  const workloads = form.workloads.map((candidate, index) => {
    const workload = group.workloads[index];
    if (workload === undefined) return candidate;
    const now = numberAt(liveOn(state, group, from, workload), 'spec', 'replicas');
    const isScaled = scaled.has(keyOf(refOn(group, from, workload.object)));
    const meant = isScaled ? now : (numberAt(workload.object, 'spec', 'replicas') ?? now);
    return withPods(candidate, meant ?? 1);
  });
  return { ...form, workloads };
}

async function refuseSharedClaims(
  context: PlanContext,
  { input, state, found }: Found,
  forms: readonly SideForm[],
): Promise<void> {
  const candidates = forms.flatMap(({ workloads }) => workloads.map(({ object }) => object));
  const pairs = servingIn(state, found).flatMap(({ serving, to }) =>
    candidates
      .filter((candidate) => keyOf(refOf(candidate)) === keyOf(to))
      .map((candidate) => ({ serving, candidate })),
  );
  await judgeSharedClaims(
    context,
    pairs,
    input.manifests.map(({ object }) => object),
  );
}

/** What this strategy makes beside the user's own, and nobody else may have. */
function madeByUs(
  prepared: readonly Prepared[],
  switches: readonly Switch[],
  forms: readonly SideForm[],
  previews: readonly Manifest[],
): Prepared[] {
  const derived = switches.flatMap(({ group, to }, index) =>
    group.own === undefined && to === 'green'
      ? [...(forms[index]?.workloads ?? []), ...(forms[index]?.config ?? [])]
      : [],
  );
  const keys = new Set([...previews, ...derived].map(({ object }) => keyOf(refOf(object))));
  return prepared.filter(({ manifest }) => keys.has(keyOf(refOf(manifest.object))));
}

/**
 * What is new and can be there before the switch. A Service is only if it leads to the side that serves: another one would send
 * requests to pods that nobody has approved, and is made by the switch.
 */
function preludeOf(prepared: readonly Prepared[], switches: readonly Switch[]): Prepared[] {
  const switched = new Set(switches.flatMap(({ group }) => group.workloads.map(({ object }) => keyOf(refOf(object)))));
  const leadsOn = (service: KubernetesObject) => {
    const key = keyOf(refOf(service));
    const by = switches.find(({ group }) => group.services.some(({ object }) => keyOf(refOf(object)) === key));
    return by === undefined || sideOf(by.group, selectorOf(service)) === by.from;
  };
  return prepared.filter(
    ({ manifest, live, change }) =>
      change === 'created' &&
      live === undefined &&
      rankOf(manifest.object) < 3 &&
      !switched.has(keyOf(refOf(manifest.object))) &&
      (!isService(manifest.object) || leadsOn(manifest.object)),
  );
}
