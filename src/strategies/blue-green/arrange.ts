import { numberAt, setAt } from '../../base/json.ts';
import { keyOf, refOf } from '../../kubernetes/object.ts';
import { isConfig, isWorkload } from '../../manifests/kinds.ts';
import type { Manifest } from '../../manifests/manifest.ts';
import { isService } from '../../traffic/services.ts';
import { configOf } from '../candidate.ts';
import { withPods } from '../numbers.ts';
import { formOf, refOn, targetOn, type Group } from './groups.ts';
import type { Side } from './own-sides.ts';
import { isLabelled, type State, type Switch } from './state.ts';

/** The manifests as they look when each group is on a side. */
export function arrangedOn(manifests: readonly Manifest[], state: State, choose: (group: Group) => Side): Manifest[] {
  let result = [...manifests];
  for (const group of state.groups) {
    const side = choose(group);
    const form = formOf(group, side, manifests, isLabelled(state, group) || side !== group.serving);
    const replaced = new Set([...group.workloads, ...group.services]);
    result = result.filter((manifest) => !replaced.has(manifest));
    // What only these workloads read is theirs to change; a green side leaves it to its copies.
    const isCopied = side === 'green' && group.own === undefined;
    if (isCopied) result = result.filter((manifest) => !isReadByGroupOnly(manifest, group, manifests));
    result = result.map((manifest) => {
      const target = targetOn(side, group, manifest.object);
      if (target === undefined) return manifest;
      const object = structuredClone(manifest.object);
      setAt(object, ['spec', 'scaleTargetRef', 'name'], target.name);
      return { ...manifest, object };
    });
    result.push(...form.workloads, ...form.services, ...(isCopied ? form.config : []));
  }
  return result;
}

function isReadByGroupOnly({ object }: Manifest, group: Group, manifests: readonly Manifest[]): boolean {
  if (!isConfig(object)) return false;
  const key = keyOf(refOf(object));
  const isRead = (reader: Manifest) => configOf(reader.object).has(key);
  // Whatever else names it, such as an Ingress its certificate, may mean it too.
  const isNamed = (other: Manifest) => JSON.stringify(other.object['spec'] ?? {}).includes(`"${object.metadata.name}"`);
  const others = manifests.filter((other) => !group.workloads.includes(other));
  return (
    group.workloads.some(isRead) &&
    !others.some((other) => (isWorkload(other.object) ? isRead(other) : !isService(other.object) && isNamed(other)))
  );
}

/**
 * The replicas that a side was brought up with stay, whatever the manifest says: an autoscaler may have changed them. What
 * does not change sides has those of its manifest.
 */
export function keepScaled(manifests: readonly Manifest[], state: State, switches: readonly Switch[]): Manifest[] {
  const brought = new Set(
    switches.flatMap(({ group, to }) => group.workloads.map(({ object }) => keyOf(refOn(group, to, object)))),
  );
  return manifests.map((manifest) => {
    const key = keyOf(refOf(manifest.object));
    const live = brought.has(key) ? numberAt(state.deployments.get(key), 'spec', 'replicas') : undefined;
    return withPods(manifest, live === 0 ? undefined : live);
  });
}
