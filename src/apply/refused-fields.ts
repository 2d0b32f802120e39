import { at, equal, isObject, putOwn, type Json, type JsonObject, type Path } from '../base/json.ts';
import type { KubernetesClient, WriteOptions } from '../kubernetes/client.ts';
import { ApiError } from '../kubernetes/errors.ts';
import { formatFieldPath, parseFieldPath } from '../kubernetes/field-path.ts';
import type { KubernetesObject } from '../kubernetes/object.ts';

/** What the server would not take back, and why. */
export interface RefusedFields {
  fields: string[];
  reason: string;
}

/** The server names all fields at once; another round shows what only these had hidden. */
const maxRounds = 4;

/**
 * Replaces an object; fields that the server refuses to change back (a claim does not shrink) stay as they are in `live`, so
 * that they do not keep all others from going back.
 * @throws ApiError when it is not fields that are refused, or when leaving them does not help
 */
export async function replaceBut(
  client: KubernetesClient,
  wanted: KubernetesObject,
  live: KubernetesObject,
  options: WriteOptions,
): Promise<{ object: KubernetesObject; refused?: RefusedFields }> {
  let attempt = wanted;
  let refused: RefusedFields | undefined;
  for (let round = 0; ; round += 1) {
    try {
      const { object } = await client.replace(attempt, options);
      return refused === undefined ? { object } : { object, refused };
    } catch (error) {
      if (!(error instanceof ApiError && error.status === 422) || round >= maxRounds) throw error;
      const paths = error.causes.map(({ field }) => parseFieldPath(field, attempt)).filter((path) => path.length > 0);
      const next = paths.reduce((object, path) => withValueOf(live, object, path), attempt);
      if (equal(next, attempt)) throw error;
      attempt = next;
      const fields = [...(refused?.fields ?? []), ...paths.map(formatFieldPath)];
      refused = { fields: [...new Set(fields)], reason: refused?.reason ?? error.message };
    }
  }
}

/** A copy of `object` that has at `path` what `source` has there, or nothing where it has nothing. */
export function withValueOf(source: KubernetesObject, object: KubernetesObject, path: Path): KubernetesObject {
  const copy = structuredClone(object);
  const last = path.at(-1);
  const parent = at(copy, ...path.slice(0, -1));
  const value = at(source, ...path);
  if (last === undefined) return copy;
  if (isObject(parent)) putAt(parent, String(last), value);
  else if (Array.isArray(parent) && typeof last === 'number' && value !== undefined) parent[last] = value;
  else if (path.length > 1) return withValueOf(source, object, path.slice(0, -1));
  return copy;
}

function putAt(map: JsonObject, key: string, value: Json | undefined): void {
  if (value === undefined) Reflect.deleteProperty(map, key);
  else putOwn(map, key, structuredClone(value));
}
