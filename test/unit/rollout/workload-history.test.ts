import { describe, expect, test } from '@jest/globals';

import type { JsonObject } from '../../../src/base/json.ts';
import type { KubernetesObject } from '../../../src/kubernetes/object.ts';
import { historyOf, lastGood, type Remains } from '../../../src/rollout/workload-history.ts';
import {
  eventOn,
  live,
  liveDaemonSet,
  liveDeployment,
  liveStatefulSet,
  ownedBy,
  podOf,
  replicaSetOf,
  template,
  timeAt,
} from '../../support/rollout-objects.ts';

const deployment = liveDeployment();

interface Pods {
  pods?: number;
  ready?: number;
  cause?: string;
}

/** The ReplicaSet of image `web:N` with the number N, which is scaled to nothing unless told otherwise. */
function replicaSet(revision: number, { pods = 0, ready = 0, cause }: Pods = {}): KubernetesObject {
  const set = replicaSetOf(deployment, { name: `web-${revision}`, image: `registry.test/web:${revision}` });
  set.metadata.annotations = {
    'deployment.kubernetes.io/revision': String(revision),
    ...(cause === undefined ? {} : { 'kubernetes.io/change-cause': cause }),
  };
  // The server leaves out what is 0.
  set['status'] = { replicas: pods, ...(ready === 0 ? {} : { readyReplicas: ready }) };
  return set;
}

function controllerRevision(owner: KubernetesObject, revision: number, labels: Record<string, string> = {}) {
  const wanted: JsonObject = { ...template(`registry.test/web:${revision}`), $patch: 'replace' };
  return live('ControllerRevision', {
    metadata: { name: `web-${revision}`, creationTimestamp: timeAt(revision), labels, ...ownedBy(owner) },
    ...{ revision, data: { spec: { template: wanted } } },
  });
}

function around(remains: Partial<Remains>): Remains {
  return { replicaSets: [], controllerRevisions: [], pods: [], events: [], ...remains };
}

const states = (workload: KubernetesObject, remains: Partial<Remains>) =>
  historyOf(workload, around(remains)).map(({ revision, state }) => `${revision} ${state}`);

const target = (workload: KubernetesObject, remains: Partial<Remains>) =>
  lastGood(historyOf(workload, around(remains)))?.revision;

describe('the versions of a Deployment', () => {
  test('are its ReplicaSets, newest first, with what a user wants to know of each', () => {
    const sets = [replicaSet(1, { pods: 3, ready: 2, cause: 'first' }), replicaSet(2, { pods: 1 })];
    const [current, first] = historyOf(deployment, around({ replicaSets: sets }));
    expect(current).toMatchObject({ revision: 2, state: 'current' });
    expect(first).toEqual({
      revision: 1,
      name: 'web-1',
      createdAt: timeAt(0),
      template: template('registry.test/web:1'),
      images: ['registry.test/web:1'],
      pods: 3,
      ready: 2,
      changeCause: 'first',
      state: 'good',
      reason: '2 ready pods',
    });
  });

  test('leave out those of another Deployment with the same labels, and those without a number', () => {
    const other = replicaSet(1);
    other.metadata.ownerReferences = [];
    const numberless = replicaSet(3);
    numberless.metadata.annotations = {};
    expect(states(deployment, { replicaSets: [other, replicaSet(2), numberless] })).toEqual(['2 current']);
  });

  test('after two failures: the one that still has ready pods, not the second highest number (kubernetes#49701)', () => {
    const sets = [replicaSet(0, { pods: 2, ready: 2 }), replicaSet(1), replicaSet(2, { pods: 1 })];
    expect(target(deployment, { replicaSets: sets })).toBe(0);
  });

  test('of which none has pods: the newest before the present one', () => {
    expect(target(deployment, { replicaSets: [replicaSet(0), replicaSet(1), replicaSet(2)] })).toBe(1);
  });

  test('of which none has pods: but not one whose pods could not run, as far as events tell', () => {
    const pod = podOf(replicaSet(1), { metadata: { name: 'web-1-x7k2p' } });
    const events = [eventOn(pod, 'BackOff', 'Back-off pulling image "registry.test/web:1"')];
    const history = historyOf(
      deployment,
      around({ replicaSets: [replicaSet(0), replicaSet(1), replicaSet(2)], events }),
    );
    expect(lastGood(history)?.revision).toBe(0);
    expect(history[1]?.reason).toBe('a pod with BackOff: Back-off pulling image "registry.test/web:1"');
  });

  test('never one whose pods are there and not ready', () => {
    expect(target(deployment, { replicaSets: [replicaSet(1, { pods: 2 }), replicaSet(2)] })).toBeUndefined();
  });

  test('with ready pods are good, whatever events said before', () => {
    const pod = podOf(replicaSet(1), { metadata: { name: 'web-1-x7k2p' } });
    const events = [eventOn(pod, 'BackOff', 'Back-off')];
    expect(states(deployment, { replicaSets: [replicaSet(1, { pods: 1, ready: 1 })], events })).toEqual(['1 good']);
  });

  test('have no present one until the controller has made it: then the newest is an earlier one', () => {
    expect(target(deployment, { replicaSets: [replicaSet(1)] })).toBe(1);
  });
});

describe('the versions of a StatefulSet', () => {
  test('are its ControllerRevisions; the one that was complete before is good although its last pod is gone', () => {
    const set = liveStatefulSet({ replicas: 1, updated: 0, ready: 0, status: { currentRevision: 'web-0' } });
    const controllerRevisions = [0, 1, 2].map((number) => controllerRevision(set, number));
    const pods = [podOf(set)];
    expect(states(set, { controllerRevisions, pods })).toEqual(['2 current', '1 unknown', '0 good']);
    expect(target(set, { controllerRevisions, pods })).toBe(0);
  });

  test('have a template without the directive of the patch', () => {
    const set = liveStatefulSet();
    const [only] = historyOf(set, around({ controllerRevisions: [controllerRevision(set, 2)] }));
    expect(only?.template).toEqual(template('registry.test/web:2'));
  });

  test('count the pods that stay, not those that end', () => {
    const set = liveStatefulSet();
    const controllerRevisions = [controllerRevision(set, 1), controllerRevision(set, 2)];
    const labels = { 'controller-revision-hash': 'web-1' };
    const pods = [
      podOf(set, { ready: true, metadata: { labels } }),
      podOf(set, { ready: true, metadata: { labels, deletionTimestamp: timeAt(1) } }),
    ];
    expect(historyOf(set, around({ controllerRevisions, pods }))[1]).toMatchObject({ pods: 1, ready: 1 });
  });

  test('are at the newest one when a new default of the server has changed the text of all', () => {
    const set = liveStatefulSet({ spec: { template: template('registry.test/web:2', { dnsPolicy: 'ClusterFirst' }) } });
    const controllerRevisions = [controllerRevision(set, 1), controllerRevision(set, 2)];
    expect(states(set, { controllerRevisions })).toEqual(['2 current', '1 unknown']);
  });
});

test('pods of a DaemonSet name their version by its hash', () => {
  const set = liveDaemonSet();
  const controllerRevisions = [1, 2].map((number) =>
    controllerRevision(set, number, { 'controller-revision-hash': `hash-${number}` }),
  );
  const pods = [podOf(set, { ready: true, metadata: { labels: { 'controller-revision-hash': 'hash-1' } } })];
  expect(states(set, { controllerRevisions, pods })).toEqual(['2 current', '1 good']);
});
