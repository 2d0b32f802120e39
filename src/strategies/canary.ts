import { Failure, InvalidInput } from '../base/errors.ts';
import { numberAt, objectAt, stringsAt } from '../base/json.ts';
import { describeRef, keyOf, refOf, type KubernetesObject, type ObjectRef } from '../kubernetes/object.ts';
import { isConfig } from '../manifests/config-references.ts';
import type { Manifest } from '../manifests/manifest.ts';
import { rankOf } from '../manifests/order.ts';
import { describeImage, imagesOf, isDeployment, isWorkload } from '../manifests/pod-template.ts';
import { needsRoomForOneMore } from '../manifests/rolling-update.ts';
import { canaryVariantOf } from '../manifests/variants.ts';
import { checkCapacity, enforceCapacity, type Surge } from '../capacity/capacity.ts';
import { autoscalersIn, isAutoscaler, scaledTargets } from '../apply/hpa.ts';
import { changesPods } from '../apply/preflight.ts';
import { untilRouted } from '../traffic/endpoints.ts';
import { templateLabels } from '../traffic/pods.ts';
import { addedShare, constantShare, podShare, type ReplicaShare } from '../traffic/replica-share.ts';
import { isService, selectorOf, selects, servicesIn } from '../traffic/services.ts';
import { bystandersOf, namesOf, refuseJoined } from './bystanders.ts';
import { candidateName, configOf, copyConfig, deriveCandidate, originOf, useCopies } from './candidate.ts';
import { refuseForeign, refusePinned, refuseUnfit } from './fitness.ts';
import { budgetsIn, countersOf, countingStill, stepOutside, warningOf } from './outside.ts';
import { numbersOf, podsNeeded, podsOf, scaleTo, type Numbers } from './numbers.ts';
import { allAtOnce, applyAndWait } from './rolling.ts';
import { refusePaused, refusePausedManifest } from './paused.ts';
import { assertPromotable } from './promotable.ts';
import { carriersOf, relieve, reliefFor, untilTakenOver, withRelief, type Relief, type Relieved } from './relief.ts';
import { judgeSharedClaims } from './shared-claims.ts';
import type { Plan, PlanContext, Strategy, StrategyContext } from './strategy.ts';
import type { Prepared } from '../apply/prepared.ts';

export interface CanaryOptions {
  /** Percent of the requests for the candidate, one after the other. */
  steps: readonly number[];
  /** How long each step is watched before the next one. */
  stepDurationMs: number;
  /** Go on to the promotion after the last step; otherwise the candidate is left waiting there. */
  autoPromote: boolean;
  /** As many pods as before in all: stable ones make room for those of the candidate. */
  constantTotal: boolean;
  /** The user's own `*-canary.yaml`. */
  variants: readonly Manifest[];
}

/** A stable Deployment and what is brought in beside it. */
interface Pair {
  stable: Prepared;
  live: KubernetesObject;
  candidate: Manifest;
}

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
    const isFirst = prepared.every(({ live, manifest }) => live === undefined || !isWorkload(manifest.object));
    context.note(
      isFirst
        ? 'there is no stable version yet: this deploy brings in all pods at once, and the next one has a canary'
        : 'no pod template of a running Deployment changes: nothing to try on a canary, so that all is brought in at once',
    );
    return allAtOnce(prepared);
  }
  await judgeSharedClaims(
    context,
    pairs.map(({ live, candidate }) => ({ serving: live, candidate: candidate.object })),
    prepared.map(({ manifest }) => manifest.object),
  );
  const neighbours = await lookAround(context);
  if (options.constantTotal) refuseAutoscaled(neighbours, prepared, pairs);
  refuseUnreachable(neighbours, prepared, pairs);
  keepApart(context, neighbours, pairs, options);
  await tellBystanders(context, neighbours, prepared, pairs);
  return await planCanary(context, prepared, pairs, options);
}

/** What in the namespace goes by the labels of pods. */
interface Neighbours {
  services: readonly KubernetesObject[];
  autoscalers: readonly KubernetesObject[];
  budgets: readonly KubernetesObject[];
}

async function lookAround({ client, namespace }: PlanContext): Promise<Neighbours> {
  const [services, autoscalers, budgets] = await Promise.all([
    servicesIn(client, namespace),
    autoscalersIn(client, namespace),
    budgetsIn(client, namespace),
  ]);
  return { services, autoscalers, budgets };
}

