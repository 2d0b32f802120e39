import { InvalidInput } from '../base/errors.ts';
import type { KubernetesObject } from '../kubernetes/object.ts';
import { isWorkload } from '../manifests/pod-template.ts';
import { listRevisions, liveRevision, runningRef, type Revision } from '../release/revision.ts';
import type { Context } from './context.ts';

/** The workloads of a release as they are now. @throws InvalidInput when the release has none */
export async function releaseWorkloads(
  { client }: Context,
  namespace: string,
  release: string,
  fits: (object: KubernetesObject) => boolean,
): Promise<KubernetesObject[]> {
  const revisions = await listRevisions(client, namespace, release);
  const latest: Revision | undefined = liveRevision(revisions) ?? revisions.at(-1);
  const workloads = (latest?.objects ?? []).filter((object) => isWorkload(object) && fits(object));
  const refs = latest === undefined ? [] : workloads.map((object) => runningRef(latest, object));
  const found = (await Promise.all(refs.map((ref) => client.read(ref)))).filter((object) => object !== undefined);
  if (found.length > 0) return found;
  throw new InvalidInput(
    latest === undefined
      ? `there is no release "${release}" in namespace "${namespace}"`
      : `release "${release}" in namespace "${namespace}" has no workload for this command`,
    { hint: 'Correct the inputs "release" and "namespace".' },
  );
}
