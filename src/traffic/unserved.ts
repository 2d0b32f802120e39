import { at, stringsAt } from '../base/json.ts';
import { describeRef, refOf, type KubernetesObject } from '../kubernetes/object.ts';
import { keepsItsPods, layerOf } from '../manifests/kinds.ts';
import { hasPods, isCustomWorkload, podsIn } from '../manifests/pod-template.ts';
import { selectorOf, selects, type Labels } from './services.ts';

/** A Service of a release. */
export interface ServiceNow {
  /** As the manifests have it, or the record. */
  meant: KubernetesObject;
  /** As it is, or as the dry run says that it will be. */
  now: KubernetesObject;
  /** As it was before the run; absent where there was none. */
  before?: KubernetesObject | undefined;
}

/** The objects of a release that run pods. */
export interface Around {
  services: readonly ServiceNow[];
  workloads: readonly KubernetesObject[];
  /** The workloads as they were before the run. */
  before: readonly KubernetesObject[];
  /** All objects of the release. */
  objects: readonly KubernetesObject[];
}

/**
 * Why nobody may be behind a Service.
 * - `broken`: this run has cut it off from its pods, or has made it with a selector that nothing has.
 * - `found`: it was so before, and no manifest says why.
 * - `beside`: another Service leads to these pods, so that this one may wait for others: a preview, a leader that is elected.
 * - `unknown`: the labels of the pods are not in the manifests: those of another release, or of a custom resource.
 */
export type Unserved = 'broken' | 'found' | 'beside' | 'unknown';

/** The Services that select no pods of their release, by the labels of its manifests. */
export function withoutPods({ services, workloads }: Around): ServiceNow[] {
  return services.filter(({ now }) => Object.keys(selectorOf(now)).length > 0 && !leadsTo(now, workloads));
}

/** What it means that there is nobody behind one of those. */
export function judgeUnserved(service: ServiceNow, around: Around): Unserved {
  const { meant, now, before } = service;
  if (before !== undefined && leadsTo(before, around.before)) return 'broken';
  const lasting = around.workloads.filter(
    (object) => isInNamespaceOf(now, object) && hasPods(object) && keepsItsPods(object),
  );
  if (lasting.length === 0 || lasting.some(isCustomWorkload)) return 'unknown';
  if (goesByOthers(now, around)) return 'unknown';
  if (isOverwritten(now, meant)) return 'found';
  const isServedElse = around.services.some((other) => other !== service && leadsTo(other.now, lasting));
  if (isServedElse && sharesLabel(now, lasting)) return 'beside';
  if (isServedElse && !isForNamesake(now, lasting, around)) return 'unknown';
  return before === undefined ? 'broken' : 'found';
}

/** Whether a Service selects pods of one of these, as their templates have them. */
export function leadsTo(service: KubernetesObject, workloads: readonly KubernetesObject[]): boolean {
  return workloads.some(
    (object) =>
      isInNamespaceOf(service, object) && labelsIn(object).some((labels) => selects(selectorOf(service), labels)),
  );
}

/** `Service "web" has no ready endpoint (app=wbe): no pod of the release has the labels that it selects` */
export function describeUnserved(service: KubernetesObject, { selectsNone }: { selectsNone: boolean }): string {
  const selector = Object.entries(selectorOf(service)).map(([key, value]) => `${key}=${value}`);
  const why = selectsNone ? ': no pod of the release has the labels that it selects' : '';
  return `${describeRef(refOf(service))} has no ready endpoint (${selector.join(',')})${why}`;
}

/** The labels of each kind of pod that an object runs. */
function labelsIn(object: KubernetesObject): Labels[] {
  return hasPods(object) ? podsIn(object).map(({ metadata }) => stringsAt(at(object, ...metadata), 'labels')) : [];
}

function isInNamespaceOf(service: KubernetesObject, object: KubernetesObject): boolean {
  return service.metadata.namespace === object.metadata.namespace;
}

/** What the names of the labels begin with by which this action tells sides apart. */
const ownLabels = 'gke-rollout/';

/** Whether somebody else has a say in what it selects. */
function isOverwritten(now: KubernetesObject, meant: KubernetesObject): boolean {
  const wanted = selectorOf(meant);
  return Object.entries(selectorOf(now)).some(([key, value]) => wanted[key] !== value && !key.startsWith(ownLabels));
}

/** Of labels that Kubernetes itself gives the pods of a StatefulSet, each its own, and of an indexed Job. */
const givenLabels = ['statefulset.kubernetes.io/', 'apps.kubernetes.io/'];

/**
 * Whether its pods may be none that a manifest describes: they get the label while they run, as the leader of a cluster does whose
 * main Service has no selector (Patroni), or the controller of a custom resource makes them.
 */
function goesByOthers(service: KubernetesObject, { services, workloads, objects }: Around): boolean {
  const keys = Object.keys(selectorOf(service));
  if (keys.some((key) => givenLabels.some((prefix) => key.startsWith(prefix)))) return true;
  if (objects.some((object) => layerOf(object) === undefined && isInNamespaceOf(service, object))) return true;
  const beside = services.some(({ now }) => Object.keys(selectorOf(now)).length === 0);
  const known = new Set(workloads.flatMap(labelsIn).flatMap((labels) => Object.keys(labels)));
  return beside && sharesLabel(service, workloads) && keys.some((key) => !known.has(key));
}

/** Whether it is called like a workload that no Service leads to: it is hardly meant for the pods of another release. */
function isForNamesake(
  service: KubernetesObject,
  workloads: readonly KubernetesObject[],
  { services }: Around,
): boolean {
  const namesake = workloads.find(({ metadata }) => metadata.name === service.metadata.name);
  return namesake !== undefined && !services.some(({ now }) => leadsTo(now, [namesake]));
}

function sharesLabel(service: KubernetesObject, workloads: readonly KubernetesObject[]): boolean {
  const wanted = Object.entries(selectorOf(service));
  return workloads.flatMap(labelsIn).some((labels) => wanted.some(([key, value]) => labels[key] === value));
}