async function planCanary(
  context: PlanContext,
  prepared: readonly Prepared[],
  pairs: readonly Pair[],
  options: CanaryOptions,
): Promise<Plan> {
  const isHeld = new Set<Prepared>(pairs.map(({ stable }) => stable));
  const copied = copiesOf(prepared, pairs, options);
  for (const { stable, candidate } of pairs) {
    if (options.variants.includes(candidate) && stable.config?.state === 'renewed')
      context.note(
        `${describeRef(refOf(candidate.object))} reads the config of ${describeRef(refOf(stable.manifest.object))}: what changes in it is not tried`,
      );
  }
  const copies = prepared.filter(({ manifest }) => copied.has(keyOf(refOf(manifest.object))));
  for (const { candidate } of pairs) useCopies(candidate.object, copied, 'canary');
  const prelude = prepared.filter((entry) => !isHeld.has(entry) && belongsToPrelude(entry, copied));
  const temporary = [
    ...copies.map(({ manifest }) => copyConfig(manifest, 'canary')),
    ...pairs.map(({ candidate }) => candidate),
    ...options.variants.filter((variant) => !pairs.some(({ candidate }) => candidate === variant)),
  ];
  const [firstStep = 0] = options.steps;
  for (const { candidate, live } of pairs) setReplicas(candidate, shareOf(live, firstStep, options).candidate);
  const preparedTemporary = await context.look(temporary);
  refuseForeign(
    preparedTemporary.filter(({ manifest }) => !options.variants.includes(manifest)),
    'candidate',
  );
  refusePaused(preparedTemporary);
  const inPlace = await needsPlaces(context, pairs, options);
  const numbers = numbersOf(pairs.map(({ live }) => live));
  return {
    run: async (run) => {
      run.journal.record.temporary = temporary.map(({ object }) => refOf(object));
      await bringInCandidate(run, { prelude, temporary: preparedTemporary, pairs, inPlace }, options);
      const { constantTotal } = options;
      const promotion = { candidates: pairs.map(({ candidate }) => refOf(candidate.object)), constantTotal, numbers };
      if (!options.autoPromote) return { state: 'waiting', ...promotion };
      const manifests = prepared.map(({ manifest }) => manifest);
      // It has just passed its checks.
      await promoteCanary(run, manifests, { ...promotion, look: 'ready' });
      return { state: 'complete' };
    },
  };
}

/**
 * Whether stable pods have to go before those of the candidate can come: where all places are taken, as in a pool of GPUs.
 * @throws LowCapacity when there is no room even so
 */
async function needsPlaces(context: PlanContext, pairs: readonly Pair[], options: CanaryOptions): Promise<boolean> {
  const { client, namespace, onLowCapacity, reporter } = context;
  const surges = pairs.map(({ candidate, live }) => {
    const most = Math.max(...options.steps.map((percent) => shareOf(live, percent, options).candidate));
    return { ref: refOf(live), template: objectAt(candidate.object, 'spec', 'template'), extra: most };
  });
  const about = { strategy: 'canary', creates: pairs.map(({ candidate }) => refOf(candidate.object)) } as const;
  const report = await checkCapacity(client, namespace, surges, about);
  if (!options.constantTotal) {
    enforceCapacity(report, onLowCapacity, reporter);
    return false;
  }
  const freed = surges.map((surge) => ({ ...surge, freed: surge.extra }));
  if (report.state === 'short') {
    enforceCapacity(await checkCapacity(client, namespace, freed, about), onLowCapacity, reporter);
  } else {
    enforceCapacity(report, onLowCapacity, reporter);
  }
  await refuseStuckPromotion(context, pairs, freed, options);
  if (report.state === 'fits') return false;
  context.note('all places are taken: stable pods go before those of the candidate come');
  return true;
}

/**
 * With a constant total the stable Deployments roll while the candidate keeps its places. One whose rolling update begins
 * with one pod more would never get it in a full pool.
 * @throws LowCapacity
 */
