import { numberAt, objectAt, objectsAt } from '../base/json.ts';
import { describeRef, refOf, type KubernetesObject } from '../kubernetes/object.ts';
import { isScalable } from '../manifests/kinds.ts';
import { isScaledToZero, podSpecOf } from '../manifests/pod-template.ts';
import { templateLabels } from './pods.ts';
import { isService, selectorOf, selects } from './services.ts';

/** How long requests may still come to a pod that is about to end: nodes and load balancers follow the endpoints that late. */
const drainSeconds = 5;

/**
 * Names workloads behind Services whose pods nothing keeps serving while requests still come to them: Kubernetes ends a pod and
 * takes it out of its Services at the same time, so that a program which ends at once on SIGTERM loses requests in each rolling
 * update (kubernetes/kubernetes#106476). Programs that wait by themselves cannot be told from outside.
 * @returns one sentence for each, with the lines to write
 */
export function describeAbruptEnds(objects: readonly KubernetesObject[]): string[] {
  const services = objects.filter(isService);
  return objects.filter(isScalable).flatMap((object) => {
    const service = services.find((one) => selects(selectorOf(one), templateLabels(object)));
    if (service === undefined || isScaledToZero(object) || !endsAbruptly(object)) return [];
    const name = `${describeRef(refOf(object))} behind ${describeRef(refOf(service))}`;
    if (hasNoTime(object))
      return [
        `${name}: with "terminationGracePeriodSeconds: 0" its pods are killed at once, and each rolling update loses requests. Remove it, and add to the container: ${lines}`,
      ];
    return [
      `${name} has no "preStop" hook: unless its program keeps answering for ${drainSeconds} s after SIGTERM, each rolling update loses requests. If it does not, add to the container: ${lines}`,
    ];
  });
}

/** Whether nothing that can be seen from outside keeps a workload's pods serving for a while when they are to end. */
export function endsAbruptly(workload: KubernetesObject): boolean {
  const containers = objectsAt(podSpecOf(workload), 'containers');
  const serving = containers.filter(({ ports }) => Array.isArray(ports) && ports.length > 0);
  const isHooked = (serving.length > 0 ? serving : containers).some(
    (container) => Object.keys(objectAt(container, 'lifecycle', 'preStop')).length > 0,
  );
  return hasNoTime(workload) || !isHooked;
}

function hasNoTime(workload: KubernetesObject): boolean {
  return numberAt(podSpecOf(workload), 'terminationGracePeriodSeconds') === 0;
}

const lines = `lifecycle: { preStop: { sleep: { seconds: ${drainSeconds} } } }`;
