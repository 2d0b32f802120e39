import { mapConcurrently } from '../base/concurrency.ts';
import { stringAt } from '../base/json.ts';
import type { KubernetesClient } from '../kubernetes/client.ts';
import { describeRef, refOf, type KubernetesObject } from '../kubernetes/object.ts';
import { isWorkload } from '../manifests/kinds.ts';
import { ownAmong } from '../rollout/ownership.ts';
import type { Verdict } from '../rollout/verdict.ts';
import { podsSelectedBy } from '../traffic/pods.ts';
import type { Context } from '../release/context.ts';
import type { Report } from '../report/report.ts';
import type { RolloutWatch, WorkloadPods } from '../report/watch.ts';

/** Requests under way at once. */
const concurrency = 8;

/**
 * Says what a success does not wait for and is still to come: pods of before that have not ended, and what was accepted although it
 * is not ready, such as a claim that waits for the first pod that uses it.
 */
export async function tellNotOver(context: Context, watch: RolloutWatch, report: Report): Promise<void> {
  tellAsNotOver(context, await findNotOver(context, watch), report);
}

/** The pods that the workloads which were awaited have now. */
export async function podsOfAwaited(
  { client }: Pick<Context, 'client'>,
  { awaited }: RolloutWatch,
): Promise<WorkloadPods[]> {
  return await mapConcurrently(
    awaited.map(({ object }) => object).filter(isWorkload),
    concurrency,
    async (workload) => ({ workload, pods: await podsNow(client, workload) }),
  );
}

/** It is a courtesy: what cannot be seen fails nothing. */
async function podsNow(client: KubernetesClient, workload: KubernetesObject): Promise<KubernetesObject[]> {
  if (workload.kind === 'Pod') return [workload];
  return ownAmong(workload, await podsSelectedBy(client, workload).catch(() => []));
}

/** The sentences that `tellNotOver` says, for whoever has something else to do meanwhile. */
export async function findNotOver(context: Pick<Context, 'client'>, watch: RolloutWatch): Promise<string[]> {
  return notOverAmong(await podsOfAwaited(context, watch), watch);
}

/** The same of pods that were listed already. */
export function notOverAmong(seen: readonly WorkloadPods[], { awaited }: RolloutWatch): string[] {
  const ending = seen.map(({ workload, pods }) => stillEnding(workload, pods));
  const texts = [...ending, ...awaited.map(({ object, verdict }) => notAwaited(object, verdict))];
  return texts.filter((text) => text !== undefined);
}

export function tellAsNotOver({ reporter }: Pick<Context, 'reporter'>, texts: readonly string[], report: Report): void {
  for (const text of texts) {
    reporter.info(text);
    report.mark(text);
  }
}

/** Of a workload whose new pods are all ready: the others get no new requests, and go on with those that they have. */
export function stillEnding(workload: KubernetesObject, pods: readonly KubernetesObject[]): string | undefined {
  const isOver = (pod: KubernetesObject) => ['Succeeded', 'Failed'].includes(stringAt(pod, 'status', 'phase') ?? '');
  const count = pods.filter((pod) => pod.metadata.deletionTimestamp !== undefined && !isOver(pod)).length;
  if (count === 0) return undefined;
  const [are, they, them] = count === 1 ? ['old pod is', 'it', 'it'] : ['old pods are', 'they', 'them'];
  return `${describeRef(refOf(workload))}: ${count} ${are} still terminating, and ${they} may finish requests already sent to ${them}`;
}

export function notAwaited(object: KubernetesObject, verdict: Verdict): string | undefined {
  // What holds pods back stands in the headline.
  if (verdict.state !== 'unchecked' || verdict.held !== undefined) return undefined;
  const why = verdict.message.replace(/^not waited for: /, '');
  return `${describeRef(refOf(object))} is not waited for: ${why}`;
}
