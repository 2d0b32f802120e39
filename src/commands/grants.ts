import { changesPods } from '../apply/preflight.ts';
import { stringAt } from '../base/json.ts';
import { groupOf, keyOf, refOf, type KubernetesObject } from '../kubernetes/object.ts';
import {
  definesKinds,
  isConfig,
  isDeployment,
  isScalable,
  kindsToScale,
  kindsWithHistory,
  pausableKinds,
} from '../manifests/kinds.ts';
import { rankOf } from '../manifests/order.ts';
import { isCustomWorkload } from '../manifests/pod-template.ts';
import {
  checkGrants,
  derivedGrants,
  followGrants,
  grantsOf,
  lookGrants,
  namespaceGrants,
  objectGrants,
  pruneGrants,
  undoGrants,
  workloadGrants,
  type Grant,
  type Need,
  type Place,
  type State,
} from '../release/rights.ts';
import type { UserRule } from '../rollout/readiness/user/user-rule.ts';
import { traitsOf } from '../strategies/traits.ts';
import type { Check } from '../verify/check.ts';
import type { Prepared } from '../apply/prepared.ts';

/** An object, and how rules name what it is. */
export interface Placed {
  object: KubernetesObject;
  place: Place;
  /** Where the kinds lie by whose objects it is judged; absent for most. */
  children?: readonly Place[];
}

/** How objects are brought in. */
export interface Bringing {
  namespace: string;
  strategy: string;
  undoOnFailure: boolean;
  /** What is removed because the release has it no more. */
  surplus: readonly Placed[];
  newNamespaces: ReadonlySet<string>;
  /** The rules of the input `await`: they decide what is watched. */
  userRules?: readonly UserRule[];
}

/**
 * What bringing in these objects needs.
 * @param prepared how they compare with the cluster; absent as long as nobody has looked
 */
export function bringingGrants(
  placed: readonly Placed[],
  { namespace, strategy, undoOnFailure: undone, surplus, newNamespaces, userRules = [] }: Bringing,
  prepared?: readonly Prepared[],
): Grant[] {
  const objects = placed.map(({ object }) => object);
  const states = new Map(prepared?.map((entry) => [keyOf(refOf(entry.manifest.object)), stateOf(entry)]));
  const ofObjects = placed.flatMap(({ object, place }) => {
    const grants = objectGrants(object, place, states.get(keyOf(refOf(object))) ?? 'unknown', { undone, userRules });
    // Where the manifests bring the namespace and who may do what in it, nobody may anything yet.
    const isToCome = grantsItself(object.metadata.namespace, objects, newNamespaces);
    return isToCome || prepared === undefined ? grants.map(later) : grants;
  });
  const followed = placed.flatMap(({ object, children = [] }) => followGrants(object, children));
  const isBrought = objects.some((object) => isNamespace(object, namespace));
  const isBeside = prepared?.some(({ live, manifest }) => live !== undefined && isDeployment(manifest.object)) === true;
  const besides = isBeside ? 'now' : 'later';
  // Blue-green asks everywhere which side serves; a canary looks where it has something to try.
  const changing = strategy === 'blue-green' ? undefined : changingNamespaces(prepared ?? []);
  const needIn = (one: string) => (one === namespace || changing?.includes(one) !== false ? besides : 'later');
  const sets = prepared?.filter(({ manifest }) => manifest.object.kind === 'StatefulSet') ?? [];
  const isFreed = sets.some((entry) => stateOf(entry) === 'differs') && undone;
  return [
    ...ofObjects,
    ...followed,
    ...surplus.flatMap(({ object, place }) => pruneGrants(object, place, undone)),
    ...(newNamespaces.has(namespace) && !isBrought ? namespaceGrants(namespace) : []),
    ...namespacesOf(placed, namespace).flatMap((one) =>
      strategyGrants(strategy, one, newNamespaces.has(one) ? 'later' : needIn(one)),
    ),
    ...placed.flatMap(({ object: { kind }, place }) =>
      derivedGrants(traitsOf(strategy).makes, [{ kind, place }], needIn(place.namespace ?? namespace)),
    ),
    ...sameNamespaces(placed.filter(({ object }) => object.kind === 'StatefulSet')).flatMap((one) =>
      grantsOf('statefulSets', one ?? namespace, isFreed ? 'now' : 'later'),
    ),
  ];
}

/** Where a strategy looks: the namespace of the release, and each other one in which it has Deployments. */
function namespacesOf(placed: readonly Placed[], namespace: string): string[] {
  const others = sameNamespaces(placed.filter(({ object }) => isDeployment(object)));
  return [...new Set([namespace, ...others.filter((one) => one !== undefined)])];
}

/** Where Deployments get new pods. */
function changingNamespaces(prepared: readonly Prepared[]): string[] {
  return prepared.flatMap((entry) => {
    const { object } = entry.manifest;
    return isDeployment(object) && changesPods(entry) ? (object.metadata.namespace ?? []) : [];
  });
}

