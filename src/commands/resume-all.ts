import { objectAt } from '../base/json.ts';
import { describeRef, keyOf, refOf, type KubernetesObject, type ObjectRef } from '../kubernetes/object.ts';
import type { Manifest } from '../manifests/manifest.ts';
import { isDeployment } from '../manifests/kinds.ts';
import { runningRef } from '../release/revision.ts';
import { isPaused, pausedBy } from '../rollout/pause.ts';
import { candidateName } from '../strategies/candidate.ts';
import type { Context } from '../release/context.ts';
import type { Revision } from '../release/revision-shape.ts';

/**
 * Whoever goes back wants other pods: a pause is taken out of the manifests, and what is paused in the cluster is told.
 * That an apply of them resumes it is for the claims of the caller.
 * @param live what is live now
 * @returns a sentence for each that is paused now
 */
export async function resumeAll(
  { client }: Context,
  manifests: readonly Manifest[],
  live: Revision | undefined,
): Promise<string[]> {
  const deployments = manifests.map(({ object }) => object).filter(isDeployment);
  for (const object of deployments) delete objectAt(object, 'spec')['paused'];
  const found = await Promise.all(
    deployments.flatMap((object) => writtenAt(object, live)).map((ref) => client.read(ref)),
  );
  return found
    .filter((object) => object !== undefined)
    .filter(isPaused)
    .map((object) => `${describeRef(refOf(object), true)} was paused ${pausedBy(object)}; the rollback resumes it`);
}

/** Where a rollback brings a Deployment in: of two sides it is not the one that serves. */
function writtenAt(object: KubernetesObject, live: Revision | undefined): ObjectRef[] {
  const ref = refOf(object);
  if (live?.serving?.[keyOf(ref)] === undefined) return [ref];
  const serving = runningRef(live, object).name;
  return [ref, { ...ref, name: candidateName(ref.name, 'green') }].filter(({ name }) => name !== serving);
}
