import { describeRef, keyOf, refOf } from '../../kubernetes/object.ts';
import type { Prepared } from '../../apply/prepared.ts';
import { heldByPauses, settled, type Plan, type PlanContext, type Stage, type Strategy } from '../../plan/plan.ts';
import { refuseJoined } from '../bystanders.ts';
import { copyConfig } from '../candidate.ts';
import { refuseCustom, refuseForeign, refusePinned, refuseUnfit } from '../fitness.ts';
import { numbersOf, withPods } from '../numbers.ts';
import { hasPods, podsOf } from '../../manifests/pod-template.ts';
import { refusePaused, refusePausedManifest } from '../paused.ts';
import { allAtOnce, applyCompared } from '../rolling.ts';
import { unitedServices } from '../service-moves.ts';
import { judgeSharedClaims } from '../shared-claims.ts';
import { canaryStages } from './bring-in.ts';
import { keptApart, lookAround, refuseAutoscaled, refuseUnreachable, tellBystanders } from './neighbours.ts';
import { belongsToPrelude, copiesOf, pairsOf, readingCopies, shareOf, type CanaryOptions, type Pair } from './pairs.ts';
import { promotionStages } from './promote.ts';
import { needsPlaces } from './room.ts';

/**
 * A few pods of the new version beside the stable ones, behind the same Services. The stable Deployments are not touched
 * until the promotion, which rolls them while the candidate serves (docs/strategies.md).
 */
export function canary(options: CanaryOptions): Strategy {
  return (context, manifests) =>
    Promise.resolve({ manifests, plan: async (prepared) => await planFor(context, prepared, options) });
}

async function planFor(context: PlanContext, prepared: readonly Prepared[], options: CanaryOptions): Promise<Plan> {
  refusePinned(prepared, 'canary');
  refuseUnfit(prepared, 'canary');
  refusePausedManifest(prepared, 'canary');
  refusePaused(prepared);
  await refuseJoined(context, prepared, 'canary');
  const pairs = pairsOf(prepared, options);
  if (pairs.length === 0) {
    refuseCustom(prepared, 'canary');
    context.note(noteOfAllAtOnce(prepared));
    return allAtOnce(prepared, { united: await unitedServices(context, prepared) });
  }
  await judgeSharedClaims(
    context,
    pairs.map(({ live, candidate }) => ({ serving: live, candidate: candidate.object })),
    prepared.map(({ manifest }) => manifest.object),
  );
  const neighbours = await lookAround(context, pairs);
  if (options.constantTotal) refuseAutoscaled(neighbours, prepared, pairs);
  refuseUnreachable(neighbours, prepared, pairs);
  const apart = keptApart(context, neighbours, pairs);
  await tellBystanders(context, neighbours, prepared, apart);
  return await planCanary(context, prepared, apart, options);
}

function noteOfAllAtOnce(prepared: readonly Prepared[]): string {
  const isFirst = prepared.every(({ live, manifest }) => live === undefined || !hasPods(manifest.object));
  return isFirst
    ? 'there is no stable version yet: this deploy rolls out all pods at once, and the next one has a canary'
    : 'no running Deployment changes its pod template: nothing to try as a canary, so everything is rolled out at once';
}

async function planCanary(
  context: PlanContext,
  prepared: readonly Prepared[],
  apart: readonly Pair[],
  options: CanaryOptions,
): Promise<Plan> {
  const copied = copiesOf(prepared, apart);
  tellUntried(context, apart);
  const pairs = readingCopies(apart, copied).map((pair) => atFirstStep(pair, options));
  const temporary = await lookAtTemporary(context, prepared, { pairs, copied }, options);
  const inPlace = await needsPlaces(context, pairs, options);
  const numbers = numbersOf(pairs.map(({ live }) => live));
  const candidates = pairs.map(({ candidate }) => refOf(candidate.object));
  const { constantTotal } = options;
  const promotion = { candidates, constantTotal, numbers };
  const manifests = prepared.map(({ manifest }) => manifest);
  const ending: Stage[] = options.autoPromote
    ? // It has just passed its checks.
      promotionStages(manifests, { ...promotion, look: 'ready' })
    : [settled([], { state: 'waiting', ...promotion })];
  const isHeld = new Set<Prepared>(pairs.map(({ stable }) => stable));
  const prelude = prepared.filter((entry) => !isHeld.has(entry) && belongsToPrelude(entry, copied));
  const before =
    prelude.length === 0 ? [] : [settled([applyCompared('Apply what does not affect stable pods', prelude)])];
  const [first, ...later] = canaryStages({ pairs, temporary, inPlace }, options);
  const held = options.autoPromote ? [...later, ...ending] : later;
  const heldBy = { refs: pairs.map(({ live }) => refOf(live)), keepsState: true };
  return {
    stages: [
      ...before,
      ...(first === undefined ? [] : [first]),
      ...heldByPauses(held, heldBy),
      ...(options.autoPromote ? [] : ending),
    ],
    temporary: temporary.map(({ manifest }) => refOf(manifest.object)),
  };
}

/** What the user's own candidate reads of config that changes is not for the candidate alone. */
function tellUntried(context: PlanContext, pairs: readonly Pair[]): void {
  for (const { stable, variant } of pairs) {
    if (variant !== undefined && stable.config?.state === 'renewed')
      context.note(
        `${describeRef(refOf(variant.object))} reads the config of ${describeRef(refOf(stable.manifest.object))}: changes in it are not tested by the canary`,
      );
  }
}

function atFirstStep(pair: Pair, options: CanaryOptions): Pair {
  const [percent = 0] = options.steps;
  return { ...pair, candidate: withPods(pair.candidate, shareOf(podsOf(pair.live), percent, options).candidate) };
}

/** All that only the candidate needs, compared with the cluster. */
async function lookAtTemporary(
  context: PlanContext,
  prepared: readonly Prepared[],
  { pairs, copied }: { pairs: readonly Pair[]; copied: ReadonlySet<string> },
  { variants }: CanaryOptions,
): Promise<Prepared[]> {
  const copies = prepared.filter(({ manifest }) => copied.has(keyOf(refOf(manifest.object))));
  const given = variants.filter((variant) => !pairs.some((pair) => pair.variant === variant));
  const temporary = await context.look([
    ...copies.map(({ manifest }) => copyConfig(manifest, 'canary')),
    ...pairs.map(({ candidate }) => candidate),
    ...given,
  ]);
  const own = pairs.flatMap(({ candidate, variant }) => (variant === undefined ? [] : [candidate]));
  const users = new Set([...given, ...own].map(({ object }) => keyOf(refOf(object))));
  refuseForeign(
    temporary.filter(({ manifest }) => !users.has(keyOf(refOf(manifest.object)))),
    'candidate',
  );
  refusePaused(temporary);
  return temporary;
}

export type { CanaryOptions } from './pairs.ts';
