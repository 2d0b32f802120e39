import { Failure } from '../base/errors.ts';
import { objectAt, setAt, stringsAt } from '../base/json.ts';
import { describeRef, keyOf, refOf, type KubernetesObject } from '../kubernetes/object.ts';
import type { Manifest } from '../manifests/manifest.ts';
import { surgeOf } from '../manifests/rolling-update.ts';
import { checkCapacity } from '../release/capacity.ts';
import { autoscalersIn, isAutoscaler, scaledTargets } from '../release/hpa.ts';
import { changedInCluster } from '../release/owned-change.ts';
import { endsAbruptly } from '../traffic/endings.ts';
import { untilRouted } from '../traffic/endpoints.ts';
import { templateLabels } from '../traffic/pods.ts';
import { isFollowedLate, selectorOf, selects, servicesIn, type Labels } from '../traffic/services.ts';
import { bystandersOf, namesOf } from './bystanders.ts';
import { podsOf, scaleTo } from './numbers.ts';
import { applyChanges } from './rolling.ts';
import type { StrategyContext } from './strategy.ts';

/** A stable Deployment that is to be replaced while its candidate serves. */
export interface Relieved {
  /** As they are in the cluster. */
  stable: KubernetesObject;
  candidate: KubernetesObject;
  /** The stable Deployment as it is to be. */
  next: Manifest;
  /** How many pods it is to have then. */
  replicas: number;
}

/** Candidates that take all requests while the stable pods are replaced, and the Services that are bound to them meanwhile. */
export interface Relief {
  pairs: readonly Relieved[];
  /** The selector that each Service of the release has meanwhile, by its key. */
  selectors: ReadonlyMap<string, Labels>;
}

/** Why it cannot be had; told to whoever would lose requests by that. */
class Unavailable extends Error {}

/**
 * Kubernetes ends a pod and takes it out of its Services at the same moment, so that a rolling update loses requests of pods
 * that nothing keeps serving meanwhile (kubernetes/kubernetes#106476). Such stable pods are replaced behind the back of a
 * candidate that has grown to their number: they get no requests any more when they end.
 * @param manifests all of the release, as they are to be
 * @returns undefined where no pods end like that, or it cannot be had, which is said
 */
export async function reliefFor(
  context: StrategyContext,
  pairs: readonly Relieved[],
  manifests: readonly Manifest[],
): Promise<Relief | undefined> {
  const { client, namespace } = context;
  const services = await servicesIn(client, namespace);
  const behind = pairs.flatMap((pair) => {
    const own = services.filter((service) => selects(selectorOf(service), templateLabels(pair.stable)));
    return own.length === 0 || podsOf(pair.stable) === 0 ? [] : [{ ...pair, services: own }];
  });
  const abrupt = behind.filter(({ stable }) => endsAbruptly(stable));
  if (abrupt.length === 0) return undefined;
  // Where one of them shares a Service with others, those are relieved with it.
  const concerned = new Set(abrupt.flatMap((pair) => pair.services));
  const relieved = behind.filter((pair) => pair.services.some((service) => concerned.has(service)));
  const all = new Set(relieved.flatMap((pair) => pair.services));
  try {
    await assertNoAutoscaler(context, relieved, manifests);
    const selectors = new Map<string, Labels>();
    for (const service of all) selectors.set(keyOf(refOf(service)), await bound(context, service, relieved, manifests));
    await assertRoom(context, relieved);
    await assertAllowed(context, [...all], selectors);
    return { pairs: relieved, selectors };
  } catch (error) {
    if (!(error instanceof Unavailable)) throw error;
    context.note(
      `${namesOf(abrupt.map(({ stable }) => refOf(stable)))} may lose requests while Kubernetes replaces the pods, which have no "preStop" hook: ${error.message}`,
    );
    return undefined;
  }
}

/** An autoscaler would see stable pods without requests, and take most of them away. */
async function assertNoAutoscaler(
  { client, namespace }: StrategyContext,
  pairs: readonly Relieved[],
  manifests: readonly Manifest[],
): Promise<void> {
  const own = manifests.map(({ object }) => object).filter(isAutoscaler);
  const targets = scaledTargets([...(await autoscalersIn(client, namespace)), ...own]);
  const scaled = pairs.find(({ stable }) => targets.has(keyOf(refOf(stable))));
  if (scaled !== undefined)
    throw new Unavailable('a HorizontalPodAutoscaler would scale it down while its candidate takes all requests');
}

