import { at, isObject, numberAt, objectsAt, stringAt, type JsonObject } from '../base/json.ts';
import type { KubernetesObject } from '../kubernetes/object.ts';
import { isScalable, templatePlace } from './kinds.ts';

/**
 * Where the object keeps the pod that it runs: the path of the map with the pod's `metadata` and `spec`, or undefined when
 * it runs none. A Pod is its own template; a custom resource counts when its `spec.template` has containers, as those of
 * Argo Rollouts and Knative do.
 */
export function podTemplatePath(object: KubernetesObject): string[] | undefined {
  const path = [...templatePlace(object)];
  return Array.isArray(at(object, ...path, 'spec', 'containers')) ? path : undefined;
}

/** The pod spec inside the object (the very map, not a copy), or undefined when it runs no pods. */
export function podSpecOf(object: KubernetesObject): JsonObject | undefined {
  const path = podTemplatePath(object);
  const spec = path === undefined ? undefined : at(object, ...path, 'spec');
  return isObject(spec) ? spec : undefined;
}

interface ContainerAt {
  /** The very map inside the object, not a copy. */
  container: JsonObject;
  name: string;
  /** Undefined when the container names none: the server refuses that, or a mutating webhook fills it in. */
  image: string | undefined;
  /** From the root of the object to the container. */
  path: (string | number)[];
}

/** Init containers and containers of whatever runs pods; empty for all other objects. */
export function containersOf(object: KubernetesObject): ContainerAt[] {
  const path = podTemplatePath(object);
  if (path === undefined) return [];
  return ['initContainers', 'containers'].flatMap((list) =>
    objectsAt(object, ...path, 'spec', list).map((container, index) => ({
      container,
      name: stringAt(container, 'name') ?? '',
      image: stringAt(container, 'image'),
      path: [...path, 'spec', list, index],
    })),
  );
}

/** Where something that runs pods names an image. */
export interface ImageAt {
  /** The very map inside the object that holds the image, and under which key. */
  holder: JsonObject;
  key: 'image' | 'reference';
  /** The container's name, or `volume NAME` (which no container can be called). */
  name: string;
  image: string | undefined;
  /** From the root of the object to the image. */
  path: (string | number)[];
}

/** The images of containers and of volumes (kubernetes-sigs/kustomize#6238). */
export function imagesOf(object: KubernetesObject): ImageAt[] {
  const containers = containersOf(object).map(({ container, name, image, path }): ImageAt => {
    return { holder: container, key: 'image', name, image, path: [...path, 'image'] };
  });
  const path = podTemplatePath(object);
  if (path === undefined) return containers;
  const volumes = objectsAt(object, ...path, 'spec', 'volumes').flatMap((volume, index): ImageAt[] => {
    const { image: holder } = volume;
    if (!isObject(holder)) return [];
    const name = `volume ${stringAt(volume, 'name') ?? ''}`;
    const image = stringAt(holder, 'reference');
    return [{ holder, key: 'reference', name, image, path: [...path, 'spec', 'volumes', index, 'image', 'reference'] }];
  });
  return [...containers, ...volumes];
}

/** How messages name where an image stands: `container "web"`, `volume "models"`. */
export function describeImage({ name }: Pick<ImageAt, 'name'>): string {
  const volume = /^volume (?<volume>.*)$/.exec(name)?.groups?.['volume'];
  return volume === undefined ? `container "${name}"` : `volume "${volume}"`;
}

/** Whether it is of a kind that can be scaled, and wants no pods at all. */
export function isScaledToZero(object: KubernetesObject): boolean {
  return isScalable(object) && numberAt(object, 'spec', 'replicas') === 0;
}

/** How many pods a workload is to have: what the API server takes for no number at all is 1. */
export function podsOf(workload: KubernetesObject | undefined): number {
  return numberAt(workload, 'spec', 'replicas') ?? 1;
}
