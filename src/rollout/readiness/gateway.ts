import { equal, numberAt, objectAt, objectsAt, stringAt, type JsonObject } from '../../base/json.ts';
import { saidAt } from '../../base/said.ts';
import type { KubernetesObject } from '../../kubernetes/object.ts';
import type { Verdict } from '../verdict.ts';
import { notObserved, progressing, ready, type Facts, type Rule } from './rule.ts';

const group = 'gateway.networking.k8s.io';

export const gateway: Rule = {
  kinds: [{ kind: 'Gateway', group }],
  ready:
    'Accepted and Programmed are True for this generation; while they are not, the listener that is not served is named',
  failed: 'never: what it refers to may come a moment later',
  source: 'gateway-api GEP-1364 (status and conditions)',
  judge: (object, facts) => {
    const missing = missingOf(object['status'], ['Accepted', 'Programmed'], facts);
    if (missing !== undefined) return withListener(missing, object, facts);
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
      return progressing(`waiting for ${stringAt(parent, 'kind') ?? 'Gateway'} "${name}" to accept it`);
    for (const answer of own) {
      const missing = missingOf(answer, ['Accepted', 'ResolvedRefs'], facts);
      if (missing !== undefined) return missing;
    }
  }
  return ready('accepted by its parents');
}

/** The Gateway itself often says only that some listener is not valid (argo-cd checks each of them, too). */
function withListener(missing: Verdict, object: KubernetesObject, facts: Facts): Verdict {
  if (missing.state !== 'progressing' || missing === notObserved) return missing;
  for (const listener of objectsAt(object, 'status', 'listeners')) {
    const trouble = listenerTrouble(listener, facts);
    if (trouble !== undefined)
      return progressing(`${missing.message}; listener "${stringAt(listener, 'name') ?? ''}": ${trouble}`);
  }
  return missing;
}

/** Of which of its conditions a listener is not as it should be: `ResolvedRefs is False: InvalidCertificateRef` */
function listenerTrouble(listener: JsonObject, { generation }: Facts): string | undefined {
  const bad = { Conflicted: 'True', Accepted: 'False', ResolvedRefs: 'False', Programmed: 'False' };
  const conditions = objectsAt(listener, 'conditions').filter(
    (one) => (numberAt(one, 'observedGeneration') ?? generation) >= generation,
  );
  for (const [type, status] of Object.entries(bad)) {
    const found = conditions.find((one) => one['type'] === type && one['status'] === status);
    if (found === undefined) continue;
    return [`${type} is ${status}`, ...whyOf(found)].join(': ');
  }
  return undefined;
}

function whyOf(condition: JsonObject): string[] {
  return [stringAt(condition, 'reason') ?? '', saidAt(condition, 'message') ?? ''].filter((text) => text !== '');
}

/** The first of these conditions that is not True yet. */
function missingOf(status: JsonObject[string], types: readonly string[], { generation }: Facts): Verdict | undefined {
  for (const type of types) {
    const found = objectsAt(status, 'conditions').find((candidate) => candidate['type'] === type);
    if (found === undefined || (numberAt(found, 'observedGeneration') ?? generation) < generation) return notObserved;
    if (stringAt(found, 'status') === 'True') continue;
    const why = whyOf(found);
    return progressing(`not ${type} yet${why.length === 0 ? '' : `: ${why.join(': ')}`}`);
  }
  return undefined;
}

function isSameParent(left: JsonObject, right: JsonObject, owner: KubernetesObject): boolean {
  const whole = (parent: JsonObject) => ({ group, kind: 'Gateway', namespace: owner.metadata.namespace, ...parent });
  return equal(whole(left), whole(right));
}
