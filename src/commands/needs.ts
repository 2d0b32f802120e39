import type { KubernetesClient, Resource } from '../kubernetes/client.ts';
import { refOf, type KubernetesObject, type ObjectRef } from '../kubernetes/object.ts';
import { grantsOf, undoGrants, type Need, type Place, type RuleSetId } from '../release/rights.ts';
import type { Check } from '../verify/check.ts';
import { followedBy } from '../rollout/readiness/index.ts';
import type { Context } from '../release/context.ts';
import type { JournalEntry } from '../release/journal-shape.ts';
import type { Prepared } from '../apply/prepared.ts';
import {
  bringingGrants,
  changeGrants,
  lookingGrants,
  placeByDefinition,
  strategyGrants,
  verifyGrants,
  type Bringing,
  type Placed,
  type WorkloadCommand,
} from './grants.ts';

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
  rights?.expect(strategyGrants(strategy, namespace, need));
}

interface ReleaseNeeds extends Omit<Bringing, 'surplus'> {
  surplus: readonly KubernetesObject[];
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
  const placed = await placesOf(client, objects, needs.namespace);
  const surplus = await placesOf(client, needs.surplus, needs.namespace);
  rights.expect(bringingGrants(placed, { ...needs, surplus }, prepared));
}

/** What the checks of the input "verify" need. */
export function expectOfChecks({ rights }: Context, checks: readonly Check[], namespace: string): void {
  rights?.expect(verifyGrants(checks, namespace));
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
  command: WorkloadCommand,
  workloads: readonly KubernetesObject[],
  undone: boolean,
): Promise<void> {
  if (rights === undefined) return;
  const placed = await placesOf(client, workloads, client.defaultNamespace);
  rights.expect(changeGrants(command, placed, undone));
}

/** What a command needs that only looks at the objects of a release. */
export async function expectOfLook(
  { client, rights }: Context,
  objects: readonly KubernetesObject[],
  namespace: string,
): Promise<void> {
  if (rights !== undefined) rights.expect(lookingGrants(await placesOf(client, objects, namespace)));
}

async function placesOf(
  client: KubernetesClient,
  objects: readonly KubernetesObject[],
  namespace: string,
): Promise<Placed[]> {
  const found = await Promise.all(
    objects.map(async (object) => ({
      object,
      place: (await placeOf(client, refOf(object))) ?? placeByDefinition(object, objects, namespace),
      children: await childrenOf(client, object),
    })),
  );
  return found.flatMap(({ object, place, children }) => (place === undefined ? [] : [{ object, place, children }]));
}

/** Where the kinds lie that a custom resource is judged by; none of those that the cluster does not serve. */
async function childrenOf(client: KubernetesClient, object: KubernetesObject): Promise<Place[]> {
  const { namespace } = object.metadata;
  const resources = (followedBy(object)?.children ?? []).map((child) => served(client, child));
  return (await Promise.all(resources)).flatMap((resource) => {
    if (resource === undefined) return [];
    const { group, plural, namespaced } = resource;
    return [{ group, resource: plural, ...(namespaced && namespace !== undefined ? { namespace } : {}) }];
  });
}

/** Undefined for a kind that the cluster does not serve, or does not say. */
async function placeOf(client: KubernetesClient, ref: ObjectRef): Promise<Place | undefined> {
  const resource = await served(client, ref);
  if (resource === undefined) return undefined;
  const { group, plural, namespaced } = resource;
  const namespace = ref.namespace ?? client.defaultNamespace;
  return { group, resource: plural, ...(namespaced ? { namespace } : {}) };
}

async function served(
  client: KubernetesClient,
  { apiVersion, kind }: Pick<ObjectRef, 'apiVersion' | 'kind'>,
): Promise<Resource | undefined> {
  return await client.resource(apiVersion, kind).catch((): Resource | undefined => undefined);
}
