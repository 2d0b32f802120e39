import { InvalidInput } from '../../base/errors.ts';
import { numberAt, objectAt, setAt, stringAt } from '../../base/json.ts';
import { describeRef, keyOf, refOf, type KubernetesObject, type ObjectRef } from '../../kubernetes/object.ts';
import { isConfig, isDeployment } from '../../manifests/kinds.ts';
import type { Manifest } from '../../manifests/manifest.ts';
import { isAutoscaler, isScaledObject, scaledTargets } from '../../apply/hpa.ts';
import { templateLabels } from '../../traffic/pods.ts';
import {
  trackLabel,
  isPreview,
  isService,
  selectorOf,
  selects,
  type Labels,
  previewName,
} from '../../traffic/services.ts';
import { byKept, byOriginal, kept, keptLabels, setApart } from './apart.ts';
import { candidateName, configOf, copyConfig, deriveCandidate, useCopies } from '../candidate.ts';
import {
  bothSides,
  only,
  otherSide,
  ownSideOf,
  refOnOwn,
  servingOwnSide,
  sideOfName,
  type Objects,
  type OwnSide,
  type Side,
} from './own-sides.ts';

/** The label that Kubernetes itself gives the pods of one version of a Deployment. */
export const hashLabel = 'pod-template-hash';

/** Deployments that share Services, and so can only change sides together. */
export interface Group {
  workloads: Manifest[];
  /** Those of the manifests. */
  services: Manifest[];
  /** Those of the cluster that no manifest has. */
  foreign: KubernetesObject[];
  serving: Side;
  /**
   * Labels by which green's pods are set apart from blue ones that have no label of their side, and of which blue pods keep the
   * values too once they have one (apart.ts).
   */
  apart: Readonly<Record<Side, readonly string[]>>;
  /** Where both sides are the user's own. Otherwise blue is, and green is made from it and called `NAME-green`. */
  own?: OwnSide;
}

/**
 * Which Deployments can change sides: those that a Service sends requests to.
 * @param live the Services of the namespace
 * @param sides the Deployments of both sides as they are, where the manifests hold one of the user's own
 * @throws InvalidInput when the user's own sides cannot be told apart, or both serve
 */
export function groupsOf(manifests: readonly Manifest[], live: readonly KubernetesObject[], sides?: Objects): Group[] {
  const own = manifests.filter(({ object }) => isService(object));
  const ownKeys = new Set(own.map(({ object }) => keyOf(refOf(object))));
  const foreign = live.filter((service) => !ownKeys.has(keyOf(refOf(service))) && !isPreview(service));
  const groups: Group[] = [];
  for (const workload of manifests.filter(({ object }) => isDeployment(object))) {
    const side = sides && ownSideOf(workload, sides);
    const group: Group = {
      workloads: [workload],
      ...(sides === undefined || side === undefined
        ? derivedServices(workload, own, foreign)
        : ownServices(workload, sides.get(keyOf(refOnOwn(otherSide(side.side), workload.object))), own, foreign)),
      serving: 'blue',
      apart: { blue: [], green: [] },
      ...(side === undefined ? {} : { own: side }),
    };
    if (group.services.length + group.foreign.length === 0) continue;
    const related = groups.filter(
      (other) =>
        other.services.some((service) => group.services.includes(service)) ||
        other.foreign.some((service) => group.foreign.includes(service)),
    );
    const merged = [...related, group].reduce(merge);
    groups.splice(0, groups.length, ...groups.filter((other) => !related.includes(other)), merged);
  }
  return groups.map((group) => ({ ...group, serving: servingSide(group, live, sides) }));
}

function merge(left: Group, right: Group): Group {
  const [workload] = right.workloads;
  if (workload !== undefined && (left.own === undefined) !== (right.own === undefined)) {
    throw new InvalidInput(
      `${describeRef(refOf(workload.object))} shares a Service with ${left.workloads.map(({ object }) => object.metadata.name).join(', ')}, but only one of them has its own two sides`,
      {
        location: workload.source.locate([]),
        hint: 'Define both sides for all of them, or for none.',
      },
    );
  }
  return {
    workloads: [...left.workloads, ...right.workloads],
    services: [...new Set([...left.services, ...right.services])],
    foreign: [...new Set([...left.foreign, ...right.foreign])],
    serving: left.serving,
    apart: left.apart,
    ...(left.own === undefined || right.own === undefined
      ? {}
      : {
          own: {
            side: left.own.side,
            labels: {
              blue: { ...left.own.labels.blue, ...right.own.labels.blue },
              green: { ...left.own.labels.green, ...right.own.labels.green },
            },
          },
        }),
  };
}

type Services = Pick<Group, 'services' | 'foreign'>;

