import { at, booleanAt, numberAt, objectsAt, stringAt, type JsonObject } from '../base/json.ts';
import { amountsAt, larger, plus, sumOf, times, type Amounts } from './amounts.ts';

/** What pods of one template ask for. */
export interface Demand {
  count: number;
  /** What the scheduler counts for each of them: `pods` is 1, and a port of the node is there once. */
  perPod: Amounts;
  total: Amounts;
}

/** What `count` pods of a template ask a node for. A request that is not set is 0, or its limit where that is set. */
export function demandOf(template: JsonObject, count: number): Demand {
  const perPod = nodeDemandOf(at(template, 'spec') as JsonObject | undefined);
  return { count, perPod, total: times(perPod, count) };
}

/** What a pod of this spec takes of its node. */
export function nodeDemandOf(spec: JsonObject | undefined): Amounts {
  return new Map([...requestsOf(spec), ['pods', 1], ...hostPortsOf(spec).map((port): [string, number] => [port, 1])]);
}

/**
 * The effective requests of a pod: its containers and sidecars together, or what its init containers need before them, or
 * what it says for itself as a whole; and its overhead (kubernetes/component-helpers resource.PodRequests).
 */
export function requestsOf(spec: JsonObject | undefined): Amounts {
  const ofContainers = aggregate(spec, requestsOfContainer);
  const limits = amountsAt(spec, 'resources', 'limits');
  const ownRequests = amountsAt(spec, 'resources', 'requests');
  // The limit of the pod as a whole is its request where neither it nor a container says one.
  const inferred = [...limits].filter(([name]) => !ownRequests.has(name) && !ofContainers.has(name));
  const own = [...inferred, ...ownRequests].filter(([name]) => isOfPod(name));
  return plus(new Map([...ofContainers, ...own]), amountsAt(spec, 'overhead'));
}

/** The effective limits of a pod, as a ResourceQuota counts them. */
export function limitsOf(spec: JsonObject | undefined): Amounts {
  const ofContainers = aggregate(spec, (container) => amountsAt(container, 'resources', 'limits'));
  const own = [...amountsAt(spec, 'resources', 'limits')].filter(([name]) => isOfPod(name));
  const limits = new Map([...ofContainers, ...own]);
  const overhead = [...amountsAt(spec, 'overhead')].filter(([name]) => limits.has(name));
  return plus(limits, new Map(overhead));
}

export function requestsOfContainer(container: JsonObject): Amounts {
  return new Map([...amountsAt(container, 'resources', 'limits'), ...amountsAt(container, 'resources', 'requests')]);
}

/** Containers run together, with every sidecar; an init container runs with the sidecars that stand before it. */
function aggregate(spec: JsonObject | undefined, of: (container: JsonObject) => Amounts): Amounts {
  let sidecars: Amounts = new Map();
  let peak: Amounts = new Map();
  for (const container of objectsAt(spec, 'initContainers')) {
    const own = of(container);
    if (stringAt(container, 'restartPolicy') === 'Always') {
      sidecars = plus(sidecars, own);
      peak = larger(peak, sidecars);
    } else {
      peak = larger(peak, plus(sidecars, own));
    }
  }
  return larger(sumOf([sidecars, ...objectsAt(spec, 'containers').map(of)]), peak);
}

/** What `spec.resources` of a pod may hold; devices belong to containers. */
function isOfPod(resource: string): boolean {
  return resource === 'cpu' || resource === 'memory' || resource.startsWith('hugepages-');
}

/** As resources of which each node has one: `host port 8080/TCP`. */
function hostPortsOf(spec: JsonObject | undefined): string[] {
  const isOnHost = booleanAt(spec, 'hostNetwork') === true;
  const sidecars = objectsAt(spec, 'initContainers').filter(
    (container) => stringAt(container, 'restartPolicy') === 'Always',
  );
  return [...sidecars, ...objectsAt(spec, 'containers')].flatMap((container) =>
    objectsAt(container, 'ports').flatMap((port) => {
      const number = numberAt(port, 'hostPort') ?? (isOnHost ? numberAt(port, 'containerPort') : undefined);
      return number === undefined || number === 0
        ? []
        : [`${hostPort}${number}/${stringAt(port, 'protocol') ?? 'TCP'}`];
    }),
  );
}

export const hostPort = 'host port ';
