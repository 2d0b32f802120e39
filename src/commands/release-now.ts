import { mapConcurrently } from '../base/concurrency.ts';
import { numberAt } from '../base/json.ts';
import type { KubernetesClient } from '../kubernetes/client.ts';
import { isStatus } from '../kubernetes/errors.ts';
import { isGoing } from '../kubernetes/going.ts';
import { describeRef, keyOf, refOf, type KubernetesObject, type ObjectRef } from '../kubernetes/object.ts';
import { isConfig, isDeployment, runsOnce } from '../manifests/kinds.ts';
import { hasPods } from '../manifests/pod-template.ts';
import { driftOf } from '../release/drift.ts';
import { autoscalersIn, scaledTargets, scalesToZero } from '../apply/hpa.ts';
import { followingServices } from '../release/leading-services.ts';
import { runningRef } from '../release/revision.ts';
import { candidateName } from '../strategies/candidate.ts';
import { templateLabels } from '../traffic/pods.ts';
import { readyEndpoints } from '../traffic/ready-endpoints.ts';
import { isService, selectorOf, selects } from '../traffic/services.ts';
import { describeUnserved, judgeUnserved, leadsTo, type ServiceNow } from '../traffic/unserved.ts';
import type { Examined } from './health.ts';
import type { HealthProblem } from '../report/run-report.ts';
import type { Drift } from '../release/drift-words.ts';
import type { Revision } from '../release/revision-shape.ts';

/** The objects of a revision as they are in the cluster. */
export interface ReleaseNow {
  found: (Examined & { recorded: KubernetesObject })[];
  problems: HealthProblem[];
  /** What may not be read, one sentence each. */
  warnings: string[];
  /** What is not there and is not missed, one sentence each. */
  notes: string[];
  /** Keys of the objects whose number of pods an autoscaler sets. */
  autoscaled: ReadonlySet<string>;
}

/** Requests under way at once. */
const concurrency = 16;

/** Reads what a revision has, each object where the strategy runs it. What is not there is a problem. */
export async function readRelease(client: KubernetesClient, revision: Revision): Promise<ReleaseNow> {
  const namespaces = new Set(revision.objects.flatMap(({ metadata }) => metadata.namespace ?? []));
  const places = namespaces.size === 0 ? [client.defaultNamespace] : [...namespaces];
  const listed = await mapConcurrently(places, concurrency, (namespace) => autoscalersIn(client, namespace));
  const autoscalers = listed.flat();
  const empty = scaledTargets(autoscalers.filter(scalesToZero));
  const now: ReleaseNow = { found: [], problems: [], warnings: [], notes: [], autoscaled: scaledTargets(autoscalers) };
  const suffix = suffixOf(revision);
  const read = await mapConcurrently(revision.objects, concurrency, async (recorded) => {
    try {
      for (const ref of placesOf(revision, recorded, suffix)) {
        const object = await client.read(ref);
        if (object !== undefined) return { recorded, object };
      }
      return { recorded, object: undefined };
    } catch (error) {
      if (!isStatus(error, 403) && !isStatus(error, 404)) throw error;
      return { recorded, object: undefined, unreadable: isStatus(error, 403) };
    }
  });
  for (const { recorded, object, unreadable = false } of read) {
    const ref = refOf(recorded);
    if (object !== undefined) {
      now.found.push({ recorded, object, mayBeEmpty: empty.has(keyOf(refOf(object))) });
    } else if (unreadable)
      now.warnings.push(`${describeRef(ref, true)} cannot be read (no permission), so nothing is known about it`);
    else if (removesItself(recorded)) continue;
    else if (runsOnce(recorded)) now.notes.push(hasRun(ref));
    else now.problems.push(missing(ref));
  }
  return now;
}

function missing(ref: ObjectRef): HealthProblem {
  return {
    ref,
    message: `${describeRef(ref)} is missing: somebody has deleted it`,
    hint: 'Deploy again to bring it back.',
  };
}

function hasRun(ref: ObjectRef): string {
  return `${describeRef(ref)} is no longer in the cluster: it runs only once, so nothing is wrong; a deploy of it would run it again`;
}

/** A Job may remove itself when it has ended. */
function removesItself(object: KubernetesObject): boolean {
  return object.kind === 'Job' && numberAt(object, 'spec', 'ttlSecondsAfterFinished') !== undefined;
}

/** What the names of the side that serves end with where a strategy has made it: `-green`. */
export function suffixOf({ serving = {}, idle, objects }: Revision): string | undefined {
  if (idle !== undefined) return undefined;
  const isGreen = objects.some(
    (object) => serving[keyOf(refOf(object))] === candidateName(object.metadata.name, 'green'),
  );
  return isGreen ? '-green' : undefined;
}

/** Where an object of a revision may be, the likeliest first: a green side reads copies of its config. */
function placesOf(revision: Revision, object: KubernetesObject, suffix: string | undefined): ObjectRef[] {
  const ref = runningRef(revision, object);
  return isConfig(object) && suffix !== undefined ? [{ ...ref, name: `${ref.name}${suffix}` }, ref] : [ref];
}

