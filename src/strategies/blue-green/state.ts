import type { KubernetesClient } from '../../kubernetes/client.ts';
import { keyOf, refOf, type KubernetesObject, type ObjectRef } from '../../kubernetes/object.ts';
import type { Manifest } from '../../manifests/manifest.ts';
import { isDeployment } from '../../manifests/kinds.ts';
import { autoscalersIn, scaledObjectsOf } from '../../apply/hpa.ts';
import type { PlanContext } from '../../plan/plan.ts';
import { templateLabels } from '../../traffic/pods.ts';
import { trackLabel, servicesIn } from '../../traffic/services.ts';
import { apartIn, groupsOf, idOf, refOn, targetOn, type Group } from './groups.ts';
import { bothSides, refsOfOwnSides, type Objects, type Side } from './own-sides.ts';
import { servingNow } from './serving-side.ts';

export interface Input {
  manifests: readonly Manifest[];
  /** The manifests hold one of two sides that are both the user's own: the one that is to serve. */
  ownSides: boolean;
}

/** A group that changes sides in this deploy. */
export interface Switch {
  group: Group;
  from: Side;
  to: Side;
  /** Somebody has switched Services of the group already: nothing says that all of them still lead to the other side. */
  isBegun?: true;
}

/** What is there of a release that is deployed in two sides. */
export interface State {
  groups: Group[];
  /** Services of the namespaces that its Deployments are in. */
  services: KubernetesObject[];
  /** With the ScaledObjects that those of its Deployments belong to. */
  autoscalers: KubernetesObject[];
  /** Deployments of both sides, by key. */
  deployments: Objects;
}

export async function stateOf(
  { client, namespace }: PlanContext,
  { manifests, ownSides: isOwn }: Input,
): Promise<State> {
  const known = new Map<string, KubernetesObject | undefined>();
  const read = async (refs: readonly ObjectRef[]) => {
    await Promise.all(
      refs.filter((ref) => !known.has(keyOf(ref))).map(async (ref) => known.set(keyOf(ref), await client.read(ref))),
    );
    return new Map([...known].flatMap(([key, object]) => (object === undefined ? [] : [[key, object] as const])));
  };
  const namespaces = namespacesOf(manifests, namespace);
  const inEach = async (list: (client: KubernetesClient, namespace: string) => Promise<KubernetesObject[]>) =>
    (await Promise.all(namespaces.map(async (one) => await list(client, one)))).flat();
  const [services, autoscalers, sides] = await Promise.all([
    inEach(servicesIn),
    inEach(autoscalersIn),
    isOwn ? read(refsOfOwnSides(manifests.map(({ object }) => object))) : undefined,
  ]);
  const groups = groupsOf(manifests, services, sides);
  const theirs = autoscalers.filter((one) => groups.some((group) => targetOn('blue', group, one) !== undefined));
  const [deployments, scaledObjects] = await Promise.all([
    read(groups.flatMap((group) => refsOfGroup(group))),
    scaledObjectsOf(client, theirs),
  ]);
  const found = groups.map((group) => ({
    ...group,
    serving: servingNow(group, services, deployments),
    apart: apartIn(group, deployments),
  }));
  return { groups: found, services, autoscalers: [...autoscalers, ...scaledObjects], deployments };
}

/** Where a release has Deployments; that of the release itself among them. */
function namespacesOf(manifests: readonly Manifest[], namespace: string): string[] {
  const others = manifests.filter(({ object }) => isDeployment(object)).map(({ object }) => object.metadata.namespace);
  return [...new Set([namespace, ...others.filter((one) => one !== undefined)])];
}

export function liveOn(
  { deployments }: State,
  group: Group,
  side: Side,
  { object }: Manifest,
): KubernetesObject | undefined {
  return deployments.get(keyOf(refOn(group, side, object)));
}

/** The side on which the manifests are compared with what is there: one of the user's own only with itself. */
export function sideNow({ own, serving }: Group): Side {
  return own?.side ?? serving;
}

/** Blue pods that were there before this strategy have no label of their side, and get none as long as they are the same. */
export function isLabelled(state: State, group: Group): boolean {
  return group.workloads.every((workload) => {
    const live = liveOn(state, group, 'blue', workload);
    return live === undefined || trackLabel in templateLabels(live);
  });
}

export function groupNow({ groups }: State, group: Group): Group {
  return groups.find((one) => idOf(one) === idOf(group)) ?? group;
}

export function sideAfter(group: Group, switches: readonly Switch[]): Side {
  return switches.find((one) => idOf(one.group) === idOf(group))?.to ?? group.serving;
}

export function refsOfGroup(group: Group): ObjectRef[] {
  return group.workloads.flatMap(({ object }) => bothSides.map((side) => refOn(group, side, object)));
}

/** What each Deployment of the manifests is called on the side that serves, by the key of the manifest's own. */
export function servingNames({ groups }: State, switches: readonly Switch[]): Record<string, string> {
  return Object.fromEntries(
    groups.flatMap((group) =>
      group.workloads.flatMap(({ object }) => {
        const { name } = refOn(group, sideAfter(group, switches), object);
        // Of the user's own sides either may be asked for.
        const called = group.own === undefined ? [refOf(object)] : bothSides.map((side) => refOn(group, side, object));
        return called.map((ref) => [keyOf(ref), name] as const);
      }),
    ),
  );
}

/** A workload that is to change sides. */
interface Changing {
  /** As it serves now, unless the switch has begun. */
  serving: KubernetesObject;
  /** What it is called on the other side. */
  to: ObjectRef;
  /** Somebody has switched to that one already. */
  isBegun: boolean;
}

/** What serves now of what is to change sides, and what it is called on the other one. */
export function servingIn(state: State, switches: readonly Switch[]): Changing[] {
  return switches.flatMap(({ group, from, to, isBegun = false }) =>
    group.workloads.flatMap((workload) => {
      const serving = liveOn(state, group, from, workload);
      return serving === undefined ? [] : [{ serving, to: refOn(group, to, workload.object), isBegun }];
    }),
  );
}
