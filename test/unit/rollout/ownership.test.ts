import { describe, expect, test } from '@jest/globals';

import { newReplicaSet, podsOfNewRevision } from '../../../src/rollout/ownership.ts';
import {
  live,
  liveDaemonSet,
  liveDeployment,
  liveJob,
  liveStatefulSet,
  podOf,
  replicaSetOf,
} from '../../support/rollout-objects.ts';

const names = (objects: { metadata: { name: string } }[]) => objects.map(({ metadata }) => metadata.name);

describe('the pods of the new version', () => {
  const deployment = liveDeployment();
  const [older, newer] = [
    replicaSetOf(deployment, { name: 'web-11', image: 'registry.test/web:1' }),
    replicaSetOf(deployment),
  ];

  test('of a Deployment are those of the ReplicaSet with its template, not those of older ones (R19, garden#1050)', () => {
    const pods = [podOf(older, { metadata: { name: 'old' } }), podOf(newer, { metadata: { name: 'new' } })];
    expect(names(podsOfNewRevision(deployment, pods, [older, newer]))).toEqual(['new']);
  });

  test('are none while the new ReplicaSet is not there (R20, kubedog#45)', () => {
    expect(podsOfNewRevision(deployment, [podOf(older), podOf(newer)], [older])).toEqual([]);
  });

  test('are not those of another Deployment whose labels are the same', () => {
    const stranger = liveDeployment({ metadata: { name: 'web-canary' } });
    expect(newReplicaSet(stranger, [newer])).toBeUndefined();
  });

  test('of a StatefulSet have its update revision (krane#954)', () => {
    const set = liveStatefulSet({ updated: 1 });
    const old = podOf(set, { metadata: { name: 'old', labels: { 'controller-revision-hash': 'web-1' } } });
    expect(names(podsOfNewRevision(set, [old, podOf(set)], []))).toEqual(['web-a']);
  });

  test('of a StatefulSet are unknown until its controller has seen the change: the revision is still that of the old pods', () => {
    const set = liveStatefulSet({ observed: 1 });
    expect(podsOfNewRevision(set, [podOf(set)], [])).toEqual([]);
  });

  test('of a DaemonSet have the generation of its template', () => {
    const set = liveDaemonSet();
    const old = podOf(set, { metadata: { name: 'old', labels: { 'pod-template-generation': '1' } } });
    expect(names(podsOfNewRevision(set, [old, podOf(set)], []))).toEqual(['web-a']);
  });

  test('of a Job are its own', () => {
    const job = liveJob();
    expect(names(podsOfNewRevision(job, [podOf(job), podOf(liveJob({ metadata: { name: 'other' } }))], []))).toEqual([
      'web-a',
    ]);
  });

  test('of a Pod is that very one, not a later one of the same name', () => {
    const pod = podOf(undefined);
    const later = live('Pod', { apiVersion: 'v1', metadata: { name: pod.metadata.name, uid: 'later' } });
    expect(podsOfNewRevision(pod, [pod, later], [])).toEqual([pod]);
  });
});
