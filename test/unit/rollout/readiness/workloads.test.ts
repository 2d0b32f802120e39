import { describe, expect, test } from '@jest/globals';

import type { JsonObject } from '../../../../src/base/json.ts';
import type { KubernetesObject } from '../../../../src/kubernetes/object.ts';
import { judge } from '../../../../src/rollout/readiness/index.ts';
import type { Facts } from '../../../../src/rollout/readiness/rule.ts';
import { decidedOver } from '../../../support/custom-resource.ts';
import {
  conditionAt,
  factsOf,
  live,
  liveDaemonSet,
  liveDeployment,
  liveJob,
  liveStatefulSet,
  podOf,
  start,
  template,
  timeAt,
} from '../../../support/rollout-objects.ts';

/** What is the case, the object, and what the rule says: `ready: …`, `progressing: …`. */
type Row = [string, KubernetesObject, string, Partial<Facts>?];

function said(object: KubernetesObject, facts: Partial<Facts> = {}): string {
  const verdict = judge(object, factsOf(object, facts));
  return `${verdict.state}: ${verdict.state === 'failed' ? `${verdict.cause.reason}: ${verdict.cause.message}` : verdict.message}`;
}

function check(rows: readonly Row[]): void {
  test.each(rows.map(([name, object, expected, facts = {}]) => ({ name, object, expected, facts })))(
    '$name',
    ({ object, expected, facts }) => {
      expect(said(object, facts)).toBe(expected);
    },
  );
}

const deadline = (status: string, seconds: number) =>
  conditionAt('Progressing', status, 'ProgressDeadlineExceeded', 'ReplicaSet "web-22" has timed out', seconds);
const broken = { updated: 3, available: 0 };

describe('a Deployment', () => {
  check([
    ['with all pods updated and available is ready', liveDeployment(), 'ready: 3 pods available'],
    [
      'without any status waits',
      live('Deployment', { spec: { replicas: 1 } }),
      'progressing: waiting for the controller',
    ],
    [
      'whose status belongs to an older generation waits (krane#20)',
      liveDeployment({ observed: 1 }),
      'progressing: waiting for the controller',
    ],
    [
      'that another writer changed meanwhile counts from the generation of our write',
      liveDeployment({ generation: 3, observed: 2 }),
      'ready: 3 pods available',
      { generation: 2 },
    ],
    [
      'counts updated pods',
      liveDeployment({ existing: 4, updated: 1, available: 3 }),
      'progressing: 1 of 3 pods updated, 3 available',
    ],
    [
      'waits for old pods (garden#5794)',
      liveDeployment({ existing: 4, updated: 3, available: 4 }),
      'progressing: waiting for 1 old pod to terminate',
    ],
    [
      'says that pods are not available before it says that old ones have not ended: they wait for those',
      liveDeployment({ existing: 4, updated: 3, available: 3 }),
      'progressing: 3 of 4 pods available, waiting for 1 old pod to terminate',
    ],
    ['waits for available pods', liveDeployment({ updated: 3, available: 2 }), 'progressing: 2 of 3 pods available'],
    [
      'with one replica and maxUnavailable 1 is not ready without a pod (R5, helm#3173)',
      liveDeployment({
        replicas: 1,
        available: 0,
        spec: { strategy: { rollingUpdate: { maxUnavailable: 1, maxSurge: 0 } } },
      }),
      'progressing: 0 of 1 pod available',
    ],
    [
      'with maxSurge 0 is not ready before a pod is updated',
      liveDeployment({ updated: 0, available: 3, status: { unavailableReplicas: 0 } }),
      'progressing: 0 of 3 pods updated, 3 available',
    ],
    [
      'of strategy Recreate counts wanted pods, not existing ones (garden#2630)',
      liveDeployment({ existing: 0, spec: { strategy: { type: 'Recreate' } } }),
      'progressing: 0 of 3 pods updated, 0 available',
    ],
    ['of zero replicas is ready without pods (garden#676)', liveDeployment({ replicas: 0 }), 'ready: 0 pods available'],
    [
      'scaled to zero waits for its pods to go',
      liveDeployment({ replicas: 0, existing: 3 }),
      'progressing: 3 extra pods terminating',
    ],
    [
      'scaled down waits for the surplus to go',
      liveDeployment({ replicas: 1, existing: 3 }),
      'progressing: 2 extra pods terminating',
    ],
    [
      'whose manifest says paused is accepted (R9)',
      liveDeployment({ updated: 0, available: 3, spec: { paused: true } }),
      'unchecked: paused: 0 of 3 pods updated; run "resume" to continue',
    ],
    [
      'that somebody pauses while we wait is not accepted',
      liveDeployment({ updated: 1, available: 3, spec: { paused: true } }),
      'progressing: 1 of 3 pods updated; paused by somebody, run "resume" to continue',
      { asWritten: liveDeployment() },
    ],
    [
      'paused after it was complete is ready, and the pause is told',
      liveDeployment({ spec: { paused: true } }),
      'ready: 3 pods available; paused by somebody',
    ],
    [
      'past its progress deadline has failed',
      liveDeployment({ ...broken, conditions: [deadline('False', 4)], spec: { progressDeadlineSeconds: 3 } }),
      'failed: ProgressDeadlineExceeded: made no progress for 3s (spec.progressDeadlineSeconds)',
    ],
    [
      'has not failed by a deadline that passed before our write (R1, kubernetes#49637)',
      liveDeployment({ ...broken, conditions: [deadline('False', -30)] }),
      'progressing: 0 of 3 pods available',
    ],
    [
      'has not failed by a deadline in the very second of our write, which may be older (R2, kubernaut#199)',
      liveDeployment({ ...broken, conditions: [deadline('False', 0)] }),
      'progressing: 0 of 3 pods available',
    ],
    [
      'has failed by an older condition once its whole deadline has passed since our write (krane#765)',
      liveDeployment({ ...broken, conditions: [deadline('False', -30)] }),
      'failed: ProgressDeadlineExceeded: made no progress for 600s (spec.progressDeadlineSeconds)',
      { now: start + 601_000 },
    ],
    [
      'that nobody touched has failed by the condition it has',
      liveDeployment({ ...broken, conditions: [deadline('False', -30)] }),
      'failed: ProgressDeadlineExceeded: made no progress for 600s (spec.progressDeadlineSeconds)',
      { changed: false },
    ],
    [
      'that is complete is ready whatever an old condition says',
      liveDeployment({ conditions: [deadline('False', -30)] }),
      'ready: 3 pods available',
    ],
    [
      'whose ReplicaSet cannot be made has failed with the words of the server',
      liveDeployment({
        existing: 0,
        conditions: [conditionAt('Progressing', 'False', 'ReplicaSetCreateError', 'replicasets "x" is forbidden', 2)],
      }),
      'failed: ReplicaSetCreateError: replicasets "x" is forbidden',
    ],
    [
      'is not failed by ReplicaFailure, which may be about the old version',
      liveDeployment({ updated: 2, conditions: [conditionAt('ReplicaFailure', 'True', 'FailedCreate', 'quota', 3)] }),
      'progressing: 2 of 3 pods updated, 2 available',
    ],
  ]);
});