/** What is not as it was recorded, with the workloads first. */
export function driftIn({ found, autoscaled }: ReleaseNow, revision: Revision, inProgress: boolean): Drift[] {
  const suffix = suffixOf(revision);
  const recordedAt = Date.parse(revision.finishedAt);
  const changes = found
    .filter(({ object }) => !isGoing(object))
    .flatMap(({ object, recorded }) =>
      driftOf(recorded, object, {
        autoscaled: autoscaled.has(keyOf(refOf(object))),
        inProgress,
        ...(Number.isNaN(recordedAt) ? {} : { recordedAt }),
        ...(suffix === undefined ? {} : { suffix }),
      }),
    );
  const rank = ({ field }: Drift) => (field.startsWith('image ') ? 0 : field === 'replicas' ? 1 : 2);
  return changes.sort((left, right) => rank(left) - rank(right));
}

/**
 * Services that send their requests to nobody. Of pods that are not wanted none is missed, and nobody behind a Service that waits
 * for pods of its own, beside one that leads to those of the release, is a note. `apart` are those whose pods may be none of the
 * release's: what the release does with its own says nothing of them.
 */
export async function unservedIn(
  client: KubernetesClient,
  { found }: ReleaseNow,
): Promise<{ notes: string[]; problems: HealthProblem[]; apart: HealthProblem[] }> {
  const workloads = found.filter(({ object }) => hasPods(object)).map(({ object }) => object);
  const services = found
    .filter(({ object }) => isService(object) && !isGoing(object))
    .map(({ object, recorded }): ServiceNow => ({ meant: recorded, now: object, before: object }));
  const counts = await mapConcurrently(services, concurrency, async (service) => ({
    service,
    count: await readyEndpoints(client, service.now),
  }));
  const notes: string[] = [];
  const problems: HealthProblem[] = [];
  const apart: HealthProblem[] = [];
  for (const { service } of counts.filter(({ count }) => count === 0)) {
    const selected = found.filter(({ object }) => leadsTo(service.now, [object]));
    const isMeant = ({ recorded, mayBeEmpty }: ReleaseNow['found'][number]) =>
      numberAt(recorded, 'spec', 'replicas') === 0 || mayBeEmpty === true;
    if (selected.length > 0 && selected.every(isMeant)) continue;
    const selectsNone = selected.length === 0;
    const message = describeUnserved(service.now, { selectsNone });
    const around = { services, workloads, before: [], objects: found.map(({ object }) => object) };
    const why = selectsNone ? judgeUnserved(service, around) : 'found';
    const problem = { ref: refOf(service.now), message, hint: 'Check the pods that it selects, and its selector.' };
    if (why === 'beside') notes.push(message);
    else (why === 'unknown' ? apart : problems).push(problem);
  }
  return { notes, problems, apart };
}

/** Which side serves behind each Service of a release that is deployed in two sides; a problem when it is not the live one. */
export async function servingIn(
  client: KubernetesClient,
  { found }: ReleaseNow,
  revision: Revision,
): Promise<{ notes: string[]; problems: HealthProblem[] }> {
  if (revision.serving === undefined) return { notes: [], problems: [] };
  const recorded = [...revision.objects, ...(revision.idle ?? [])].filter(isDeployment);
  const refs = recorded.flatMap((object) => {
    const ref = refOf(object);
    const green = { ...ref, name: candidateName(ref.name, 'green') };
    return revision.idle === undefined ? [ref, green] : [ref, runningRef(revision, object)];
  });
  const unique = [...new Map(refs.map((ref) => [keyOf(ref), ref])).values()];
  const deployments = await mapConcurrently(unique, concurrency, (ref) => client.read(ref));
  const expected = new Set(revision.objects.filter(isDeployment).map((object) => runningRef(revision, object).name));
  const notes: string[] = [];
  const problems: HealthProblem[] = [];
  // One that is for a side of the user's own alone follows nothing.
  const following = new Set(followingServices(revision).map((object) => keyOf(refOf(object))));
  for (const { object: service } of found.filter(({ object }) => following.has(keyOf(refOf(object))))) {
    const serving = deployments.flatMap((object) =>
      object !== undefined &&
      selects(selectorOf(service), templateLabels(object)) &&
      (numberAt(object, 'spec', 'replicas') ?? 1) > 0
        ? [object.metadata.name]
        : [],
    );
    if (serving.length === 0) continue;
    const name = describeRef(refOf(service));
    notes.push(`${serving.join(' and ')} serves behind ${name}`);
    const others = serving.filter((one) => !expected.has(one));
    if (others.length === 0) continue;
    const instead = serving.length > others.length ? 'too' : `and not ${[...expected].join(', ')}`;
    problems.push({
      ref: refOf(service),
      message: `${name} sends requests to ${others.join(', ')}, ${instead}: in revision ${revision.revision} that side is not live`,
    });
  }
  return { notes, problems };
}
