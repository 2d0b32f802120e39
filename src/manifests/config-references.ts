import { isObject, objectsAt, stringAt, type Json, type JsonObject } from '../base/json.ts';
import { keyOf, type KubernetesObject } from '../kubernetes/object.ts';
import { podsIn } from './pod-template.ts';

/** What pods read of a ConfigMap or Secret by one place of their template. */
export interface ConfigReference {
  kind: 'ConfigMap' | 'Secret';
  name: string;
  /** The key of the object, as `keyOf` has it. */
  key: string;
  /** The entries that are read; absent: all of them. */
  entries?: readonly string[];
}

/**
 * ConfigMaps and Secrets whose content the pods of a workload read, in variables and volumes, of init containers and
 * sidecars too. Secrets that pull images or mount storage are none of them: no container sees those.
 */
export function configReferences(workload: KubernetesObject): ConfigReference[] {
  return placesOf(workload).map(({ reference }) => reference);
}

/** Changes the names by which a workload refers to config, in place. */
export function renameConfig(workload: KubernetesObject, rename: (reference: ConfigReference) => string): void {
  for (const { reference, holder, field } of placesOf(workload)) holder[field] = rename(reference);
}

/** Where a template names one of them: the field of the very map inside the object. */
interface Place {
  reference: ConfigReference;
  holder: JsonObject;
  field: string;
}

function placesOf(workload: KubernetesObject): Place[] {
  return podsIn(workload).flatMap(({ spec, single }) => placesIn(workload, spec, single));
}

/** @param single fields of the pod spec that are one container each */
function placesIn(workload: KubernetesObject, spec: JsonObject, single: readonly string[]): Place[] {
  const place = (
    kind: ConfigReference['kind'],
    holder: Json | undefined,
    field: string,
    entries?: string[],
  ): Place[] => {
    const name = stringAt(holder, field);
    if (!isObject(holder) || name === undefined) return [];
    const { namespace } = workload.metadata;
    const key = keyOf({ apiVersion: 'v1', kind, name, ...(namespace === undefined ? {} : { namespace }) });
    return [{ holder, field, reference: { kind, name, key, ...(entries === undefined ? {} : { entries }) } }];
  };
  const source = (volume: JsonObject, secretName: string) => [
    ...place('ConfigMap', volume['configMap'], 'name', itemsOf(volume['configMap'])),
    ...place('Secret', volume['secret'], secretName, itemsOf(volume['secret'])),
  ];
  const volumes = objectsAt(spec, 'volumes').flatMap((volume) => [
    ...source(volume, 'secretName'),
    // Inside a projected volume it is called `name`.
    ...objectsAt(volume, 'projected', 'sources').flatMap((projected) => source(projected, 'name')),
  ]);
  const alone = single.flatMap((field) => {
    const { [field]: container } = spec;
    return isObject(container) ? [container] : [];
  });
  const containers = [...['initContainers', 'containers'].flatMap((list) => objectsAt(spec, list)), ...alone];
  const variables = containers.flatMap((container) => [
    ...objectsAt(container, 'envFrom').flatMap(({ configMapRef, secretRef }) => [
      ...place('ConfigMap', configMapRef, 'name'),
      ...place('Secret', secretRef, 'name'),
    ]),
    ...objectsAt(container, 'env').flatMap(({ valueFrom }) => {
      const { configMapKeyRef, secretKeyRef } = isObject(valueFrom) ? valueFrom : {};
      return [
        ...place('ConfigMap', configMapKeyRef, 'name', entryOf(configMapKeyRef)),
        ...place('Secret', secretKeyRef, 'name', entryOf(secretKeyRef)),
      ];
    }),
  ]);
  return [...volumes, ...variables];
}

/** The entries that a volume picks; all of them where it does not say. */
function itemsOf(source: Json | undefined): string[] | undefined {
  const items = objectsAt(source, 'items');
  return items.length === 0 ? undefined : items.flatMap((item) => stringAt(item, 'key') ?? []);
}

function entryOf(reference: Json | undefined): string[] {
  const key = stringAt(reference, 'key');
  return key === undefined ? [] : [key];
}
