import { Failure } from '../base/errors.ts';
import { stringsAt } from '../base/json.ts';
import type { KubernetesClient } from '../kubernetes/client.ts';
import { isStatus } from '../kubernetes/errors.ts';
import { describeRef, keyOf, refOf, type KubernetesObject, type ObjectRef } from '../kubernetes/object.ts';
import { hasPods, isScaledToZero } from '../manifests/pod-template.ts';
import { podsBehind } from '../traffic/pods.ts';
import { selects } from '../traffic/services.ts';
import type { WaitingCandidate } from './journal-shape.ts';
import { followingServices, leadsTo, unrecordedServices } from './leading-services.ts';
import { liveRevision, runningRef } from './revision.ts';
import type { Revision } from './revision-shape.ts';

/**
 * A candidate that waits serves nobody alone, until somebody switches a Service to it: removed then, it would leave the Service
 * without a pod, and no record says so. What cannot be seen refuses nothing.
 * @param revisions those of the release
 * @throws Failure
 */
export async function refuseServingCandidate(
  client: KubernetesClient,
  { candidates: refs, revision }: WaitingCandidate,
  revisions: readonly Revision[],
): Promise<void> {
  const live = liveRevision(revisions);
  const known = live ?? revisions.find((one) => one.revision === revision);
  if (known === undefined) return;
  const read = async (ref: ObjectRef) => await readable(client.read(ref));
  const keys = new Set(refs.map(keyOf));
  const recorded = stableIn(known, live !== undefined).filter(({ ref }) => !keys.has(keyOf(ref)));
  const [candidates, stable, services] = await Promise.all([
    Promise.all(refs.map(read)),
    Promise.all(recorded.map(async ({ ref, object }) => (await read(ref)) ?? object)),
    Promise.all(
      followingServices(known)
        // One that has never led to what serves is for the candidate alone.
        .filter((service) => known.idle !== undefined || recorded.some(({ object }) => leadsTo(service, object)))
        .map(async (service) => await read(refOf(service))),
    ),
  ]);
  const there = candidates.filter((candidate) => candidate !== undefined);
  const unrecorded = await unrecordedServices(client, known, there);
  for (const service of [...services, ...unrecorded].filter((one) => one !== undefined)) {
    const serving = there.filter((candidate) => leadsTo(service, candidate));
    if (serving.length === 0 || stable.some((object) => !isScaledToZero(object) && leadsTo(service, object))) continue;
    if (await isServedBy(client, service, serving)) throw servesAlone(service, serving, revision);
  }
}

/** Workloads that serve beside a candidate, and where they run. */
function stableIn(revision: Revision, isLive: boolean): { ref: ObjectRef; object: KubernetesObject }[] {
  const { objects, idle = [] } = revision;
  const own = isLive ? objects : [...objects, ...idle];
  return own.filter(hasPods).map((object) => ({ ref: isLive ? runningRef(revision, object) : refOf(object), object }));
}

/** Whether a Service has ready pods, and all of them are of these workloads. */
async function isServedBy(
  client: KubernetesClient,
  service: KubernetesObject,
  workloads: readonly KubernetesObject[],
): Promise<boolean> {
  const pods = (await readable(podsBehind(client, service))) ?? [];
  const selectors = workloads.map((workload) => stringsAt(workload, 'spec', 'selector', 'matchLabels'));
  return (
    pods.length > 0 &&
    pods.every(({ metadata }) => selectors.some((selector) => selects(selector, metadata.labels ?? {})))
  );
}

function servesAlone(service: KubernetesObject, serving: readonly KubernetesObject[], revision: number): Failure {
  const names = serving.map(({ metadata }) => metadata.name).join(', ');
  return new Failure(
    `${describeRef(refOf(service), true)} sends its requests only to the candidate of revision ${revision} (${names}), so the candidate cannot be removed: someone switched the Service to it`,
    { hint: 'Run the command "promote" to make the candidate live, or switch the Service back first.' },
  );
}

async function readable<T>(reading: Promise<T>): Promise<T | undefined> {
  try {
    return await reading;
  } catch (error) {
    if (isStatus(error, 403)) return undefined;
    throw error;
  }
}
