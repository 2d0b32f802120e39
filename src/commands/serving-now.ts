import { messageOf } from '../base/errors.ts';
import { numberAt } from '../base/json.ts';
import { refOf, type KubernetesObject } from '../kubernetes/object.ts';
import { isWorkload, keepsItsPods } from '../manifests/kinds.ts';
import { imagesOf, podsOf } from '../manifests/pod-template.ts';
import type { Context } from '../release/context.ts';
import type { Revision } from '../release/revision-shape.ts';
import { listRevisions, liveRevision, runningRef } from '../release/revision.ts';
import { nameServing, type Serving } from '../report/headline.ts';
import { versionOf } from '../report/image-words.ts';
import type { WorkloadReport } from '../report/run-report.ts';
import { workloadRow } from '../report/workloads.ts';
import { podsBehind, templateLabels } from '../traffic/pods.ts';
import { isService, selectorOf, selects } from '../traffic/services.ts';

/** What is live of a release, by a look at the cluster. */
export interface ServingNow {
  /** What the ready pods run that its Services lead to: `web 1.0.0`; absent where none is ready behind them, or that cannot be seen. */
  serving?: string;
  /** Its workloads as they are. */
  workloads: WorkloadReport[];
}

/** Looks at what the users of a release get at this moment. What cannot be seen is left out. */
export async function servingNow(
  { client, reporter }: Pick<Context, 'client' | 'reporter'>,
  { namespace, release }: { namespace: string; release: string },
): Promise<ServingNow> {
  try {
    const live = liveRevision(await listRevisions(client, namespace, release));
    if (live === undefined) return { workloads: [] };
    const services = live.objects.filter(isService);
    const [found, workloads] = await Promise.all([
      Promise.all(services.map(async (service) => await servedBy(client, service, live))),
      workloadsOf(client, live),
    ]);
    const serving = nameServing(found.filter((one) => one !== undefined));
    return { workloads, ...(serving === undefined ? {} : { serving }) };
  } catch (error) {
    reporter.debug(`what serves now is not known: ${messageOf(error)}`);
    return { workloads: [] };
  }
}

async function workloadsOf(client: Context['client'], live: Revision): Promise<WorkloadReport[]> {
  const recorded = live.objects.filter((object) => isWorkload(object) && keepsItsPods(object));
  const found = await Promise.all(recorded.map(async (object) => await client.read(runningRef(live, object))));
  return found.flatMap((object) => (object === undefined ? [] : workloadRow(object, readinessOf(object))));
}

/** By what its controller counts; of a DaemonSet, by the nodes that it is for. */
function readinessOf(object: KubernetesObject): Pick<WorkloadReport, 'state' | 'message'> {
  const count = (...path: string[]) => numberAt(object, 'status', ...path);
  const ready = count('readyReplicas') ?? count('numberReady') ?? 0;
  const wanted = count('desiredNumberScheduled') ?? podsOf(object);
  const pods = wanted === 1 ? 'pod' : 'pods';
  return { state: ready >= wanted ? 'ready' : 'progressing', message: `${ready} of ${wanted} ${pods} ready` };
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
