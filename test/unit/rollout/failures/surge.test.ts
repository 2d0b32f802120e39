import { describe, expect, test } from '@jest/globals';

import type { JsonObject } from '../../../../src/base/json.ts';
import { decide } from '../../../../src/rollout/decide.ts';
import {
  conditionAt,
  liveDeployment,
  podOf,
  replicaSetOf,
  start,
  type DeploymentParts,
} from '../../../support/rollout-objects.ts';
import { defaultGraces } from '../../../../src/rollout/failures/graces.ts';

const noGpu = '0/3 nodes are available: 3 Insufficient nvidia.com/gpu. preemption: none.';

/** What a Deployment with one old pod and one new pod that fits nowhere is told to do. */
function hintOf(
  strategy: JsonObject | undefined,
  message = noGpu,
  parts: DeploymentParts = {},
  held = 'nvidia.com/gpu',
): string {
  const deployment = liveDeployment({
    replicas: 1,
    existing: 2,
    updated: 1,
    available: 1,
    ...parts,
    spec: strategy === undefined ? {} : { strategy },
  });
  const set = replicaSetOf(deployment);
  const pod = podOf(set, { conditions: [conditionAt('PodScheduled', 'False', 'Unschedulable', message)] });
  const facts = {
    generation: 2,
    changed: true,
    writtenAt: start,
    now: start + 1000,
    asWritten: deployment,
    quietMs: Infinity,
  };
  const before = replicaSetOf(deployment, { name: 'web-11', image: 'registry.test/web:1' });
  const containers = [{ name: 'web', image: 'registry.test/web:1', resources: { limits: { [held]: '1' } } }];
  const old = podOf(before, { ready: true, spec: { containers } });
  const snapshot = { pods: [pod, old], replicaSets: [set, before], events: [] };
  return decide(deployment, facts, snapshot, new Map(), defaultGraces).suspicion?.hint ?? '';
}

const rolling = (maxSurge: string | number) => ({ type: 'RollingUpdate', rollingUpdate: { maxSurge } });

describe('a new pod without room beside old ones', () => {
  test.each([[undefined], [rolling('25%')], [rolling(1)]])(
    'is told of maxSurge: 0 with the strategy %j (LLMKube#192)',
    (strategy) => {
      expect(hintOf(strategy)).toMatch(
        /^Old pods stay until a new one is ready: set "maxSurge: 0" and "maxUnavailable: 1"/,
      );
    },
  );

  test.each([[rolling(0)], [rolling('0%')], [{ type: 'Recreate' }]])('is not told of it with %j', (strategy) => {
    expect(hintOf(strategy)).toMatch(/^Lower the pod requests/);
  });

  test.each([
    ["0/3 nodes are available: 3 node(s) didn't match pod anti-affinity rules.", /^Old pods/],
    ["0/3 nodes are available: 3 node(s) didn't have free ports for the requested pod ports.", /^Old pods/],
    ["0/3 nodes are available: 3 node(s) didn't match Pod's node affinity/selector.", /^Lower/],
    ['0/3 nodes are available: 3 node(s) had untolerated taint {gpu: true}.', /^Lower/],
  ])('%s', (message, hint) => {
    expect(hintOf(undefined, message)).toMatch(hint);
  });

  test('is not told of it when the old pods hold nothing of what it lacks', () => {
    expect(hintOf(undefined, noGpu, {}, 'amd.com/gpu')).toMatch(/^Lower/);
  });

  test('is not told of it when it would not fit without them either', () => {
    const message =
      '0/3 nodes are available: 3 Insufficient nvidia.com/gpu. no new claims to deallocate, preemption: 0/3 nodes are available: 3 Preemption is not helpful for scheduling.';
    expect(hintOf(undefined, message)).toMatch(/^No eligible node has that much nvidia\.com\/gpu/);
  });

  test('is not told of it when all pods are new', () => {
    expect(hintOf(undefined, noGpu, { existing: 1, available: 0 })).toMatch(/^Lower/);
  });
});
