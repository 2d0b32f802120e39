import { isObject, objectsAt, stringAt, type Json } from '../base/json.ts';
import { keyOf, refOf, type KubernetesObject } from '../kubernetes/object.ts';
import { fieldsNaming } from '../manifests/kinds.ts';
import { templateLabels } from '../traffic/pods.ts';
import { isService, selectorOf, selects } from '../traffic/services.ts';

/**
 * Of objects that a run has made those that must stay, because something that cannot go back needs them: pods that a Service
 * still sends requests to, config that a workload still reads, and what these need in their turn. By key, with what needs each.
 */
export function neededByWhatStays(
  created: readonly KubernetesObject[],
  staying: readonly KubernetesObject[],
): Map<string, KubernetesObject> {
  const needed = new Map<string, KubernetesObject>();
  const open = [...staying];
  for (let user = open.pop(); user !== undefined; user = open.pop()) {
    for (const object of created) {
      const key = keyOf(refOf(object));
      if (needed.has(key) || !needs(user, object)) continue;
      needed.set(key, user);
      open.push(object);
    }
  }
  return needed;
}

function needs(user: KubernetesObject, object: KubernetesObject): boolean {
  if (user.metadata.namespace !== object.metadata.namespace || keyOf(refOf(user)) === keyOf(refOf(object)))
    return false;
  if (isService(user)) return selects(selectorOf(user), templateLabels(object));
  const fields = fieldsNaming(object);
  return (
    fields.length > 0 && mentions(user['spec'] ?? { ...user, metadata: {} }, new Set(fields), object.metadata.name)
  );
}

/** Whether one of the fields, anywhere below, holds the name itself, or a map or a list of maps with it. */
function mentions(value: Json | undefined, fields: ReadonlySet<string>, name: string): boolean {
  if (Array.isArray(value)) return value.some((item) => mentions(item, fields, name));
  if (!isObject(value)) return false;
  return Object.entries(value).some(
    ([key, inner]) => (fields.has(key) && names(inner, name)) || mentions(inner, fields, name),
  );
}

function names(value: Json | undefined, name: string): boolean {
  if (value === name) return true;
  const maps = Array.isArray(value) ? objectsAt({ value }, 'value') : [value];
  return maps.some((map) => stringAt(map, 'name') === name || stringAt(map, 'secretName') === name);
}
