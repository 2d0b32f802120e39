import { describe, expect, test } from '@jest/globals';

import { readRefusal } from '../../../../src/rollout/failures/unschedulable.ts';

const unhelpful = (nodes: number) =>
  ` no new claims to deallocate, preemption: 0/${nodes} nodes are available: ${nodes} Preemption is not helpful for scheduling.`;

describe('the words of the scheduler', () => {
  test.each([
    ['3 Insufficient nvidia.com/gpu', 'not enough nvidia.com/gpu'],
    ['1 Insufficient cpu, 2 Insufficient memory', 'not enough cpu on 1 node, not enough memory on 2 nodes'],
    ['1 Too many pods', '1 node has the maximum number of pods'],
    ['1 node(s) had untolerated taint {gpu: true}', '1 node has the taint "gpu" that it does not tolerate'],
    ['2 node(s) had untolerated taint(s)', '2 nodes have a taint that it does not tolerate'],
    ["1 node(s) didn't match Pod's node affinity/selector", '1 node does not match its nodeSelector or affinity'],
    ['1 node(s) were unschedulable', '1 node is cordoned'],
    [
      "2 node(s) didn't match pod topology spread constraints",
      '2 nodes are ruled out by its topologySpreadConstraints',
    ],
    [
      "1 node(s) didn't match pod topology spread constraints (missing required label)",
      '1 node lacks the label that its topologySpreadConstraints use',
    ],
    ['1 node(s) had volume node affinity conflict', '1 node is not where its volume is'],
    ["1 node(s) didn't match PersistentVolume's node affinity", '1 node is not where its volume is'],
    [
      "1 node(s) didn't find available persistent volumes to bind",
      'no PersistentVolume on 1 node is available for its claim',
    ],
    ['2 cannot allocate all claims', '2 nodes cannot allocate the devices of its resourceClaims'],
    ['1 node(s) exceed max volume count', '1 node has the maximum number of volumes'],
    ['3 node(s) had a reason that nobody knows', '3 nodes had a reason that nobody knows'],
  ])('%s', (text, words) => {
    expect(readRefusal(`0/3 nodes are available: ${text}.`).words).toBe(
      `pod cannot be scheduled: ${words} (0 of 3 nodes fit)`,
    );
  });

  test('that are about no node are not told as if they were', () => {
    expect(readRefusal('waiting for 2 more pods of the gang').words).toBe(
      'pod cannot be scheduled: waiting for 2 more pods of the gang',
    );
  });

  test('about preemption are told where pods of lower priority stay', () => {
    const message =
      '0/1 nodes are available: 1 Insufficient cpu. preemption: not eligible due to preemptionPolicy=Never.';
    expect(readRefusal(message).words).toMatch(/; its preemptionPolicy Never keeps lower-priority pods in place$/);
  });
});

describe('what is more than a node has', () => {
  test('is told, and what is to be done about it', () => {
    const refusal = readRefusal(`0/2 nodes are available: 2 Insufficient nvidia.com/gpu.${unhelpful(2)}`);
    expect(refusal).toMatchObject({ isTooLarge: true, isCrowded: true, resources: ['nvidia.com/gpu'] });
    expect(refusal.words).toMatch(/; even an empty node is too small$/);
    expect(refusal.hint).toMatch(/^No eligible node has that much nvidia\.com\/gpu/);
  });

  test.each([
    [
      'one node would have room without its pods',
      '0/2 nodes are available: 1 No preemption victims found for incoming pod, 1 Preemption is not helpful for scheduling.',
    ],
    ['nobody has looked', 'not eligible due to preemptionPolicy=Never.'],
  ])('is not told when %s', (_, preemption) => {
    const refusal = readRefusal(`0/2 nodes are available: 2 Insufficient cpu. preemption: ${preemption}`);
    expect(refusal.isTooLarge).toBe(false);
    expect(refusal.hint).toMatch(/^Lower the pod requests/);
  });

  test('is not said of nodes that have the wrong labels', () => {
    const message = `0/1 nodes are available: 1 node(s) didn't match Pod's node affinity/selector.${unhelpful(1)}`;
    expect(readRefusal(message)).toMatchObject({ isTooLarge: false, isCrowded: false });
  });
});
