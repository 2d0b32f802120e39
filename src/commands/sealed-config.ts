import { keyOf, refOf } from '../kubernetes/object.ts';
import type { Manifest } from '../manifests/manifest.ts';
import { configReferences, renameConfig } from '../manifests/config-references.ts';

/** A ConfigMap or Secret, and the name under which its earlier content comes back. */
interface Beside {
  kind: string;
  from: string;
  to: string;
}

/**
 * Gives config that has become immutable another name, in place, wherever pods read it. Made anew under its own name it would
 * not reach them: a kubelet does not read an immutable object again while a pod on its node uses one of that name
 * (kubernetes pkg/kubelet/util/manager, watch_based_manager.go).
 * @param sealed keys of config that cannot be changed any more
 */
export function bringBackBeside(
  manifests: readonly Manifest[],
  sealed: ReadonlySet<string>,
  revision: number,
): Beside[] {
  const read = new Set(manifests.flatMap(({ object }) => configReferences(object).map(({ key }) => key)));
  const renamed = new Map<string, string>();
  const beside: Beside[] = [];
  for (const { object } of manifests) {
    const key = keyOf(refOf(object));
    if (!sealed.has(key) || !read.has(key)) continue;
    const { kind, metadata } = object;
    const to = `${metadata.name.slice(0, 240)}-r${revision}`;
    beside.push({ kind, from: metadata.name, to });
    renamed.set(key, to);
    metadata.name = to;
  }
  if (beside.length > 0)
    for (const { object } of manifests) renameConfig(object, ({ key, name }) => renamed.get(key) ?? name);
  return beside;
}
