import { InvalidInput } from '../base/errors.ts';
import { isStatus } from '../kubernetes/errors.ts';
import { describeRef, keyOf, refOf, type KubernetesObject, type ObjectRef } from '../kubernetes/object.ts';
import { isWorkload, keepsItsPods } from '../manifests/kinds.ts';
import { ownersOfSelected } from '../traffic/owners.ts';
import { ownAmong } from '../rollout/ownership.ts';
import { lastingPods } from '../rollout/readiness/kept-pods.ts';
import { podsWithLabelsOf, templateLabels } from '../traffic/pods.ts';
import { isService, selectorOf, selects, type Labels } from '../traffic/services.ts';
import { candidateName } from './candidate.ts';
import type { PlanContext } from '../plan/plan.ts';
import type { Prepared } from '../apply/prepared.ts';

/** Who else has pods behind a Service. */
export interface Bystanders {
  service: KubernetesObject;
  owners: ObjectRef[];
}

/**
 * What has pods behind a Service and is none of these workloads, nor a candidate made from one.
 * @param selectors those that the Service has, and is to get
 */
export async function bystandersOf(
  { client, namespace }: PlanContext,
  service: KubernetesObject,
  selectors: readonly Labels[],
  workloads: readonly ObjectRef[],
): Promise<ObjectRef[]> {
  const at = service.metadata.namespace ?? namespace;
  const own = new Set(workloads.flatMap(withCandidates).map((ref) => keyOf({ ...ref, namespace: at })));
  const wanted = selectors.filter((selector) => Object.keys(selector).length > 0);
  const found = (await Promise.all(wanted.map(async (one) => await ownersOfSelected(client, at, one)))).flat();
  const others = new Map(found.map((ref) => [keyOf(ref), ref]));
  return [...others].filter(([key]) => !own.has(key)).map(([, ref]) => ref);
}

/**
 * The pods that a Service selects, whatever makes them, but those of these workloads and of candidates made from one. Pods that are
 * about to end or have ended do not count. Undefined without the right to see pods.
 */
export async function strangersBehind(
  { client }: PlanContext,
  service: KubernetesObject,
  workloads: readonly KubernetesObject[],
): Promise<KubernetesObject[] | undefined> {
  try {
    const pods = lastingPods((await podsWithLabelsOf(client, service)).map((pod) => ({ ...pod, kind: 'Pod' })));
    const own = new Set(
      workloads.flatMap((workload) =>
        withCandidates(refOf(workload)).flatMap(({ name }) =>
          ownAmong({ ...workload, metadata: { ...workload.metadata, name } }, pods),
        ),
      ),
    );
    return pods.filter((pod) => !own.has(pod));
  } catch (error) {
    if (isStatus(error, 403)) return undefined;
    throw error;
  }
}

function withCandidates(ref: ObjectRef): ObjectRef[] {
  const tracks = ref.kind === 'Deployment' ? (['canary', 'green'] as const) : [];
  return [ref, ...tracks.map((track) => ({ ...ref, name: candidateName(ref.name, track) }))];
}

/**
 * Services whose requests go to others, and that workloads are to come behind which are not there yet: one that has been renamed or
 * has become another kind, or a second one beside the first.
 * @param others what belongs to the release beside these
 */
async function joined(
  context: PlanContext,
  prepared: readonly Prepared[],
  others: readonly ObjectRef[] = [],
): Promise<(Bystanders & { created: KubernetesObject })[]> {
  const created = prepared.filter(
    ({ live, manifest: { object } }) => live === undefined && isWorkload(object) && keepsItsPods(object),
  );
  const own = [...prepared.map(({ manifest }) => refOf(manifest.object)), ...others];
  const services = prepared.flatMap(({ live, manifest }) =>
    live !== undefined && isService(live) ? [{ live, next: manifest.object }] : [],
  );
  const found = await Promise.all(
    created.flatMap(({ manifest: { object } }) =>
      services
        .filter(({ live, next }) => isBehind(next, object) && live.metadata.namespace === object.metadata.namespace)
        .map(async ({ live }) => ({
          service: live,
          created: object,
          owners: await bystandersOf(context, live, [selectorOf(live)], own),
        })),
    ),
  );
  return found.filter(({ owners }) => owners.length > 0);
}

function isBehind(service: KubernetesObject, workload: KubernetesObject): boolean {
  return selects(selectorOf(service), templateLabels(workload));
}

/** @throws InvalidInput where a new workload would come in past the strategy, beside or instead of what serves */
export async function refuseJoined(
  context: PlanContext,
  prepared: readonly Prepared[],
  strategy: 'canary' | 'blue-green',
  others: readonly ObjectRef[] = [],
): Promise<void> {
  const [first] = await joined(context, prepared, others);
  if (first === undefined) return;
  const { service, owners, created } = first;
  const names = namesOf(owners);
  throw new InvalidInput(
    `${describeRef(refOf(service))} sends its requests to ${names}, and ${describeRef(refOf(created))} is new: the strategy "${strategy}" would roll it out all at once, and leave ${names} beside it`,
    {
      hint: `If it was renamed or changed its kind, deploy it once with "strategy: rolling", then delete ${names}. If both are to stay, give their pods and Services different labels.`,
    },
  );
}

/** Says who goes on getting requests beside what is new. */
export async function tellJoined(context: PlanContext, prepared: readonly Prepared[]): Promise<void> {
  for (const { service, owners, created } of await joined(context, prepared)) {
    const stillSelected = await bystandersOf(
      context,
      service,
      prepared.filter(({ live }) => live === service).map(({ manifest }) => selectorOf(manifest.object)),
      prepared.map(({ manifest }) => refOf(manifest.object)),
    );
    const others = namesOf(owners);
    context.reporter.warning(
      stillSelected.length === 0
        ? `${describeRef(refOf(service))} sends its requests to ${others} until ${describeRef(refOf(created))} is ready; delete ${others} when it is not needed any more`
        : `${describeRef(refOf(service))} keeps sending requests to ${others} beside the new ${describeRef(refOf(created))}: if it was renamed, delete ${others} once it is ready`,
    );
  }
}

export function namesOf(refs: readonly ObjectRef[]): string {
  return refs.map((ref) => describeRef(ref)).join(' and ');
}

/** Services that a deploy binds to one side, and who would lose their requests, or be mixed in. @throws InvalidInput */
export function refuseBystanders(found: readonly Bystanders[]): void {
  const first = found.find(({ owners }) => owners.length > 0);
  if (first === undefined) return;
  const service = describeRef(refOf(first.service));
  throw new InvalidInput(
    `${service} sends requests to ${namesOf(first.owners)} too, which would get none or all of them after a blue-green switch of this release`,
    {
      hint: `Give the pods of this release a label that no others have and let the Service select by it; or delete ${namesOf(first.owners)} if it is left over; or deploy with "strategy: rolling".`,
    },
  );
}