/** The selector by which a Service leads to the candidates alone. */
async function bound(
  context: StrategyContext,
  service: KubernetesObject,
  pairs: readonly Relieved[],
  manifests: readonly Manifest[],
): Promise<Labels> {
  const name = describeRef(refOf(service));
  const selector = selectorOf(service);
  const manifest = manifests.find(({ object }) => keyOf(refOf(object)) === keyOf(refOf(service)));
  if (manifest === undefined) throw new Unavailable(`${name} is not part of this release`);
  const next = selectorOf(manifest.object);
  if (!sameLabels(next, selector)) throw new Unavailable(`${name} gets another selector`);
  const selected = pairs.filter(({ stable }) => selects(selector, templateLabels(stable)));
  const common = selected
    .map(({ candidate }) => Object.entries(stringsAt(candidate, 'spec', 'selector', 'matchLabels')))
    .reduce((left, right) =>
      left.filter(([key, value]) => right.some((other) => other[0] === key && other[1] === value)),
    );
  const own = { ...selector, ...Object.fromEntries(common) };
  const isApart = selected.every(
    ({ stable, candidate, next: { object } }) =>
      selects(own, templateLabels(candidate)) && ![stable, object].some((one) => selects(own, templateLabels(one))),
  );
  if (!isApart) throw new Unavailable(`no labels tell the candidate's pods behind ${name} from the stable ones`);
  const workloads = selected.flatMap(({ stable, candidate }) => [refOf(stable), refOf(candidate)]);
  const others = await bystandersOf(context, service, [selector], workloads);
  if (others.length > 0) throw new Unavailable(`${namesOf(others)} serves behind ${name} too`);
  return own;
}

function sameLabels(left: Labels, right: Labels): boolean {
  const keys = Object.keys(left);
  return keys.length === Object.keys(right).length && keys.every((key) => left[key] === right[key]);
}

/** Only where it is known that all pods find room: a promotion is not to fail for a courtesy. */
async function assertRoom({ client, namespace }: StrategyContext, pairs: readonly Relieved[]): Promise<void> {
  const surges = pairs.flatMap(({ stable, candidate, next, replicas }) => [
    {
      ref: refOf(candidate),
      template: objectAt(candidate, 'spec', 'template'),
      extra: Math.max(0, replicas - podsOf(candidate)),
    },
    { ref: refOf(stable), template: objectAt(next.object, 'spec', 'template'), extra: surgeOf(next.object, replicas) },
  ]);
  const { state, notices } = await checkCapacity(client, namespace, surges, { strategy: 'promotion' });
  if (state !== 'fits' || notices.length > 0)
    throw new Unavailable('for a candidate that takes all requests meanwhile, there is not certainly room');
}

/** The server is asked whether the Services could be bound so. */
async function assertAllowed(
  context: StrategyContext,
  services: readonly KubernetesObject[],
  selectors: ReadonlyMap<string, Labels>,
): Promise<void> {
  try {
    await context.look(bindings(services, selectors), { force: true });
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    throw new Unavailable(`the Services cannot be bound to the candidate meanwhile: ${error.message}`);
  }
}

function bindings(services: readonly KubernetesObject[], selectors: ReadonlyMap<string, Labels>): Manifest[] {
  return services.flatMap((service) => {
    const selector = selectors.get(keyOf(refOf(service)));
    return selector === undefined ? [] : [changedInCluster(service, ['spec', 'selector'], { ...selector })];
  });
}

/** Lets the candidates grow and take all requests. From then on none come to stable pods, however these end. */
export async function relieve(context: StrategyContext, { pairs, selectors }: Relief): Promise<void> {
  const { client, namespace, journal, clock, timeoutMs } = context;
  const growing = pairs.filter(({ candidate, replicas }) => podsOf(candidate) < replicas);
  const routed = async (services: readonly KubernetesObject[]) => {
    await untilRouted(client, services, { ...context, deadline: clock.now() + timeoutMs });
  };
  const services = async () =>
    (await servicesIn(client, namespace)).filter((service) => selectors.has(keyOf(refOf(service))));
  if (growing.length > 0) {
    journal.beginStep();
    await scaleTo(
      context,
      growing.map(({ candidate, replicas }) => ({ ref: refOf(candidate), replicas })),
    );
    // Whatever follows late has to know the new ones before it loses the others.
    await routed((await services()).filter(isFollowedLate));
  }
  journal.beginStep();
  await applyChanges(context, bindings(await services(), selectors));
  await routed(await services());
  const names = pairs.map(({ candidate, replicas }) => `${candidate.metadata.name} (${replicas} pods)`).join(', ');
  context.note(`${names} takes all requests while the stable pods, which end at once, are replaced`);
}

/** The manifests with the selectors that their Services have meanwhile. */
export function withRelief(manifests: readonly Manifest[], { selectors }: Relief): Manifest[] {
  return manifests.map((manifest) => {
    const selector = selectors.get(keyOf(refOf(manifest.object)));
    if (selector === undefined) return manifest;
    const copy = { ...manifest, object: structuredClone(manifest.object) };
    setAt(copy.object, ['spec', 'selector'], { ...selector });
    return copy;
  });
}

/** The candidates as they are, for whoever waits for the stable ones: while these are replaced, nobody else serves. */
export async function carriersOf({ client }: StrategyContext, { pairs }: Relief): Promise<Manifest[]> {
  const found = await Promise.all(pairs.map(async ({ candidate }) => await client.read(refOf(candidate))));
  return found.flatMap((object) =>
    object === undefined ? [] : [changedInCluster(object, ['spec', 'replicas'], podsOf(object))],
  );
}

/** Waits for the Services once they lead to the stable pods again: candidates may go only then. */
export async function untilTakenOver(context: StrategyContext, { selectors }: Relief): Promise<void> {
  const { client, namespace, clock, timeoutMs } = context;
  const services = (await servicesIn(client, namespace)).filter((service) => selectors.has(keyOf(refOf(service))));
  await untilRouted(client, services, { ...context, deadline: clock.now() + timeoutMs });
}
