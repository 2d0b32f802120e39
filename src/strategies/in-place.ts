import { at, equal, objectAt, type JsonObject } from '../base/json.ts';
import { describeRef, refOf, type KubernetesObject } from '../kubernetes/object.ts';
import type { Manifest } from '../manifests/manifest.ts';
import { podsOf, podSpecOf } from '../manifests/pod-template.ts';
import { oneByOne } from '../manifests/rolling-update.ts';
import type { Prepared } from '../apply/prepared.ts';
import { expectedObject } from '../plan/expected.ts';
import type { Step } from '../plan/step.ts';
import { deviceAmounts, devicesOf, shares } from './room/devices.ts';

/** A Deployment whose rolling update can certainly not begin with a pod more, but with a pod less. */
export interface Cramped {
  entry: Prepared;
  /** Of what none is free for one more pod: `nvidia.com/gpu`. */
  devices: readonly string[];
}

/**
 * Applies objects where some Deployments have to replace their pods in place. How they do it is a step of its own before the
 * new template, so that an undo brings the old template back while it still holds: with the surge of the user's manifest the
 * old version would wait for a place that a failed new pod never leaves (kubernetes pkg/controller/deployment, rolling.go
 * reconcileOldReplicaSets: no old pod goes while a new one is not available). Those whose pods differ in what they need come one
 * after the other: the pod of one could take a part of the place that another has made, and that would be too small then.
 */
export function applyInPlace(title: string, entries: readonly Prepared[], cramped: readonly Cramped[]): Step[] {
  const text = cramped.map(describe).join('; ');
  const inPlace = new Map(cramped.map(({ entry }) => [entry, withOneByOne(entry.manifest)]));
  const [, ...later] = alikeIn(cramped);
  const late = new Set(later.flat().map(({ entry }) => entry));
  const first = entries.filter((entry) => !late.has(entry));
  // Compared once more: what there is has another rolling update by then.
  const apply = (some: readonly Prepared[]): Step => ({
    do: 'apply',
    title: some === first ? title : `Apply ${namesOf(some)}, and wait until all is ready`,
    objects: some.map((entry) => inPlace.get(entry) ?? entry.manifest),
  });
  return [
    { do: 'note', title: text },
    {
      do: 'set',
      title: text,
      fields: cramped.map(({ entry }) => ({
        of: refOf(entry.manifest.object),
        path: ['spec', 'strategy'],
        to: oneByOne,
      })),
    },
    apply(first),
    ...later.map((group) => apply(group.map(({ entry }) => entry))),
  ];
}

/** Those together whose pods each have room wherever a pod of another has had it. */
function alikeIn(cramped: readonly Cramped[]): Cramped[][] {
  const groups: Cramped[][] = [];
  for (const one of cramped) {
    const group = groups.find((all) =>
      all.every(({ entry }) => isAlike(one.entry, entry) || !sharesDevices(one.entry, entry)),
    );
    if (group === undefined) groups.push([one]);
    else group.push(one);
  }
  return groups;
}

function isAlike(one: Prepared, other: Prepared): boolean {
  return equal(needsOf(one.live), needsOf(other.live)) && equal(needsOf(one.predicted), needsOf(other.predicted));
}

function sharesDevices(one: Prepared, other: Prepared): boolean {
  const [left, right] = [one, other].map(({ live, predicted }) => [...devicesOf(live), ...devicesOf(predicted)]);
  return shares(left ?? [], right ?? []);
}

function needsOf(workload: KubernetesObject | undefined): JsonObject {
  const spec = workload === undefined ? {} : (podSpecOf(workload) ?? {});
  const { nodeName = null, nodeSelector = null, affinity = null, tolerations = null } = spec;
  return { devices: Object.fromEntries(deviceAmounts(spec)), nodeName, nodeSelector, affinity, tolerations };
}

/** Gives each its own rolling update back, which changes no pod. */
export function restoreRollingUpdates(cramped: readonly Cramped[]): Step[] {
  if (cramped.length === 0) return [];
  const names = namesOf(cramped.map(({ entry }) => entry));
  return [
    {
      do: 'set',
      title: `Restore the rolling update settings of ${names}`,
      // Nothing else: what somebody has changed meanwhile stays.
      fields: cramped.map(({ entry }) => ({
        of: refOf(entry.manifest.object),
        path: ['spec', 'strategy'],
        to: at(entry.manifest.object, 'spec', 'strategy'),
      })),
      until: 'ready',
    },
    { do: 'note', title: `rolling update settings of ${names} restored` },
  ];
}

function namesOf(entries: readonly Prepared[]): string {
  return entries.map(({ manifest }) => describeRef(refOf(manifest.object))).join(', ');
}

function withOneByOne(manifest: Manifest): Manifest {
  const { object } = manifest;
  return { ...manifest, object: { ...object, spec: { ...objectAt(object, 'spec'), strategy: oneByOne } } };
}

function describe({ entry, devices }: Cramped): string {
  const { object } = entry.manifest;
  const replicas = podsOf(expectedObject(entry));
  const left = replicas - 1;
  const how =
    left === 0
      ? 'its only pod is replaced in place, and nothing serves until the new one is ready'
      : `its pods are replaced in place one at a time, and ${left} of ${replicas} ${left === 1 ? 'serves' : 'serve'} meanwhile`;
  return `${describeRef(refOf(object))}: no free ${devices.join(' and ')} for an extra pod, so ${how}`;
}
