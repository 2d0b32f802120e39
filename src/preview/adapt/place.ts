import { InvalidInput } from '../../base/errors.ts';
import { isObject, objectsAt, type Json } from '../../base/json.ts';
import { describeRef, refOf, type KubernetesObject } from '../../kubernetes/object.ts';
import { throwAll, type Manifest } from '../../manifests/manifest.ts';

/** Puts an object that names the namespace of its usual deploys into that of the preview. */
export function toPreview(
  object: KubernetesObject,
  { namespace, from }: { namespace: string; from?: string },
): string[] {
  if (from === undefined || from === namespace || object.metadata.namespace === undefined) return [];
  const isMoved = object.metadata.namespace === from;
  if (isMoved) object.metadata.namespace = namespace;
  // What it names beside itself has moved, too.
  for (const subject of objectsAt(object, 'subjects')) {
    if (subject['kind'] === 'ServiceAccount' && subject['namespace'] === from) subject['namespace'] = namespace;
  }
  moveBackends(object['spec'], from, namespace);
  return isMoved ? [`in namespace "${namespace}" instead of "${from}": a preview has its own namespace`] : [];
}

function moveBackends(value: Json | undefined, from: string, to: string): void {
  if (Array.isArray(value)) {
    for (const item of value) moveBackends(item, from, to);
  } else if (isObject(value)) {
    for (const backend of objectsAt(value, 'backendRefs')) {
      if (backend['namespace'] === from) backend['namespace'] = to;
    }
    for (const inner of Object.values(value)) moveBackends(inner, from, to);
  }
}

/**
 * A preview writes nothing but what goes away with its namespace.
 * @throws InvalidInput, Failures naming each object that belongs elsewhere
 */
export function refuseOutside(manifests: readonly Manifest[], namespace: string): void {
  throwAll(manifests.flatMap((manifest) => outside(manifest, namespace) ?? []));
}

function outside({ object, source }: Manifest, namespace: string): InvalidInput | undefined {
  const name = describeRef(refOf(object));
  const where = object.metadata.namespace;
  if (where === namespace) return undefined;
  if (where === undefined) {
    return new InvalidInput(`${name} is cluster-scoped: a preview would change it for everyone`, {
      location: source.locate([]),
      hint: 'Leave it out of the manifests of previews, or set the input "cluster-scoped" to skip, to use the existing one.',
    });
  }
  return new InvalidInput(`${name} names the namespace "${where}", but a preview has its own namespace`, {
    location: source.locate(['metadata', 'namespace']),
    hint: 'Remove metadata.namespace: objects without one go into the namespace of the preview.',
  });
}
