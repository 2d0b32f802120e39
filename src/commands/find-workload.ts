import { InvalidInput } from '../base/errors.ts';
import { isStatus } from '../kubernetes/errors.ts';
import { keyOf, refOf, type KubernetesObject } from '../kubernetes/object.ts';
import { listAllRevisions, liveRevision } from '../release/revision.ts';
import { kindsWithHistory } from '../manifests/kinds.ts';
import { originOf } from '../strategies/candidate.ts';
import type { Context } from '../release/context.ts';

interface WorkloadSearch {
  namespace: string;
  release: string;
  /** `Deployment/web` or `web`; absent: the only one there is. */
  named: string | undefined;
  /** Kinds that the command can act on. */
  kinds?: readonly string[];
  /** Leave out kinds that may not be listed, for commands that only tell what they see. */
  tolerant?: boolean;
}

/**
 * The workload that a command is about when the release has no record of it. Undefined when none is named and there is none;
 * among several it is never guessed.
 * @throws InvalidInput
 */
export async function findWorkload(context: Context, search: WorkloadSearch): Promise<KubernetesObject | undefined> {
  const { named, namespace, release } = search;
  if (named !== undefined) return await namedWorkload(context, search, named);
  const [first, ...others] = await unrecordedWorkloads(context, search);
  if (others.length === 0) return first;
  const names = [first, ...others].flatMap((object) => (object === undefined ? [] : nameOf(object)));
  throw new InvalidInput(
    `release "${release}" has not been deployed by this action, and namespace "${namespace}" has several workloads: ${names.join(', ')}`,
    { hint: `Choose one with the input "workload", for example "workload: ${names[0] ?? ''}".` },
  );
}

/** The workloads of a namespace that neither a release of this action has deployed, nor another object or a strategy makes. */
export async function unrecordedWorkloads(
  { client }: Context,
  { namespace, release, kinds = kindsWithHistory, tolerant = false }: WorkloadSearch,
): Promise<KubernetesObject[]> {
  const [owners, ...lists] = await Promise.all([
    releasesByWorkload(client, namespace, release),
    ...kinds.map(async (kind) => {
      const resource = await client.resource('apps/v1', kind);
      if (resource === undefined) return [];
      const { items } = await client.list(resource, { namespace }).catch((error: unknown) => {
        if (tolerant && isStatus(error, 403)) return { items: [] };
        throw error;
      });
      return items.map((item): KubernetesObject => ({ ...item, apiVersion: 'apps/v1', kind }));
    }),
  ]);
  return lists
    .flat()
    .filter(
      (object) =>
        !owners.has(keyOf(refOf(object))) &&
        originOf(object) === undefined &&
        object.metadata.ownerReferences?.some((o) => o.controller) !== true,
    )
    .sort((left, right) => nameOf(left).localeCompare(nameOf(right)));
}

/** `Deployment/web` */
export function nameOf({ kind, metadata }: KubernetesObject): string {
  return `${kind}/${metadata.name}`;
}

async function namedWorkload(
  context: Context,
  { namespace, release, kinds = kindsWithHistory }: WorkloadSearch,
  named: string,
): Promise<KubernetesObject> {
  const [name = '', kind] = named.split('/').reverse();
  const fitting = kinds.filter((candidate) => kind === undefined || candidate.toLowerCase() === kind.toLowerCase());
  if (fitting.length === 0) {
    throw new InvalidInput(`the input "workload" is "${named}", but this command acts on ${kinds.join(', ')}`, {
      hint: `Use KIND/NAME with one of them, for example "${kinds[0] ?? ''}/${name}".`,
    });
  }
  const { client } = context;
  const found = (
    await Promise.all(fitting.map((each) => client.read({ apiVersion: 'apps/v1', kind: each, namespace, name })))
  ).filter((object) => object !== undefined);
  const [object, ...others] = found;
  if (object === undefined) {
    const candidates = await unrecordedWorkloads(context, { namespace, release, named: undefined, kinds });
    const listed = candidates.length === 0 ? 'none' : candidates.map(nameOf).join(', ');
    throw new InvalidInput(
      `there is no workload "${named}" in namespace "${namespace}"; workloads deployed by other tools: ${listed}`,
      { hint: 'Check the inputs "workload" and "namespace".' },
    );
  }
  if (others.length > 0) {
    throw new InvalidInput(
      `the input "workload" is "${named}", which matches several: ${found.map(nameOf).join(', ')}`,
      { hint: 'Put the kind before the name.' },
    );
  }
  // A candidate or a side belongs to the release of the workload that it was made from.
  const origin = { ...refOf(object), name: originOf(object) ?? object.metadata.name };
  const owner = (await releasesByWorkload(client, namespace, release)).get(keyOf(origin));
  if (owner !== undefined) {
    throw new InvalidInput(`${nameOf(object)} in namespace "${namespace}" belongs to release "${owner}"`, {
      hint: `Set the input "release" to "${owner}".`,
    });
  }
  return object;
}

/** Which other release a workload belongs to, by what each of them has live. */
async function releasesByWorkload(
  client: Context['client'],
  namespace: string,
  release: string,
): Promise<Map<string, string>> {
  const all = await listAllRevisions(client, namespace);
  const names = new Set(all.map((revision) => revision.release));
  names.delete(release);
  return new Map(
    [...names].flatMap((name) => {
      const live = liveRevision(all.filter((revision) => revision.release === name));
      return (live?.objects ?? []).map((object): [string, string] => [keyOf(refOf(object)), name]);
    }),
  );
}
