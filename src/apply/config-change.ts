import { equal } from '../base/json.ts';
import { describeRef, refOf, type KubernetesObject } from '../kubernetes/object.ts';
import { keepsItsPods, renewsPods } from '../manifests/kinds.ts';
import { compareHashes, entriesRead, hashIn, nextRound, restartsOnConfig } from '../manifests/config-hash.ts';
import { configReferences } from '../manifests/config-references.ts';
import type { Manifest } from '../manifests/manifest.ts';
import { hasPods } from '../manifests/pod-template.ts';

/** What becomes of the pods of a workload when config that they read at their start changes. */
export type ConfigEffect =
  | { state: 'renewed'; reads: string[] }
  /** They keep what they have: the input or their workload says so, or nothing makes pods of this kind anew. */
  | { state: 'left'; reads: string[]; because: 'input' | 'annotation' | 'kind' };

/** A ConfigMap or Secret of the release before and after the apply, by key. */
export type ConfigChanges = ReadonlyMap<
  string,
  { before: KubernetesObject | undefined; after: KubernetesObject | undefined }
>;

/** The hash that is to stand in the pod template. */
interface HashChoice {
  /** As long as nothing else in it changes. */
  kept: string | undefined;
  /** When its pods are made anew anyhow. */
  fresh: string | undefined;
  effect?: ConfigEffect;
}

/**
 * Decides whether pods are made anew because of their config. They are when the template has another hash than it should, and
 * when config that they read changes in the cluster. A template that has no hash yet, of an earlier version of this action or
 * of other hands, gets none for its own sake: its pods stay as long as their config does.
 * @param manifest as `withConfigHashes` has made it
 * @param live the workload as it is
 * @param isOurs whether the hash in the live template is ours to remove
 * @param restart the input `restart-on-config`
 */
export function chooseHash(
  manifest: Manifest,
  live: KubernetesObject,
  { changes, isOurs, restart }: { changes: ConfigChanges; isOurs: boolean; restart: boolean },
): HashChoice {
  const reads = changedReads(manifest.object, changes);
  if (!renewsPods(manifest.object)) {
    const isLeft = reads.length > 0 && hasPods(manifest.object) && keepsItsPods(manifest.object);
    return {
      kept: undefined,
      fresh: undefined,
      ...(isLeft ? { effect: { state: 'left', reads, because: 'kind' } } : {}),
    };
  }
  const isAllowed = restartsOnConfig(manifest.object, restart);
  const now = hashIn(live);
  const wanted = hashIn(manifest.object);
  const kept = isOurs ? now : undefined;
  const relation = wanted === undefined ? 'incomparable' : compareHashes(now, wanted);
  if (relation !== 'other' && reads.length === 0) return { kept, fresh: relation === 'same' ? now : wanted };
  // It had this content before, and somebody else has changed it since: pods may have read that meanwhile.
  const fresh = relation === 'same' && now !== undefined ? nextRound(now) : wanted;
  if (isAllowed) return { kept: fresh, fresh, effect: { state: 'renewed', reads } };
  if (reads.length === 0) return { kept, fresh };
  return { kept, fresh, effect: { state: 'left', reads, because: restart ? 'annotation' : 'input' } };
}

/** Which config that a workload reads changes: `ConfigMap "settings"`. */
function changedReads(workload: KubernetesObject, changes: ConfigChanges): string[] {
  const references = configReferences(workload);
  return [...changes].flatMap(([key, { before, after }]) => {
    const own = references.filter((reference) => reference.key === key);
    const object = after ?? before;
    const isSame = own.length === 0 || equal(entriesRead(own, before), entriesRead(own, after));
    return isSame || object === undefined ? [] : [describeRef(refOf(object))];
  });
}
