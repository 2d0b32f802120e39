import { at, isObject, numberAt, objectAt, objectsAt, stringAt, type Json, type JsonObject } from '../base/json.ts';
import type { KubernetesObject } from '../kubernetes/object.ts';
import { customKindOf, type PodPlace } from './custom-kinds.ts';
import { isBuiltIn, isScalable, isWorkload, templatePlace } from './kinds.ts';

type Steps = (string | number)[];

/** A pod inside an object that runs pods. */
interface PodAt {
  /** The very map inside the object, not a copy. */
  spec: JsonObject;
  /** From the root of the object to the pod spec. */
  path: Steps;
  /** From the root of the object to the map with the labels and annotations that these pods get. */
  metadata: Steps;
  /** What tells these pods from others of the object: `leader`; absent where it has but one kind of pod. */
  of?: string;
  /** Fields of the pod spec that are one container each. */
  single: readonly string[];
}

/**
 * The pods that an object runs, by the places where it has them; none when it runs none. A Pod is its own template; a custom
 * resource that nobody knows counts when its `spec.template` has containers.
 */
export function podsIn(object: KubernetesObject): PodAt[] {
  const places = customKindOf(object)?.pods;
  if (places !== undefined) return places.flatMap((place) => podsAt(object, place));
  const path = [...templatePlace(object)];
  const spec = at(object, ...path, 'spec');
  if (!isObject(spec) || !Array.isArray(spec['containers'])) return [];
  return [{ spec, path: [...path, 'spec'], metadata: [...path, 'metadata'], single: [] }];
}

function podsAt(object: KubernetesObject, { spec: to, metadata, of, single = [] }: PodPlace): PodAt[] {
  const entries = to.indexOf('*');
  const indexes = entries === -1 ? [undefined] : objectsAt(object, ...to.slice(0, entries)).map((_, index) => index);
  return indexes.flatMap((index): PodAt[] => {
    const resolved = (path: readonly string[]): Steps => path.map((step) => (step === '*' ? (index ?? step) : step));
    const path = resolved(to);
    const spec = at(object, ...path);
    if (!isObject(spec)) return [];
    const entry = path.slice(0, entries + 1);
    const name = typeof of === 'object' ? (stringAt(object, ...entry, of.field) ?? String(index)) : of;
    return [{ spec, path, metadata: resolved(metadata), single, ...(name === undefined ? {} : { of: name }) }];
  });
}

/**
 * Whether objects of it run pods: Kubernetes' own workloads, the kinds of others of which that is known, and whatever else has a pod
 * template.
 */
export function hasPods(object: KubernetesObject): boolean {
  if (isBuiltIn(object)) return isWorkload(object);
  return customKindOf(object) !== undefined || podsIn(object).length > 0;
}

/** Whether it is of a kind of others that runs pods. */
export function isCustomWorkload(object: KubernetesObject): boolean {
  return !isBuiltIn(object) && hasPods(object);
}

/**
 * Where the object keeps the only pod that it runs: the path of the map with the pod's `metadata` and `spec`; undefined when it runs
 * none, or several.
 */
export function podTemplatePath(object: KubernetesObject): Steps | undefined {
  const [pod, ...others] = podsIn(object);
  if (pod === undefined || others.length > 0 || pod.path.at(-1) !== 'spec') return undefined;
  return pod.path.slice(0, -1);
}

/** The pod spec inside the object (the very map, not a copy); the first of several, or undefined when it runs no pods. */
export function podSpecOf(object: KubernetesObject): JsonObject | undefined {
  return podsIn(object)[0]?.spec;
}

/** Fields beside a pod spec that change no pod. */
const besidePods = new Set([
  'canaryTrafficPercent',
  'maxReplicas',
  'minReplicas',
  'scaleMetric',
  'scaleMetricType',
  'scaleTarget',
]);

/** A pod spec without the fields beside it that change no pod. */
export function podFieldsOf(spec: JsonObject): JsonObject {
  return Object.fromEntries(Object.entries(spec).filter(([field]) => !besidePods.has(field)));
}

/** All that decides what the pods of a custom resource are; another value means new pods. */
export function podContentOf(object: KubernetesObject): Json {
  const pods = podsIn(object).map(({ spec, metadata }) => ({
    spec: podFieldsOf(spec),
    labels: objectAt(object, ...metadata, 'labels'),
    annotations: objectAt(object, ...metadata, 'annotations'),
  }));
  if (pods.length > 0) return pods;
  return Object.fromEntries(Object.entries(objectAt(object, 'spec')).filter(([field]) => field !== 'replicas'));
}