const onDelete = { updateStrategy: { type: 'OnDelete' } };
const partition = (number: number) => ({
  updateStrategy: { type: 'RollingUpdate', rollingUpdate: { partition: number } },
});

describe('a StatefulSet', () => {
  check([
    ['with all pods updated and ready is ready', liveStatefulSet(), 'ready: 3 pods ready'],
    ['waits to be observed', liveStatefulSet({ observed: 1 }), 'progressing: waiting for the controller'],
    [
      'is not ready by the ready pods of its old revision (R13, helm#10061)',
      liveStatefulSet({ updated: 0 }),
      'progressing: 0 of 3 pods updated, 3 ready',
    ],
    ['waits for ready pods', liveStatefulSet({ ready: 2 }), 'progressing: 2 of 3 pods ready'],
    [
      'is ready without updatedReplicas when its revisions are equal (R12, kubernetes#72212)',
      liveStatefulSet({ updated: null }),
      'ready: 3 pods ready',
    ],
    [
      'with a partition waits for the pods above it only (R14)',
      liveStatefulSet({ updated: 1, spec: partition(2) }),
      'ready: 3 pods ready, 1 updated (partition is 2)',
    ],
    [
      'with a partition waits for all pods to be ready (R14)',
      liveStatefulSet({ updated: 1, ready: 2, spec: partition(2) }),
      'progressing: 2 of 3 pods ready',
    ],
    [
      'with a partition above its replicas has nothing to update',
      liveStatefulSet({ updated: 0, spec: partition(5) }),
      'ready: 3 pods ready, 0 updated (partition is 5)',
    ],
    [
      'without a partition waits for the new revision to be the current one (R14)',
      liveStatefulSet({ status: { currentRevision: 'web-1' } }),
      'progressing: waiting for the new revision to become the current one',
    ],
    [
      'with minReadySeconds waits for available pods (R14)',
      liveStatefulSet({ spec: { ...partition(0), minReadySeconds: 10 }, status: { availableReplicas: 1 } }),
      'progressing: 1 of 3 pods available (minReadySeconds is 10)',
    ],
    [
      'scaled down waits for the surplus to go',
      liveStatefulSet({ replicas: 1, status: { replicas: 3 } }),
      'progressing: 2 extra pods terminating',
    ],
    ['of zero replicas is ready', liveStatefulSet({ replicas: 0 }), 'ready: 0 pods ready'],
    [
      'with OnDelete is accepted, and says what is to be done',
      liveStatefulSet({ updated: 1, spec: onDelete }),
      'unchecked: its update strategy is OnDelete: 1 of 3 pods updated; delete the others to update them',
    ],
    [
      'with OnDelete is ready once all pods were updated, whatever its current revision (kubernetes#73492)',
      liveStatefulSet({ spec: onDelete, status: { currentRevision: 'web-1' } }),
      'ready: 3 pods ready',
    ],
  ]);
});

