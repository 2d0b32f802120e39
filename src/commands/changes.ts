import type { Prepared } from '../apply/prepared.ts';
import { objectsAt } from '../base/json.ts';
import { refOf, type KubernetesObject } from '../kubernetes/object.ts';
import { hasPods, imagesOf, type ImageAt } from '../manifests/pod-template.ts';
import { diffOf } from '../plan/diff.ts';
import type { Change } from '../report/headline.ts';
import type { PlannedObject } from '../report/plan-report.ts';
import { originOf } from '../strategies/candidate.ts';

/** What is going to become of each object, with its fields: what `plan` tells, and what the summary of a change shows. */
export function plannedObjects(prepared: readonly Prepared[]): PlannedObject[] {
  return prepared.map((entry) => {
    const ref = refOf(entry.manifest.object);
    if (entry.change === 'unchanged') return { ref, change: 'unchanged' };
    return { ref, change: entry.live === undefined ? 'create' : 'change', diff: diffOf(entry) };
  });
}

/** What a heading tells of a change, by what the server has answered to a dry run of it: images first of all. */
export function changesIn(prepared: readonly Prepared[]): Change[] {
  return prepared.flatMap((entry) => {
    if (entry.change === 'unchanged') return [];
    const object = entry.predicted ?? entry.manifest.object;
    const versions = hasPods(object) ? versionsIn(object, entry.live) : [];
    return versions.length > 0 ? versions : (otherChange(entry, object) ?? []);
  });
}

function versionsIn(object: KubernetesObject, live: KubernetesObject | undefined): Change[] {
  const workload = originOf(object) ?? object.metadata.name;
  const images = imagesOf(object);
  if (live === undefined) {
    const [first] = whatServes(images);
    return first?.image === undefined ? [] : [{ is: 'new', workload, image: first.image }];
  }
  const before = new Map(imagesOf(live).map(({ name, image }) => [name, image]));
  const changed = images.flatMap(({ name, image }) => {
    const old = before.get(name);
    return old === undefined || image === undefined || old === image ? [] : [name];
  });
  const named = whatServes(images.filter(({ name }) => changed.includes(name)));
  const serving = whatServes(images);
  return named.map((one) => ({
    is: 'image',
    workload,
    ...(named.length > 1 || !serving.includes(one) ? { container: one.name } : {}),
    before: before.get(one.name) ?? '',
    after: one.image ?? '',
  }));
}

/**
 * The containers that answer requests, of each pod: init containers, volumes and containers without a port beside one with a port are
 * left out unless there is nothing else.
 */
function whatServes(images: readonly ImageAt[]): ImageAt[] {
  const main = images.filter(({ path }) => !path.includes('initContainers') && !path.includes('volumes'));
  if (main.length === 0) return [...images];
  const pods = Map.groupBy(main, ({ path }) => JSON.stringify(path.slice(0, path.lastIndexOf('containers'))));
  return [...pods.values()].flatMap((pod) => {
    const answering = pod.filter(({ holder }) => objectsAt(holder, 'ports').length > 0);
    return answering.length > 0 ? answering : pod;
  });
}

/** Pods that are replaced because their config changes are no change of their own; nor is who owns a field. */
function otherChange(entry: Prepared, object: KubernetesObject): Change | undefined {
  const ref = refOf(object);
  const { only, fields } = diffOf(entry);
  if (only !== undefined) return undefined;
  const [first, ...others] = fields;
  if (first?.field !== 'replicas' || others.length > 0) return { is: 'object', ref };
  const { before, after } = first;
  if (before === undefined || after === undefined) return { is: 'object', ref };
  return { is: 'replicas', workload: originOf(object) ?? object.metadata.name, before, after };
}
