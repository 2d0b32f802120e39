import { stringAt } from '../base/json.ts';
import { groupOf } from '../kubernetes/object.ts';
import { definesKinds } from './kinds.ts';
import type { Manifest } from './manifest.ts';

/**
 * Puts objects that name no namespace into the given one; objects that name another one stay there. A cluster-scoped object
 * loses the namespace that it names, as the API server would take it away without a word (k8s.io/apiserver
 * pkg/registry/rest/meta.go, EnsureObjectNamespaceMatchesRequestNamespace): so it is one object in all that follows.
 * @param isNamespaced what the server knows about a kind; where it answers undefined, CustomResourceDefinitions among the
 *   manifests are asked, and a kind that nobody knows counts as namespaced
 */
export function setNamespaces(
  manifests: readonly Manifest[],
  namespace: string,
  isNamespaced: (apiVersion: string, kind: string) => boolean | undefined,
): void {
  const defined = scopesDefinedBy(manifests);
  for (const { object } of manifests) {
    const { apiVersion, kind, metadata } = object;
    if (isNamespaced(apiVersion, kind) ?? defined.get(`${groupOf(apiVersion)}/${kind}`) ?? true) {
      // An empty namespace counts as none.
      metadata.namespace =
        metadata.namespace === undefined || metadata.namespace === '' ? namespace : metadata.namespace;
    } else {
      delete metadata.namespace;
    }
  }
}

/** Of the kinds that CustomResourceDefinitions among the manifests define, as `group/Kind`, whether they are namespaced. */
function scopesDefinedBy(manifests: readonly Manifest[]): Map<string, boolean> {
  return new Map(
    manifests
      .filter(({ object }) => definesKinds(object))
      .map(({ object }) => [
        `${stringAt(object, 'spec', 'group') ?? ''}/${stringAt(object, 'spec', 'names', 'kind') ?? ''}`,
        stringAt(object, 'spec', 'scope') !== 'Cluster',
      ]),
  );
}
