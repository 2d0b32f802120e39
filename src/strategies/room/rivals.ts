import { objectAt, stringAt } from '../../base/json.ts';
import { condition } from '../../kubernetes/conditions.ts';
import { demandOf } from '../../capacity/demand.ts';
import { futurePod } from '../../capacity/neighbours.ts';
import { freeCapacity, place } from '../../capacity/placement.ts';
import { isEnding, isPodOf } from '../../capacity/pods.ts';
import type { KubernetesClient } from '../../kubernetes/client.ts';
import type { KubernetesObject, ObjectRef } from '../../kubernetes/object.ts';
import { hasEnded, lookForNodes, lookForPods, priorityOf } from '../device-holders.ts';
import { devicesOf, shares } from './devices.ts';

type Owner = ObjectRef & { namespace: string };

/**
 * A pod of somebody else that waits for a device and would get the one that an old pod releases: it has been waiting for longer than
 * the new pod (kube-scheduler's queue: by priority, then by time).
 * @param own workloads of the deploy: what their pods take of each other, they give back
 * @returns undefined where there is none, and where nodes may not be seen
 */
export async function lookForRival(
  client: KubernetesClient,
  owner: Owner,
  devices: readonly string[],
  own: readonly Owner[],
): Promise<KubernetesObject | undefined> {
  const nodes = await lookForNodes(client);
  if (nodes === undefined) return undefined;
  const pods = (await lookForPods(client, owner.namespace)).filter((pod) => !hasEnded(pod) && !isEnding(pod));
  const old = pods.filter((pod) => isPodOf(pod, owner));
  const priority = Math.min(...old.map(priorityOf));
  const rivals = pods.filter(
    (pod) =>
      stringAt(pod, 'spec', 'nodeName') === undefined &&
      objectAt(pod, 'spec')['schedulingGates'] === undefined &&
      shares(devices, devicesOf(pod)) &&
      lacksOnlyDevice(pod, devices) &&
      priorityOf(pod) >= priority &&
      !own.some((workload) => isPodOf(pod, workload)),
  );
  return rivals.find((pod) => {
    const others = pods.filter((other) => other !== pod);
    if (fits(pod, nodes, others)) return false;
    return old.some((gone) =>
      fits(
        pod,
        nodes.filter((node) => isOn(gone, node)),
        without(others, gone),
      ),
    );
  });
}

/** Whether a device is what it waits for, as far as its scheduler says: not a volume, another pod, or a queue of its own. */
function lacksOnlyDevice(pod: KubernetesObject, devices: readonly string[]): boolean {
  if ((stringAt(pod, 'spec', 'schedulerName') ?? defaultScheduler) !== defaultScheduler) return false;
  const { message } = condition(pod, 'PodScheduled') ?? {};
  return (
    message === undefined || message === '' || devices.some((device) => message.includes(`Insufficient ${device}`))
  );
}

const defaultScheduler = 'default-scheduler';

function isOn(pod: KubernetesObject, node: KubernetesObject): boolean {
  return stringAt(pod, 'spec', 'nodeName') === node.metadata.name;
}

function without(pods: readonly KubernetesObject[], gone: KubernetesObject): KubernetesObject[] {
  return pods.filter((pod) => pod !== gone);
}

function fits(pod: KubernetesObject, nodes: readonly KubernetesObject[], others: readonly KubernetesObject[]): boolean {
  const { name, namespace = 'default', labels = {} } = pod.metadata;
  const template = { metadata: { labels }, spec: objectAt(pod, 'spec') };
  const ask = { demand: demandOf(template, 1), pod: futurePod(name, namespace, template) };
  return place(freeCapacity(nodes, others), [ask])[0]?.placed === 1;
}
