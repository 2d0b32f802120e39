import { Failure } from '../../base/errors.ts';
import { keyOf, refOf } from '../../kubernetes/object.ts';
import { changesPods } from '../../apply/preflight.ts';
import type { Prepared } from '../../apply/prepared.ts';
import type { WaitingCandidate } from '../../release/journal-shape.ts';
import { settled, type Strategy } from '../../plan/plan.ts';
import { selectorOf } from '../../traffic/services.ts';
import { refuseJoined } from '../bystanders.ts';
import { describeReplacedInPlace, refuseCustom, refuseUnfit } from '../fitness.ts';
import { refusePaused, refusePausedManifest } from '../paused.ts';
import { allAtOnce } from '../rolling.ts';
import { unitedServices } from '../service-moves.ts';
import { arrangedOn } from './arrange.ts';
import { planSwitch, type BlueGreenOptions } from './bring-in.ts';
import { idOf, liveServices, refOn, sideOf, type Group } from './groups.ts';
import { otherSide, type Side } from './own-sides.ts';
import { liveOn, refsOfGroup, servingNames, sideNow, stateOf, type State, type Switch } from './state.ts';
import { switchStages } from './switch-over.ts';
import { besides, lookAtSides, refuseKept, refuseWithoutUnion, switchesOf } from './switches.ts';

/**
 * A full set of new pods beside the ones that serve; then one write per Service moves all requests. Blue is the user's own
 * Deployment, green one that is made beside it, or the user's own too; they take turns (docs/strategies.md).
 */
export function blueGreen(options: BlueGreenOptions): Strategy {
  const firstSeen = new Map<string, Side>();
  return async (context, manifests) => {
    const input = { manifests, ownSides: options.ownSides };
    const state = await stateOf(context, input);
    for (const group of state.groups) refuseSwitchedSince(group, firstSeen);
    return {
      manifests: arrangedOn(manifests, state, sideNow),
      plan: async (prepared) => {
        if (options.restores === true) for (const text of describeReplacedInPlace(prepared)) context.note(text);
        else refuseUnfit(prepared, 'blue-green');
        refusePausedManifest(prepared, 'blue-green');
        const switches = switchesOf(prepared, manifests, state);
        await refuseJoined(context, prepared, 'blue-green', state.groups.flatMap(refsOfGroup));
        if (switches.length > 0) return await planSwitch(context, prepared, { input, state, found: switches }, options);
        if (options.restores !== true) refuseCustom(prepared, 'blue-green');
        context.note(noteOfAllAtOnce(prepared, state));
        const united = await unitedServices(context, prepared);
        return allAtOnce(prepared, { end: { state: 'live', serving: servingNames(state, []) }, united });
      },
    };
  };
}

/**
 * Which of the user's own sides is to serve was decided from what served then; with another one, its pods would change under
 * the requests. @throws Failure when that is not so any more
 */
function refuseSwitchedSince(group: Group, firstSeen: Map<string, Side>): void {
  const { own, serving } = group;
  const before = firstSeen.get(idOf(group)) ?? serving;
  firstSeen.set(idOf(group), before);
  if (own === undefined || before === serving) return;
  throw new Failure(`another run switched to the ${serving} side meanwhile`, {
    hint: 'Check what it deployed, then run this one again.',
  });
}

function noteOfAllAtOnce(prepared: readonly Prepared[], state: State): string {
  const isFirst = state.groups.every((group) =>
    group.workloads.every((workload) => liveOn(state, group, group.own?.side ?? 'blue', workload) === undefined),
  );
  if (isFirst)
    return 'no version is serving yet: this deploy rolls out all pods at once, and the next one has a blue and a green side';
  const own = new Set(
    state.groups.filter((group) => group.own !== undefined).flatMap((group) => refsOfGroup(group).map(keyOf)),
  );
  const changing = prepared.filter((entry) => changesPods(entry) && own.has(keyOf(refOf(entry.manifest.object))));
  const names = changing.map(({ manifest }) => manifest.object.metadata.name).join(', ');
  if (changing.length === 0)
    return 'no pods that a Service selects change: there is nothing to switch, so everything is rolled out at once';
  return changing.every(({ config }) => config?.state === 'renewed')
    ? `${names} serves, and config read by both sides changes: its pods are replaced in place`
    : `${names} serves but differs from its manifest: it is restored in place`;
}

/** How a candidate that waits begins to serve. */
export function switchTo(
  { candidates, numbers }: Pick<WaitingCandidate, 'candidates' | 'numbers'>,
  { ownSides, force }: { ownSides: boolean; force: boolean },
): Strategy {
  const waiting = new Set(candidates.map(keyOf));
  return async (context, manifests) => {
    const input = { manifests, ownSides };
    const state = await stateOf(context, input);
    const switches = state.groups.flatMap((group): Switch[] => {
      const waitsOn = (side: Side) =>
        group.workloads.some(({ object }) => waiting.has(keyOf(refOn(group, side, object))));
      const to = [otherSide(group.serving), group.serving].find(waitsOn);
      if (to === undefined) return [];
      const isBegun = liveServices(group, state.services).some((live) => sideOf(group, selectorOf(live)) === to);
      return [{ group, from: otherSide(to), to, ...(isBegun ? { isBegun } : {}) }];
    });
    return {
      manifests: arrangedOn(manifests, state, sideNow),
      plan: (prepared) => {
        refusePaused(besides(prepared, state, switches));
        refuseWithoutUnion(state, switches);
        refuseKept(state, switches);
        const look = force
          ? [{ do: 'check', title: 'Check whether there is a candidate', candidates, asks: 'present' } as const]
          : lookAtSides(state, switches, prepared);
        return Promise.resolve({ stages: [settled(look), ...switchStages(input, switches, numbers)] });
      },
    };
  };
}
