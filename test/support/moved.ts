import { isObject, type Json } from '../../src/base/json.ts';
import type { KubernetesObject } from '../../src/kubernetes/object.ts';

/** An object as a server whose clock is ahead by so many ms would have it: all times in it are moved. */
export function moved(object: KubernetesObject, ms: number): KubernetesObject {
  return inside(object, ms) as KubernetesObject;
}

function inside(value: Json | undefined, ms: number): Json {
  if (typeof value === 'string') return /^\d{4}-\d\d-\d\dT[\d:.]+Z$/.test(value) ? timeMoved(value, ms) : value;
  if (Array.isArray(value)) return value.map((item) => inside(item, ms));
  if (!isObject(value)) return value ?? null;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, inside(inner, ms)]));
}

function timeMoved(text: string, ms: number): string {
  return new Date(Date.parse(text) + ms).toISOString().replace('.000Z', 'Z');
}
