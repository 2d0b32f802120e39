import { at, isObject, numberAt, objectsAt, stringAt, type JsonObject } from '../base/json.ts';
import { groupOf, type KubernetesObject } from '../kubernetes/object.ts';

const scalable = new Set(['Deployment', 'StatefulSet', 'ReplicaSet', 'ReplicationController']);
const unscalable = new Set(['DaemonSet', 'Job', 'CronJob', 'Pod']);

/**
 * Where the object keeps the pod that it runs: the path of the map with the pod's `metadata` and `spec`, or undefined when
 * it runs none. A Pod is its own template; a custom resource counts when its `spec.template` has containers, as those of
 * Argo Rollouts and Knative do.
 */
export function podTemplatePath(object: KubernetesObject): string[] | undefined {
  const path = expectedPath(object);
  return Array.isArray(at(object, ...path, 'spec', 'containers')) ? path : undefined;
}

function expectedPath(object: KubernetesObject): string[] {
  if (isBuiltIn(object)) {
    if (object.kind === 'Pod') return [];
    if (object.kind === 'CronJob') return ['spec', 'jobTemplate', 'spec', 'template'];
    if (object.kind === 'PodTemplate') return ['template'];
  }
  return ['spec', 'template'];
}

/** The pod spec inside the object (the very map, not a copy), or undefined when it runs no pods. */
export function podSpecOf(object: KubernetesObject): JsonObject | undefined {
  const path = podTemplatePath(object);
  const spec = path === undefined ? undefined : at(object, ...path, 'spec');
  return isObject(spec) ? spec : undefined;
}

export interface ContainerAt {
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

/** Whether the kind is one whose number of pods stands in `spec.replicas`. */
export function isScalable(object: KubernetesObject): boolean {
  return isBuiltIn(object) && scalable.has(object.kind);
}

/** Whether it is one of these and wants no pods at all. */
export function isScaledToZero(object: KubernetesObject): boolean {
  return isScalable(object) && numberAt(object, 'spec', 'replicas') === 0;
}

export function isDeployment({ apiVersion, kind }: KubernetesObject): boolean {
  return kind === 'Deployment' && groupOf(apiVersion) === 'apps';
}

/** Whether the kind is one of Kubernetes' own that run pods. */
export function isWorkload(object: KubernetesObject): boolean {
  return isBuiltIn(object) && (scalable.has(object.kind) || unscalable.has(object.kind));
}

/**
 * Whether the kind is of Kubernetes itself: others reuse its names, such as Knative's Service and Volcano's Job. Its groups
 * have no dot, or end in `.k8s.io` (which a few projects of the community share).
 */
export function isBuiltIn(object: KubernetesObject): boolean {
  const group = groupOf(object.apiVersion);
  return !group.includes('.') || group.endsWith('.k8s.io');
}
