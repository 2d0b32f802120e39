import { expect, test } from '@jest/globals';

import { accessOf, covers, rulesIn, type AccessRule, type Right } from '../../../src/kubernetes/access.ts';
import type { KubernetesObject } from '../../../src/kubernetes/object.ts';

const right: Right = { verb: 'patch', group: 'apps', resource: 'deployments', namespace: 'shop', name: 'web' };

function rule(more: Partial<AccessRule> = {}): AccessRule {
  return { verbs: ['patch'], groups: ['apps'], resources: ['deployments'], names: [], ...more };
}

test.each<[string, AccessRule, Right, boolean]>([
  ['the very rule', rule(), right, true],
  ['stars', rule({ verbs: ['*'], groups: ['*'], resources: ['*'] }), right, true],
  ['another verb', rule({ verbs: ['get'] }), right, false],
  ['another group', rule({ groups: ['extensions'] }), right, false],
  ['its name', rule({ names: ['web'] }), right, true],
  ['another name', rule({ names: ['db'] }), right, false],
  [
    'a name where all are asked for',
    rule({ names: ['web'] }),
    { verb: 'patch', group: 'apps', resource: 'deployments' },
    false,
  ],
  ['the resource without its part', rule({ resources: ['pods'] }), { ...right, resource: 'pods/log' }, false],
  ['the part of any resource', rule({ resources: ['*/log'] }), { ...right, resource: 'pods/log' }, true],
])('a right is covered, or not, by a rule of %s', (_, only, asked, expected) => {
  expect(covers([only], asked)).toBe(expected);
});

function answer(status: object): KubernetesObject {
  return { apiVersion: 'v1', kind: 'SelfSubjectAccessReview', metadata: { name: '' }, status: { ...status } };
}

test.each([
  ['allowed', { allowed: true }, 'allowed'],
  ['not allowed', { allowed: false }, 'denied'],
  ['denied in so many words', { allowed: false, denied: true, evaluationError: 'webhook timed out' }, 'denied'],
  ['not allowed while a webhook did not answer', { allowed: false, evaluationError: 'webhook timed out' }, 'unknown'],
  [
    'not allowed beside a binding to a role that is gone',
    { allowed: false, evaluationError: 'clusterrole.rbac.authorization.k8s.io "old" not found' },
    'denied',
  ],
  ['no answer at all', {}, 'unknown'],
])('what is %s', (_, status, expected) => {
  expect(accessOf(answer(status))).toBe(expected);
});

test('rules are read from a SelfSubjectRulesReview, and of none there are none', () => {
  const resourceRules = [
    { verbs: ['get'], apiGroups: [''], resources: ['secrets'], resourceNames: ['a'] },
    { verbs: ['*'] },
  ];
  expect(rulesIn(answer({ resourceRules, incomplete: true }))).toEqual([
    { verbs: ['get'], groups: [''], resources: ['secrets'], names: ['a'] },
    { verbs: ['*'], groups: [], resources: [], names: [] },
  ]);
  expect(rulesIn(undefined)).toEqual([]);
});
