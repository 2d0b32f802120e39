import { objectAt, removeAt, setAt, type Json } from '../base/json.ts';
import type { KubernetesObject } from '../kubernetes/object.ts';
import { manifestFrom, type Manifest } from '../manifests/manifest.ts';
import { fieldManager } from './field-manager.ts';
import { applyEntry, extractOwned } from './managed-fields.ts';

/**
 * What we own of a live object already, with another value at one place, or none, which leaves it to its default or to another who has
 * set it: applied, it changes this one field and the owner of no other. Whoever has made the object, the field is moved, and all else stays whose it is: what an earlier `kubectl apply`
 * has stated cannot be taken over by something that does not state it too.
 */
export function changedInCluster(live: KubernetesObject, path: readonly string[], value: Json | undefined): Manifest {
  const { apiVersion, kind, metadata } = live;
  const entry = applyEntry(live, fieldManager);
  const owned = entry === undefined ? {} : extractOwned(live, entry);
  const name = { name: metadata.name, ...(metadata.namespace === undefined ? {} : { namespace: metadata.namespace }) };
  const object: KubernetesObject = {
    ...owned,
    apiVersion,
    kind,
    metadata: { ...objectAt(owned, 'metadata'), ...name },
  };
  if (value === undefined) removeAt(object, path);
  else setAt(object, path, value);
  return { ...inCluster(object), part: true };
}

/** An object that stands in no file of the user's. */
export function inCluster(object: KubernetesObject): Manifest {
  return manifestFrom(object, 'the cluster');
}
