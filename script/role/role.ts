import { Failure } from '../../src/base/errors.ts';
import { placeByDefinition, type Placed } from '../../src/commands/grants.ts';
import { rightsOf, type AskableCommand } from '../../src/commands/rights-of.ts';
import { describeRef, groupOf, refOf, type KubernetesObject } from '../../src/kubernetes/object.ts';
import type { Manifest } from '../../src/manifests/manifest.ts';
import { setNamespaces } from '../../src/manifests/namespace.ts';
import { selectVariants } from '../../src/manifests/variants.ts';
import type { Place } from '../../src/release/rights.ts';
import { roleFor, rulesOf, type MissingRule } from '../../src/release/role.ts';
import { strategies, type StrategyName } from '../../src/strategies/traits.ts';
import type { Check } from '../../src/verify/check.ts';
import { followedBy } from '../../src/rollout/readiness/index.ts';
import { describeUnknown, pluralOf, type KnownKind } from './kinds.ts';

/** What a Role is for. */
export interface Asked {
  commands: readonly AskableCommand[];
  strategies: readonly StrategyName[];
  /** Of the release. */
  namespace: string;
  undoOnFailure: boolean;
  checks: readonly Check[];
  /** Of Kubernetes itself, and those that somebody has named, by `group/Kind`. */
  kinds: ReadonlyMap<string, KnownKind>;
  /** As the API server calls it; absent: a place to fill in. */
  user?: string;
  /** Of the Role and its binding. */
  name: string;
}

/**
 * The manifest of the Role, or Roles, that these manifests need for these commands, with a comment on top that says so.
 * @throws Failure for kinds that nobody knows
 */
export function roleOf(manifests: readonly Manifest[], asked: Asked): string {
  const { user, name } = asked;
  const { objects, rules } = needsOf(manifests, asked);
  const head = headOf(objects, asked).map((line) => `# ${line}`);
  return [...head, roleFor(rules, { release: name, name, user })].join('\n');
}

/**
 * The objects that these strategies take, and what the commands need for them, each verb by itself.
 * @throws Failure for kinds that nobody knows
 */
export function needsOf(
  manifests: readonly Manifest[],
  asked: Asked,
): { objects: KubernetesObject[]; rules: MissingRule[] } {
  const { namespace, kinds, commands, strategies: chosen } = asked;
  setNamespaces(manifests, namespace, (apiVersion, kind) => kinds.get(`${groupOf(apiVersion)}/${kind}`)?.namespaced);
  const each = chosen.map((strategy) => {
    const { taken } = selectVariants(manifests, strategies[strategy].variants);
    return { strategy, objects: placed(taken, asked) };
  });
  const grants = each.flatMap((one) => commands.flatMap((command) => rightsOf(command, { ...asked, ...one })));
  const objects = new Set(each.flatMap((one) => one.objects.map(({ object }) => object)));
  return { objects: [...objects], rules: rulesOf(grants) };
}

function headOf(objects: readonly KubernetesObject[], { commands, strategies: chosen, namespace }: Asked): string[] {
  const names = [...new Set(objects.map(({ kind }) => kind))].sort();
  return [
    `What ${commands.join(', ')} (${chosen.join(', ')}) ${commands.length === 1 ? 'needs' : 'need'} in namespace ${namespace}: ${names.join(', ')}.`,
    'Optional rules may be left out: a run then says what it does not know.',
    ...objects
      .filter(({ kind }) => kind === 'Role' || kind === 'ClusterRole')
      .map((object) => `To apply ${describeRef(refOf(object))}, the user must also hold every right that it grants.`),
  ];
}

/** @throws Failure with every kind that nobody knows */
function placed(manifests: readonly Manifest[], { namespace, kinds }: Asked): Placed[] {
  const objects = manifests.map(({ object }) => object);
  const found = objects.map((object) => ({
    object,
    place: placeOf(object, objects, { namespace, kinds }),
    children: childrenOf(object, objects, { namespace, kinds }),
  }));
  const unknown = found.filter(({ place }) => place === undefined).map(({ object }) => describeUnknown(object));
  if (unknown.length > 0) throw new Failure([...new Set(unknown)].join('\n'));
  return found.flatMap(({ object, place, children }) => (place === undefined ? [] : [{ object, place, children }]));
}

/** Where the kinds lie that a custom resource is judged by; what they are called is guessed where nobody says it. */
function childrenOf(
  object: KubernetesObject,
  objects: readonly KubernetesObject[],
  asked: Pick<Asked, 'namespace' | 'kinds'>,
): Place[] {
  const { namespace = asked.namespace, name } = object.metadata;
  return (followedBy(object)?.children ?? []).map(
    ({ apiVersion, kind }) =>
      placeOf({ apiVersion, kind, metadata: { name, namespace } }, objects, asked) ?? {
        group: groupOf(apiVersion),
        resource: pluralOf(kind),
        namespace,
      },
  );
}

function placeOf(
  object: KubernetesObject,
  objects: readonly KubernetesObject[],
  { namespace: release, kinds }: Pick<Asked, 'namespace' | 'kinds'>,
): Place | undefined {
  const known = kinds.get(`${groupOf(object.apiVersion)}/${object.kind}`);
  if (known === undefined) return placeByDefinition(object, objects, release);
  const { group, resource, namespaced } = known;
  const { namespace = release } = object.metadata;
  return { group, resource, ...(namespaced ? { namespace } : {}) };
}
