import type { KubernetesObject } from '../kubernetes/object.ts';
import { definesKinds } from '../manifests/kinds.ts';
import { applyLayers, isGate } from '../manifests/order.ts';
import { applyLayer } from '../apply/apply.ts';
import type { Prepared } from '../apply/prepared.ts';
import { untilServed } from '../apply/served-kinds.ts';
import { assertStillThere } from '../apply/still-there.ts';
import { tellApplied, type Execution } from './execution.ts';

/**
 * Applies all objects layer by layer in the order in which they need each other, and waits for all of them together. Only
 * what defines kinds and namespaces is awaited before the next layer: nothing of theirs can be made before. And what is
 * asked about every write comes once all else is ready: until then it could not answer. Answers each object as our write left
 * it, or as it was found.
 */
export async function applyInLayers(
  execution: Execution,
  prepared: readonly Prepared[],
): Promise<ReadonlyMap<Prepared, KubernetesObject>> {
  const byManifest = new Map(prepared.map((entry) => [entry.manifest, entry]));
  const all = new Map<Prepared, KubernetesObject>(
    prepared.flatMap((entry): [Prepared, KubernetesObject][] =>
      entry.live === undefined ? [] : [[entry, entry.live]],
    ),
  );
  const changed: KubernetesObject[] = [];
  for (const layer of applyLayers(prepared.map((entry) => entry.manifest))) {
    execution.signal.throwIfAborted();
    const entries = layer.flatMap((manifest) => byManifest.get(manifest) ?? []);
    if (entries.some(({ manifest, change }) => change !== 'unchanged' && isGate(manifest.object))) {
      const own = new Set(entries);
      await execution.wait(new Map([...all].filter(([entry]) => !own.has(entry))));
    }
    const written = await applyLayer(execution.client, entries, execution.journal, execution.force);
    for (const [entry, object] of written) {
      all.set(entry, object);
      changed.push(object);
      tellApplied(execution, entry, object);
    }
    await untilKindsServed(execution, written);
  }
  await execution.wait(all);
  await assertStillThere(execution.client, changed, { ...execution, deadline: execution.limit.until });
  return all;
}

async function untilKindsServed(execution: Execution, written: ReadonlyMap<Prepared, KubernetesObject>): Promise<void> {
  const definitions = new Map([...written].filter(([, object]) => definesKinds(object)));
  if (definitions.size === 0) return;
  await execution.wait(definitions);
  const deadline = execution.limit.until;
  await untilServed(execution.client, [...definitions.values()], { ...execution, deadline });
}
