import { describe, expect, test } from '@jest/globals';

import { describeChangesByHand } from '../../../src/commands/changes-by-hand.ts';
import { keyOf, refOf, type KubernetesObject } from '../../../src/kubernetes/object.ts';
import { objectOf } from '../release/build.ts';

const since = '2026-01-01T00:00:00.000Z';
const containers = (image: string) => [{ name: 'web', image }];
const pod = (image: string) => ({ spec: { containers: containers(image) } });

function changes(recorded: KubernetesObject, now?: KubernetesObject): string[] {
  const running = new Map(now === undefined ? [] : [[keyOf(refOf(recorded)), now]]);
  return describeChangesByHand([recorded], running, since);
}

describe('what somebody has deleted of the version that runs', () => {
  test.each([
    ['apps/v1', 'Deployment', { spec: { template: pod('r.test/web:1') } }],
    ['batch/v1', 'CronJob', {}],
    ['v1', 'Pod', pod('r.test/web:1')],
    ['v1', 'Service', {}],
    ['v1', 'ConfigMap', {}],
    ['v1', 'Secret', {}],
    ['leaderworkerset.x-k8s.io/v1', 'LeaderWorkerSet', {}],
  ])('is a change: %s %s', (apiVersion, kind, body) => {
    expect(changes(objectOf(apiVersion, kind, body))).toEqual([`${kind} "a": someone deleted it`]);
  });

  test.each<[string, KubernetesObject]>([
    ['a Job', objectOf('batch/v1', 'Job', {})],
    ['a Pod that ends by itself', objectOf('v1', 'Pod', { spec: { restartPolicy: 'Never' } })],
    ['a custom resource whose pods end', objectOf('jobset.x-k8s.io/v1alpha2', 'JobSet', {})],
    ['what has a time to live', objectOf('example.com/v1', 'Run', { spec: { ttlSeconds: 60, template: pod('a') } })],
    ['what runs no pods and decides no answers', objectOf('policy/v1', 'PodDisruptionBudget', {})],
  ])('is none where it is %s', (_, recorded) => {
    expect(changes(recorded)).toEqual([]);
  });
});
