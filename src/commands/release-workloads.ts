import { Failure, InvalidInput } from '../base/errors.ts';
import { goingHint, isGoing, nameGoing } from '../kubernetes/going.ts';
import { isStatus } from '../kubernetes/errors.ts';
import type { KubernetesObject } from '../kubernetes/object.ts';
import { isWorkload } from '../manifests/kinds.ts';
import { markFor, markOf } from '../apply/mark.ts';
import { Ownership } from '../release/ownership.ts';
import { listRevisions, liveRevision, runningRef } from '../release/revision.ts';
import type { Context } from '../release/context.ts';
import { findWorkload } from './find-workload.ts';
import type { Revision } from '../release/revision-shape.ts';

interface WorkloadOptions {
  release: string;
  /** `Deployment/web` or `web`: this one alone. */
  workload?: string;
}

/**
 * The workloads of a release as they are now, or the one that is named; where nothing is recorded of the release, the only
 * one of the namespace.
 * @throws InvalidInput when there is none, or several could be meant
 */
export async function releaseWorkloads(
  context: Context,
  namespace: string,
  { release, workload: named }: WorkloadOptions,
  kinds: readonly string[],
): Promise<KubernetesObject[]> {
  const { client } = context;
  const revisions = await listRevisions(client, namespace, release);
  const latest: Revision | undefined =
    liveRevision(revisions) ?? revisions.findLast(({ objects }) => objects.length > 0);
  if (named !== undefined || latest === undefined) {
    const only = await findWorkload(context, { namespace, release, named, kinds });
    if (only !== undefined) return [refuseGoing((latest && (await client.read(runningRef(latest, only)))) ?? only)];
  }
  const workloads = (latest?.objects ?? []).filter((object) => isWorkload(object) && kinds.includes(object.kind));
  const refs = latest === undefined ? [] : workloads.map((object) => runningRef(latest, object));
  const found = (await Promise.all(refs.map((ref) => client.read(ref)))).filter((object) => object !== undefined);
  await new Ownership(client, { namespace, release }).refuseTaken(found);
  if (found.length > 0) return found.map(refuseGoing);
  throw new InvalidInput(
    latest === undefined
      ? `there is no release "${release}" in namespace "${namespace}"`
      : `release "${release}" in namespace "${namespace}" has no workload for this command`,
    { hint: 'Check the inputs "release" and "namespace".' },
  );
}

/**
 * Deployments that belong to a release beside those that serve it: its idle side, a candidate that waits. None where they may
 * not be listed.
 */
export async function deploymentsBeside(
  { client }: Context,
  namespace: string,
  release: string,
  serving: readonly KubernetesObject[],
): Promise<KubernetesObject[]> {
  const resource = await client.resource('apps/v1', 'Deployment');
  if (resource === undefined) return [];
  const items = await client.list(resource, { namespace }).then(
    (list) => list.items,
    (error: unknown) => {
      if (isStatus(error, 403)) return [];
      throw error;
    },
  );
  const known = new Set(serving.map(({ metadata }) => metadata.uid));
  const mark = markFor(namespace, release);
  return items
    .filter((object) => markOf(object) === mark && !known.has(object.metadata.uid))
    .map((object) => ({ ...object, apiVersion: 'apps/v1', kind: 'Deployment' }));
}

/** @throws Failure for a workload that is about to vanish: whatever is written into it changes nothing any more */
function refuseGoing(workload: KubernetesObject): KubernetesObject {
  if (isGoing(workload)) throw new Failure(nameGoing(workload), { hint: goingHint });
  return workload;
}
