import { setAt, stringsAt } from '../base/json.ts';
import { withSuffix } from '../base/shorten.ts';
import type { KubernetesObject } from '../kubernetes/object.ts';
import { configReferences, renameConfig } from '../manifests/config-references.ts';
import type { Manifest } from '../manifests/manifest.ts';
import { trackLabel } from '../traffic/services.ts';

/** Labels of what a strategy makes beside the user's own: which workload it is for, and which side or track of it. */
const workloadLabel = 'gke-rollout/workload';

type Track = 'canary' | 'blue' | 'green';

/** A ReplicaSet is called like its Deployment, with a hyphen and a hash of up to ten characters (253 in all). */
const longestDeployment = 242;
const longestConfig = 253;

/** The longest value that a label may have. */
export const longestLabel = 63;

/** What a candidate is called beside the Deployment that it is made from; shortened where it would be too long. */
export function candidateName(name: string, track: Track): string {
  return withSuffix(name, `-${track}`, longestDeployment);
}

/** What the copy of a ConfigMap or Secret is called. */
export function configCopyName(name: string, track: Track): string {
  return withSuffix(name, `-${track}`, longestConfig);
}

/** The name of the workload that one of ours was made from; undefined for all others. */
export function originOf({ metadata }: KubernetesObject): string | undefined {
  return metadata.annotations?.[workloadLabel] ?? metadata.labels?.[workloadLabel];
}

/**
 * A Deployment that runs the new version beside the one that serves. Its pods have all labels of the user's template, so that
 * the Services of the stable version select them too; its own selector is one that no other workload has.
 */
export function deriveCandidate(manifest: Manifest, track: Track, replicas: number): Manifest {
  const object = structuredClone(manifest.object);
  const { name } = object.metadata;
  // A label holds less than a name: then an annotation has all of it (argoproj/argo-rollouts#1637).
  const value = withSuffix(name, '', longestLabel);
  const own = { [workloadLabel]: value, [trackLabel]: track };
  object.metadata.name = candidateName(name, track);
  object.metadata.labels = { ...object.metadata.labels, ...own };
  if (value !== name) object.metadata.annotations = { ...object.metadata.annotations, [workloadLabel]: name };
  setAt(object, ['spec', 'replicas'], replicas);
  setAt(object, ['spec', 'selector'], { matchLabels: own });
  setAt(object, ['spec', 'template', 'metadata', 'labels'], {
    ...stringsAt(object, 'spec', 'template', 'metadata', 'labels'),
    ...own,
  });
  return { object, source: manifest.source };
}

/** ConfigMaps and Secrets that a pod template reads, by key. */
export function configOf(workload: KubernetesObject): Set<string> {
  return new Set(configReferences(workload).map(({ key }) => key));
}

/** A copy of a ConfigMap or Secret under the candidate's name, so that the stable pods keep what they have. */
export function copyConfig({ object, source }: Manifest, track: Track): Manifest {
  const copy = structuredClone(object);
  copy.metadata.name = configCopyName(object.metadata.name, track);
  copy.metadata.labels = { ...copy.metadata.labels, [trackLabel]: track };
  return { object: copy, source };
}

/** Lets a workload read the copies instead, in place. */
export function useCopies(workload: KubernetesObject, copied: ReadonlySet<string>, track: Track): void {
  renameConfig(workload, ({ key, name }) => (copied.has(key) ? configCopyName(name, track) : name));
}
