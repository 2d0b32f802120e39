import { describe, expect, test } from '@jest/globals';

import { autoscalerOf, type StatusLook } from '../../../src/capacity/autoscaler.ts';
import { live } from '../../support/rollout-objects.ts';
import { nodeOf } from './build.ts';

const plain = [nodeOf('a')];
const onGke = [nodeOf('gke-shop-pool-1', {}, { labels: { 'cloud.google.com/gke-nodepool': 'pool-1' } })];
const none: StatusLook = { state: 'none' };

function statusOf(status: string): StatusLook {
  return { state: 'found', configMap: { ...live('ConfigMap', { apiVersion: 'v1' }), data: { status } } };
}

describe('whether an autoscaler may add nodes', () => {
  test('is certain where there is no trace of one', () => {
    expect(autoscalerOf(plain, none)).toEqual({ state: 'absent' });
  });

  test('is unknown where its status may not be looked at', () => {
    expect(autoscalerOf(plain, { state: 'forbidden' }).state).toBe('unknown');
  });

  test('is unknown for node pools of GKE, which do not say whether they scale', () => {
    expect(autoscalerOf(onGke, none).state).toBe('unknown');
  });

  test.each([
    [nodeOf('gk3-shop-pool-1')],
    [nodeOf('a', {}, { labels: { 'karpenter.sh/nodepool': 'default' } })],
    [nodeOf('a', {}, { labels: { 'eks.amazonaws.com/compute-type': 'auto' } })],
    [nodeOf('a', {}, { annotations: { 'cluster-autoscaler.kubernetes.io/scale-down-disabled': 'true' } })],
    [nodeOf('a', {}, { taints: [{ key: 'DeletionCandidateOfClusterAutoscaler', effect: 'PreferNoSchedule' }] })],
  ])('is seen on a node: %j', (node) => {
    expect(autoscalerOf([nodeOf('x'), node], none).state).toBe('present');
  });

  test('is told by its status, as it is written since 1.30', () => {
    const group = (target: number) =>
      `- name: g\n  health:\n    cloudProviderTarget: ${target}\n    minSize: 0\n    maxSize: 3\n`;
    const status = statusOf(`autoscalerStatus: Running\nnodeGroups:\n${group(3)}${group(1)}`);
    expect(autoscalerOf(plain, status)).toEqual({
      state: 'present',
      why: 'may add nodes (1 of 2 node groups are below their maximum)',
    });
  });

  test('is told by its status, as it was written before', () => {
    const line = 'Health: Healthy (ready=3 unready=0 registered=3 cloudProviderTarget=3 (minSize=1, maxSize=3))';
    expect(
      autoscalerOf(plain, statusOf(`Cluster-autoscaler status at 2026-01-01:\nNodeGroups:\n  Name: g\n  ${line}\n`)),
    ).toEqual({
      state: 'present',
      why: 'has all its node groups at their maximum, but may create others',
    });
  });

  test('is told by a status that nobody can read, too', () => {
    expect(autoscalerOf(plain, statusOf('{'))).toEqual({ state: 'present', why: 'may add nodes' });
  });
});