describe('a DaemonSet', () => {
  check([
    ['with all pods updated and available is ready', liveDaemonSet(), 'ready: 3 pods available'],
    ['waits to be observed', liveDaemonSet({ observed: 1 }), 'progressing: waiting for the controller'],
    ['waits for updated pods', liveDaemonSet({ updated: 1 }), 'progressing: 1 of 3 pods updated, 1 available'],
    ['waits for available pods', liveDaemonSet({ available: 2 }), 'progressing: 2 of 3 pods available'],
    ['that no node wants is ready, and says so', liveDaemonSet({ wanted: 0 }), 'ready: no pods: no node matches'],
    [
      'with OnDelete is accepted, and says what is to be done',
      liveDaemonSet({ updated: 1, spec: onDelete }),
      'unchecked: its update strategy is OnDelete: 1 of 3 pods updated; delete the others to update them',
    ],
    [
      'with OnDelete is awaited once all pods are updated',
      liveDaemonSet({ available: 2, spec: onDelete }),
      'progressing: 2 of 3 pods available',
    ],
  ]);
});

describe('a ReplicaSet', () => {
  const replicaSet = (existing: number, available: number, observed = 1) =>
    live('ReplicaSet', {
      spec: { replicas: 2 },
      status: { observedGeneration: observed, replicas: existing, availableReplicas: available },
    });
  check([
    ['with all pods available is ready', replicaSet(2, 2), 'ready: 2 pods available'],
    ['waits for available pods', replicaSet(2, 1), 'progressing: 1 of 2 pods available'],
    ['waits for the surplus to go', replicaSet(3, 2), 'progressing: 1 extra pod terminating'],
    ['waits to be observed', replicaSet(2, 2, 0), 'progressing: waiting for the controller'],
  ]);

  describe.each(['ReplicaSet', 'ReplicationController'])('of kind %s', (kind) => {
    const of = (image: string, replicas: number, existing = replicas) =>
      live(kind, {
        apiVersion: kind === 'ReplicaSet' ? 'apps/v1' : 'v1',
        spec: { replicas, template: template(image) },
        status: { observedGeneration: 1, replicas: existing, availableReplicas: existing },
      });
    const verdictOf = (object: KubernetesObject, before: KubernetesObject) =>
      judge(object, factsOf(object, { before }));

    test('holds its pods back where its template changes: its controller replaces none', () => {
      expect(verdictOf(of('web:2', 3), of('web:1', 2))).toEqual({
        state: 'ready',
        message:
          '3 pods available; its controller replaces no pods: 1 of 3 pods updated; delete the others to update them',
        held: 'its controller replaces no pods: 1 of 3 pods updated',
      });
    });

    const pod = (name: string, image: string, at = -300, more: JsonObject = {}) =>
      podOf(of(image, 2), {
        metadata: { name, creationTimestamp: timeAt(at) },
        spec: { containers: [{ name: 'web', image, ...more }] },
        ready: true,
      });
    const heldOf = (object: KubernetesObject, more: Partial<Facts>) => {
      const verdict = judge(object, factsOf(object, more));
      return verdict.state === 'ready' ? (verdict.held ?? 'ready') : verdict;
    };
    const old = [pod('a', 'web:1'), pod('b', 'web:1')];

    test('holds back by a change of an earlier run, too, as long as one of its pods is not of its template', () => {
      const found = { changed: false, descendants: old };
      expect(heldOf(of('web:2', 2), found)).toBe('its controller replaces no pods: 0 of 2 pods updated');
      expect(heldOf(of('web:2', 2), { ...found, descendants: [pod('a', 'web:1'), pod('b', 'web:2')] })).toBe(
        'its controller replaces no pods: 1 of 2 pods updated',
      );
      expect(heldOf(of('web:1', 2), found)).toBe('ready');
    });

    test('minds arguments and variables, and nothing that admission adds', () => {
      const shows = (more: JsonObject, has: JsonObject) => {
        const object = of('web:2', 1);
        const containers = [{ name: 'web', image: 'web:2', ...more }];
        const changed = { ...object, spec: { replicas: 1, template: { spec: { containers } } } };
        const descendants = [pod('a', 'web:2', -300, has)];
        return heldOf(changed, { changed: false, descendants });
      };
      const held = 'its controller replaces no pods: 0 of 1 pod updated';
      const env = (value: string) => [{ name: 'MODE', value }];
      expect(shows({ env: env('b') }, { env: env('a') })).toBe(held);
      expect(shows({ args: ['-b'] }, { args: ['-a'] })).toBe(held);
      expect(shows({ env: env('a') }, { env: [{ name: 'ADDED', value: '1' }, ...env('a')] })).toBe('ready');
      expect(shows({}, { image: 'mirror.test/web:2@sha256:0123' })).toBe('ready');
    });

    test('believes the age of a pod that admission has changed when it was made', () => {
      const object = of('web:2', 1);
      const written = (seconds: number) => ({
        ...object,
        metadata: {
          ...object.metadata,
          managedFields: [
            {
              manager: 'gke-rollout',
              operation: 'Apply' as const,
              apiVersion: 'v1',
              time: timeAt(seconds),
              fieldsV1: { 'f:spec': { 'f:template': {} } },
            },
          ],
        },
      });
      const found = { changed: false, descendants: [pod('a', 'other:1')] };
      expect(heldOf(written(-400), found)).toBe('ready');
      expect(heldOf(written(-200), found)).toBe('its controller replaces no pods: 0 of 1 pod updated');
    });

    test('goes by the pods where they may be seen: by what they show, and by their age where they show nothing', () => {
      const before = of('web:1', 2);
      expect(heldOf(of('web:2', 2), { before, descendants: [pod('a', 'web:1'), pod('b', 'web:2', 3)] })).toBe(
        'its controller replaces no pods: 1 of 2 pods updated',
      );
      // Taken back before a pod had it.
      expect(heldOf(of('web:1', 2), { before: of('web:2', 2), descendants: old })).toBe('ready');
      const graceful = { ...before, spec: { replicas: 2, template: template('web:1', { priority: 1 }) } };
      expect(heldOf(graceful, { before, descendants: [pod('a', 'web:1'), pod('b', 'web:1', 3)] })).toBe(
        'its controller replaces no pods: 1 of 2 pods updated',
      );
    });

    test('is ready as ever with another number of pods, or where it had none', () => {
      const ready = { state: 'ready', message: '3 pods available' };
      expect(verdictOf(of('web:1', 3), of('web:1', 2))).toEqual(ready);
      expect(verdictOf(of('web:2', 3), of('web:1', 0))).toEqual(ready);
    });
  });
});

