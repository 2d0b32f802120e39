import { messageOf } from '../base/errors.ts';
import { refOf, type KubernetesObject } from '../kubernetes/object.ts';
import { isWorkload, keepsItsPods } from '../manifests/kinds.ts';
import { hasPods, imagesOf } from '../manifests/pod-template.ts';
import type { Context } from '../release/context.ts';
import type { Revision } from '../release/revision-shape.ts';
import { listRevisions, liveRevision, runningRef } from '../release/revision.ts';
import { nameServing, type Serving } from '../report/headline.ts';
import { versionOf } from '../report/image-words.ts';
import type { HealthReport } from '../report/run-report.ts';
import { lookAt } from '../rollout/look.ts';
import { podsBehind, templateLabels } from '../traffic/pods.ts';
import { isService, selectorOf, selects } from '../traffic/services.ts';
import { versionsIn } from './health.ts';

/** What is live of a release, by a look at the cluster. */
export interface ServingNow {
  /** What the ready pods run that its Services lead to: `web 1.0.0`; absent where none is ready behind them, or that cannot be seen. */
  serving?: string;
  /** What the pods of its workloads run, also those that no Service leads to. */
  versions: HealthReport['versions'];
}

/** Looks at what the users of a release get at this moment. What cannot be seen is left out. */
export async function servingNow(
  { client, clock, reporter }: Pick<Context, 'client' | 'clock' | 'reporter'>,
  { namespace, release }: { namespace: string; release: string },
): Promise<ServingNow> {
  try {
    const live = liveRevision(await listRevisions(client, namespace, release));
    if (live === undefined) return { versions: [] };
    const services = live.objects.filter(isService);
    const [found, versions] = await Promise.all([
      Promise.all(services.map(async (service) => await servedBy(client, service, live))),
      runningOf({ client, clock }, live),
    ]);
    const serving = nameServing(found.filter((one) => one !== undefined));
    return { versions, ...(serving === undefined ? {} : { serving }) };
  } catch (error) {
    reporter.debug(`what serves now is not known: ${messageOf(error)}`);
    return { versions: [] };
  }
}

async function runningOf(
  { client, clock }: Pick<Context, 'client' | 'clock'>,
  live: Revision,
): Promise<HealthReport['versions']> {
  const recorded = live.objects.filter((object) => hasPods(object) && keepsItsPods(object));
  const found = await Promise.all(recorded.map(async (object) => await client.read(runningRef(live, object))));
  return versionsIn(
    await lookAt(
      client,
      found.filter((object) => object !== undefined),
      clock,
    ),
  );
}

async function servedBy(
  client: Context['client'],
  recorded: KubernetesObject,
  { objects }: Revision,
): Promise<Serving | undefined> {
  const service = await client.read(refOf(recorded));
  if (service === undefined) return undefined;
  const pods = await podsBehind(client, service);
  const workload = objects.find(
    (object) => isWorkload(object) && selects(selectorOf(recorded), templateLabels(object)),
  );
  if (workload === undefined || pods.length === 0) return undefined;
  const groups = Map.groupBy(pods, (pod) => versionIn(pod, workload));
  const versions = [...groups].sort(([, one], [, other]) => other.length - one.length).map(([version]) => version);
  return { workload: workload.metadata.name, versions };
}

/** Of the containers that the workload itself has: what a webhook adds beside them is no version of it. */
function versionIn(pod: KubernetesObject, workload: KubernetesObject): string {
  const own = new Set(imagesOf(workload).map(({ name }) => name));
  const images = imagesOf({ ...pod, apiVersion: 'v1', kind: 'Pod' });
  return [
    ...new Set(images.flatMap(({ name, image }) => (own.has(name) && image !== undefined ? [versionOf(image)] : []))),
  ].join(' + ');
}
