import { describe, expect, test } from '@jest/globals';

import type { JsonObject } from '../../../src/base/json.ts';
import { exceeds } from '../../../src/capacity/quota.ts';
import { containerWith, quotaOf } from './build.ts';

const full: JsonObject = {
  containers: [
    containerWith(
      { cpu: '1', memory: '1Gi', 'nvidia.com/gpu': '1' },
      { limits: { cpu: '2', memory: '2Gi', 'nvidia.com/gpu': '1' } },
    ),
  ],
};

/** `resource more of hard (used)` */
function exceeded(
  hard: JsonObject,
  used: JsonObject,
  extra: number,
  freed: JsonObject[] = [],
  spec: JsonObject = full,
): string[] {
  return exceeds(quotaOf(hard, used), [{ spec, extra, freed }]).map((shortage) =>
    shortage.kind === 'exceeded'
      ? `${shortage.resource}: ${shortage.more} of ${shortage.hard} (${shortage.used})`
      : `${shortage.resource}: not in ${shortage.container}`,
  );
}

describe('a quota', () => {
  test.each<[JsonObject, JsonObject, number, string[]]>([
    [{ pods: '5' }, { pods: '3' }, 2, []],
    [{ pods: '5' }, { pods: '3' }, 3, ['pods: 3 of 5 (3)']],
    [{ 'count/pods': '5' }, { 'count/pods': '3' }, 3, ['count/pods: 3 of 5 (3)']],
    [{ 'requests.cpu': '4' }, { 'requests.cpu': '3500m' }, 1, ['requests.cpu: 1000 of 4000 (3500)']],
    [{ cpu: '4' }, { cpu: '3500m' }, 1, ['cpu: 1000 of 4000 (3500)']],
    [{ 'limits.cpu': '4' }, { 'limits.cpu': '2' }, 1, []],
    [{ 'limits.cpu': '4' }, { 'limits.cpu': '2' }, 2, ['limits.cpu: 4000 of 4000 (2000)']],
    [{ 'requests.nvidia.com/gpu': '4' }, { 'requests.nvidia.com/gpu': '2' }, 2, []],
    [
      { 'requests.nvidia.com/gpu': '4' },
      { 'requests.nvidia.com/gpu': '2' },
      3,
      ['requests.nvidia.com/gpu: 3 of 4 (2)'],
    ],
    [{ 'requests.storage': '1Gi', services: '0' }, {}, 9, []],
  ])('of %j with %j used, for %d more pods: %j', (hard, used, extra, expected) => {
    expect(exceeded(hard, used, extra)).toEqual(expected);
  });

  test('gets back what the pods take that go before', () => {
    expect(exceeded({ pods: '5' }, { pods: '5' }, 2, [full])).toEqual(['pods: 1 of 5 (5)']);
    expect(exceeded({ pods: '5' }, { pods: '5' }, 2, [full, full])).toEqual([]);
  });

  test('that is exceeded already is no reason against pods that do not count for it', () => {
    expect(
      exceeded({ 'requests.nvidia.com/gpu': '1' }, { 'requests.nvidia.com/gpu': '2' }, 1, [], {
        containers: [containerWith({ cpu: '1' })],
      }),
    ).toEqual([]);
  });

  test('wants every container to say what it counts', () => {
    const spec = { containers: [containerWith({ cpu: '1' }), containerWith({}, { name: 'helper' })] };
    expect(exceeded({ 'requests.cpu': '9', 'limits.memory': '9' }, {}, 1, [], spec)).toEqual([
      'requests.cpu: not in helper',
      'limits.memory: not in web',
    ]);
    expect(exceeded({ 'requests.ephemeral-storage': '9' }, {}, 1, [], spec)).toEqual([]);
  });

  test('counts new objects of a kind', () => {
    const objects = new Map([['count/deployments.apps', 1]]);
    const quota = quotaOf({ 'count/deployments.apps': '2' }, { 'count/deployments.apps': '2' });
    expect(exceeds(quota, [{ spec: full, extra: 1, freed: [] }], objects)).toMatchObject([{ more: 1, used: 2 }]);
  });

  test.each<[JsonObject, JsonObject, number]>([
    [{ scopes: ['BestEffort'] }, full, 0],
    [{ scopes: ['BestEffort'] }, { containers: [containerWith()] }, 1],
    [{ scopes: ['NotBestEffort', 'NotTerminating'] }, full, 1],
    [{ scopes: ['Terminating'] }, { ...full, activeDeadlineSeconds: 60 }, 1],
    [{ scopes: ['Terminating'] }, full, 0],
    [
      { scopeSelector: { matchExpressions: [{ scopeName: 'PriorityClass', operator: 'In', values: ['high'] }] } },
      full,
      0,
    ],
    [
      { scopeSelector: { matchExpressions: [{ scopeName: 'PriorityClass', operator: 'In', values: ['high'] }] } },
      { ...full, priorityClassName: 'high' },
      1,
    ],
    [{ scopeSelector: { matchExpressions: [{ scopeName: 'PriorityClass', operator: 'DoesNotExist' }] } }, full, 1],
  ])('with the scope %j', (scope, spec, problems) => {
    expect(exceeds(quotaOf({ pods: '0' }, {}, scope), [{ spec, extra: 1, freed: [] }])).toHaveLength(problems);
  });
});
