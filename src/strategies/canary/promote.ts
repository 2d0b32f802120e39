import { Failure } from '../../base/errors.ts';
import { numberAt } from '../../base/json.ts';
import { describeRef, keyOf, refOf, type KubernetesObject, type ObjectRef } from '../../kubernetes/object.ts';
import type { Manifest } from '../../manifests/manifest.ts';
import { describeImage, imagesOf } from '../../manifests/pod-template.ts';
import type { Prepared } from '../../apply/prepared.ts';
import { stage, type PlanContext, type Stage } from '../../plan/plan.ts';
import type { Step } from '../../plan/step.ts';
import { originOf } from '../candidate.ts';
import { podsNeeded, podsTo, withPods, type Numbers } from '../numbers.ts';
import { podsOf } from '../../manifests/pod-template.ts';
import { refusePaused } from '../paused.ts';
import { isStableOf, stableName } from './pairs.ts';
import { reliefFor, stepsWithRelief, type Relief, type Relieved } from './relief.ts';

interface Promotion {
  candidates: readonly ObjectRef[];
  constantTotal?: boolean;
  /** How many stable pods there were before the candidate was brought in. */
  numbers?: Numbers;
  /** What is asked of the candidate before the first write: that it is ready, and its checks too. */
  look: 'none' | 'ready' | 'verify';
}

/** A candidate and the stable Deployment of the manifests that it is for. */
interface Promoted {
  candidate: ObjectRef;
  name: string;
  stable: Manifest | undefined;
}

/** How many pods a stable Deployment is to have in the end; read when it is brought in, which may be hours later. */
interface FinalNumber {
  /** What the manifest says. */
  meant: number | undefined;
  now: number | undefined;
  wanted: number;
}

/**
 * Brings the new version into the stable Deployments while the candidate serves. The candidate's objects are not removed
 * here: that is safe only once the new version is recorded as live.
 */
export function promotionStages(manifests: readonly Manifest[], promotion: Promotion): Stage[] {
  const { constantTotal = false } = promotion;
  const found = { pairs: [] as Promoted[], prepared: [] as Prepared[], finals: new Map<string, FinalNumber>() };
  const looked = stage(
    async (context) => {
      found.prepared = await context.look(manifests);
      refusePaused(found.prepared);
      found.pairs = await pairsToPromote(context, manifests, found.prepared, promotion);
      return found.pairs;
    },
    (pairs) => ({ steps: stepsOfLook(pairs, promotion) }),
  );
  const numbersIn = async (context: PlanContext) => await finalNumbers(context, found.pairs, promotion);
  if (constantTotal) {
    return [
      looked,
      stage(
        async (context) => (found.finals = await numbersIn(context)),
        (finals) => ({ steps: [reduced(manifests, finals)] }),
      ),
      stage(
        // How many there are to be in all was decided before the first of them was written.
        async (context) => await lookAtHandover(context, found.pairs, found.finals),
        (world) => ({ steps: handOver(world) }),
      ),
    ];
  }
  return [
    looked,
    stage(
      async (context) => {
        const finals = await numbersIn(context);
        const final = numbered(manifests, finals);
        const relief = await reliefFor(context, await relievedBy(context, found.pairs, finals), final);
        return { finals, final, relief };
      },
      ({ finals, final, relief }) => ({
        steps: stepsOfPromotion({ manifests, final, finals, relief }, found.prepared),
      }),
    ),
  ];
}

async function pairsToPromote(
  { client }: PlanContext,
  manifests: readonly Manifest[],
  prepared: readonly Prepared[],
  { candidates, look }: Promotion,
): Promise<Promoted[]> {
  return await Promise.all(
    candidates.map(async (candidate) => {
      const object = await client.read(candidate);
      const name = (object && originOf(object)) ?? stableName(candidate, manifests);
      const stable = prepared.find(({ manifest }) => isStableOf(manifest.object, candidate, name));
      if (look !== 'none' && object !== undefined && stable !== undefined)
        refuseUntried(object, stable.predicted ?? stable.manifest.object);
      return { candidate, name, stable: stable?.manifest };
    }),
  );
}

/** Somebody may have changed the candidate since. @throws Failure when it runs something else than is to be promoted */
function refuseUntried(candidate: KubernetesObject, stable: KubernetesObject): void {
  const tried = new Map(imagesOf(candidate).map(({ name, image }) => [name, image]));
  const other = imagesOf(stable).find(({ name, image }) => tried.has(name) && tried.get(name) !== image);
  if (other === undefined) return;
  throw new Failure(
    `${describeRef(refOf(candidate), true)} runs the image "${tried.get(other.name) ?? ''}" in its ${describeImage(other)}, but the version to promote has "${other.image ?? ''}"`,
    {
      hint: 'Someone else changed the candidate: what would be promoted is untested. Run "abort", then deploy what you want.',
    },
  );
}

/** What has just been watched is only asked whether it is ready still. */
export function stepsOfLook(pairs: readonly Promoted[], { look }: Pick<Promotion, 'look'>): Step[] {
  if (look === 'none') return [];
  const candidates = pairs.map(({ candidate }) => candidate);
  const check: Step = {
    do: 'check',
    title: 'Check that the candidate is what was deployed, and ready',
    candidates,
    asks: look === 'ready' ? 'ready' : 'sound',
  };
  if (look === 'ready') return [check];
  const checks = pairs.map(({ candidate, name }): Step => ({
    do: 'verify',
    title: `Verify ${candidate.name}`,
    of: { candidate, stable: { ...candidate, name } },
  }));
  return [check, ...checks];
}

