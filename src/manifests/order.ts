import type { KubernetesObject } from '../kubernetes/object.ts';
import { layerOf, type Layer } from './kinds.ts';
import type { Manifest } from './manifest.ts';
import { inWaves, needsOf } from './needs.ts';
import { hasPods } from './pod-template.ts';

const ranks = { foundations: 0, surroundings: 1, workloads: 2, observers: 3, gates: 4 } as const satisfies Record<
  Layer,
  number
>;

/**
 * The layers in which the manifests are applied, none of them empty: an object may need those of earlier layers, and those
 * of one layer are independent, so that they can go side by side. Within a layer the given order stays.
 *
 * First come CustomResourceDefinitions and Namespaces; then what pods are made from and with; then what runs pods; then what
 * looks at them (autoscalers, budgets, routes); last what looks at every write (admission webhooks, API services). Other custom
 * resources go with what pods are made from: most are config (secrets from a store, certificates, backend settings) that
 * pods wait for. Helm and kubectl have them after the workloads or by chance (helm pkg/release/v1/util/kind_sorter.go).
 * Among these an object comes after those that it names: a token beside its account is deleted when it comes first
 * (carvel-dev/kapp#514), and who may not grant all rights cannot bind a Role that is not there.
 */
export function applyLayers(manifests: readonly Manifest[]): Manifest[][] {
  const byRank = Map.groupBy(manifests, ({ object }) => rankOf(object));
  return [...byRank].sort(([left], [right]) => left - right).flatMap(([, layer]) => inWaves(layer, needsOf(layer)));
}

/** Which of the layers an object belongs to, before what it names is looked at. */
export function rankOf(object: KubernetesObject): 0 | 1 | 2 | 3 | 4 {
  return ranks[layerOf(object) ?? (hasPods(object) ? 'workloads' : 'surroundings')];
}

/** Whether other objects depend on what it calls, from the moment that it is there. */
export function isGate(object: KubernetesObject): boolean {
  return layerOf(object) === 'gates';
}
