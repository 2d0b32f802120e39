import { numberAt, objectAt, setAt, stringAt, stringsAt } from '../base/json.ts';
import { keyOf, refOf, type KubernetesObject, type ObjectRef } from '../kubernetes/object.ts';
import type { Manifest } from '../manifests/manifest.ts';
import { isDeployment } from '../manifests/pod-template.ts';
import { isAutoscaler, scaledTargets } from '../release/hpa.ts';
import { templateLabels } from '../traffic/pods.ts';
import { isService, selectorOf, selects, type Labels } from '../traffic/services.ts';
import { candidateName, configOf, copyConfig, deriveCandidate, isConfig, trackLabel, useCopies } from './candidate.ts';

/** One of two Deployments that take turns: blue is the user's own, green is called `NAME-green`. */
export type Side = 'blue' | 'green';

export function otherSide(side: Side): Side {
  return side === 'blue' ? 'green' : 'blue';
}

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
}

/**
 * Which Deployments can change sides: those that a Service sends requests to.
 * @param live the Services of the namespace
 */
export function groupsOf(manifests: readonly Manifest[], live: readonly KubernetesObject[]): Group[] {
  const own = manifests.filter(({ object }) => isService(object));
  const ownKeys = new Set(own.map(({ object }) => keyOf(refOf(object))));
  // What this strategy has made to preview a candidate is no Service of the user's.
  const isPreview = ({ metadata }: KubernetesObject) => metadata.labels?.[trackLabel] !== undefined;
  const foreign = live.filter((service) => !ownKeys.has(keyOf(refOf(service))) && !isPreview(service));
  const groups: Group[] = [];
  for (const workload of manifests.filter(({ object }) => isDeployment(object))) {
    const labels = templateLabels(workload.object);
    const isFor = (service: KubernetesObject) => selects(unpinned(selectorOf(service)), labels);
    const group: Group = {
      workloads: [workload],
      services: own.filter(({ object }) => isFor(object)),
      foreign: foreign.filter(isFor),
      serving: 'blue',
    };
    if (group.services.length + group.foreign.length === 0) continue;
    const related = groups.filter(
      (other) =>
        other.services.some((service) => group.services.includes(service)) ||
        other.foreign.some((service) => group.foreign.includes(service)),
    );
    const merged = [...related, group].reduce((left, right) => ({
      workloads: [...left.workloads, ...right.workloads],
      services: [...new Set([...left.services, ...right.services])],
      foreign: [...new Set([...left.foreign, ...right.foreign])],
      serving: 'blue',
    }));
    groups.splice(0, groups.length, ...groups.filter((other) => !related.includes(other)), merged);
  }
  return groups.map((group) => ({ ...group, serving: servingSide(group, live) }));
}

function servingSide(group: Group, live: readonly KubernetesObject[]): Side {
  const pins = liveServices(group, live).map((service) => selectorOf(service)[trackLabel]);
  return pins.includes('green') ? 'green' : 'blue';
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

/** What tells groups apart, also when they are looked up again. */
export function idOf({ workloads }: Group): string {
  return workloads.map(({ object }) => keyOf(refOf(object))).join(' ');
}

/** A selector without what binds it to one side. */
export function unpinned(selector: Labels): Labels {
  return Object.fromEntries(Object.entries(selector).filter(([key]) => key !== trackLabel && key !== hashLabel));
}

export function isPinned(selector: Labels): boolean {
  return trackLabel in selector || hashLabel in selector;
}

/** What a Deployment of the manifests is called on a side. */
export function nameOn(side: Side, name: string): string {
  return side === 'blue' ? name : candidateName(name, 'green');
}

export function refOn(side: Side, workload: KubernetesObject): ObjectRef {
  return { ...refOf(workload), name: nameOn(side, workload.metadata.name) };
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
  if (side === 'green') {
    const copied = new Set(used.map(({ object }) => keyOf(refOf(object))));
    const workloads = group.workloads.map((workload) => {
      const derived = deriveCandidate(workload, 'green', numberAt(workload.object, 'spec', 'replicas') ?? 1);
      if (numberAt(workload.object, 'spec', 'replicas') === undefined)
        delete objectAt(derived.object, 'spec')['replicas'];
      useCopies(derived.object, copied, 'green');
      return derived;
    });
    return {
      workloads,
      config: used.map((manifest) => copyConfig(manifest, 'green')),
      services: group.services.map((service) => pinnedTo(service, { [trackLabel]: 'green' })),
    };
  }
  const pin = labelled ? { [trackLabel]: 'blue' } : {};
  return {
    workloads: group.workloads.map((workload) => withPodLabels(workload, pin)),
    config: used,
    services: group.services.map((service) => pinnedTo(service, pin)),
  };
}

/** A Service that sends requests to the pods with these labels only. */
export function pinnedTo({ object, source }: Manifest, pin: Labels): Manifest {
  const copy = structuredClone(object);
  setAt(copy, ['spec', 'selector'], { ...unpinned(selectorOf(object)), ...pin });
  return { object: copy, source };
}

function withPodLabels({ object, source }: Manifest, labels: Labels): Manifest {
  const copy = structuredClone(object);
  const path = ['spec', 'template', 'metadata', 'labels'];
  setAt(copy, path, { ...stringsAt(copy, ...path), ...labels });
  return { object: copy, source };
}

/** Where an autoscaler of one of the group's Deployments looks on a side; undefined for all other objects. */
export function targetOn(side: Side, group: Group, object: KubernetesObject): ObjectRef | undefined {
  if (!isAutoscaler(object)) return undefined;
  const targets = scaledTargets([object]);
  const target = group.workloads.find(({ object: workload }) =>
    (['blue', 'green'] as const).some((any) => targets.has(keyOf(refOn(any, workload)))),
  );
  return target === undefined ? undefined : refOn(side, target.object);
}

/** What the Service is called that reaches the candidate before it serves. */
export function previewName(service: string): string {
  return `${service}-preview`;
}

/** A Service by which the candidate can be asked before it serves. */
export function previewOf(
  service: KubernetesObject,
  candidates: readonly Manifest[],
  side: Side,
): Manifest | undefined {
  const candidate = candidates.find(({ object }) => selects(unpinned(selectorOf(service)), templateLabels(object)));
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
        selector: { ...unpinned(selectorOf(service)), [trackLabel]: side },
        ports,
        ...(stringAt(service, 'spec', 'clusterIP') === 'None' ? { clusterIP: 'None' } : {}),
      },
    },
  };
}
