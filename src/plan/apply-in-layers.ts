import type { KubernetesObject } from '../kubernetes/object.ts';
import { decidesAnswers, definesKinds } from '../manifests/kinds.ts';
import { applyLayers, isGate } from '../manifests/order.ts';
import { applyLayer } from '../apply/apply.ts';
import type { Prepared } from '../apply/prepared.ts';
import { untilServed } from '../apply/served-kinds.ts';
import { assertStillThere, hasTimeToLive } from '../apply/still-there.ts';
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
  const layers = applyLayers(prepared.map((entry) => entry.manifest))
    .map((layer) => layer.flatMap((manifest) => byManifest.get(manifest) ?? []))
    .filter((entries) => entries.some(isChanging));
  for (const [index, entries] of layers.entries()) {
    execution.signal.throwIfAborted();
    if (entries.some(isGateChanging)) {
      const own = new Set(entries);
      await execution.wait(new Map([...all].filter(([entry]) => !own.has(entry))));
    }
    const isFollowed = isFollowedAtOnce(entries, layers[index + 1]);
    const written = await applyLayer(execution.client, entries, execution.journal, execution.force, isFollowed);
    for (const [entry, object] of written) {
      all.set(entry, object);
      changed.push(object);
      tellApplied(execution, entry, object);
    }
    await untilKindsServed(execution, written);
  }
  await execution.wait(all);
  const beside = [...all.values()].filter((object) => decidesAnswers(object) && !hasTimeToLive(object));
  const deadline = execution.limit.until;
  execution.saw(await assertStillThere(execution.client, changed, { ...execution, deadline, beside }));
  return all;
}

function isChanging({ change }: Prepared): boolean {
  return change !== 'unchanged';
}

function isGateChanging(entry: Prepared): boolean {
  return isChanging(entry) && isGate(entry.manifest.object);
}

/** Whether nothing is waited for between two layers. */
function isFollowedAtOnce(layer: readonly Prepared[], next: readonly Prepared[] | undefined): boolean {
  if (next === undefined || next.some(isGateChanging)) return false;
  return !layer.some((entry) => isChanging(entry) && definesKinds(entry.manifest.object));
}

async function untilKindsServed(execution: Execution, written: ReadonlyMap<Prepared, KubernetesObject>): Promise<void> {
  const definitions = new Map([...written].filter(([, object]) => definesKinds(object)));
  if (definitions.size === 0) return;
  await execution.wait(definitions);
  const deadline = execution.limit.until;
  await untilServed(execution.client, [...definitions.values()], { ...execution, deadline });
}
