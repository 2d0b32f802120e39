import { InvalidInput } from '../base/errors.ts';
import type { Manifest } from './manifest.ts';

/**
 * Puts objects that name no namespace into the given one; objects that name another one stay there.
 * @param isNamespaced undefined for kinds that the server does not know (yet)
 * @throws InvalidInput for a cluster-scoped object with a namespace: the server would refuse it in other words
 */
export function setNamespaces(
  manifests: readonly Manifest[],
  namespace: string,
  isNamespaced: (apiVersion: string, kind: string) => boolean | undefined,
): void {
  for (const { object, source } of manifests) {
    const namespaced = isNamespaced(object.apiVersion, object.kind);
    const named = object.metadata.namespace;
    if (namespaced === false && named !== undefined) {
      throw new InvalidInput(
        `${object.kind} "${object.metadata.name}" names the namespace "${named}", but its kind has none`,
        {
          location: source.locate(['metadata', 'namespace']),
          hint: 'Remove metadata.namespace from it.',
        },
      );
    }
    if (namespaced !== false && (named === undefined || named === '')) object.metadata.namespace = namespace;
  }
}
