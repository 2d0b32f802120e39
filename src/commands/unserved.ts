import { mapConcurrently } from '../base/concurrency.ts';
import { Failure, type Location } from '../base/errors.ts';
import { keyOf, refOf, type KubernetesObject } from '../kubernetes/object.ts';
import type { Prepared } from '../apply/prepared.ts';
import type { Manifest } from '../manifests/manifest.ts';
import type { Context } from '../release/context.ts';
import type { Report } from '../report/report.ts';
import { readyEndpoints } from '../traffic/ready-endpoints.ts';
import { isService } from '../traffic/services.ts';
import {
  describeUnserved,
  judgeUnserved,
  withoutPods,
  type Around,
  type ServiceNow,
  type Unserved,
} from '../traffic/unserved.ts';
import type { Purpose } from './purpose.ts';

/** A Service that sends its requests to nobody. */
export interface UnservedService {
  /** One sentence. */
  text: string;
  why: Unserved;
  location?: Location;
}

/** How long labels that pods are given while they run, such as those of a leader, may take, ms. */
const patienceMs = 30_000;
const pollMs = 1_000;

const hint = 'Fix the selector of the Service, or the labels of the pods.';

/**
 * Looks at each Service of a change that selects no pods of the release, whether anybody is behind it. A Service leads to the pods
 * that have its labels, and not to the workload whose name it has: a wrong letter in its selector is an outage in which all pods
 * are ready.
 * @param deadline milliseconds since the epoch, until which endpoints may still come; absent where nothing was written
 */
export async function findUnserved(
  context: Context,
  purpose: Purpose,
  prepared: readonly Prepared[],
  { signal, deadline }: { signal: AbortSignal; deadline?: number },
): Promise<UnservedService[]> {
  const around = aroundOf(purpose, prepared);
  const looked = await mapConcurrently(withoutPods(around), concurrency, async (service) => {
    const why = judgeUnserved(service, around);
    const until = why === 'broken' || why === 'found' ? deadline : undefined;
    return { service, why, isServed: await isServed(context, service.now, signal, until) };
  });
  return looked
    .filter((one) => !one.isServed)
    .map(({ service, why }) => ({
      text: describeUnserved(service.now, { selectsNone: true }),
      why,
      ...placeOf(service, purpose.manifests),
    }));
}

/** @throws Failure with the first that has one of these reasons */
export function refuseUnserved(found: readonly UnservedService[], reasons: readonly Unserved[]): void {
  const [first] = found.filter(({ why }) => reasons.includes(why));
  if (first === undefined) return;
  const { text, location } = first;
  throw new Failure(text, { hint, ...(location === undefined ? {} : { location }) });
}

/** What nobody can have meant, and for what there may be a reason: that is a warning. One sentence each. */
export function tellUnserved(
  found: readonly UnservedService[],
  report: Report,
): { faults: readonly string[]; remarks: readonly string[] } {
  const isFault = ({ why }: UnservedService) => why === 'broken' || why === 'found';
  const remarks = found.filter((one) => !isFault(one));
  for (const { text, location } of remarks) report.warn(`${text}. ${hint}`, location);
  return { faults: found.filter(isFault).map(({ text }) => text), remarks: remarks.map(({ text }) => text) };
}

/** Requests at a time. */
const concurrency = 8;

function aroundOf({ manifests, idle = [], alongside = [], surplus }: Purpose, prepared: readonly Prepared[]): Around {
  const meant = new Map(manifests.map(({ object }) => [keyOf(refOf(object)), object]));
  const services = prepared
    .filter(({ manifest }) => isService(manifest.object))
    .map(({ manifest: { object }, predicted, live }): ServiceNow => ({
      meant: meant.get(keyOf(refOf(object))) ?? object,
      now: predicted ?? object,
      before: live,
    }));
  const workloads = [...meant.values(), ...prepared.map(({ manifest }) => manifest.object), ...idle, ...alongside];
  return {
    services,
    workloads,
    objects: workloads,
    before: [...prepared.flatMap(({ live }) => live ?? []), ...surplus],
  };
}

function placeOf({ meant }: ServiceNow, manifests: readonly Manifest[]): Pick<UnservedService, 'location'> {
  const manifest = manifests.find(({ object }) => object === meant);
  return manifest === undefined ? {} : { location: manifest.source.locate(['spec', 'selector']) };
}

async function isServed(
  { client, clock }: Context,
  service: KubernetesObject,
  signal: AbortSignal,
  deadline: number | undefined,
): Promise<boolean> {
  const until = deadline === undefined ? 0 : Math.min(deadline, clock.now() + patienceMs);
  for (;;) {
    const live = await client.read(refOf(service));
    // One that was removed meanwhile, or leads elsewhere, is none of these any more.
    if (live === undefined || (await readyEndpoints(client, live)) !== 0) return true;
    if (clock.now() >= until) return false;
    await clock.sleep(pollMs, signal);
  }
}