interface ContainerAt {
  /** The very map inside the object, not a copy. */
  container: JsonObject;
  name: string;
  /** Of which of the object's pods it is, as `PodAt` has it. */
  of?: string;
  /** Undefined when the container names none: the server refuses that, or a mutating webhook fills it in. */
  image: string | undefined;
  /** From the root of the object to the container. */
  path: Steps;
}

/** Init containers and containers of whatever runs pods; empty for all other objects. */
export function containersOf(object: KubernetesObject): ContainerAt[] {
  return podsIn(object).flatMap(({ spec, path, of, single }) => {
    const found = (container: JsonObject, name: string, place: Steps): ContainerAt => ({
      container,
      name,
      ...(of === undefined ? {} : { of }),
      image: stringAt(container, 'image'),
      path: [...path, ...place],
    });
    const lists = ['initContainers', 'containers'].flatMap((list) =>
      objectsAt(spec, list).map((one, index) => found(one, stringAt(one, 'name') ?? '', [list, index])),
    );
    const alone = single.flatMap((field) => {
      const { [field]: one } = spec;
      return isObject(one) ? [found(one, stringAt(one, 'name') ?? field, [field])] : [];
    });
    return [...lists, ...alone];
  });
}

/** Where something that runs pods names an image. */
export interface ImageAt {
  /** The very map inside the object that holds the image, and under which key; `repository` has its tag beside it. */
  holder: JsonObject;
  key: 'image' | 'reference' | 'repository';
  /**
   * The container's name, or `volume NAME` (which no container can be called); where an object has several kinds of pods, behind
   * what tells them apart: `leader/web`.
   */
  name: string;
  image: string | undefined;
  /** From the root of the object to the image. */
  path: Steps;
}

/** The images of containers and of volumes (kubernetes-sigs/kustomize#6238). */
export function imagesOf(object: KubernetesObject): ImageAt[] {
  const containers = containersOf(object).map(({ container, name, of, image, path }): ImageAt => {
    return { holder: container, key: 'image', name: inPod(of, name), image, path: [...path, 'image'] };
  });
  const volumes = podsIn(object).flatMap(({ spec, path, of }) =>
    objectsAt(spec, 'volumes').flatMap((volume, index): ImageAt[] => {
      const { image: holder } = volume;
      if (!isObject(holder)) return [];
      const name = inPod(of, `volume ${stringAt(volume, 'name') ?? ''}`);
      const image = stringAt(holder, 'reference');
      return [{ holder, key: 'reference', name, image, path: [...path, 'volumes', index, 'image', 'reference'] }];
    }),
  );
  return [...containers, ...volumes, ...splitImages(object)];
}

function inPod(of: string | undefined, name: string): string {
  return of === undefined ? name : `${of}/${name}`;
}

/** An image that stands in two fields, of the container `NAME-ctr` (NVIDIA/k8s-nim-operator GetContainerName). */
function splitImages(object: KubernetesObject): ImageAt[] {
  const path = customKindOf(object)?.image;
  const holder = path === undefined ? undefined : at(object, ...path);
  if (path === undefined || !isObject(holder)) return [];
  const [repository, tag] = [stringAt(holder, 'repository'), stringAt(holder, 'tag')];
  const image = repository === undefined || tag === undefined ? repository : `${repository}:${tag}`;
  return [{ holder, key: 'repository', name: `${object.metadata.name}-ctr`, image, path: [...path, 'repository'] }];
}

/** Sets an image where it stands. @param image one with a tag where the tag has a field of its own */
export function writeImage({ holder, key }: Pick<ImageAt, 'holder' | 'key'>, image: string): void {
  if (key !== 'repository') {
    holder[key] = image;
    return;
  }
  const [name = image] = image.split('@');
  const colon = name.lastIndexOf(':');
  const hasTag = colon > name.lastIndexOf('/');
  holder['repository'] = hasTag ? image.slice(0, colon) : image;
  if (hasTag) holder['tag'] = image.slice(colon + 1);
}

/** How messages name where an image stands: `container "web"`, `volume "models"`, `container "web" (leader)`. */
export function describeImage({ name }: Pick<ImageAt, 'name'>): string {
  const {
    of,
    kind = 'container',
    inner = '',
  } = /^(?:(?<of>[^/]*)\/)?(?:(?<kind>volume) )?(?<inner>.*)$/.exec(name)?.groups ?? {};
  return `${kind} "${inner}"${of === undefined ? '' : ` (${of})`}`;
}

/** Whether it is of a kind that can be scaled, and wants no pods at all. */
export function isScaledToZero(object: KubernetesObject): boolean {
  return isScalable(object) && numberAt(object, 'spec', 'replicas') === 0;
}

/** How many pods a workload is to have: what the API server takes for no number at all is 1. */
export function podsOf(workload: KubernetesObject | undefined): number {
  return numberAt(workload, 'spec', 'replicas') ?? 1;
}
