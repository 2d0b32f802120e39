import { Failure } from '../base/errors.ts';
import {
  isObject,
  objectAt,
  objectsAt,
  ownValue,
  stringAt,
  type Json,
  type JsonObject,
  type Path,
} from '../base/json.ts';
import { closest } from '../base/similar.ts';
import { formatFieldPath } from '../kubernetes/field-path.ts';
import { describeRef, groupOf, refOf, type KubernetesObject } from '../kubernetes/object.ts';
import { definesKinds } from '../manifests/kinds.ts';
import type { Manifest } from '../manifests/manifest.ts';

/** One version of a kind that a CustomResourceDefinition among the manifests brings. */
export interface Definition {
  group: string;
  kind: string;
  version: string;
  served: boolean;
  namespaced: boolean;
  schema: JsonObject;
}

export function definitionsOf(objects: readonly KubernetesObject[]): Definition[] {
  return objects.filter(definesKinds).flatMap((crd) =>
    objectsAt(crd, 'spec', 'versions').map((version) => ({
      group: stringAt(crd, 'spec', 'group') ?? '',
      kind: stringAt(crd, 'spec', 'names', 'kind') ?? '',
      version: stringAt(version, 'name') ?? '',
      served: version['served'] === true,
      namespaced: stringAt(crd, 'spec', 'scope') === 'Namespaced',
      schema: objectAt(version, 'schema', 'openAPIV3Schema'),
    })),
  );
}

/**
 * What can be known of an object whose kind comes with the same deploy: is its version served, does its schema have the
 * fields. Undefined when none of the definitions is about it.
 */
export function problemsOfCustomResource(
  manifest: Manifest,
  definitions: readonly Definition[],
): Failure[] | undefined {
  const { object, source } = manifest;
  const name = describeRef(refOf(object));
  const ofKind = definitions.filter(({ group, kind }) => group === groupOf(object.apiVersion) && kind === object.kind);
  if (ofKind.length === 0) return undefined;
  const version = object.apiVersion.slice(object.apiVersion.indexOf('/') + 1);
  const definition = ofKind.find((candidate) => candidate.version === version && candidate.served);
  if (definition === undefined) {
    const served = ofKind.filter((candidate) => candidate.served).map((candidate) => `"${candidate.version}"`);
    return [
      new Failure(`${name} uses version "${version}", which its CustomResourceDefinition does not serve`, {
        location: source.locate(['apiVersion']),
        hint: `Use one of ${served.join(', ')}.`,
      }),
    ];
  }
  return unknownFields(object, definition.schema, []).map(({ path, siblings }) => {
    const near = closest(String(path.at(-1)), siblings);
    return new Failure(`${name} has the unknown field "${formatFieldPath(path)}"`, {
      location: source.locate(path),
      hint: near === undefined ? 'Fix or remove it.' : `Did you mean "${near}"?`,
    });
  });
}

function unknownFields(value: Json | undefined, schema: JsonObject, path: Path): { path: Path; siblings: string[] }[] {
  if (schema['x-kubernetes-preserve-unknown-fields'] === true) return [];
  if (Array.isArray(value)) {
    return value.flatMap((item, index) => unknownFields(item, objectAt(schema, 'items'), [...path, index]));
  }
  if (!isObject(value)) return [];
  const properties = objectAt(schema, 'properties');
  const additional = schema['additionalProperties'];
  return Object.entries(value).flatMap(([key, inner]) => {
    if (path.length === 0 && ['apiVersion', 'kind', 'metadata'].includes(key)) return [];
    const known = ownValue(properties, key) ?? additional;
    if (isObject(known)) return unknownFields(inner, known, [...path, key]);
    return known === true ? [] : [{ path: [...path, key], siblings: Object.keys(properties) }];
  });
}