async function refuseStuckPromotion(
  context: PlanContext,
  pairs: readonly Pair[],
  candidates: readonly Surge[],
  options: CanaryOptions,
): Promise<void> {
  const { client, namespace, onLowCapacity, reporter } = context;
  for (const { stable, live } of pairs) {
    const left = shareOf(live, options.steps.at(-1) ?? 0, options).stable;
    const promoted = stable.predicted ?? stable.manifest.object;
    if (!needsRoomForOneMore(promoted, left)) continue;
    // One after the other: the first that is through gives its place to the next.
    const own = { ref: refOf(live), template: objectAt(promoted, 'spec', 'template'), extra: 1 };
    const report = await checkCapacity(client, namespace, [...candidates, own], { strategy: 'promotion' });
    enforceCapacity({ ...report, notices: [] }, onLowCapacity, reporter);
  }
}

interface Arrival {
  prelude: Prepared[];
  temporary: Prepared[];
  pairs: readonly Pair[];
  /** Stable pods make room first. */
  inPlace: boolean;
}

async function bringInCandidate(
  context: StrategyContext,
  { prelude, temporary, pairs, inPlace }: Arrival,
  options: CanaryOptions,
): Promise<void> {
  const { client, journal } = context;
  if (prelude.length > 0) await applyAndWait(context, prelude);
  const former = new Map<string, number>();
  for (const [index, percent] of options.steps.entries()) {
    const shares = await sharesNow(context, pairs, { percent, isFirst: index === 0 }, options);
    const makeRoom = async () => {
      if (!options.constantTotal) return;
      journal.beginStep();
      await scaleTo(
        context,
        pairs.map(({ live }, pair) => ({ ref: refOf(live), replicas: shares[pair]?.stable ?? 1 })),
      );
    };
    if (inPlace) await makeRoom();
    journal.beginStep();
    let entries = temporary;
    const isOther = pairs.some(({ candidate }, pair) => podsOf(candidate.object) !== shares[pair]?.candidate);
    if (index > 0 || isOther) {
      pairs.forEach(({ candidate }, pair) => {
        setReplicas(candidate, shares[pair]?.candidate ?? 1);
      });
      entries = await context.look(temporary.map(({ manifest }) => manifest));
    }
    const written = await applyAndWait(context, entries);
    if (!inPlace) await makeRoom();
    const deadline = context.deadline();
    const services = await servicesIn(client, context.namespace);
    const serving = new Set(pairs.flatMap(({ live }) => behindWhich(services, live)));
    await untilRouted(client, [...serving], { ...context, deadline });
    await watchStep(context, written, pairs, { percent, former }, options);
  }
}

/** How many pods each version gets in a step, by how many there are when it begins: an autoscaler may have changed them since. */
async function sharesNow(
  context: StrategyContext,
  pairs: readonly Pair[],
  { percent, isFirst }: { percent: number; isFirst: boolean },
  options: CanaryOptions,
): Promise<ReplicaShare[]> {
  const stable = await stableNow(context, pairs);
  return pairs.map(({ candidate }, index) => {
    const pods = podsOf(stable[index] ?? candidate.object);
    if (!options.constantTotal) return addedShare(pods, percent);
    return constantShare(pods + (isFirst ? 0 : podsOf(candidate.object)), percent);
  });
}

async function stableNow({ client }: StrategyContext, pairs: readonly Pair[]): Promise<KubernetesObject[]> {
  return await Promise.all(pairs.map(async ({ live }) => (await client.read(refOf(live))) ?? live));
}

interface Step {
  percent: number;
  /** What share each workload's candidate had in the step before, in percent. */
  former: Map<string, number>;
}

/** Watches the candidate for the duration of a step, and verifies it. @throws RolloutFailed when it does not stay ready */
async function watchStep(
  context: StrategyContext,
  written: ReadonlyMap<Prepared, KubernetesObject>,
  pairs: readonly Pair[],
  { percent, former }: Step,
  { stepDurationMs }: CanaryOptions,
): Promise<void> {
  await context.wait(written, { holdMs: stepDurationMs });
  for (const { live, candidate } of pairs) {
    const stable = podsOf((await context.client.read(refOf(live))) ?? live);
    const share: ReplicaShare = { candidate: podsOf(candidate.object), stable };
    const wantedShare = podShare(share);
    const measured = await context.verifyCandidate({
      selector: stringsAt(candidate.object, 'spec', 'selector', 'matchLabels'),
      wantedShare,
      formerShare: former.get(live.metadata.name) ?? 0,
    });
    former.set(live.metadata.name, wantedShare);
    context.onTraffic({
      workload: live.metadata.name,
      wanted: percent,
      candidatePods: share.candidate,
      stablePods: share.stable,
      ...(measured === undefined ? {} : { measured: measured.percent, requests: measured.requests }),
    });
    const requests =
      measured === undefined ? '' : `, ${measured.percent.toFixed(1)} % of ${measured.requests} requests went to them`;
    context.mark(
      `${live.metadata.name}: ${share.candidate} of ${share.candidate + share.stable} pods are the candidate's${requests}`,
    );
  }
}