describe('a Job', () => {
  check([
    ['that runs counts', liveJob(), 'progressing: 0 of 1 pod completed, 1 running'],
    [
      'is not failed by failed pods, not even as many as its backoffLimit (tuppr#532)',
      liveJob({ spec: { backoffLimit: 1 }, status: { active: 1, failed: 1 } }),
      'progressing: 0 of 1 pod completed, 1 running, 1 pod failed',
    ],
    ['that is complete is ready', liveJob({ conditions: [conditionAt('Complete', 'True')] }), 'ready: completed'],
    [
      'is ready as soon as its success is certain',
      liveJob({ conditions: [conditionAt('SuccessCriteriaMet', 'True')] }),
      'ready: completed',
    ],
    [
      'that has failed says why',
      liveJob({
        conditions: [
          conditionAt('Failed', 'True', 'BackoffLimitExceeded', 'Job has reached the specified backoff limit'),
        ],
      }),
      'failed: BackoffLimitExceeded: failed: Job has reached the specified backoff limit',
    ],
    [
      'has failed as soon as its failure is certain (kubernetes#123775)',
      liveJob({
        conditions: [
          conditionAt('FailureTarget', 'True', 'DeadlineExceeded', 'Job was active longer than specified deadline'),
        ],
      }),
      'failed: DeadlineExceeded: failed: Job was active longer than specified deadline',
    ],
    [
      'with a condition that is False goes on',
      liveJob({ conditions: [conditionAt('Failed', 'False')] }),
      'progressing: 0 of 1 pod completed, 1 running',
    ],
    ['that is suspended is accepted', liveJob({ spec: { suspend: true } }), 'unchecked: it is suspended'],
  ]);

  test('that Kueue holds is accepted once it has waited in its queue for 15 s', () => {
    const metadata = { labels: { 'kueue.x-k8s.io/queue-name': 'migrations' } };
    const written = liveJob({ metadata, spec: { suspend: true } });
    expect(decidedOver(written, [{ at: 0 }], 14).at(-1)).toBe(
      'progressing: it is suspended; checking that it stays so',
    );
    expect(decidedOver(written, [{ at: 0 }], 15).at(-1)).toBe('unchecked: it is suspended');
  });
});

