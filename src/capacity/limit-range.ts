import { objectAt, objectsAt, ownValue, putOwn, stringAt, type JsonObject } from '../base/json.ts';
import type { KubernetesObject } from '../kubernetes/object.ts';

/**
 * The template as its pods will be: containers that leave out a request or a limit get the default of the namespace's
 * LimitRanges (kubernetes plugin/pkg/admission/limitranger). A copy; the template stays as it is.
 */
export function withDefaults(template: JsonObject, limitRanges: readonly KubernetesObject[]): JsonObject {
  const copy = structuredClone(template);
  const items = limitRanges
    .flatMap((range) => objectsAt(range, 'spec', 'limits'))
    .filter((item) => stringAt(item, 'type') === 'Container');
  for (const container of ['initContainers', 'containers'].flatMap((list) => objectsAt(copy, 'spec', list))) {
    const { resources } = container;
    const limits = { ...objectAt(resources, 'limits') };
    // Before any default of the namespace, a limit stands for the request that is not there.
    const requests = { ...limits, ...objectAt(resources, 'requests') };
    for (const item of items) {
      addMissing(limits, objectAt(item, 'default'));
      addMissing(requests, objectAt(item, 'defaultRequest'));
    }
    container['resources'] = { ...objectAt(resources), limits, requests };
  }
  return copy;
}

function addMissing(target: JsonObject, defaults: JsonObject): void {
  for (const [name, value] of Object.entries(defaults))
    if (ownValue(target, name) === undefined) putOwn(target, name, value);
}
