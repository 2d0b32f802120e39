import { at, objectAt } from '../base/json.ts';
import { describeRef, refOf } from '../kubernetes/object.ts';
import type { Manifest } from '../manifests/manifest.ts';
import { podsOf } from '../manifests/pod-template.ts';
import { oneByOne } from '../manifests/rolling-update.ts';
import type { Prepared } from '../apply/prepared.ts';
import type { Step } from '../plan/step.ts';

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
 * reconcileOldReplicaSets: no old pod goes while a new one is not available).
 */
export function applyInPlace(title: string, entries: readonly Prepared[], cramped: readonly Cramped[]): Step[] {
  const text = cramped.map(describe).join('; ');
  const inPlace = new Map(cramped.map(({ entry }) => [entry, withOneByOne(entry.manifest)]));
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
    // Compared once more: what there is has another rolling update by then.
    { do: 'apply', title, objects: entries.map((entry) => inPlace.get(entry) ?? entry.manifest) },
  ];
}

/** Gives each its own rolling update back, which changes no pod. */
export function restoreRollingUpdates(cramped: readonly Cramped[]): Step[] {
  if (cramped.length === 0) return [];
  const names = cramped.map(({ entry }) => describeRef(refOf(entry.manifest.object))).join(', ');
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

function withOneByOne(manifest: Manifest): Manifest {
  const { object } = manifest;
  return { ...manifest, object: { ...object, spec: { ...objectAt(object, 'spec'), strategy: oneByOne } } };
}

function describe({ entry, devices }: Cramped): string {
  const { object } = entry.manifest;
  const replicas = podsOf(entry.predicted);
  const left = replicas - 1;
  const how =
    left === 0
      ? 'its only pod is replaced in place, and nothing serves until the new one is ready'
      : `its pods are replaced in place one at a time, and ${left} of ${replicas} ${left === 1 ? 'serves' : 'serve'} meanwhile`;
  return `${describeRef(refOf(object))}: no free ${devices.join(' and ')} for an extra pod, so ${how}`;
}