function derivedServices(
  { object }: Manifest,
  services: readonly Manifest[],
  foreign: readonly KubernetesObject[],
): Services {
  const labels = templateLabels(object);
  const isFor = (service: KubernetesObject) =>
    isBeside(service, object) && selects(unpinned(selectorOf(service)), labels);
  return { services: services.filter((service) => isFor(service.object)), foreign: foreign.filter(isFor) };
}

/** Whether a Service can lead to a workload at all. */
export function isBeside(service: KubernetesObject, workload: KubernetesObject): boolean {
  return service.metadata.namespace === workload.metadata.namespace;
}

/** A Service that is named like one of the sides is for that side alone, and stays so. */
function ownServices(
  { object }: Manifest,
  twin: KubernetesObject | undefined,
  services: readonly Manifest[],
  foreign: readonly KubernetesObject[],
): Services {
  const labels = [object, twin].flatMap((workload) => (workload === undefined ? [] : [templateLabels(workload)]));
  const isFree = (service: KubernetesObject) => isBeside(service, object) && sideOfName(service) === undefined;
  const isFor = (service: KubernetesObject) => isFree(service) && labels.some((of) => selects(selectorOf(service), of));
  const isForBoth = (service: KubernetesObject) =>
    isFree(service) && labels.every((of) => selects(selectorOf(service), of));
  const given = services.filter((service) => isFor(service.object));
  // What no manifest has and one side alone is bound to may be meant for that side; unless it is all there is.
  return { services: given, foreign: foreign.filter(given.length === 0 ? isFor : isForBoth) };
}

function servingSide(group: Group, live: readonly KubernetesObject[], sides?: Objects): Side {
  const services = liveServices(group, live);
  const [workload] = group.workloads;
  if (group.own !== undefined && workload !== undefined)
    return servingOwnSide(workload.object, sides ?? new Map(), services) ?? group.own.side;
  return services.some((service) => selectorOf(service)[trackLabel] === 'green') ? 'green' : 'blue';
}

/** All Services of a group: as the manifests have them, and those of the cluster that no manifest has. */
export function servicesOf({ services, foreign }: Group): KubernetesObject[] {
  return [...services.map(({ object }) => object), ...foreign];
}

/** The same as they are in the cluster. */
export function liveServices(group: Group, live: readonly KubernetesObject[]): KubernetesObject[] {
  const keys = new Set(servicesOf(group).map((service) => keyOf(refOf(service))));
  return live.filter((service) => keys.has(keyOf(refOf(service))));
}

/** Which labels set the sides of a group apart now. @param deployments those of both sides, as they are */
export function apartIn(group: Group, deployments: Objects): Group['apart'] {
  const keysOn = (side: Side) =>
    group.workloads.flatMap(({ object }) => {
      const live = deployments.get(keyOf(refOn(group, side, object)));
      return live === undefined ? [] : keptLabels(live);
    });
  return { blue: [...new Set(keysOn('blue'))], green: [...new Set(keysOn('green'))] };
}

/** What tells groups apart, also when they are looked up again. */
export function idOf({ workloads }: Group): string {
  return workloads.map(({ object }) => keyOf(refOf(object))).join(' ');
}

/** A selector without what the action binds it to one side by. */
export function unpinned(selector: Labels): Labels {
  return byOriginal(without(selector, [trackLabel, hashLabel]));
}

function without(labels: Labels, keys: readonly string[]): Labels {
  return Object.fromEntries(Object.entries(labels).filter(([key]) => !keys.includes(key)));
}

/** A selector that leads to the pods of one side of a group only. */
export function boundTo({ own, apart }: Group, side: Side, selector: Labels): Labels {
  if (own === undefined)
    return { ...byKept(unpinned(selector), side === 'green' ? apart.green : []), [trackLabel]: side };
  const keys = Object.keys(own.labels[side]);
  const present = keys.filter((key) => Object.hasOwn(selector, key));
  return { ...unpinned(selector), ...only(own.labels[side], present.length === 0 ? keys : present) };
}

/**
 * A selector that leads to the pods of both sides; undefined where it goes by nothing else than the side, or where they have
 * not the labels for one.
 */
export function boundToBoth({ own, apart }: Group, selector: Labels): Labels | undefined {
  if (own === undefined && apart.green.length > 0)
    return apart.green.every((key) => apart.blue.includes(key)) ? byKept(unpinned(selector), apart.green) : undefined;
  const both = without(unpinned(selector), own === undefined ? [] : Object.keys(own.labels.blue));
  return Object.keys(both).length === 0 ? undefined : both;
}

/** The side that a selector leads to; undefined where it leads to both, or goes by the version of pods. */
export function sideOf({ own }: Group, selector: Labels): Side | undefined {
  if (own === undefined) return bothSides.find((side) => selector[trackLabel] === side);
  return bothSides.find((side) => {
    const labels = Object.entries(own.labels[side]).filter(([key]) => Object.hasOwn(selector, key));
    return labels.length > 0 && labels.every(([key, value]) => selector[key] === value);
  });
}