function sameNamespaces(placed: readonly Placed[]): (string | undefined)[] {
  return [...new Set(placed.map(({ place }) => place.namespace))];
}

/** What a strategy needs beside what its objects do. */
export function strategyGrants(strategy: string, namespace: string, need: Exclude<Need, 'optional'>): Grant[] {
  return traitsOf(strategy).rights.flatMap((id) => grantsOf(id, namespace, need));
}

/** What the checks of the input "verify" need. */
export function verifyGrants(checks: readonly Check[], namespace: string): Grant[] {
  const asked = checks.filter(({ target }) => target.kind === 'service');
  return asked.flatMap((check) => checkGrants(check, namespace));
}

/** What commands change one field of, and whether they wait for it. All these kinds are of `apps/v1`; others are scaled, too. */
const changes = {
  scale: { kinds: kindsToScale, waits: true },
  pause: { kinds: pausableKinds, waits: false },
  resume: { kinds: pausableKinds, waits: true },
  restart: { kinds: kindsWithHistory, waits: true },
} as const satisfies Record<string, { kinds: readonly string[]; waits: boolean }>;

export type WorkloadCommand = keyof typeof changes;

/** Whether a command concerns workloads of a kind when nobody says which. */
export function concerns(command: WorkloadCommand, object: KubernetesObject): boolean {
  if (isCustomWorkload(object)) return command === 'scale' && isScalable(object);
  return groupOf(object.apiVersion) === 'apps' && changes[command].kinds.includes(object.kind);
}

/** What a command needs that changes workloads in the cluster in one field. */
export function changeGrants(command: WorkloadCommand, workloads: readonly Placed[], undone: boolean): Grant[] {
  const { waits } = changes[command];
  return workloads.flatMap(({ object, place, children = [] }) => [
    ...workloadGrants(object, place, { undone, waits }),
    ...(waits ? followGrants(object, children) : []),
    ...(object.kind === 'StatefulSet' && undone ? grantsOf('statefulSets', object.metadata.namespace) : []),
  ]);
}

/** What looking at the objects of a release needs; where something of it is missing, less is known. */
export function lookingGrants(placed: readonly Placed[]): Grant[] {
  return placed.flatMap(({ object, place, children = [] }) => [
    ...lookGrants(object, place),
    ...followGrants(object, children, ['list']),
  ]);
}

/**
 * What taking a candidate of these objects away may need, as far as that is known before there is one: what the strategy makes,
 * and what is new and comes before it.
 */
export function takingAwayGrants(placed: readonly Placed[], strategy: string, namespace: string): Grant[] {
  const { makes } = traitsOf(strategy);
  return [
    ...strategyGrants(strategy, namespace, 'now'),
    ...placed
      .filter(({ object }) => rankOf(object) < 3)
      .flatMap(({ object, place }) => {
        const { kind, metadata } = object;
        const mayHaveBeen = rankOf(object) < 2 ? !isConfig(object) : Object.hasOwn(makes, kind);
        return [true, ...(mayHaveBeen ? [false] : [])].flatMap((wasMade) =>
          undoGrants(kind, metadata.name, place, wasMade),
        );
      }),
  ];
}

/** How rules name an object of a kind that a CustomResourceDefinition among these defines. */
export function placeByDefinition(
  { apiVersion, kind, metadata }: KubernetesObject,
  objects: readonly KubernetesObject[],
  release: string,
): Place | undefined {
  const definition = objects.find(
    (object) =>
      definesKinds(object) &&
      stringAt(object, 'spec', 'group') === groupOf(apiVersion) &&
      stringAt(object, 'spec', 'names', 'kind') === kind,
  );
  const resource = stringAt(definition, 'spec', 'names', 'plural');
  if (resource === undefined) return undefined;
  const { namespace = release } = metadata;
  const isNamespaced = stringAt(definition, 'spec', 'scope') === 'Namespaced';
  return { group: groupOf(apiVersion), resource, ...(isNamespaced ? { namespace } : {}) };
}

function later(grant: Grant): Grant {
  return grant.need === 'optional' ? grant : { ...grant, need: 'later' };
}

function stateOf({ live, change }: Prepared): State {
  if (live === undefined) return 'absent';
  return change === 'unchanged' ? 'same' : 'differs';
}

function isNamespace({ apiVersion, kind, metadata }: KubernetesObject, name: string): boolean {
  return apiVersion === 'v1' && kind === 'Namespace' && metadata.name === name;
}

function grantsItself(
  namespace: string | undefined,
  objects: readonly KubernetesObject[],
  newNamespaces: ReadonlySet<string>,
): boolean {
  if (namespace === undefined || !newNamespaces.has(namespace)) return false;
  return objects.some(({ kind, metadata }) => kind === 'RoleBinding' && metadata.namespace === namespace);
}
