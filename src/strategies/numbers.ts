import { numberAt } from '../base/json.ts';
import { keyOf, refOf, type KubernetesObject, type ObjectRef } from '../kubernetes/object.ts';
import { scaledTargets } from '../apply/hpa.ts';
import { changedInCluster } from '../apply/owned-change.ts';
import { applyChanges } from './rolling.ts';
import type { StrategyContext } from './strategy.ts';

/** How many pods workloads that serve had at one moment, by their keys. */
export type Numbers = Readonly<Record<string, number>>;

/** What is known of how many pods a new version needs when it is to take all requests. */
export interface Demand {
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

/** What is there of a workload: what the API server takes for no number at all is 1. */
export function podsOf(workload: KubernetesObject): number {
  return numberAt(workload, 'spec', 'replicas') ?? 1;
}

interface Beside {
  serving: KubernetesObject;
  candidate: KubernetesObject;
}

/**
 * Gives candidates as many pods as they need now to take all requests, and waits until they are ready.
 * @param then what served when they were made
 * @throws RolloutFailed
 */
export async function evenOut(
  context: StrategyContext,
  pairs: readonly Beside[],
  autoscalers: readonly KubernetesObject[],
  then: Numbers = {},
): Promise<void> {
  const scaled = scaledTargets(autoscalers);
  const wanted = pairs.flatMap(({ serving, candidate }) => {
    const key = keyOf(refOf(serving));
    const meant = podsOf(candidate);
    const replicas = podsNeeded({ meant, then: then[key], now: podsOf(serving), isScaled: scaled.has(key) });
    if (replicas === meant) return [];
    context.note(
      `${candidate.metadata.name} gets ${replicas} pods instead of ${meant}: ${serving.metadata.name}, which serves, has been scaled meanwhile`,
    );
    return [{ ref: refOf(candidate), replicas }];
  });
  if (wanted.length === 0) return;
  context.journal.beginStep();
  await scaleTo(context, wanted);
}

/** Sets numbers of pods, and waits for them. */
export async function scaleTo(
  context: StrategyContext,
  wanted: readonly { ref: ObjectRef; replicas: number }[],
): Promise<void> {
  const live = await Promise.all(
    wanted.map(async ({ ref, replicas }) => ({ object: await context.client.read(ref), replicas })),
  );
  const manifests = live.flatMap(({ object, replicas }) =>
    object === undefined ? [] : [changedInCluster(object, ['spec', 'replicas'], replicas)],
  );
  await context.wait(await applyChanges(context, manifests));
}