interface Promotion {
  candidates: readonly ObjectRef[];
  constantTotal?: boolean;
  /** How many stable pods there were before the candidate was brought in. */
  numbers?: Numbers;
  /** What is asked of the candidate before the first write: that it is ready, and its checks too. */
  look: 'none' | 'ready' | 'verify';
}

/**
 * Brings the new version into the stable Deployments while the candidate serves. The candidate's objects are not removed
 * here: that is safe only once the new version is recorded as live.
 */
export async function promoteCanary(
  context: StrategyContext,
  manifests: readonly Manifest[],
  { candidates, constantTotal = false, numbers = {}, look }: Promotion,
): Promise<void> {
  const { journal } = context;
  const prepared = await context.look(manifests);
  refusePaused(prepared);
  const stables = await Promise.all(
    candidates.map(async (candidate) => {
      const object = await context.client.read(candidate);
      const name = (object && originOf(object)) ?? stableName(candidate, manifests);
      const stable = prepared.find(({ manifest }) => isStableOf(manifest.object, candidate, name));
      if (look !== 'none' && object !== undefined && stable !== undefined)
        refuseUntried(object, stable.predicted ?? stable.manifest.object);
      return { candidate, name, stable: stable?.manifest };
    }),
  );
  if (look !== 'none') await lookAtCandidates(context, stables, look);
  journal.beginStep();
  const finals = await finalNumbers(context, stables, { numbers, constantTotal });
  const numbered = (choose: (key: string) => number | undefined) =>
    manifests.map((manifest) => withPods(manifest, choose(keyOf(refOf(manifest.object)))));
  if (!constantTotal) {
    const isOther = [...finals.values()].some(({ meant, wanted }) => meant !== undefined && meant !== wanted);
    // Who has left the number open goes on to do so.
    const wantedOf = (key: string) => (finals.get(key)?.meant === undefined ? undefined : finals.get(key)?.wanted);
    const final = numbered(wantedOf);
    const relief = await reliefFor(context, await relievedBy(context, stables, finals), final);
    if (relief === undefined) await applyAndWait(context, isOther ? await context.look(final) : prepared);
    else await replaceBehind(context, relief, final);
    return;
  }
  // First the new version in the pods that stable was left with, then pod by pod from the candidate back to stable.
  const reduced = numbered((key) => finals.get(key)?.now);
  await applyAndWait(context, await context.look(reduced));
  for (const { candidate, name } of stables) {
    const stable = reduced.find(({ object }) => isStableOf(object, candidate, name))?.object;
    if (stable === undefined) continue;
    const wanted = finals.get(keyOf(refOf(stable)))?.wanted ?? 1;
    const from = podsOf(stable);
    let left = numberAt(await context.client.read(candidate), 'spec', 'replicas') ?? 0;
    for (let replicas = from + 1; replicas <= wanted; replicas += 1) {
      journal.beginStep();
      left = Math.max(0, left - 1);
      await scaleTo(context, [{ ref: candidate, replicas: left }]);
      journal.beginStep();
      await scaleTo(context, [{ ref: refOf(stable), replicas }]);
    }
  }
}

