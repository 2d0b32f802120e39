import { Failure } from '../../base/errors.ts';
import { equal, objectAt, stringsAt } from '../../base/json.ts';
import { describeRef, keyOf, refOf, type KubernetesObject, type ObjectRef } from '../../kubernetes/object.ts';
import type { Manifest } from '../../manifests/manifest.ts';
import { surgeOf } from '../../manifests/rolling-update.ts';
import { checkCapacity } from '../../capacity/capacity.ts';
import { autoscalersIn, isAutoscaler, scaledTargets } from '../../apply/hpa.ts';
import { changedInCluster } from '../../apply/owned-change.ts';
import { endsAbruptly } from '../../traffic/endings.ts';
import { templateLabels } from '../../traffic/pods.ts';
import { isFollowedLate, selectorOf, selects, servicesIn, type Labels } from '../../traffic/services.ts';
import { bystandersOf, namesOf } from '../bystanders.ts';
import { podsTo } from '../numbers.ts';
import { podsOf } from '../../manifests/pod-template.ts';
import { isBeside, withSelector } from '../blue-green/groups.ts';
import { inEach } from './neighbours.ts';
import type { PlanContext } from '../../plan/plan.ts';
import type { Step } from '../../plan/step.ts';

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
  /** Services of the release, with the selectors that they have meanwhile. */
  bindings: readonly Binding[];
}

interface Binding {
  service: ObjectRef;
  selector: Labels;
  /** A load balancer follows what it selects late. */
  isLate: boolean;
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
  context: PlanContext,
  pairs: readonly Relieved[],
  manifests: readonly Manifest[],
): Promise<Relief | undefined> {
  const services = await inEach(context, stableOf(pairs), servicesIn);
  const behind = pairs.flatMap((pair) => {
    const own = services.filter((service) => leadsTo(service, pair.stable));
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
    const bindings: Binding[] = [];
    for (const service of all)
      bindings.push({
        service: refOf(service),
        selector: await boundSelector(context, service, relieved, manifests),
        isLate: isFollowedLate(service),
      });
    await assertRoom(context, relieved);
    const relief = { pairs: relieved, bindings };
    await assertAllowed(context, bindingOf(relief, [...all]));
    return relief;
  } catch (error) {
    if (!(error instanceof Unavailable)) throw error;
    context.note(
      `${namesOf(abrupt.map(({ stable }) => refOf(stable)))} may lose requests while Kubernetes replaces its pods, which do not keep serving while they terminate: ${error.message}`,
    );
    return undefined;
  }
}

function stableOf(pairs: readonly Relieved[]): KubernetesObject[] {
  return pairs.map(({ stable }) => stable);
}

/** Whether a Service sends requests to the pods of a workload. */
function leadsTo(service: KubernetesObject, workload: KubernetesObject): boolean {
  return isBeside(service, workload) && selects(selectorOf(service), templateLabels(workload));
}

/** An autoscaler would see stable pods without requests, and take most of them away. */
async function assertNoAutoscaler(
  context: PlanContext,
  pairs: readonly Relieved[],
  manifests: readonly Manifest[],
): Promise<void> {
  const own = manifests.map(({ object }) => object).filter(isAutoscaler);
  const targets = scaledTargets([...(await inEach(context, stableOf(pairs), autoscalersIn)), ...own]);
  const scaled = pairs.find(({ stable }) => targets.has(keyOf(refOf(stable))));
  if (scaled !== undefined)
    throw new Unavailable('a HorizontalPodAutoscaler would scale it down while its candidate takes all requests');
}

/** The selector by which a Service leads to the candidates alone. */
async function boundSelector(
  context: PlanContext,
  service: KubernetesObject,
  pairs: readonly Relieved[],
  manifests: readonly Manifest[],
): Promise<Labels> {
  const name = describeRef(refOf(service));
  const selector = selectorOf(service);
  const manifest = manifests.find(({ object }) => keyOf(refOf(object)) === keyOf(refOf(service)));
  if (manifest === undefined) throw new Unavailable(`${name} is not part of this release`);
  if (!equal(selectorOf(manifest.object), selector)) throw new Unavailable(`${name} gets a different selector`);
  const selected = pairs.filter(({ stable }) => leadsTo(service, stable));
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

/** Only where it is known that all pods find room: a promotion is not to fail for a courtesy. */
async function assertRoom({ client, namespace }: PlanContext, pairs: readonly Relieved[]): Promise<void> {
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
    throw new Unavailable('there may be no capacity for a candidate large enough to take all requests');
}

/** The server is asked whether the Services could be bound so. */
async function assertAllowed(context: PlanContext, bound: readonly Manifest[]): Promise<void> {
  try {
    await context.look(bound, { force: true });
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    throw new Unavailable(`the Services cannot be pinned to the candidate meanwhile: ${error.message}`);
  }
}

function bindingOf({ bindings }: Relief, services: readonly KubernetesObject[]): Manifest[] {
  return services.flatMap((service) => {
    const selector = selectorIn(bindings, service);
    return selector === undefined ? [] : [changedInCluster(service, ['spec', 'selector'], { ...selector })];
  });
}

function selectorIn(bindings: readonly Binding[], object: KubernetesObject): Labels | undefined {
  const key = keyOf(refOf(object));
  return bindings.find(({ service }) => keyOf(service) === key)?.selector;
}

/**
 * The stable pods are replaced behind the back of the candidates: these grow and take all requests; from then on none come to
 * stable pods, however they end. While they are replaced nobody else serves than the candidates, so that these are awaited too.
 * @param manifests all of the release, as they are to be
 */
export function stepsWithRelief({ pairs, bindings }: Relief, manifests: readonly Manifest[]): Step[] {
  const growing = pairs.filter(({ candidate, replicas }) => podsOf(candidate) < replicas);
  const late = bindings.filter(({ isLate }) => isLate).map(({ service }) => service);
  const services = bindings.map(({ service }) => service);
  const names = pairs.map(({ candidate, replicas }) => `${candidate.metadata.name} (${replicas} pods)`).join(', ');
  const grow: Step[] = [
    {
      do: 'set',
      title: 'Scale the candidate to the number of stable pods',
      fields: growing.map(({ candidate, replicas }) => podsTo(refOf(candidate), replicas)),
      until: 'ready',
    },
    // Whatever follows late has to know the new ones before it loses the others.
    { do: 'route', title: 'Wait until the load balancer picks up the new pods', services: late },
  ];
  return [
    ...(growing.length === 0 ? [] : grow),
    {
      do: 'set',
      title: 'Send all Service traffic to the candidate',
      fields: bindings.map(({ service, selector }) => ({
        of: service,
        path: ['spec', 'selector'],
        to: { ...selector },
      })),
    },
    { do: 'route', title: 'Wait until no requests reach the stable pods', services },
    { do: 'note', title: `${names} takes all requests while the stable pods, which terminate at once, are replaced` },
    {
      do: 'apply',
      title: 'Replace the stable pods, which get no requests',
      objects: withRelief(manifests, bindings),
      beside: pairs.map(({ candidate }) => refOf(candidate)),
    },
    { do: 'apply', title: 'Send Service traffic to the stable pods again', objects: manifests },
    // Candidates may go only then.
    { do: 'route', title: 'Wait until requests reach the stable pods', services },
  ];
}

/** The manifests with the selectors that their Services have meanwhile. */
function withRelief(manifests: readonly Manifest[], bindings: readonly Binding[]): Manifest[] {
  return manifests.map((manifest) => {
    const selector = selectorIn(bindings, manifest.object);
    return selector === undefined ? manifest : withSelector(manifest, selector);
  });
}