export function isBound(group: Group, selector: Labels): boolean {
  return sideOf(group, selector) !== undefined || trackLabel in selector || hashLabel in selector;
}

/** Where a Deployment of the manifests runs on a side. */
export function refOn({ own }: Group, side: Side, workload: KubernetesObject): ObjectRef {
  if (own !== undefined) return refOnOwn(side, workload);
  const ref = refOf(workload);
  return side === 'blue' ? ref : { ...ref, name: candidateName(ref.name, 'green') };
}

/** The manifests of a group as they are on a side. Green reads copies of its config, so that blue keeps what it has. */
export interface SideForm {
  workloads: Manifest[];
  config: Manifest[];
  services: Manifest[];
}

/** @param labelled whether blue pods are to carry the label of their side; green ones always do */
export function formOf(group: Group, side: Side, manifests: readonly Manifest[], labelled: boolean): SideForm {
  const config = manifests.filter(({ object }) => isConfig(object));
  const read = new Set(group.workloads.flatMap(({ object }) => [...configOf(object)]));
  const used = config.filter(({ object }) => read.has(keyOf(refOf(object))));
  const isSided = group.own !== undefined || side === 'green' || labelled;
  const services = group.services.map((service) => {
    const selector = selectorOf(service.object);
    return withSelector(service, isSided ? boundTo(group, side, selector) : unpinned(selector));
  });
  if (group.own !== undefined) {
    const workloads = group.workloads.map(({ object, source }) => ({ object: structuredClone(object), source }));
    return { workloads, config: used, services };
  }
  if (side === 'green') {
    const copied = new Set(used.map(({ object }) => keyOf(refOf(object))));
    const workloads = group.workloads.map((workload) => {
      const derived = deriveCandidate(workload, 'green', numberAt(workload.object, 'spec', 'replicas') ?? 1);
      if (numberAt(workload.object, 'spec', 'replicas') === undefined)
        delete objectAt(derived.object, 'spec')['replicas'];
      setPodLabels(derived.object, setApart(templateLabels(derived.object), group.apart.green));
      useCopies(derived.object, copied, 'green');
      return derived;
    });
    return { workloads, config: used.map((manifest) => copyConfig(manifest, 'green')), services };
  }
  const workloads = group.workloads.map(({ object, source }) => {
    const copy = structuredClone(object);
    const labels = templateLabels(copy);
    if (labelled) setPodLabels(copy, { ...labels, ...kept(labels, group.apart.blue), [trackLabel]: 'blue' });
    return { object: copy, source };
  });
  return { workloads, config: used, services };
}

/** A Service as its manifest has it, but for the selector. */
export function withSelector({ object, source }: Manifest, selector: Labels): Manifest {
  const copy = structuredClone(object);
  setAt(copy, ['spec', 'selector'], { ...selector });
  return { object: copy, source };
}

function setPodLabels(workload: KubernetesObject, labels: Labels): void {
  setAt(workload, ['spec', 'template', 'metadata', 'labels'], { ...labels });
}

/**
 * Where an autoscaler of one of the group's Deployments looks on a side; undefined for all other objects, and for one that is
 * named like one of the user's own sides: it stays there.
 */
export function targetOn(side: Side, group: Group, object: KubernetesObject): ObjectRef | undefined {
  if (!isAutoscaler(object) && !isScaledObject(object)) return undefined;
  if (group.own !== undefined && sideOfName(object) !== undefined) return undefined;
  const targets = scaledTargets([object]);
  const target = group.workloads.find(({ object: workload }) =>
    bothSides.some((any) => targets.has(keyOf(refOn(group, any, workload)))),
  );
  return target === undefined ? undefined : refOn(group, side, target.object);
}

/** A Service by which the candidate can be asked before it serves. */
export function previewOf(
  group: Group,
  service: KubernetesObject,
  candidates: readonly Manifest[],
  side: Side,
): Manifest | undefined {
  const selector = boundTo(group, side, selectorOf(service));
  const candidate = candidates.find(({ object }) => selects(selector, templateLabels(object)));
  if (candidate === undefined) return undefined;
  const { namespace, name } = service.metadata;
  const ports = structuredClone(objectAt(service, 'spec')['ports'] ?? []) as { nodePort?: number }[];
  for (const port of ports) delete port.nodePort;
  return {
    source: candidate.source,
    object: {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: {
        name: previewName(name),
        ...(namespace === undefined ? {} : { namespace }),
        labels: { [trackLabel]: side },
      },
      spec: {
        selector: { ...selector },
        ports,
        ...(stringAt(service, 'spec', 'clusterIP') === 'None' ? { clusterIP: 'None' } : {}),
      },
    },
  };
}