async function finalNumbers(
  { client }: PlanContext,
  pairs: readonly Promoted[],
  { numbers = {}, constantTotal = false }: Promotion,
): Promise<Map<string, FinalNumber>> {
  const found = await Promise.all(
    pairs.map(async ({ candidate, stable }): Promise<[string, FinalNumber][]> => {
      if (stable === undefined) return [];
      const ref = refOf(stable.object);
      const [live, beside] = await Promise.all([client.read(ref), client.read(candidate)]);
      const key = keyOf(ref);
      const meant = numberAt(stable.object, 'spec', 'replicas');
      const now = live && podsOf(live);
      const then = numbers[key];
      // Both have at least one: where one pod served, the other one is none that was taken from it.
      const taken = !constantTotal || beside === undefined || then === 1 ? 0 : podsOf(beside);
      const total = now === undefined ? undefined : now + taken;
      return [[key, { meant, now, wanted: podsNeeded({ meant, then, now: total }) }]];
    }),
  );
  return new Map(found.flat());
}

/** The manifests with the numbers that stable Deployments are to have; who has left the number open goes on to do so. */
function numbered(manifests: readonly Manifest[], finals: ReadonlyMap<string, FinalNumber>): Manifest[] {
  return manifests.map((manifest) => {
    const final = finals.get(keyOf(refOf(manifest.object)));
    return withPods(manifest, final?.meant === undefined ? undefined : final.wanted);
  });
}

/** The stable Deployments as they are, beside their candidates and what they are to be. */
async function relievedBy(
  { client }: PlanContext,
  pairs: readonly Promoted[],
  finals: ReadonlyMap<string, FinalNumber>,
): Promise<Relieved[]> {
  const found = await Promise.all(
    pairs.map(async ({ candidate: ref, stable: next }) => {
      const stable = next && (await client.read(refOf(next.object)));
      const candidate = await client.read(ref);
      if (next === undefined || stable === undefined || candidate === undefined) return [];
      return [{ stable, candidate, next, replicas: finals.get(keyOf(refOf(stable)))?.wanted ?? podsOf(stable) }];
    }),
  );
  return found.flat();
}

/** The stable Deployments roll while the candidate serves; those whose pods end at once behind its back. */
export function stepsOfPromotion(
  world: {
    manifests: readonly Manifest[];
    final: readonly Manifest[];
    finals: ReadonlyMap<string, FinalNumber>;
    relief: Relief | undefined;
  },
  prepared: readonly Prepared[],
): Step[] {
  const { manifests, final, finals, relief } = world;
  if (relief !== undefined) return stepsWithRelief(relief, final);
  const isOther = [...finals.values()].some(({ meant, wanted }) => meant !== undefined && meant !== wanted);
  const title = 'Roll out the new version to the stable pods while the candidate serves';
  return [
    isOther ? { do: 'apply', title, objects: final } : { do: 'apply', title, objects: manifests, compared: prepared },
  ];
}

/** First the new version in the pods that stable was left with. */
function reduced(manifests: readonly Manifest[], finals: ReadonlyMap<string, FinalNumber>): Step {
  return {
    do: 'apply',
    title: 'Roll out the new version to the remaining stable pods while the candidate serves',
    objects: manifests.map((manifest) => withPods(manifest, finals.get(keyOf(refOf(manifest.object)))?.now)),
  };
}

/** Numbers of pods between which the candidate gives its places back. */
interface Handover {
  candidate: ObjectRef;
  candidatePods: number;
  stable: ObjectRef;
  stablePods: number;
  /** How many the stable Deployment is to have. */
  wanted: number;
}

async function lookAtHandover(
  { client }: PlanContext,
  pairs: readonly Promoted[],
  finals: ReadonlyMap<string, FinalNumber>,
): Promise<Handover[]> {
  const found = await Promise.all(
    pairs.map(async ({ candidate, stable }): Promise<Handover[]> => {
      if (stable === undefined) return [];
      const ref = refOf(stable.object);
      const [live, beside] = await Promise.all([client.read(ref), client.read(candidate)]);
      const wanted = finals.get(keyOf(ref))?.wanted ?? 1;
      const candidatePods = numberAt(beside, 'spec', 'replicas') ?? 0;
      return [{ candidate, candidatePods, stable: ref, stablePods: podsOf(live ?? stable.object), wanted }];
    }),
  );
  return found.flat();
}

/** Pod by pod from the candidate back to stable: a full pool has room for no more. */
export function handOver(pairs: readonly Handover[]): Step[] {
  return pairs.flatMap(({ candidate, candidatePods, stable, stablePods, wanted }) =>
    Array.from({ length: Math.max(0, wanted - stablePods) }, (_, index): Step[] => {
      const left = Math.max(0, candidatePods - index - 1);
      const replicas = stablePods + index + 1;
      return [
        { do: 'set', title: `Scale ${candidate.name} to ${left}`, fields: [podsTo(candidate, left)], until: 'ready' },
        { do: 'set', title: `Scale ${stable.name} to ${replicas}`, fields: [podsTo(stable, replicas)], until: 'ready' },
      ];
    }).flat(),
  );
}
