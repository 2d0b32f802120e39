import { setAt } from '../base/json.ts';
import { keyOf, refOf, type KubernetesObject, type ObjectRef } from '../kubernetes/object.ts';
import type { Manifest } from '../manifests/manifest.ts';
import { podsOf } from '../manifests/pod-template.ts';
import type { FieldChange } from '../plan/step.ts';

/** How many pods workloads that serve had at one moment, by their keys. */
export type Numbers = Readonly<Record<string, number>>;

/** What is known of how many pods a new version needs when it is to take all requests. */
interface Demand {
  /** What it would have: by its manifest, or because it was made so; undefined where nobody says. */
  meant: number | undefined;
  /** What served when the new version was made; undefined where that is not recorded. */
  then: number | undefined;
  /** What serves now. */
  now: number | undefined;
  /** Whether an autoscaler looks after what serves. */
  isScaled?: boolean;
}

/**
 * How many pods a new version is to have when it takes all requests. Hours may have passed since it was made: where what serves
 * has been scaled since, or belongs to an autoscaler, that counts and not what was meant then. What is scaled to nothing says
 * nothing of the requests.
 */
export function podsNeeded({ meant, then, now = 0, isScaled = false }: Demand): number {
  if (now === 0) return meant ?? 1;
  if (isScaled) return now;
  if (then === undefined) return Math.max(meant ?? 0, now);
  return now === then ? (meant ?? now) : now;
}

export function numbersOf(workloads: readonly KubernetesObject[]): Numbers {
  return Object.fromEntries(workloads.map((object) => [keyOf(refOf(object)), podsOf(object)]));
}

/** The same workload with another number of pods. */
export function withPods(manifest: Manifest, replicas: number | undefined): Manifest {
  if (replicas === undefined) return manifest;
  const object = structuredClone(manifest.object);
  setAt(object, ['spec', 'replicas'], replicas);
  return { ...manifest, object };
}

/** Sets the number of pods of a workload. */
export function podsTo(of: ObjectRef, replicas: number): FieldChange {
  return { of, path: ['spec', 'replicas'], to: replicas };
}
