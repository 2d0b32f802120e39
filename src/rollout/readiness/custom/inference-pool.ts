import { objectsAt, stringAt, type JsonObject } from '../../../base/json.ts';
import { condition } from '../../../kubernetes/conditions.ts';
import { groupOf, type KubernetesObject } from '../../../kubernetes/object.ts';
import type { Verdict } from '../../verdict.ts';
import { ready, unchecked, type Facts, type Rule } from '../rule.ts';
import { judgeConditions, type Awaited } from './conditions.ts';

const olderGroup = 'inference.networking.x-k8s.io';

export const inferencePool: Rule = {
  kinds: [
    { kind: 'InferencePool', group: 'inference.networking.k8s.io' },
    { kind: 'InferencePool', group: olderGroup },
  ],
  ready:
    'each of its parents says Accepted and ResolvedRefs for this generation; one that no route uses for 30 s is accepted',
  failed:
    'a parent says for this generation that it does not support it, or that its endpointPickerRef is missing, for 30 s, or that its endpoint picker is not there, for 120 s',
  source:
    'gateway-api-inference-extension api/v1/inferencepool_types.go; older versions keep a parent "default" of kind Status as long as there is none',
  judge,
};

const acceptMs = 30_000;

const awaited: Awaited = {
  types: ['Accepted', 'ResolvedRefs'],
  observed: 'conditions',
  failing: [
    {
      type: 'Accepted',
      reasons: ['NotSupportedByParent', 'NotSupportedByGateway'],
      graceMs: 30_000,
      hint: 'Use a Gateway whose class supports InferencePools.',
    },
    { type: 'Accepted', reasons: ['EndpointPickerRefMissing'], graceMs: 30_000, hint: 'Set spec.endpointPickerRef.' },
    {
      type: 'ResolvedRefs',
      reasons: ['InvalidExtensionRef'],
      graceMs: 120_000,
      hint: 'Deploy the Service that its endpointPickerRef names, or fix the name.',
    },
  ],
};

function judge(object: KubernetesObject, facts: Facts): Verdict {
  const parents = ['parents', 'parent'].flatMap((list) => objectsAt(object, 'status', list)).filter(isReal);
  if (parents.length === 0) return { ...unchecked('no route uses it yet'), quietMs: acceptMs };
  const verdicts = parents.map((status) => judgeParent({ ...object, status }, facts));
  const missing =
    verdicts.find(({ state }) => state === 'failed') ?? verdicts.find(({ state }) => state === 'progressing');
  if (missing !== undefined) return missing;
  const names = parents.map((parent) => `"${stringAt(parent, 'parentRef', 'name') ?? ''}"`);
  return ready(`accepted by ${names.join(', ')}`);
}

/** The first gateways of the older group said no word about the references. */
function judgeParent(parent: KubernetesObject, facts: Facts): Verdict {
  const isOlder = groupOf(parent.apiVersion) === olderGroup && condition(parent, 'ResolvedRefs') === undefined;
  return judgeConditions(parent, facts, isOlder ? { ...awaited, types: ['Accepted'] } : awaited);
}

/** The entry that stands there until a gateway takes it. */
function isReal(parent: JsonObject): boolean {
  return stringAt(parent, 'parentRef', 'kind') !== 'Status';
}
