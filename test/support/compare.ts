import { equal, isObject, type Json, type JsonObject } from '../../src/base/json.ts';
import { formatFieldPath } from '../../src/kubernetes/field-path.ts';
import type { KubernetesObject } from '../../src/kubernetes/object.ts';

/** Controllers write these by themselves, so that they may change at any moment. */
const controllers = new Set([
  'kube-controller-manager',
  'kube-scheduler',
  'kubelet',
  'kube-apiserver',
  'lb-controller',
]);
const controllerAnnotations = ['deployment.kubernetes.io/revision', 'deprecated.daemonset.template.generation'];

/**
 * Every field in which two states of an object differ, managedFields included, but for what cannot be the same again:
 * resourceVersion, generation, status, timestamps, and what controllers own.
 */
export function differences(left: KubernetesObject, right: KubernetesObject): string[] {
  return differ(comparable(left), comparable(right), []);
}

/** The same for an object that was changed twice in the same way: the server chooses other ports each time. */
export function differencesButPorts(left: KubernetesObject, right: KubernetesObject): string[] {
  const withoutPorts = (object: KubernetesObject) =>
    JSON.parse(JSON.stringify(object), (key, value: unknown) =>
      key === 'nodePort' || key === 'healthCheckNodePort' ? undefined : value,
    ) as KubernetesObject;
  return differences(withoutPorts(left), withoutPorts(right));
}

/** An object without what cannot be the same again. */
export function comparable(object: KubernetesObject): JsonObject {
  const { managedFields = [], annotations = {}, ...metadata } = object.metadata;
  delete metadata.resourceVersion;
  delete metadata.generation;
  const rest: JsonObject = { ...object };
  delete rest['status'];
  const owners = managedFields
    .filter((entry) => entry.subresource !== 'status' && !controllers.has(entry.manager))
    .map(({ manager, operation, apiVersion, subresource = '', fieldsV1 = {} }): [string, JsonObject] => [
      [manager, operation, apiVersion, subresource].join(' '),
      fieldsV1,
    ]);
  const ownAnnotations = Object.entries(annotations).filter(([key]) => !controllerAnnotations.includes(key));
  return {
    ...rest,
    metadata: {
      ...metadata,
      annotations: Object.fromEntries(ownAnnotations),
      managedFields: Object.fromEntries(owners),
    },
  };
}

function differ(left: Json | undefined, right: Json | undefined, path: (string | number)[]): string[] {
  if (equal(left, right)) return [];
  if (isObject(left) && isObject(right)) {
    const keys = new Set([...Object.keys(left), ...Object.keys(right)]);
    return [...keys].flatMap((key) => differ(left[key], right[key], [...path, key]));
  }
  return [`${formatFieldPath(path)}: ${JSON.stringify(left)} → ${JSON.stringify(right)}`];
}
