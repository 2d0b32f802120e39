import { Failure } from '../base/errors.ts';
import { stringsAt } from '../base/json.ts';
import type { KubernetesClient } from '../kubernetes/client.ts';
import { isStatus } from '../kubernetes/errors.ts';
import { describeRef, keyOf, refOf, type KubernetesObject, type ObjectRef } from '../kubernetes/object.ts';
import { autoscalersIn, scaledTargets, scalesToZero } from '../apply/hpa.ts';
import { hasPods, isScaledToZero, podsOf } from '../manifests/pod-template.ts';
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
  const [candidates, stable, empty, services] = await Promise.all([
    Promise.all(refs.map(read)),
    Promise.all(recorded.map(async ({ ref, object }) => ({ object: (await read(ref)) ?? object, recorded: object }))),
    scaledToZero(client, recorded),
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
    const beside = stable.filter(({ object }) => leadsTo(service, object));
    const answers = ({ object }: Stable) => !isScaledToZero(object) || empty.has(keyOf(refOf(object)));
    if (serving.length === 0 || beside.some(answers) || !(await isServedBy(client, service, serving))) continue;
    const [none] = beside;
    throw none === undefined
      ? servesAlone(service, serving, revision)
      : servesBesideNone(service, serving, revision, none);
  }
}

interface Stable {
  /** As it is now. */
  object: KubernetesObject;
  recorded: KubernetesObject;
}

/** Those, by key, whose autoscaler may take all pods away, and brings them back when they are needed. */
async function scaledToZero(
  client: KubernetesClient,
  recorded: readonly { ref: ObjectRef }[],
): Promise<ReadonlySet<string>> {
  const namespaces = new Set(recorded.map(({ ref }) => ref.namespace ?? client.defaultNamespace));
  const autoscalers = await Promise.all([...namespaces].map(async (one) => await autoscalersIn(client, one)));
  return scaledTargets(autoscalers.flat().filter(scalesToZero));
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

/** Nobody has switched anything: what is stable has no pods beside it. */
function servesBesideNone(
  service: KubernetesObject,
  serving: readonly KubernetesObject[],
  revision: number,
  { object, recorded }: Stable,
): Failure {
  const { kind, name, namespace } = refOf(object);
  const names = serving.map(({ metadata }) => metadata.name).join(', ');
  const pods = Math.max(1, podsOf(recorded));
  const scaling = `kubectl scale ${kind.toLowerCase()} ${name} --replicas=${pods}${namespace === undefined ? '' : ` -n ${namespace}`}`;
  return new Failure(
    `${describeRef(refOf(object), true)} has 0 pods, so ${describeRef(refOf(service))} sends its requests only to the candidate of revision ${revision} (${names}), which cannot be removed`,
    { hint: `Scale it up first ("${scaling}"), or run the command "promote" to make the candidate live.` },
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
