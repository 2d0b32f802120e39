import { equal, numberAt, objectAt, objectsAt, stringAt, type JsonObject } from '../../base/json.ts';
import { saidAt } from '../../base/said.ts';
import type { KubernetesObject } from '../../kubernetes/object.ts';
import type { Verdict } from '../verdict.ts';
import { notObserved, progressing, ready, type Facts, type Rule } from './rule.ts';

const group = 'gateway.networking.k8s.io';

export const gateway: Rule = {
  kinds: [{ kind: 'Gateway', group }],
  ready: 'Accepted and Programmed are True for this generation',
  failed: 'never: what it refers to may come a moment later',
  source: 'gateway-api GEP-1364 (status and conditions)',
  judge: (object, facts) => {
    const missing = missingOf(object['status'], ['Accepted', 'Programmed'], facts);
    if (missing !== undefined) return missing;
    const addresses = objectsAt(object, 'status', 'addresses').flatMap((address) => stringAt(address, 'value') ?? []);
    return ready(addresses.length === 0 ? 'programmed' : `its address is ${addresses.join(', ')}`);
  },
};

export const route: Rule = {
  kinds: ['HTTPRoute', 'GRPCRoute', 'TLSRoute', 'TCPRoute', 'UDPRoute'].map((kind) => ({ kind, group })),
  ready: 'each of its parents says Accepted and ResolvedRefs for this generation',
  failed: 'never: what it refers to may come a moment later',
  source: 'gateway-api GEP-1364; conditions are kept per parent and controller',
  judge: judgeRoute,
};

function judgeRoute(object: KubernetesObject, facts: Facts): Verdict {
  const answers = objectsAt(object, 'status', 'parents');
  for (const parent of objectsAt(object, 'spec', 'parentRefs')) {
    const name = stringAt(parent, 'name') ?? '';
    const own = answers.filter((answer) => isSameParent(objectAt(answer, 'parentRef'), parent, object));
    if (own.length === 0)
      return progressing(`waiting for ${stringAt(parent, 'kind') ?? 'Gateway'} "${name}" to take it`);
    for (const answer of own) {
      const missing = missingOf(answer, ['Accepted', 'ResolvedRefs'], facts);
      if (missing !== undefined) return missing;
    }
  }
  return ready('accepted by its parents');
}

/** The first of these conditions that is not True yet. */
function missingOf(status: JsonObject[string], types: readonly string[], { generation }: Facts): Verdict | undefined {
  for (const type of types) {
    const found = objectsAt(status, 'conditions').find((candidate) => candidate['type'] === type);
    if (found === undefined || (numberAt(found, 'observedGeneration') ?? generation) < generation) return notObserved;
    if (stringAt(found, 'status') === 'True') continue;
    const why = [stringAt(found, 'reason') ?? '', saidAt(found, 'message') ?? ''].filter((text) => text !== '');
    return progressing(`not ${type} yet${why.length === 0 ? '' : `: ${why.join(': ')}`}`);
  }
  return undefined;
}

function isSameParent(left: JsonObject, right: JsonObject, owner: KubernetesObject): boolean {
  const whole = (parent: JsonObject) => ({ group, kind: 'Gateway', namespace: owner.metadata.namespace, ...parent });
  return equal(whole(left), whole(right));
}
