import { numberAt, objectAt, objectsAt } from '../base/json.ts';
import { describeRef, refOf, type KubernetesObject } from '../kubernetes/object.ts';
import { isScalable, isScaledToZero, podSpecOf } from '../manifests/pod-template.ts';
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
    if (service === undefined || isScaledToZero(object)) return [];
    const spec = podSpecOf(object);
    const isAtOnce = numberAt(spec, 'terminationGracePeriodSeconds') === 0;
    const serving = objectsAt(spec, 'containers').filter(({ ports }) => Array.isArray(ports) && ports.length > 0);
    const containers = serving.length > 0 ? serving : objectsAt(spec, 'containers');
    const isHooked = containers.some(
      (container) => Object.keys(objectAt(container, 'lifecycle', 'preStop')).length > 0,
    );
    const name = `${describeRef(refOf(object))} behind ${describeRef(refOf(service))}`;
    if (isAtOnce)
      return [
        `${name}: with "terminationGracePeriodSeconds: 0" its pods end at once, and each update loses requests. Remove it, and add to the container: ${lines}`,
      ];
    return isHooked
      ? []
      : [
          `${name} has no "preStop" hook: unless its program goes on answering for ${drainSeconds} s after SIGTERM, each update loses requests. If it does not, add to the container: ${lines}`,
        ];
  });
}

const lines = `lifecycle: { preStop: { sleep: { seconds: ${drainSeconds} } } }`;
