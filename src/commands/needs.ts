import { stringAt } from '../base/json.ts';
import type { KubernetesClient, Resource } from '../kubernetes/client.ts';
import { groupOf, keyOf, refOf, type KubernetesObject, type ObjectRef } from '../kubernetes/object.ts';
import { definesKinds, isDeployment } from '../manifests/kinds.ts';
import {
  checkGrants,
  derivedGrants,
  grantsOf,
  objectGrants,
  pruneGrants,
  undoGrants,
  workloadGrants,
  type Grant,
  type Need,
  type Place,
  type RuleSetId,
  type State,
} from '../release/rights.ts';
import { traitsOf } from '../strategies/traits.ts';
import type { Check } from '../verify/check.ts';
import type { Context } from '../release/context.ts';
import type { JournalEntry } from '../release/journal-shape.ts';
import type { Prepared } from '../apply/prepared.ts';

/** What a command needs whatever the release consists of. */
export function expectOfCommand({ rights }: Context, sets: readonly RuleSetId[], namespace: string): void {
  rights?.expect(sets.flatMap((id) => grantsOf(id, namespace)));
}

/** What a strategy needs beside what its objects do. */
export function expectOfStrategy(
  { rights }: Context,
  strategy: string,
  namespace: string,
  need: Exclude<Need, 'optional'>,
): void {
  rights?.expect(traitsOf(strategy).rights.flatMap((id) => grantsOf(id, namespace, need)));
}

interface ReleaseNeeds {
  namespace: string;
  strategy: string;
  undoOnFailure: boolean;
  surplus: readonly KubernetesObject[];
  newNamespaces: ReadonlySet<string>;
}

/**
 * What bringing in these objects needs.
 * @param prepared how they compare with the cluster; absent as long as nobody has looked
 */
export async function expectOfObjects(
  context: Context,
  objects: readonly KubernetesObject[],
  needs: ReleaseNeeds,
  prepared?: readonly Prepared[],
): Promise<void> {
  const { client, rights } = context;
  if (rights === undefined) return;
  const { namespace, strategy, undoOnFailure: undone, surplus, newNamespaces } = needs;
  const states = new Map(prepared?.map((entry) => [keyOf(refOf(entry.manifest.object)), stateOf(entry)]));
  const later = (grants: readonly Grant[]) =>
    prepared === undefined ? grants.map((grant): Grant => ({ ...grant, need: least(grant.need) })) : grants;
  const placed = await placesOf(client, objects, namespace);
  for (const { object, place } of placed) {
    const state = states.get(keyOf(refOf(object))) ?? 'unknown';
    // Where the manifests bring the namespace and who may do what in it, nobody may anything yet.
    const isToCome = grantsItself(object.metadata.namespace, objects, newNamespaces);
    const grants = objectGrants(object, place, state, { undone });
    rights.expect(isToCome ? grants.map((grant) => ({ ...grant, need: least(grant.need) })) : later(grants));
  }
  for (const { object, place } of await placesOf(client, surplus, namespace))
    rights.expect(pruneGrants(object, place, undone));
  if (newNamespaces.has(namespace) && !objects.some((object) => isNamespace(object, namespace)))
    rights.expect(grantsOf('namespaces', undefined));
  const isBeside = prepared?.some(({ live, manifest }) => live !== undefined && isDeployment(manifest.object)) === true;
  expectOfStrategy(context, strategy, namespace, isBeside ? 'now' : 'later');
  const kinds = placed.map(({ object, place }) => ({ kind: object.kind, place }));
  rights.expect(derivedGrants(traitsOf(strategy).makes, kinds, isBeside ? 'now' : 'later'));
  const sets = prepared?.filter(({ manifest }) => manifest.object.kind === 'StatefulSet') ?? [];
  const isFreed = sets.some((entry) => stateOf(entry) === 'differs') && undone;
  if (objects.some(({ kind }) => kind === 'StatefulSet'))
    rights.expect(grantsOf('statefulSets', namespace, isFreed ? 'now' : 'later'));
}

/** What the checks of the input "verify" need. */
export function expectOfChecks({ rights }: Context, checks: readonly Check[], namespace: string): void {
  const asked = checks.filter(({ target }) => target.kind === 'service');
  rights?.expect(asked.flatMap((check) => checkGrants(check, namespace)));
}

/** What an undo of these entries needs: of a run that died, or of a candidate that waits. */
export async function expectOfUndo({ client, rights }: Context, entries: readonly JournalEntry[]): Promise<void> {
  for (const { ref, before } of rights === undefined ? [] : entries) {
    const place = await placeOf(client, ref);
    if (place !== undefined) rights?.expect(undoGrants(ref.kind, ref.name, place, before === null));
  }
}

/** What is removed because only a candidate needed it. */
export async function expectOfRemoval({ client, rights }: Context, refs: readonly ObjectRef[]): Promise<void> {
  for (const ref of rights === undefined ? [] : refs) {
    const place = await placeOf(client, ref);
    if (place !== undefined) rights?.expect(undoGrants(ref.kind, ref.name, place, true));
  }
}

/** What a command needs that changes workloads in the cluster in one field. */
export async function expectOfWorkloads(
  { client, rights }: Context,
  workloads: readonly KubernetesObject[],
  options: { undone: boolean; waits: boolean },
): Promise<void> {
  for (const workload of rights === undefined ? [] : workloads) {
    const place = await placeOf(client, refOf(workload));
    if (place !== undefined) rights?.expect(workloadGrants(workload, place, options));
    const { namespace } = workload.metadata;
    if (workload.kind === 'StatefulSet' && options.undone) rights?.expect(grantsOf('statefulSets', namespace));
  }
}

function least(need: Need): Need {
  return need === 'optional' ? need : 'later';
}

function stateOf({ live, change }: Prepared): State {
  if (live === undefined) return 'absent';
  return change === 'unchanged' ? 'same' : 'differs';
}

async function placesOf(
  client: KubernetesClient,
  objects: readonly KubernetesObject[],
  namespace: string,
): Promise<{ object: KubernetesObject; place: Place }[]> {
  const found = await Promise.all(
    objects.map(async (object) => ({
      object,
      place: (await placeOf(client, refOf(object))) ?? placeByDefinition(object, objects, namespace),
    })),
  );
  return found.flatMap(({ object, place }) => (place === undefined ? [] : [{ object, place }]));
}

/** Undefined for a kind that the cluster does not serve, or does not say. */
async function placeOf(client: KubernetesClient, ref: ObjectRef): Promise<Place | undefined> {
  const resource = await client.resource(ref.apiVersion, ref.kind).catch((): Resource | undefined => undefined);
  if (resource === undefined) return undefined;
  const { group, plural, namespaced } = resource;
  const namespace = ref.namespace ?? client.defaultNamespace;
  return { group, resource: plural, ...(namespaced ? { namespace } : {}) };
}

/** Of a kind that comes with the same deploy. */
function placeByDefinition(
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
