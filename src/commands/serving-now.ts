import { messageOf } from '../base/errors.ts';
import { refOf, type KubernetesObject } from '../kubernetes/object.ts';
import { isWorkload } from '../manifests/kinds.ts';
import { imagesOf } from '../manifests/pod-template.ts';
import type { Context } from '../release/context.ts';
import type { Revision } from '../release/revision-shape.ts';
import { listRevisions, liveRevision } from '../release/revision.ts';
import { nameServing, type Serving } from '../report/headline.ts';
import { versionOf } from '../report/image-words.ts';
import { podsBehind, templateLabels } from '../traffic/pods.ts';
import { isService, selectorOf, selects } from '../traffic/services.ts';

/**
 * What the users of a release get: what the ready pods run that its Services lead to at this moment.
 * @returns `web 1.0.0`; undefined where nothing is live, no Service leads to a ready pod, or that cannot be seen
 */
export async function servingNow(
  { client, reporter }: Pick<Context, 'client' | 'reporter'>,
  { namespace, release }: { namespace: string; release: string },
): Promise<string | undefined> {
  try {
    const live = liveRevision(await listRevisions(client, namespace, release));
    if (live === undefined) return undefined;
    const services = live.objects.filter(isService);
    const found = await Promise.all(services.map(async (service) => await servedBy(client, service, live)));
    return nameServing(found.filter((one) => one !== undefined));
  } catch (error) {
    reporter.debug(`what serves now is not known: ${messageOf(error)}`);
    return undefined;
  }
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
