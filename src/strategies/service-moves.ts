import { at, equal, stringsAt } from '../base/json.ts';
import { describeRef, refOf, type KubernetesObject } from '../kubernetes/object.ts';
import { isWorkload } from '../manifests/kinds.ts';
import { hasPods, podsIn } from '../manifests/pod-template.ts';
import type { Prepared } from '../apply/prepared.ts';
import type { PlanContext } from '../plan/plan.ts';
import { templateLabels } from '../traffic/pods.ts';
import { isService, selectorOf, selects, type Labels } from '../traffic/services.ts';
import { strangersBehind } from './bystanders.ts';

/** A Service that leads to old and new pods alike until all new ones are ready. */
export interface United {
  entry: Prepared;
  /** Selects both, and nothing that the Service did not lead to before. */
  selector: Labels;
}

/**
 * `late`: a Service that is to lead to other pods goes on leading to those that it has until the others are ready, because these
 * are made anew, or the Service as it is finds them too. `between`: as it is it finds only the old pods of a workload, and
 * as it is to be only the new ones.
 */
type Move = 'first' | 'late' | 'between';

export function moveOf(entry: Prepared, prepared: readonly Prepared[]): Move {
  const { live, manifest } = entry;
  if (live === undefined || !isService(live)) return 'first';
  const [now, then] = [selectorOf(live), selectorOf(manifest.object)];
  const next = behindNext(entry, prepared);
  if (equal(now, then) || next.length === 0) return 'first';
  const moves = next.map((workload): Move => {
    if (workload.live === undefined || selects(now, templateLabels(workload.manifest.object))) return 'late';
    const old = templateLabels(workload.live);
    if (selects(then, old)) return 'first';
    return selects(now, old) ? 'between' : 'late';
  });
  return moves.find((move) => move === 'first') ?? moves.find((move) => move === 'between') ?? 'late';
}

/** The workloads that a Service is to lead to. */
function behindNext({ manifest }: Prepared, prepared: readonly Prepared[]): Prepared[] {
  return prepared.filter(
    ({ manifest: { object } }) =>
      isWorkload(object) &&
      object.metadata.namespace === manifest.object.metadata.namespace &&
      selects(selectorOf(manifest.object), templateLabels(object)),
  );
}

/**
 * Finds for each Service whose selector changes together with the labels of its pods a selector for the time between. Where
 * there is none, a warning says that nobody answers for a while.
 */
export async function unitedServices(context: PlanContext, prepared: readonly Prepared[]): Promise<United[]> {
  const moving = prepared.filter((entry) => moveOf(entry, prepared) === 'between');
  const found = await Promise.all(
    moving.map(async (entry) => ({ entry, selector: await selectorBetween(context, entry, prepared) })),
  );
  return found.flatMap(({ entry, selector }) => {
    if (typeof selector === 'object') return [{ entry, selector }];
    const { metadata } = entry.manifest.object;
    const [why, remedy] =
      selector === 'unseen'
        ? [
            `without the right to list the pods in namespace "${metadata.namespace ?? context.namespace}" nobody knows whether what both selectors have in common selects others too`,
            'grant it, or first deploy',
          ]
        : ['no label in its old selector is left that selects the old and the new pods, and no others', 'first deploy'];
    context.reporter.warning(
      `${describeRef(refOf(entry.manifest.object))} has no endpoint until the first new pod is ready: its selector and the labels of its pods change together, and ${why}. To avoid that, ${remedy} with a selector and labels that both versions have`,
    );
    return [];
  });
}

/** @returns `unseen` where others may have the labels in common, and nobody may look */
async function selectorBetween(
  context: PlanContext,
  entry: Prepared,
  prepared: readonly Prepared[],
): Promise<Labels | 'none' | 'unseen'> {
  const { live } = entry;
  if (live === undefined) return 'none';
  const next = behindNext(entry, prepared);
  const now = selectorOf(live);
  const isShared = ([key, value]: [string, string]) =>
    next.every(({ manifest }) => templateLabels(manifest.object)[key] === value);
  const selector = Object.fromEntries(Object.entries(now).filter(isShared));
  if (Object.keys(selector).length === 0) return 'none';
  const isAdded = (labels: Labels) => selects(selector, labels) && !selects(now, labels);
  const isOther = (object: KubernetesObject) =>
    object.metadata.namespace === live.metadata.namespace && labelsOfPods(object).some(isAdded);
  const others = prepared.filter((one) => !next.includes(one));
  if (others.some(({ manifest, live: old }) => isOther(manifest.object) || (old !== undefined && isOther(old))))
    return 'none';
  const own = next.map((one) => one.live ?? one.manifest.object);
  const strangers = await strangersBehind(context, { ...live, spec: { selector } }, own);
  if (strangers === undefined) return 'unseen';
  return strangers.some(({ metadata }) => isAdded(metadata.labels ?? {})) ? 'none' : selector;
}

/** Of each kind of pod that an object runs. */
function labelsOfPods(object: KubernetesObject): Labels[] {
  return hasPods(object) ? podsIn(object).map(({ metadata }) => stringsAt(at(object, ...metadata), 'labels')) : [];
}
