import { expect, test } from '@jest/globals';

import { hasRule, rules } from '../../../../src/rollout/readiness/index.ts';
import { live } from '../../../support/rollout-objects.ts';

const isKnown = (apiVersion: string, kind: string) => hasRule(live(kind, { apiVersion }));

test('each kind has one rule', () => {
  const kinds = rules.flatMap((rule) => rule.kinds.map(({ kind, group }) => `${group}/${kind}`));
  expect(kinds).toEqual([...new Set(kinds)]);
});

test('a rule may be that of all kinds of a group, or of all groups below a domain', () => {
  expect(isKnown('networking.istio.io/v1', 'Sidecar')).toBe(true);
  expect(isKnown('sub.networking.istio.io/v1', 'Sidecar')).toBe(false);
  expect(isKnown('pubsub.cnrm.cloud.google.com/v1beta1', 'PubSubTopic')).toBe(true);
  expect(isKnown('cnrm.cloud.google.com/v1beta1', 'PubSubTopic')).toBe(false);
  expect(isKnown('notcnrm.cloud.google.com/v1', 'Topic')).toBe(false);
  expect(isKnown('ec2.aws.crossplane.io/v1beta1', 'Instance')).toBe(true);
  expect(isKnown('crossplane.io.example.com/v1', 'Instance')).toBe(false);
});

test('a kind of the same name in another group is another kind', () => {
  expect(isKnown('networking.gke.io/v1', 'FrontendConfig')).toBe(true);
  expect(isKnown('example.com/v1', 'FrontendConfig')).toBe(false);
  expect(isKnown('example.com/v1', '*')).toBe(false);
});
