import { mapConcurrently } from '../base/concurrency.ts';
import type { Reporter } from '../base/reporter.ts';
import type { KubernetesClient } from '../kubernetes/client.ts';
import { describeRef, refOf, type KubernetesObject } from '../kubernetes/object.ts';
import { concurrency } from './apply.ts';
import type { Journal } from './journal.ts';

/** Removes objects that a release no longer has, after everything else has succeeded; an undo makes them anew. */
export async function prune(
  client: KubernetesClient,
  journal: Journal,
  surplus: readonly KubernetesObject[],
  reporter: Reporter,
): Promise<void> {
  if (surplus.length === 0) return;
  await journal.plan(surplus.map((object) => ({ ref: refOf(object), before: object, after: null, done: false })));
  await remove(client, surplus, reporter);
}

/** Deletes these very objects, not later ones of the same names. */
export async function remove(
  client: KubernetesClient,
  objects: readonly KubernetesObject[],
  reporter: Reporter,
): Promise<void> {
  await mapConcurrently(objects, concurrency, async (object) => {
    const { uid } = object.metadata;
    await client.delete(refOf(object), uid === undefined ? {} : { uid });
    reporter.info(`${describeRef(refOf(object), true)} removed`);
  });
}
