import { Failure } from '../../src/base/errors.ts';
import { placeByDefinition, type Placed } from '../../src/commands/grants.ts';
import type { CommandName } from '../../src/commands/index.ts';
import { rightsOf } from '../../src/commands/rights-of.ts';
import { describeRef, groupOf, refOf, type KubernetesObject } from '../../src/kubernetes/object.ts';
import { manifestFrom, type Manifest } from '../../src/manifests/manifest.ts';
import { setNamespaces } from '../../src/manifests/namespace.ts';
import { selectVariants } from '../../src/manifests/variants.ts';
import { isolationObjects, type Isolation } from '../../src/preview/isolation.ts';
import type { Grant, Place } from '../../src/release/rights.ts';
import { roleFor, rulesOf, unboundRoleFor, type MissingRule } from '../../src/release/role.ts';
import { strategies, type StrategyName } from '../../src/strategies/traits.ts';
import type { Check } from '../../src/verify/check.ts';
import { followedBy } from '../../src/rollout/readiness/index.ts';
import { describeUnknown, pluralOf, type KnownKind } from './kinds.ts';

/** What a Role is for. */
export interface Asked {
  commands: readonly CommandName[];
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
  /** The run makes the namespace of the release. */
  createsNamespace?: boolean;
  /** As in the inputs of previews. */
  previewRole?: string;
  isolation?: Isolation;
  copies?: readonly Copied[];
}

/** What the inputs "copy-secrets" and "copy-configmaps" name. */
export interface Copied {
  resource: 'secrets' | 'configmaps';
  namespace: string;
  name: string;
}

/** Each pull request has a namespace of its own, whose name no manifest tells. */
export const previewCommands: readonly CommandName[] = ['preview', 'teardown'];

/**
 * The manifest of the Role, or Roles, that these manifests need for these commands, with a comment on top that says so.
 * @throws Failure for kinds that nobody knows
 */
export function roleOf(manifests: readonly Manifest[], asked: Asked): string {
  const { user, name, previewRole } = asked;
  const { objects, rules, inside } = needsOf(manifests, asked);
  const head = headOf(objects, asked).map((line) => `# ${line}`);
  const roles = [
    roleFor(rules, { release: name, name, user }),
    ...(inside.length === 0 || previewRole === undefined ? [] : [unboundRoleFor(inside, previewRole)]),
  ];
  return [...head, roles.join('---\n')].join('\n');
}

/** What a Role has to allow. */
interface Needs {
  /** The objects that the strategies take. */
  objects: KubernetesObject[];
  /** Each verb by itself. */
  rules: MissingRule[];
  /** The rules of a role that a run binds to itself in the namespace of a preview. */
  inside: MissingRule[];
}

/**
 * What the commands need for the objects that these strategies take.
 * @throws Failure for kinds that nobody knows
 */
export function needsOf(manifests: readonly Manifest[], asked: Asked): Needs {
  const { namespace, kinds, commands, strategies: chosen, previewRole } = asked;
  const isNamespaced = (apiVersion: string, kind: string) => kinds.get(`${groupOf(apiVersion)}/${kind}`)?.namespaced;
  setNamespaces(manifests, namespace, isNamespaced);
  const each = chosen.map((strategy) => {
    const { taken } = selectVariants(manifests, strategies[strategy].variants);
    return { strategy, objects: placed(commands.includes('preview') ? withIsolation(taken, asked) : taken, asked) };
  });
  const grants = each.flatMap((one) => commands.flatMap((command) => rightsOf(command, { ...asked, ...one })));
  const objects = [...new Set(each.flatMap((one) => one.objects.map(({ object }) => object)))];
  const copies = (asked.copies ?? []).map(copyRule);
  // No Role can lie in a namespace that is not there yet.
  if (!isOfPreviews(asked) && asked.createsNamespace !== true) return { objects, rules: rulesOf(grants), inside: [] };
  const isInside = (grant: Grant) => grant.namespace === namespace;
  const [own, others] = [grants.filter(isInside), grants.filter((grant) => !isInside(grant))];
  const everywhere = rulesOf(own.map(inAll));
  if (previewRole === undefined) return { objects, rules: [...rulesOf(others), ...everywhere, ...copies], inside: [] };
  // It holds in previews alone, whatever their objects are called.
  const inside = everywhere.map((rule) => ({ ...rule, names: [] }));
  return { objects, rules: [...rulesOf(others), ...copies], inside };
}

/** The same right, in all namespaces. */
function inAll(grant: Grant): Grant {
  const everywhere = { ...grant };
  delete everywhere.namespace;
  return everywhere;
}

function isOfPreviews({ commands }: Pick<Asked, 'commands'>): boolean {
  return commands.some((command) => previewCommands.includes(command));
}

/** What a preview gets beside its manifests; what lies in no namespace no preview brings. */
function withIsolation(manifests: readonly Manifest[], { namespace, isolation = 'default' }: Asked): Manifest[] {
  const own = manifests.filter(({ object }) => object.metadata.namespace !== undefined);
  const given = own.map(({ object }) => object);
  const kept = isolationObjects({ profile: isolation, namespace, hasHost: false, given });
  return [...own, ...kept.map((object) => manifestFrom(object, 'the input "isolation"'))];
}

/** Something that a preview gets a copy of. */
function copyRule({ resource, namespace, name }: Copied): MissingRule {
  return {
    group: '',
    resource,
    verbs: ['get'],
    namespace,
    names: [name],
    why: 'what previews get copies of',
    optional: false,
  };
}

function headOf(objects: readonly KubernetesObject[], asked: Asked): string[] {
  const { commands, strategies: chosen, namespace, createsNamespace = false } = asked;
  const names = [...new Set(objects.map(({ kind }) => kind))].sort();
  const place = isOfPreviews(asked) ? 'the namespaces of previews' : `namespace ${namespace}`;
  const how = isOfPreviews(asked) ? '' : ` (${chosen.join(', ')})`;
  const of = names.length === 0 ? '' : `: ${names.join(', ')}`;
  return [
    `What ${commands.join(', ')}${how} ${commands.length === 1 ? 'needs' : 'need'} in ${place}${of}.`,
    ...(createsNamespace
      ? [
          `It holds in all namespaces: no Role can lie in ${place} before a run creates it. Without "create-namespace" a Role is enough.`,
        ]
      : []),
    ...(isOfPreviews(asked) && asked.previewRole === undefined && names.length > 0
      ? ['It holds in all namespaces: use it on a cluster for previews alone, or give --preview-role.']
      : []),
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
