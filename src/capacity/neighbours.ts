import {
  at,
  isObject,
  listAt,
  numberAt,
  objectAt,
  objectsAt,
  stringAt,
  stringsAt,
  type JsonObject,
} from '../base/json.ts';
import type { KubernetesObject } from '../kubernetes/object.ts';
import { isSelected } from './node-fit.ts';
import { matchesLabels, type Labels } from './selectors.ts';

/** A pod as others see it that may not, or should, stand beside it. */
export interface Neighbour {
  namespace: string;
  labels: Labels;
  spec: JsonObject | undefined;
}

const hostname = 'kubernetes.io/hostname';

export function neighbourOf(pod: KubernetesObject): Neighbour {
  return {
    namespace: pod.metadata.namespace ?? '',
    labels: stringsAt(pod, 'metadata', 'labels'),
    spec: objectAt(pod, 'spec'),
  };
}

/** A pod that is to come from the template of `owner`: with a `pod-template-hash` that no pod has now. */
export function futurePod(owner: string, namespace: string, template: JsonObject): Neighbour {
  return {
    namespace,
    labels: { ...stringsAt(template, 'metadata', 'labels'), 'pod-template-hash': `(of ${owner})` },
    spec: objectAt(template, 'spec'),
  };
}

/** Whether the required anti-affinity of one of them, counted by node, keeps the two apart. */
export function repel(left: Neighbour, right: Neighbour): boolean {
  return keepsOff(left, right) || keepsOff(right, left);
}

function keepsOff(pod: Neighbour, other: Neighbour): boolean {
  const path = ['affinity', 'podAntiAffinity', 'requiredDuringSchedulingIgnoredDuringExecution'];
  return objectsAt(pod.spec, ...path).some(
    (term) =>
      stringAt(term, 'topologyKey') === hostname &&
      listAt(term, 'mismatchLabelKeys').length === 0 &&
      reaches(term, pod.namespace, other.namespace) &&
      matchesLabels(selectorOf(term), other.labels) &&
      sameValues(term, pod.labels, other.labels),
  );
}

/** A selector of namespaces is followed when it means all of them; what labels they have is not known here. */
function reaches(term: JsonObject, own: string, other: string): boolean {
  const selector = at(term, 'namespaceSelector');
  if (isObject(selector) && Object.keys(selector).length === 0) return true;
  const named = listAt(term, 'namespaces');
  return named.length === 0 && !isObject(selector) ? own === other : named.includes(other);
}

function selectorOf(holder: JsonObject): JsonObject | undefined {
  const selector = at(holder, 'labelSelector');
  return isObject(selector) ? selector : undefined;
}

/** `matchLabelKeys`: labels that count only where both have the same value. */
function sameValues(holder: JsonObject, left: Labels, right: Labels): boolean {
  return listAt(holder, 'matchLabelKeys').every(
    (key) => typeof key !== 'string' || left[key] === undefined || left[key] === right[key],
  );
}

/** A required topologySpreadConstraint, with how many pods each of its domains has. */
export class Spread {
  readonly #key: string;
  readonly #maxSkew: number;
  readonly #counts = new Map<string, number>();
  readonly #countsItself: boolean;

  private constructor(
    constraint: JsonObject,
    pod: Neighbour,
    rooms: readonly { node: KubernetesObject; pods: readonly Neighbour[] }[],
  ) {
    this.#key = stringAt(constraint, 'topologyKey') ?? '';
    this.#maxSkew = numberAt(constraint, 'maxSkew') ?? 1;
    const counts = (other: Neighbour) =>
      other.namespace === pod.namespace &&
      matchesLabels(selectorOf(constraint), other.labels) &&
      sameValues(constraint, pod.labels, other.labels);
    this.#countsItself = counts(pod);
    for (const { node, pods } of rooms) {
      const domain = node.metadata.labels?.[this.#key];
      if (domain === undefined || !isSelected(node, pod.spec)) continue;
      this.#counts.set(domain, (this.#counts.get(domain) ?? 0) + pods.filter(counts).length);
    }
  }

  /** Those that the pod asks for; preferred ones rule nothing out. */
  static of(pod: Neighbour, rooms: readonly { node: KubernetesObject; pods: readonly Neighbour[] }[]): Spread[] {
    return objectsAt(pod.spec, 'topologySpreadConstraints')
      .filter((constraint) => stringAt(constraint, 'whenUnsatisfiable') !== 'ScheduleAnyway')
      .map((constraint) => new Spread(constraint, pod, rooms));
  }

  allows(node: KubernetesObject): boolean {
    const count = this.countOn(node);
    if (count === undefined) return false;
    return count + (this.#countsItself ? 1 : 0) - Math.min(...this.#counts.values()) <= this.#maxSkew;
  }

  /** Undefined where the node has no such label. */
  countOn(node: KubernetesObject): number | undefined {
    return this.#counts.get(node.metadata.labels?.[this.#key] ?? '');
  }

  add(node: KubernetesObject): void {
    const domain = node.metadata.labels?.[this.#key];
    if (domain !== undefined && this.#countsItself) this.#counts.set(domain, (this.#counts.get(domain) ?? 0) + 1);
  }
}
