import { describe, expect, test } from '@jest/globals';

import type { JsonObject } from '../../../src/base/json.ts';
import { obstacleOn } from '../../../src/capacity/node-fit.ts';
import { nodeOf } from './build.ts';

const gpuTaint = { key: 'nvidia.com/gpu', value: 'present', effect: 'NoSchedule' };
const labels = { pool: 'gpu', 'gpu-count': '4' };
const node = nodeOf('a', {}, { labels });

function required(...nodeSelectorTerms: JsonObject[]): JsonObject {
  return { affinity: { nodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms } } } };
}

function expressions(...matchExpressions: JsonObject[]): JsonObject {
  return required({ matchExpressions });
}

describe('a node takes a pod', () => {
  test.each<[string, JsonObject, boolean]>([
    ['without wishes', {}, true],
    ['whose nodeSelector it has', { nodeSelector: { pool: 'gpu' } }, true],
    ['whose nodeSelector it has in part', { nodeSelector: { pool: 'gpu', zone: 'b' } }, false],
    ['that names it', { nodeName: 'a' }, true],
    ['that names another', { nodeName: 'b' }, false],
    ['of In', expressions({ key: 'pool', operator: 'In', values: ['cpu', 'gpu'] }), true],
    ['of NotIn', expressions({ key: 'pool', operator: 'NotIn', values: ['gpu'] }), false],
    [
      'of NotIn, for a label that it does not have',
      expressions({ key: 'zone', operator: 'NotIn', values: ['b'] }),
      true,
    ],
    ['of Exists', expressions({ key: 'zone', operator: 'Exists' }), false],
    ['of DoesNotExist', expressions({ key: 'zone', operator: 'DoesNotExist' }), true],
    ['of Gt', expressions({ key: 'gpu-count', operator: 'Gt', values: ['3'] }), true],
    ['of Lt', expressions({ key: 'gpu-count', operator: 'Lt', values: ['4'] }), false],
    [
      'of two expressions of which one matches',
      expressions({ key: 'pool', operator: 'Exists' }, { key: 'x', operator: 'Exists' }),
      false,
    ],
    [
      'of two terms of which one matches',
      required(
        { matchExpressions: [{ key: 'x', operator: 'Exists' }] },
        { matchFields: [{ key: 'metadata.name', operator: 'In', values: ['a'] }] },
      ),
      true,
    ],
    ['of a term that says nothing', required({}), false],
  ])('%s: %j → %p', (_, spec, fits) => {
    expect(obstacleOn(node, spec)).toEqual(fits ? undefined : { kind: 'not-selected' });
  });

  test.each<[JsonObject[], boolean]>([
    [[], false],
    [[{ operator: 'Exists' }], true],
    [[{ key: 'nvidia.com/gpu', operator: 'Exists' }], true],
    [[{ key: 'nvidia.com/gpu', operator: 'Exists', effect: 'NoExecute' }], false],
    [[{ key: 'nvidia.com/gpu', value: 'present', effect: 'NoSchedule' }], true],
    [[{ key: 'nvidia.com/gpu', operator: 'Equal', value: 'absent' }], false],
    [[{ key: 'other', operator: 'Exists' }], false],
  ])('with a taint, of the tolerations %j: %p', (tolerations, fits) => {
    const tainted = nodeOf('a', {}, { taints: [gpuTaint] });
    expect(obstacleOn(tainted, { tolerations })).toEqual(fits ? undefined : { kind: 'taint', taint: 'nvidia.com/gpu' });
  });

  test('with a taint that is a preference only', () => {
    expect(obstacleOn(nodeOf('a', {}, { taints: [{ ...gpuTaint, effect: 'PreferNoSchedule' }] }), {})).toBeUndefined();
  });

  test('when it is ready and not cordoned', () => {
    expect(obstacleOn(nodeOf('a', {}, { ready: false }), {})).toEqual({ kind: 'not-ready' });
    expect(obstacleOn(nodeOf('a', {}, { cordoned: true }), {})).toEqual({ kind: 'cordoned' });
    const tolerations = [{ key: 'node.kubernetes.io/unschedulable', operator: 'Exists' }];
    expect(obstacleOn(nodeOf('a', {}, { cordoned: true }), { tolerations })).toBeUndefined();
  });
});
