import { objectsAt, listAt } from '../base/json.ts';
import { saidAt } from '../base/said.ts';
import { conditionsOf } from './conditions.ts';
import { describeRef, refOf, type KubernetesObject } from './object.ts';

/**
 * An object whose deletion was asked for stays until its last finalizer is taken off. It can be read and even written
 * meanwhile, but nothing brings it back: whoever counts it as there counts on something that is about to vanish
 * (helm/helm#12000).
 */
export function isGoing({ metadata }: KubernetesObject): boolean {
  return metadata.deletionTimestamp !== undefined;
}

/** What Kubernetes' own finalizers wait for, in words (kubernetes pkg/controller, apiextensions-apiserver). */
const waitsFor: Readonly<Record<string, string>> = {
  foregroundDeletion: 'its dependents are deleted first',
  orphan: 'its dependents are orphaned first',
  'kubernetes.io/pvc-protection': 'it stays until no pod uses it',
  'kubernetes.io/pv-protection': 'it stays until no claim is bound to it',
  'customresourcecleanup.apiextensions.k8s.io': 'its objects are deleted first',
  'service.kubernetes.io/load-balancer-cleanup': 'its load balancer is removed first',
};

/** `has been terminating since 2026-01-02T03:04:05Z, held up by finalizer "example.com/a"`; for an object that is going. */
export function describeGoing(object: KubernetesObject): string {
  const since = `has been terminating since ${object.metadata.deletionTimestamp ?? ''}`;
  const holders = holdersOf(object);
  return holders.length === 0 ? since : `${since}, held up by ${holders.join('; ')}`;
}

/** The same with its name in front: `ConfigMap "a" in namespace "shop" has been terminating since …`. */
export function nameGoing(object: KubernetesObject): string {
  return `${describeRef(refOf(object), true)} ${describeGoing(object)}`;
}

/** What to do about an object that is going, one imperative sentence. */
export const goingHint =
  'Find out what should remove the finalizer and why it does not; run this again once the object is gone.';

function holdersOf(object: KubernetesObject): string[] {
  const finalizers = (object.metadata.finalizers ?? []).map((name) => {
    const what = waitsFor[name];
    return `finalizer "${name}"${what === undefined ? '' : ` (${what})`}`;
  });
  return [...finalizers, ...namespaceHolders(object)];
}

/** A namespace says in its conditions what is left in it. */
function namespaceHolders(object: KubernetesObject): string[] {
  if (object.kind !== 'Namespace' || object.apiVersion !== 'v1') return [];
  const left = conditionsOf(object)
    .filter(({ status, type }) => status === 'True' && type.endsWith('Remaining'))
    .map(({ message }) => message);
  if (left.length > 0) return left;
  const failures = objectsAt(object, 'status', 'conditions')
    .filter((condition) => condition['status'] === 'True')
    .flatMap((condition) => saidAt(condition, 'message') ?? []);
  if (failures.length > 0) return failures;
  return listAt(object, 'spec', 'finalizers').map((name) => `finalizer ${JSON.stringify(name)}`);
}
