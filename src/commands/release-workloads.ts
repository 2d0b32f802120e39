import { Failure, InvalidInput } from '../base/errors.ts';
import { goingHint, isGoing, nameGoing } from '../kubernetes/going.ts';
import { isStatus } from '../kubernetes/errors.ts';
import { describeRef, refOf, type KubernetesObject } from '../kubernetes/object.ts';
import { isWorkload, keepsItsPods } from '../manifests/kinds.ts';
import { isCustomWorkload } from '../manifests/pod-template.ts';
import { Ownership } from '../release/ownership.ts';
import { listRevisions, liveRevision, runningRef } from '../release/revision.ts';
import type { Context } from '../release/context.ts';
import type { Report } from '../report/report.ts';
import { findWorkload } from './find-workload.ts';
import type { Revision } from '../release/revision-shape.ts';

interface WorkloadOptions {
  release: string;
  /** `Deployment/web` or `web`: this one alone. */
  workload?: string;
}

/** What a command acts on. */
interface Acting {
  /** Kinds, all of `apps/v1`. */
  kinds: readonly string[];
  /** As messages name it: `restart`. */
  command: string;
  /** What to do instead with a custom resource that runs pods, as a sentence. */
  instead: string;
  /** Told of what is left as it is beside what it acts on. */
  report: Pick<Report, 'warn'>;
}

/**
 * The workloads of a release as they are now, or the one that is named; where nothing is recorded of the release, the only
 * one of the namespace.
 * @throws InvalidInput when there is none, several could be meant, or it is a custom resource
 */
export async function releaseWorkloads(
  context: Context,
  namespace: string,
  { release, workload: named }: WorkloadOptions,
  acting: Acting,
): Promise<KubernetesObject[]> {
  const { kinds, command, instead } = acting;
  const { client } = context;
  const revisions = await listRevisions(client, namespace, release);
  const latest: Revision | undefined =
    liveRevision(revisions) ?? revisions.findLast(({ objects }) => objects.length > 0);
  const custom = (latest?.objects ?? []).filter((object) => isCustomWorkload(object) && keepsItsPods(object));
  refuseNamed(custom, named, acting);
  if (named !== undefined || latest === undefined) {
    const only = await findWorkload(context, { namespace, release, named, kinds });
    if (only !== undefined) return [refuseGoing((latest && (await client.read(runningRef(latest, only)))) ?? only)];
  }
  const workloads = (latest?.objects ?? []).filter((object) => isWorkload(object) && kinds.includes(object.kind));
  const refs = latest === undefined ? [] : workloads.map((object) => runningRef(latest, object));
  const found = (await Promise.all(refs.map((ref) => client.read(ref)))).filter((object) => object !== undefined);
  await new Ownership(client, { namespace, release }).refuseTaken(found);
  const [other] = custom;
  if (found.length > 0) {
    for (const object of custom)
      acting.report.warn(
        `${describeRef(refOf(object))} is left as it is: "${command}" acts on ${kinds.join(', ')}. ${instead}`,
      );
    return found.map(refuseGoing);
  }
  if (other !== undefined) throw unfit(other, acting);
  throw new InvalidInput(
    latest === undefined
      ? `there is no release "${release}" in namespace "${namespace}"`
      : `release "${release}" in namespace "${namespace}" has no workload for this command`,
    { hint: 'Check the inputs "release" and "namespace".' },
  );
}

/** @throws InvalidInput when what is named is a custom resource of the release */
function refuseNamed(custom: readonly KubernetesObject[], named: string | undefined, acting: Acting): void {
  const [name, kind] = (named ?? '').split('/').reverse();
  const meant = custom.find(
    (object) =>
      object.metadata.name === name && (kind === undefined || kind.toLowerCase() === object.kind.toLowerCase()),
  );
  if (meant !== undefined) throw unfit(meant, acting);
}

function unfit(object: KubernetesObject, { command, kinds, instead }: Acting): InvalidInput {
  return new InvalidInput(
    `${describeRef(refOf(object))} is a custom resource, but the command "${command}" acts on ${kinds.join(', ')}`,
    { hint: instead },
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
  const deployments = items
    .filter((object) => !known.has(object.metadata.uid))
    .map((object) => ({ ...object, apiVersion: 'apps/v1', kind: 'Deployment' }));
  return await new Ownership(client, { namespace, release }).marked(deployments);
}

/** @throws Failure for a workload that is about to vanish: whatever is written into it changes nothing any more */
function refuseGoing(workload: KubernetesObject): KubernetesObject {
  if (isGoing(workload)) throw new Failure(nameGoing(workload), { hint: goingHint });
  return workload;
}
