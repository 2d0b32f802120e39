import { isObject, objectAt, objectsAt, setAt, stringAt, stringsAt, type Json, type JsonObject } from '../base/json.ts';
import { keyOf, type KubernetesObject } from '../kubernetes/object.ts';
import type { Manifest } from '../manifests/manifest.ts';

/** Labels of what a strategy makes beside the user's own: which workload it is for, and which side or track of it. */
export const workloadLabel = 'gke-rollout/workload';
export const trackLabel = 'gke-rollout/track';

export type Track = 'canary' | 'blue' | 'green';

/** What a candidate is called beside the workload or the config that it is made from. */
export function candidateName(name: string, track: Track): string {
  return `${name}-${track}`;
}

/**
 * A Deployment that runs the new version beside the one that serves. Its pods have all labels of the user's template, so that
 * the Services of the stable version select them too; its own selector is one that no other workload has.
 */
export function deriveCandidate(manifest: Manifest, track: Track, replicas: number): Manifest {
  const object = structuredClone(manifest.object);
  const { name } = object.metadata;
  const own = { [workloadLabel]: name, [trackLabel]: track };
  object.metadata.name = candidateName(name, track);
  object.metadata.labels = { ...object.metadata.labels, ...own };
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
  const keys = new Set<string>();
  visitConfig(workload, (kind, name) => {
    keys.add(configKey(kind, name, workload.metadata.namespace));
    return name;
  });
  return keys;
}

/** A copy of a ConfigMap or Secret under the candidate's name, so that the stable pods keep what they have. */
export function copyConfig({ object, source }: Manifest, track: Track): Manifest {
  const copy = structuredClone(object);
  copy.metadata.name = candidateName(object.metadata.name, track);
  copy.metadata.labels = { ...copy.metadata.labels, [trackLabel]: track };
  return { object: copy, source };
}

/** Lets a workload read the copies instead, in place. */
export function useCopies(workload: KubernetesObject, copied: ReadonlySet<string>, track: Track): void {
  visitConfig(workload, (kind, name) =>
    copied.has(configKey(kind, name, workload.metadata.namespace)) ? candidateName(name, track) : name,
  );
}

export function isConfig({ apiVersion, kind }: KubernetesObject): boolean {
  return apiVersion === 'v1' && (kind === 'ConfigMap' || kind === 'Secret');
}

function configKey(kind: string, name: string, namespace: string | undefined): string {
  return keyOf({ apiVersion: 'v1', kind, name, ...(namespace === undefined ? {} : { namespace }) });
}

/** Every place of a pod template that names a ConfigMap or a Secret; `rename` answers the name that is to stand there. */
function visitConfig(workload: KubernetesObject, rename: (kind: string, name: string) => string): void {
  const spec = objectAt(workload, 'spec', 'template', 'spec');
  const visit = (holder: Json | undefined, field: string, kind: string) => {
    if (!isObject(holder)) return;
    const name = stringAt(holder, field);
    if (name !== undefined) holder[field] = rename(kind, name);
  };
  const visitSource = (source: JsonObject) => {
    visit(source['configMap'], 'name', 'ConfigMap');
    visit(source['secret'], 'secretName', 'Secret');
    // Inside a projected volume it is called `name`.
    visit(source['secret'], 'name', 'Secret');
  };
  for (const volume of objectsAt(spec, 'volumes')) {
    visitSource(volume);
    for (const source of objectsAt(volume, 'projected', 'sources')) visitSource(source);
  }
  for (const list of ['initContainers', 'containers']) {
    for (const container of objectsAt(spec, list)) {
      for (const source of objectsAt(container, 'envFrom')) {
        visit(source['configMapRef'], 'name', 'ConfigMap');
        visit(source['secretRef'], 'name', 'Secret');
      }
      for (const { valueFrom } of objectsAt(container, 'env')) {
        visit(objectAt(valueFrom, 'configMapKeyRef'), 'name', 'ConfigMap');
        visit(objectAt(valueFrom, 'secretKeyRef'), 'name', 'Secret');
      }
    }
  }
}
