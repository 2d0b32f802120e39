import { mapConcurrently } from '../base/concurrency.ts';
import type { Reporter } from '../base/reporter.ts';
import type { KubernetesClient } from '../kubernetes/client.ts';
import { nameGoing } from '../kubernetes/going.ts';
import { describeRef, keyOf, nameFrom, refOf, type KubernetesObject } from '../kubernetes/object.ts';
import { concurrency } from './apply.ts';
import { takenSince } from './mark.ts';
import { untilGone, type RemovalOptions } from './removal.ts';
import type { WriteAhead } from './write-ahead.ts';

interface PruneOptions extends RemovalOptions {
  reporter: Reporter;
  /** Where the run is at work, which the log has said. */
  namespace: string;
}

/**
 * Removes objects that a release no longer has, after everything else has succeeded; an undo makes them anew.
 * @returns those that something holds up: deleted, and not gone
 */
export async function prune(
  client: KubernetesClient,
  journal: WriteAhead,
  surplus: readonly KubernetesObject[],
  options: PruneOptions,
): Promise<KubernetesObject[]> {
  if (surplus.length === 0) return [];
  const current = await Promise.all(surplus.map((object) => client.read(refOf(object))));
  const taken = new Map(
    current.flatMap((live, index) => {
      const mark = live === undefined ? undefined : takenSince(live, journal.mark, surplus[index]);
      return live === undefined || mark === undefined ? [] : [[keyOf(refOf(live)), mark] as const];
    }),
  );
  for (const object of surplus) {
    const mark = taken.get(keyOf(refOf(object)));
    if (mark !== undefined)
      options.reporter.warning(`${describeRef(refOf(object), true)} is left: release "${mark}" has taken it over`);
  }
  const own = surplus.filter((object) => !taken.has(keyOf(refOf(object))));
  await journal.plan(own.map((object) => ({ ref: refOf(object), before: object, after: null, done: false })));
  return await remove(client, own, options);
}

/** Deletes these very objects, not later ones of the same names. @returns those that something holds up */
export async function remove(
  client: KubernetesClient,
  objects: readonly KubernetesObject[],
  options: PruneOptions,
): Promise<KubernetesObject[]> {
  const { reporter, namespace } = options;
  const held = await mapConcurrently(objects, concurrency, async (object) => {
    const { uid } = object.metadata;
    await client.delete(refOf(object), uid === undefined ? {} : { uid });
    const still = await untilGone(client, object, options);
    reporter.info(still === undefined ? `${nameFrom(namespace, refOf(object))} removed` : nameGoing(still));
    return still;
  });
  return held.filter((object) => object !== undefined);
}