describe('a CronJob', () => {
  const cronJob = (spec: { suspend?: boolean }) =>
    live('CronJob', { apiVersion: 'batch/v1', spec: { schedule: '0 3 * * *', ...spec } });
  check([
    ['is ready when it is applied', cronJob({}), 'ready: its schedule is "0 3 * * *"'],
    ['that is suspended is ready too', cronJob({ suspend: true }), 'ready: suspended'],
  ]);
});

describe('a Pod', () => {
  check([
    ['that is ready is ready', podOf(undefined, { ready: true }), 'ready: ready'],
    [
      'whose readiness gates are missing waits, though its containers are ready (kubedog#214)',
      podOf(undefined, {
        phase: 'Running',
        status: {
          conditions: [
            conditionAt(
              'Ready',
              'False',
              'ReadinessGatesNotReady',
              'the status of pod readiness gate "x" is not "True"',
            ),
          ],
        },
      }),
      'progressing: the status of pod readiness gate "x" is not "True"',
    ],
    ['that has no status yet waits', live('Pod', { apiVersion: 'v1' }), 'progressing: its phase is Pending'],
    ['that has completed is ready (kubectl#1451)', podOf(undefined, { phase: 'Succeeded' }), 'ready: completed'],
    [
      'that has failed has failed',
      podOf(undefined, { phase: 'Failed' }),
      'failed: Failed: failed: a container ended with an error',
    ],
    [
      'that was evicted says so',
      podOf(undefined, {
        phase: 'Failed',
        status: { reason: 'Evicted', message: 'The node was low on resource: memory.' },
      }),
      'failed: Evicted: failed: The node was low on resource: memory.',
    ],
  ]);

  describe('with another image', () => {
    const of = (image: string, containerID: string, name = 'bare') =>
      live('Pod', {
        apiVersion: 'v1',
        metadata: { name },
        spec: { containers: [{ name: 'web', image }] },
        status: {
          phase: 'Running',
          conditions: [conditionAt('Ready', 'True')],
          containerStatuses: [{ name: 'web', containerID }],
        },
      });
    const asWritten = of('web:2', 'containerd://1');
    const before = of('web:1', 'containerd://1');

    test('waits until a native sidecar is replaced, too; an init container that has ended is not run again', () => {
      const withInit = (image: string, restart: JsonObject, containerID = 'containerd://7') => {
        const { status, ...pod } = of('web:1', 'containerd://1');
        return {
          ...pod,
          spec: {
            containers: [{ name: 'web', image: 'web:1' }],
            initContainers: [{ name: 'proxy', image, ...restart }],
          },
          status: { ...(status as JsonObject), initContainerStatuses: [{ name: 'proxy', containerID }] },
        };
      };
      const always = { restartPolicy: 'Always' };
      const changed = withInit('proxy:2', always);
      const waits = 'progressing: sidecar container "proxy" still runs its old image';
      expect(said(changed, { before: withInit('proxy:1', always) })).toBe(waits);
      expect(said(withInit('proxy:2', always, 'containerd://8'), { before: withInit('proxy:1', always) })).toBe(
        'ready: ready',
      );
      expect(said(withInit('setup:2', {}), { before: withInit('setup:1', {}) })).toBe('ready: ready');
    });

    test('waits until its container is replaced: until then it is the old one that is ready', () => {
      expect(said(asWritten, { before })).toBe('progressing: container "web" still runs its old image');
      expect(said(of('web:2', 'containerd://2'), { asWritten, before })).toBe('ready: ready');
    });

    test('is ready as ever where nothing but labels has changed, or another pod was there before', () => {
      expect(said(before, { before })).toBe('ready: ready');
      expect(said(asWritten, { before: of('web:1', 'containerd://1', 'other') })).toBe('ready: ready');
    });
  });
});
