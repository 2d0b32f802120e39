import { equal, stringAt, stringsAt } from '../../base/json.ts';
import type { KubernetesObject } from '../../kubernetes/object.ts';
import { podsIn } from '../../manifests/pod-template.ts';

/** Labels by which a queue or a scheduler of its own decides when pods start. */
const ofQueues = /^(?:kueue\.x-k8s\.io\/|ray\.io\/scheduler-name$|volcano\.sh\/|yunikorn\.apache\.org\/)/;

/** Whether the usual scheduler puts the pods of a workload onto nodes, and with the same priorities as now: what a queue lets in, and whom pods of a class that
 * none has yet may evict, is not known here. */
export function isPlacedAsNow(live: KubernetesObject, next: KubernetesObject): boolean {
  const [before, after] = [podsIn(live), podsIn(next)];
  return after.every(({ spec, metadata, of }) => {
    const old = before.find((pod) => pod.of === of);
    const labels = { ...next.metadata.labels, ...stringsAt(next, ...metadata, 'labels') };
    return (
      (stringAt(spec, 'schedulerName') ?? 'default-scheduler') === 'default-scheduler' &&
      spec['schedulingGates'] === undefined &&
      !Object.keys(labels).some((name) => ofQueues.test(name)) &&
      old !== undefined &&
      equal(spec['priorityClassName'], old.spec['priorityClassName'])
    );
  });
}
