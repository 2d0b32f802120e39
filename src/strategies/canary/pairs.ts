import { numberAt } from '../../base/json.ts';
import { keyOf, refOf, type KubernetesObject, type ObjectRef } from '../../kubernetes/object.ts';
import { isConfig, isDeployment } from '../../manifests/kinds.ts';
import type { Manifest } from '../../manifests/manifest.ts';
import { rankOf } from '../../manifests/order.ts';
import { canaryVariantOf } from '../../manifests/variants.ts';
import { changesPods } from '../../apply/preflight.ts';
import type { Prepared } from '../../apply/prepared.ts';
import { addedShare, constantShare, type ReplicaShare } from '../../traffic/replica-share.ts';
import { isService } from '../../traffic/services.ts';
import { candidateName, configOf, deriveCandidate, useCopies } from '../candidate.ts';

export interface CanaryOptions {
  /** Percent of the requests for the candidate, one after the other. */
  steps: readonly number[];
  /** How long each step is watched before the next one. */
  stepDurationMs: number;
  /** Go on to the promotion after the last step; otherwise the candidate is left waiting there. */
  autoPromote: boolean;
  /** As many pods as before in all: stable ones make room for those of the candidate. */
  constantTotal: boolean;
  /** The user's own `*-canary.yaml`. */
  variants: readonly Manifest[];
}

/** A stable Deployment and what is brought in beside it. */
export interface Pair {
  stable: Prepared;
  live: KubernetesObject;
  candidate: Manifest;
  /** The candidate as the user has written it; absent for one that is made from the stable Deployment. */
  variant?: Manifest;
}

/** Which stable Deployments get a new pod template, and their candidates. */
export function pairsOf(prepared: readonly Prepared[], { variants }: CanaryOptions): Pair[] {
  return prepared.flatMap((stable) => {
    const { live, manifest } = stable;
    if (live === undefined || !isDeployment(manifest.object) || !changesPods(stable)) return [];
    if ((numberAt(live, 'spec', 'replicas') ?? 1) === 0) return [];
    const variant = canaryVariantOf(manifest, variants);
    if (variant === undefined) return [{ stable, live, candidate: deriveCandidate(manifest, 'canary', 1) }];
    return [{ stable, live, candidate: variant, variant }];
  });
}

/** The same pairs with candidates that read the copies of config that there are. */
export function readingCopies(pairs: readonly Pair[], copied: ReadonlySet<string>): Pair[] {
  if (copied.size === 0) return [...pairs];
  return pairs.map((pair) => {
    const object = structuredClone(pair.candidate.object);
    useCopies(object, copied, 'canary');
    return { ...pair, candidate: { ...pair.candidate, object } };
  });
}

/** What can be there before the candidate without a change for the stable pods. */
export function belongsToPrelude({ manifest, live, change }: Prepared, copied: ReadonlySet<string>): boolean {
  if (change === 'unchanged') return false;
  const rank = rankOf(manifest.object);
  if (live === undefined) return rank < 3 && !copied.has(keyOf(refOf(manifest.object)));
  return rank < 2 && !isConfig(manifest.object) && !isService(manifest.object);
}

/**
 * Config that changes and that derived candidates read: they get copies, so that stable pods keep what they have. To those that
 * have an optional reference to it, config that is new is a change, too.
 */
export function copiesOf(prepared: readonly Prepared[], pairs: readonly Pair[]): Set<string> {
  const read = pairs
    .filter(({ variant }) => variant === undefined)
    .flatMap(({ candidate }) => [...configOf(candidate.object)]);
  const isReadByStable = (key: string) => pairs.some(({ live }) => configOf(live).has(key));
  return new Set(
    prepared
      .filter(({ manifest, change }) => isConfig(manifest.object) && change !== 'unchanged')
      .map(({ manifest, live }) => ({ key: keyOf(refOf(manifest.object)), isNew: live === undefined }))
      .filter(({ key, isNew }) => read.includes(key) && (!isNew || isReadByStable(key)))
      .map(({ key }) => key),
  );
}

/** How a number of pods is split between both versions in a step. @param pods in all where it is constant, otherwise stable ones */
export function shareOf(
  pods: number,
  percent: number,
  { constantTotal }: Pick<CanaryOptions, 'constantTotal'>,
): ReplicaShare {
  return constantTotal ? constantShare(pods, percent) : addedShare(pods, percent);
}

/** One of the same name may be in another namespace of the release. */
export function isStableOf(object: KubernetesObject, candidate: ObjectRef, name: string): boolean {
  return keyOf(refOf(object)) === keyOf({ ...candidate, name });
}

/** Of one that is gone, or of the user's own. */
export function stableName(candidate: ObjectRef, manifests: readonly Manifest[]): string {
  const isFor = ({ object }: Manifest) =>
    isDeployment(object) && isStableOf(object, candidate, object.metadata.name) && isCandidateOf(object, candidate);
  return manifests.find(isFor)?.object.metadata.name ?? candidate.name.replace(/-canary$/, '');
}

function isCandidateOf({ metadata }: KubernetesObject, { name }: ObjectRef): boolean {
  return candidateName(metadata.name, 'canary') === name;
}
