import { numberAt } from '../../base/json.ts';
import { keyOf, type KubernetesObject } from '../../kubernetes/object.ts';
import { podsOf } from '../../manifests/pod-template.ts';
import { templateLabels } from '../../traffic/pods.ts';
import { selectorOf, selects } from '../../traffic/services.ts';
import { hashLabel, liveServices, refOn, sideOf, type Group } from './groups.ts';
import { bothSides, type Objects, type Side } from './own-sides.ts';

/**
 * Which side serves. Where the label of a side is gone from all Services, or the Services are, the Deployments say it: the side
 * that has pods, and where both have, the one that Services select, or whose pods are ready.
 * @param services those of the namespaces, as they are
 * @param deployments those of both sides, as they are
 */
export function servingNow(group: Group, services: readonly KubernetesObject[], deployments: Objects): Side {
  const selectors = liveServices(group, services).map(selectorOf);
  if (group.own !== undefined || selectors.some((selector) => sideOf(group, selector) !== undefined))
    return group.serving;
  const liveOn = (side: Side) =>
    group.workloads.flatMap(({ object }) => deployments.get(keyOf(refOn(group, side, object))) ?? []);
  const running = bothSides.filter((side) => liveOn(side).some((live) => podsOf(live) > 0));
  // Only blue pods are told by their hash: those that have no label of their side.
  if (running.length < 2 || selectors.some((selector) => hashLabel in selector)) return running[0] ?? 'blue';
  const [selected, ...more] = bothSides.filter((side) =>
    liveOn(side).some((live) => selectors.some((selector) => selects(selector, templateLabels(live)))),
  );
  if (selected !== undefined && more.length === 0) return selected;
  const isReady = (side: Side) => liveOn(side).some((live) => (numberAt(live, 'status', 'readyReplicas') ?? 0) > 0);
  return isReady('green') && !isReady('blue') ? 'green' : 'blue';
}
