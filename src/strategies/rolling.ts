import { equal } from '../base/json.ts';
import type { KubernetesObject } from '../kubernetes/object.ts';
import type { Manifest } from '../manifests/manifest.ts';
import { applyLayers, isGate } from '../manifests/order.ts';
import { isWorkload } from '../manifests/pod-template.ts';
import { applyLayer } from '../apply/apply.ts';
import { assertStillThere } from '../apply/still-there.ts';
import { untilServed } from '../apply/served-kinds.ts';
import { templateLabels } from '../traffic/pods.ts';
import { isService, selectorOf, selects } from '../traffic/services.ts';
import { tellJoined } from './bystanders.ts';
import { refusePinned } from './fitness.ts';
import { refusePaused } from './paused.ts';
import type { Plan, Strategy, StrategyContext } from './strategy.ts';
import type { Prepared } from '../apply/prepared.ts';

/** All at once, as each workload's own update strategy says. */
export const rolling: Strategy = (context, manifests) =>
  Promise.resolve({
    manifests,
    plan: async (prepared) => {
      refusePinned(prepared, 'rolling');
      await tellJoined(context, prepared);
      return allAtOnce(prepared);
    },
  });

/** @throws InvalidInput for what somebody has paused */
export function allAtOnce(prepared: readonly Prepared[]): Plan {
  refusePaused(prepared);
  return {
    run: async (context) => {
      const late = prepared.filter((entry) => followsItsPods(entry, prepared));
      await applyAndWait(
        context,
        prepared.filter((entry) => !late.includes(entry)),
      );
      if (late.length > 0) {
        context.journal.beginStep();
        await applyAndWait(context, late);
      }
      return { state: 'complete' };
    },
  };
}

/**
 * A Service that is to lead to other pods than now goes on leading to those that it has until the others are ready: where
 * these are made anew, or the Service as it is finds them too.
 */
function followsItsPods({ live, manifest }: Prepared, prepared: readonly Prepared[]): boolean {
  if (live === undefined || !isService(live) || equal(selectorOf(live), selectorOf(manifest.object))) return false;
  const next = prepared.filter(
    ({ manifest: { object } }) =>
      isWorkload(object) &&
      object.metadata.namespace === live.metadata.namespace &&
      selects(selectorOf(manifest.object), templateLabels(object)),
  );
  return (
    next.length > 0 &&
    next.every((entry) => entry.live === undefined || selects(selectorOf(live), templateLabels(entry.manifest.object)))
  );
}

/** Applies a few changes of a strategy's own side by side, whoever owns the fields, and does not wait. */
export async function applyChanges(
  context: StrategyContext,
  manifests: readonly Manifest[],
): Promise<Map<Prepared, KubernetesObject>> {
  const prepared = await context.look(manifests, { force: true });
  const written = await applyLayer(context.client, prepared, context.journal, true);
  for (const [entry, object] of written) context.onApplied(entry, object);
  return written;
}

/**
 * Applies all objects layer by layer in the order in which they need each other, and waits for all of them together. Only
 * what defines kinds and namespaces is awaited before the next layer: nothing of theirs can be made before. And what is
 * asked about every write comes once all else is ready: until then it could not answer. Answers each object as our write left
 * it, or as it was found.
 */
export async function applyAndWait(
  context: StrategyContext,
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
    context.signal.throwIfAborted();
    const entries = layer.flatMap((manifest) => byManifest.get(manifest) ?? []);
    if (entries.some(({ manifest, change }) => change !== 'unchanged' && isGate(manifest.object)))
      await context.wait(new Map([...all].filter(([entry]) => !entries.includes(entry))));
    const written = await applyLayer(context.client, entries, context.journal, context.force);
    for (const [entry, object] of written) {
      all.set(entry, object);
      changed.push(object);
      context.onApplied(entry, object);
    }
    const definitions = new Map([...written].filter(([, object]) => object.kind === 'CustomResourceDefinition'));
    if (definitions.size > 0) {
      await context.wait(definitions);
      const deadline = context.deadline();
      await untilServed(context.client, [...definitions.values()], { ...context, deadline });
    }
  }
  await context.wait(all);
  await assertStillThere(context.client, changed, { ...context, deadline: context.deadline() });
  return all;
}