/** The stable Deployments as they are, beside their candidates and what they are to be. */
async function relievedBy(
  { client }: StrategyContext,
  pairs: readonly { candidate: ObjectRef; stable: Manifest | undefined }[],
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

/** Replaces the stable pods while no requests come to them, and then lets the Services lead to them again. */
async function replaceBehind(context: StrategyContext, relief: Relief, manifests: readonly Manifest[]): Promise<void> {
  await relieve(context, relief);
  context.journal.beginStep();
  const [entries, carriers] = await Promise.all([
    context.look(withRelief(manifests, relief)),
    context.look(await carriersOf(context, relief), { force: true }),
  ]);
  await applyAndWait(context, [...entries, ...carriers]);
  context.journal.beginStep();
  await applyAndWait(context, await context.look(manifests));
  await untilTakenOver(context, relief);
}

interface FinalNumber {
  /** What the manifest says. */
  meant: number | undefined;
  now: number | undefined;
  wanted: number;
}

/** How many pods stable is to have in the end, by its key; read when it is brought in, which may be hours later. */
async function finalNumbers(
  { client }: StrategyContext,
  pairs: readonly { candidate: ObjectRef; stable: Manifest | undefined }[],
  { numbers, constantTotal }: { numbers: Numbers; constantTotal: boolean },
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

function withPods(manifest: Manifest, replicas: number | undefined): Manifest {
  if (replicas === undefined) return manifest;
  const copy = { ...manifest, object: structuredClone(manifest.object) };
  setReplicas(copy, replicas);
  return copy;
}

/** @throws Failure, RolloutFailed, VerificationFailed when what is to be promoted is not good now */
async function lookAtCandidates(
  context: StrategyContext,
  pairs: readonly { candidate: ObjectRef; stable: Manifest | undefined }[],
  look: 'ready' | 'verify',
): Promise<void> {
  const found = await assertPromotable(
    context,
    pairs.map(({ candidate }) => candidate),
    { afterWait: look === 'ready' },
  );
  if (look === 'ready') return;
  for (const [index, candidate] of found.entries()) {
    const stable = pairs[index]?.stable;
    const live = stable === undefined ? undefined : await context.client.read(refOf(stable.object));
    await context.verifyCandidate({
      selector: stringsAt(candidate, 'spec', 'selector', 'matchLabels'),
      wantedShare: podShare({
        candidate: numberAt(candidate, 'spec', 'replicas') ?? 1,
        stable: numberAt(live, 'spec', 'replicas') ?? 1,
      }),
      formerShare: 0,
    });
  }
}

/** Somebody may have changed the candidate since. @throws Failure when it runs something else than is to be promoted */
function refuseUntried(candidate: KubernetesObject, stable: KubernetesObject): void {
  const tried = new Map(imagesOf(candidate).map(({ name, image }) => [name, image]));
  const other = imagesOf(stable).find(({ name, image }) => tried.has(name) && tried.get(name) !== image);
  if (other === undefined) return;
  throw new Failure(
    `${describeRef(refOf(candidate), true)} runs the image "${tried.get(other.name) ?? ''}" in its ${describeImage(other)}, and what is to be promoted has "${other.image ?? ''}"`,
    {
      hint: 'Somebody else has changed the candidate since: nobody has tried what would be promoted. Run "abort", then deploy what you want.',
    },
  );
}

/** Which stable Deployments get a new pod template, and their candidates. */
function pairsOf(prepared: readonly Prepared[], options: CanaryOptions): Pair[] {
  return prepared.flatMap((stable) => {
    const { live, manifest } = stable;
    if (live === undefined || !isDeployment(manifest.object) || !changesPods(stable)) return [];
    if ((numberAt(live, 'spec', 'replicas') ?? 1) === 0) return [];
    const own = canaryVariantOf(manifest, options.variants);
    return [{ stable, live, candidate: own ?? deriveCandidate(manifest, 'canary', 1) }];
  });
}

/** What can be there before the candidate without a change for the stable pods. */
function belongsToPrelude({ manifest, live, change }: Prepared, copied: ReadonlySet<string>): boolean {
  if (change === 'unchanged') return false;
  const rank = rankOf(manifest.object);
  if (live === undefined) return rank < 3 && !copied.has(keyOf(refOf(manifest.object)));
  return rank < 2 && !isConfig(manifest.object) && !isService(manifest.object);
}

/**
 * Config that changes and that derived candidates read: they get copies, so that stable pods keep what they have. To those that
 * have an optional reference to it, config that is new is a change, too.
 */
function copiesOf(prepared: readonly Prepared[], pairs: readonly Pair[], { variants }: CanaryOptions): Set<string> {
  const read = pairs
    .filter(({ candidate }) => !variants.includes(candidate))
    .flatMap(({ candidate }) => [...configOf(candidate.object)]);
  const isReadByStable = (key: string) => pairs.some(({ live }) => configOf(live).has(key));
  return new Set(
    prepared
      .filter(({ manifest, change }) => isConfig(manifest.object) && change !== 'unchanged')
      .map(({ manifest, live }) => ({ key: keyOf(refOf(manifest.object)), isNew: live === undefined }))
      .filter(({ key, isNew }) => read.includes(key) && (!isNew || isReadByStable(key)))
      .map(({ key }) => key),
  );
}

function refuseAutoscaled({ autoscalers }: Neighbours, prepared: readonly Prepared[], pairs: readonly Pair[]): void {
  const own = prepared.map(({ manifest }) => manifest.object).filter(isAutoscaler);
  const targets = scaledTargets([...autoscalers, ...own]);
  const scaled = pairs.find((pair) => targets.has(keyOf(refOf(pair.live))));
  if (scaled === undefined) return;
  throw new InvalidInput(
    `${describeRef(refOf(scaled.live))} is scaled by a HorizontalPodAutoscaler, which would fill up what "constant-total" takes away`,
    { hint: 'Remove the input "constant-total"; the candidate then comes on top of the stable pods.' },
  );
}

/** The user's own candidate may have labels that no Service looks for: then it would be tried by nobody. */
function refuseUnreachable(neighbours: Neighbours, prepared: readonly Prepared[], pairs: readonly Pair[]): void {
  const own = prepared.map(({ manifest }) => manifest.object).filter(isService);
  const all = new Map([...neighbours.services, ...own].map((service) => [keyOf(refOf(service)), service]));
  for (const { live, candidate } of pairs) {
    const serving = behindWhich([...all.values()], live);
    const missing = serving.find((service) => !selects(selectorOf(service), templateLabels(candidate.object)));
    if (serving.length > 0 && missing !== undefined) {
      throw new InvalidInput(
        `${describeRef(refOf(candidate.object))} would get no requests: its pods have not the labels that ${describeRef(refOf(missing))} selects`,
        {
          location: candidate.source.locate(['spec', 'template', 'metadata', 'labels']),
          hint: 'Give its pod template the labels of the selector of the Service.',
        },
      );
    }
  }
}

/** Others behind the same Services get their share of the requests, and make that of the candidate smaller. */
async function tellBystanders(
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

/**
 * Autoscalers and budgets of a stable Deployment count pods by its labels: the candidate gets others where its Services do
 * not need them. Where they do, the user is told.
 */
function keepApart(
  { reporter }: PlanContext,
  { services, autoscalers, budgets }: Neighbours,
  pairs: readonly Pair[],
  { variants }: CanaryOptions,
): void {
  for (const { candidate, live } of pairs) {
    const counters = countersOf(live, autoscalers, budgets);
    if (counters.length === 0) continue;
    const serving = behindWhich(services, live);
    if (!variants.includes(candidate)) stepOutside(candidate.object, live, serving);
    const still = countingStill(counters, candidate.object);
    if (still.length > 0) reporter.warning(warningOf(still, live, serving));
  }
}

/** The Services that send requests to the pods of a Deployment. */
function behindWhich(services: readonly KubernetesObject[], deployment: KubernetesObject): KubernetesObject[] {
  return services.filter((service) => selects(selectorOf(service), templateLabels(deployment)));
}

function shareOf(live: KubernetesObject, percent: number, { constantTotal }: CanaryOptions): ReplicaShare {
  const replicas = numberAt(live, 'spec', 'replicas') ?? 1;
  return constantTotal ? constantShare(replicas, percent) : addedShare(replicas, percent);
}

function setReplicas({ object }: Manifest, replicas: number): void {
  objectAt(object, 'spec')['replicas'] = replicas;
}

/** One of the same name may be in another namespace of the release. */
function isStableOf(object: KubernetesObject, candidate: ObjectRef, name: string): boolean {
  return keyOf(refOf(object)) === keyOf({ ...candidate, name });
}

/** Of one that is gone, or of the user's own. */
function stableName({ name }: ObjectRef, manifests: readonly Manifest[]): string {
  const isFor = ({ object }: Manifest) =>
    isDeployment(object) && candidateName(object.metadata.name, 'canary') === name;
  return manifests.find(isFor)?.object.metadata.name ?? name.replace(/-canary$/, '');
}
