import { objectsAt, stringAt } from '../../base/json.ts';
import type { KubernetesObject } from '../../kubernetes/object.ts';
import type { Verdict } from '../verdict.ts';
import { progressing, ready, type Rule } from './rule.ts';

export const service: Rule = {
  kinds: [{ kind: 'Service', group: '' }],
  ready:
    'a LoadBalancer has an external address; every other type is ready when it is applied; one that selects no pod of the release needs a ready endpoint once all else is ready',
  failed: 'it leads to no pod for 30 s, and did before this run, or is new and no other Service of the release does',
  source: 'kubernetes pkg/apis/core: status.loadBalancer.ingress',
  judge,
};

function judge(object: KubernetesObject): Verdict {
  if (stringAt(object, 'spec', 'type') !== 'LoadBalancer') return ready('applied');
  const addresses = addressesOf(object);
  return addresses.length === 0
    ? progressing('waiting for its external address')
    : ready(`its address is ${addresses.join(', ')}`);
}

/** IP addresses and host names under which a LoadBalancer Service or an Ingress is reached from outside. */
export function addressesOf(object: KubernetesObject): string[] {
  return objectsAt(object, 'status', 'loadBalancer', 'ingress').flatMap(
    (ingress) => stringAt(ingress, 'ip') ?? stringAt(ingress, 'hostname') ?? [],
  );
}
