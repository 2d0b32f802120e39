import { numberAt, stringAt } from '../base/json.ts';
import { refOf, type KubernetesObject } from '../kubernetes/object.ts';
import { condition } from '../kubernetes/conditions.ts';
import { isReadyPod } from './failures/pod.ts';
import { diagnostic, type Sign } from './failures/sign.ts';
import { ownedBy } from './ownership.ts';
import { isObserved, pods as countOf, unchecked, type Facts } from './readiness/rule.ts';
import type { Verdict } from './verdict.ts';
import type { Snapshot } from './snapshot.ts';

/**
 * A DaemonSet wants a pod on every node, also on one that is down (kubernetes#139226): it would be waited for until the time
 * is up. When the version runs everywhere else, that is all that can be had; it is accepted, and said.
 * @param updated the pods of the new version
 */
export function withoutLostNodes(
  daemonSet: KubernetesObject,
  verdict: Verdict,
  facts: Facts,
  updated: readonly KubernetesObject[],
  { pods, nodes = [] }: Pick<Snapshot, 'pods' | 'nodes'>,
): Verdict {
  if (daemonSet.kind !== 'DaemonSet' || verdict.state !== 'progressing' || !isObserved(daemonSet, facts))
    return verdict;
  const hosts = new Set(ownedBy(daemonSet, pods).map(nodeOf));
  const lost = lostAmong(nodes).filter(({ metadata }) => hosts.has(metadata.name));
  const wanted = numberAt(daemonSet, 'status', 'desiredNumberScheduled') ?? 0;
  const names = new Set<string | undefined>(lost.map(({ metadata }) => metadata.name));
  const running = updated.filter((pod) => isReadyPod(pod) && !names.has(nodeOf(pod))).length;
  // The second number also knows of minReadySeconds.
  const available = Math.min(running, numberAt(daemonSet, 'status', 'numberAvailable') ?? 0);
  if (lost.length === 0 || running === 0 || available < wanted - lost.length) return verdict;
  return unchecked(
    `${running} of ${countOf(wanted)} updated and ready; not waiting for nodes that are not ready: ${lost.map(describe).join(', ')}`,
  );
}

/** Pods on nodes that are down: the node is to blame, not the version. */
export function lostNodeSigns(pods: readonly KubernetesObject[], nodes: readonly KubernetesObject[]): Sign[] {
  const lost = new Map(lostAmong(nodes).map((node) => [node.metadata.name, node]));
  return pods.flatMap((pod) => {
    const node = lost.get(nodeOf(pod) ?? '');
    if (node === undefined || isReadyPod(pod)) return [];
    return diagnostic({
      reason: 'NodeNotReady',
      message: `${describe(node)} is not ready, so nothing starts there`,
      hint: 'Repair the node, or delete it from the cluster.',
      object: refOf(pod),
    });
  });
}

function lostAmong(nodes: readonly KubernetesObject[]): KubernetesObject[] {
  return nodes.filter((node) => condition(node, 'Ready')?.status !== 'True');
}

function nodeOf(pod: KubernetesObject): string | undefined {
  return stringAt(pod, 'spec', 'nodeName');
}

function describe(node: KubernetesObject): string {
  return `node "${node.metadata.name}"`;
}
