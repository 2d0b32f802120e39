import { describe, expect, test } from '@jest/globals';

import type { JsonObject } from '../../../../src/base/json.ts';
import { podSigns } from '../../../../src/rollout/failures/pod.ts';
import { withQueue } from '../../../../src/rollout/queue/sign.ts';
import { conditionAt, live, podOf, start, timeAt } from '../../../support/rollout-objects.ts';

const labels = { 'kueue.x-k8s.io/queue-name': 'models' };
const gated = podOf(undefined, {
  metadata: { name: 'web-22-a', uid: 'pod-a', labels, creationTimestamp: timeAt(0) },
  spec: { schedulingGates: [{ name: 'kueue.x-k8s.io/admission' }] },
  conditions: [
    conditionAt('PodScheduled', 'False', 'SchedulingGated', 'Scheduling is blocked due to non-empty scheduling gates'),
  ],
});

interface Said {
  conditions?: JsonObject[];
  checks?: JsonObject[];
  active?: boolean;
  apiVersion?: string;
  owner?: string;
  name?: string;
}

/** A Workload as Kueue makes it for a pod. */
function workload({
  conditions = [],
  checks = [],
  active = true,
  apiVersion = 'kueue.x-k8s.io/v1beta2',
  owner = 'pod-a',
  name = 'pod-web-22-a-1f0c3',
}: Said) {
  return live('Workload', {
    apiVersion,
    metadata: {
      name,
      uid: name,
      ownerReferences: [{ apiVersion: 'v1', kind: 'Pod', name: 'web-22-a', uid: owner, controller: true }],
    },
    spec: { active, queueName: 'models', podSets: [{ name: 'main', count: 1 }] },
    status: { conditions, ...(checks.length === 0 ? {} : { admissionChecks: checks }) },
  });
}

const unreserved = (reason: string, message: string) => conditionAt('QuotaReserved', 'False', reason, message, 60);

function signs(
  said: ReturnType<typeof workload>[],
  seconds = 90,
  barredSince = new Map<string, number>(),
  pod = gated,
) {
  const now = start + seconds * 1000;
  return withQueue(pod, podSigns(pod, [], false, now), { workloads: said, now, graceMs: 120_000, barredSince });
}

const told = (said: Said) => signs([workload(said)]).map(({ state, cause }) => `${state}: ${cause.message}`);

const needsMore =
  "couldn't assign flavors to pod set main: insufficient unused quota for nvidia.com/gpu in flavor a100, 4 more needed";
const tooMuch =
  "couldn't assign flavors to pod set main: insufficient quota for nvidia.com/gpu in flavor a100, request > maximum capacity (16 > 8)";

describe('a pod that waits in a queue of Kueue', () => {
  test.each([
    ['v1beta2', 'WaitingForQuota'],
    ['v1beta1', 'WaitingForQuota'],
    ['v1beta2', 'Pending'],
    ['v1beta1', 'Pending'],
  ])('is told with what its Workload of %s waits for, and since when (%s)', (version, reason) => {
    const said = { apiVersion: `kueue.x-k8s.io/${version}`, conditions: [unreserved(reason, needsMore)] };
    expect(told(said)).toEqual([
      `diagnostic: queued by Kueue in "models" since 00:01 UTC, waiting for quota: ${needsMore}`,
    ]);
    expect(signs([workload(said)])[0]?.cause).toMatchObject({
      reason: 'SchedulingGated',
      since: start + 60_000,
      hint: 'Free up quota of its ClusterQueue or have it raised; raise the input "timeout" if it may just take longer.',
    });
  });

  test.each([
    ['PendingEvaluation', '', 'waiting'],
    ['Pending', 'The workload is waiting', 'waiting: The workload is waiting'],
    ['Suspended', 'ClusterQueue gpus is inactive', 'its queue is not active: ClusterQueue gpus is inactive'],
    ['Inadmissible', 'LocalQueue models is inactive', 'its queue is not active: LocalQueue models is inactive'],
    [
      'TopologyPlacementFailed',
      `couldn't assign flavors to pod set main: topology "rack" doesn't allow to fit any of 2 pod(s)`,
      `there is no room in the topology that it asks for: couldn't assign flavors to pod set main: topology "rack" doesn't allow to fit any of 2 pod(s)`,
    ],
    [
      'WaitingForPreemptedWorkloads',
      `${needsMore}. Pending the preemption of 1 workload(s)`,
      `waiting for preempted workloads to terminate: ${needsMore}. Pending the preemption of 1 workload(s)`,
    ],
  ])('goes on waiting while that may heal by itself: %s, %s', (reason, message, words) => {
    expect(told({ conditions: [unreserved(reason, message)] })).toEqual([
      `diagnostic: queued by Kueue in "models" since 00:01 UTC, ${words}`,
    ]);
  });

  test('is told with the admission check that it waits for, such as the nodes of flex-start', () => {
    const said = {
      conditions: [
        conditionAt('QuotaReserved', 'True', 'QuotaReserved', 'Quota reserved in ClusterQueue gpus', 60),
        conditionAt('Admitted', 'False', 'UnsatisfiedChecks', 'The workload has unsatisfied AdmissionChecks', 60),
      ],
      checks: [
        { name: 'budget', state: 'Ready', message: '', lastTransitionTime: timeAt(61) },
        {
          name: 'dws-prov',
          state: 'Pending',
          message: "Provisioning Request wasn't provisioned. ETA: 2026-01-01T01:36:40Z",
          lastTransitionTime: timeAt(120),
        },
      ],
    };
    expect(told(said)).toEqual([
      `diagnostic: queued by Kueue in "models" since 00:02 UTC, waiting for its admission check "dws-prov": Provisioning Request wasn't provisioned. ETA: 2026-01-01T01:36:40Z`,
    ]);
  });

  test('is told with why it was sent back to the queue', () => {
    const preempted =
      'Preempted to accommodate a workload (UID: 1, JobUID: 2) due to prioritization in the ClusterQueue';
    const evicted = conditionAt('Evicted', 'True', 'Preempted', preempted, 50);
    const reasons = conditionAt('Preempted', 'True', 'InClusterQueue', preempted, 50);
    expect(told({ conditions: [unreserved('Pending', preempted), evicted, reasons] })).toEqual([
      `diagnostic: queued by Kueue in "models" since 00:01 UTC, waiting; preempted earlier: ${preempted}`,
    ]);
    expect(told({ conditions: [unreserved('WaitingForQuota', needsMore), evicted, reasons] })).toEqual([
      `diagnostic: queued by Kueue in "models" since 00:01 UTC, waiting for quota; preempted earlier (${preempted}): ${needsMore}`,
    ]);
    const late = conditionAt('Evicted', 'True', 'PodsReadyTimeout', 'Exceeded the PodsReady timeout shop/web', 50);
    expect(told({ conditions: [unreserved('Pending', ''), late] })).toEqual([
      'diagnostic: queued by Kueue in "models" since 00:01 UTC, waiting; evicted earlier because its pods were not ready in time (Exceeded the PodsReady timeout shop/web)',
    ]);
  });

  test('is told to be admitted where only its gate is left', () => {
    const conditions = [conditionAt('QuotaReserved', 'True'), conditionAt('Admitted', 'True')];
    expect(told({ conditions })).toEqual([
      'diagnostic: admitted by Kueue from queue "models", but still held by its scheduling gate',
    ]);
  });
});

describe('a pod that Kueue will never admit', () => {
  test.each([
    ['ExceedsMaxQuota', tooMuch, 'it asks for more than its queue can ever give'],
    [
      'NoMatchingFlavor',
      "couldn't assign flavors to pod set main: flavor a100 doesn't match node affinity",
      'no flavor of its queue fits it',
    ],
    ['Misconfigured', "LocalQueue models doesn't exist", 'the workload or its queue is misconfigured'],
  ])('fails once that has lasted for the grace: %s', (reason, message, words) => {
    const barredSince = new Map<string, number>();
    const said = [workload({ conditions: [unreserved(reason, message)] })];
    const text = `Kueue will not admit it from queue "models", ${words}: ${message}`;
    expect(signs(said, 90, barredSince)).toMatchObject([{ state: 'mayHeal', cause: { reason, message: text } }]);
    expect(signs(said, 209, barredSince)).toMatchObject([{ state: 'mayHeal' }]);
    expect(signs(said, 210, barredSince)).toMatchObject([{ state: 'final', cause: { reason, message: text } }]);
  });

  test.each([
    // Before Kueue 0.19 all of it is Pending or Inadmissible (kueue#10852).
    ['Pending', tooMuch, 'ExceedsMaxQuota'],
    [
      'Pending',
      "couldn't assign flavors to pod set main: insufficient quota for cpu in flavor default, previously considered podsets requests (16) + current podset request (8) > maximum capacity (16)",
      'ExceedsMaxQuota',
    ],
    [
      'Pending',
      `${needsMore}; couldn't assign flavors to pod set worker: insufficient quota for nvidia.com/gpu in flavor a100, request > maximum capacity (16 > 8), insufficient quota for nvidia.com/gpu in flavor h100, request > maximum capacity (24 > 16)`,
      'ExceedsMaxQuota',
    ],
    [
      'Pending',
      "couldn't assign flavors to pod set main: flavor 0xv5p-8 doesn't match node affinity, untolerated taint {spot true NoSchedule <nil>} in flavor spot",
      'NoMatchingFlavor',
    ],
    [
      'Pending',
      "couldn't assign flavors to pod set main: resource nvidia.com/gpu unavailable in ClusterQueue",
      'NoMatchingFlavor',
    ],
    ['Pending', "Workload namespace doesn't match ClusterQueue selector", 'Misconfigured'],
    ['Inadmissible', "ClusterQueue gpus doesn't exist", 'Misconfigured'],
  ])('is known from what older versions say: %s, %s', (given, message, reason) => {
    const said = [workload({ apiVersion: 'kueue.x-k8s.io/v1beta1', conditions: [unreserved(given, message)] })];
    expect(signs(said)).toMatchObject([{ state: 'mayHeal', cause: { reason } }]);
  });

  test.each([
    [
      "couldn't assign flavors to pod set main: insufficient quota for nvidia.com/gpu in flavor a100, request > maximum capacity (16 > 8), insufficient unused quota for nvidia.com/gpu in flavor h100, 8 more needed",
      'waiting for quota',
    ],
    [
      "couldn't assign flavors to pod set main: flavor a100 doesn't match node affinity, something new in flavor h100",
      'waiting',
    ],
  ])('is one only where each of its flavors is ruled out: %s', (message, words) => {
    expect(told({ conditions: [unreserved('Pending', message)] })).toEqual([
      `diagnostic: queued by Kueue in "models" since 00:01 UTC, ${words}: ${message}`,
    ]);
  });

  test('counts anew once Kueue has said otherwise', () => {
    const barredSince = new Map<string, number>();
    const never = [workload({ conditions: [unreserved('ExceedsMaxQuota', tooMuch)] })];
    signs(never, 90, barredSince);
    signs([workload({ conditions: [unreserved('WaitingForQuota', needsMore)] })], 150, barredSince);
    expect(signs(never, 215, barredSince)).toMatchObject([{ state: 'mayHeal' }]);
  });

  test('is told to be deactivated, with why', () => {
    const message = 'Exceeded the maximum number of re-queuing retries';
    const conditions = [
      unreserved('Pending', message),
      conditionAt('Evicted', 'True', 'DeactivatedDueToRequeuingLimitExceeded', message, 70),
    ];
    expect(told({ active: false, conditions })).toEqual([
      `mayHeal: Kueue will not admit it from queue "models", its Workload is deactivated: ${message}`,
    ]);
  });

  test('is told with the admission check that was rejected', () => {
    const checks = [
      { name: 'dws-prov', state: 'Rejected', message: 'the zone is unknown', lastTransitionTime: timeAt(70) },
    ];
    expect(told({ conditions: [conditionAt('QuotaReserved', 'True')], checks })).toEqual([
      'mayHeal: Kueue will not admit it from queue "models", its admission check "dws-prov" was rejected: the zone is unknown',
    ]);
  });
});

describe('the Workload of a pod', () => {
  const conditions = [unreserved('WaitingForQuota', needsMore)];
  const waits = `queued by Kueue in "models" since 00:01 UTC, waiting for quota: ${needsMore}`;
  const unknown = 'queued by Kueue in "models" until there is quota for it';

  test.each([
    'kueue.x-k8s.io/pod-group-name',
    // Each group of a LeaderWorkerSet.
    'kueue.x-k8s.io/prebuilt-workload-name',
  ])('is the one that its label %s names, whoever owns it', (label) => {
    const name = 'leaderworkerset-llm-0-4d9c1';
    const pod = { ...gated, metadata: { ...gated.metadata, labels: { ...labels, [label]: name } } };
    const groups = [
      workload({ owner: 'other', name: 'leaderworkerset-llm-1-4d9c1' }),
      workload({ owner: 'other', name, conditions }),
    ];
    expect(signs(groups, 90, new Map(), pod)[0]?.cause.message).toBe(waits);
  });

  test('is that of what has made the pod, such as a Job', () => {
    const pod = {
      ...gated,
      metadata: {
        ...gated.metadata,
        ownerReferences: [{ apiVersion: 'batch/v1', kind: 'Job', name: 'web', uid: 'job-1' }],
      },
    };
    expect(signs([workload({ owner: 'job-1', conditions })], 90, new Map(), pod)[0]?.cause.message).toBe(waits);
  });

  test.each([
    ['of another pod', [workload({ owner: 'other', conditions })]],
    ['that has finished', [workload({ conditions: [...conditions, conditionAt('Finished', 'True')] })]],
    ['that Kueue has not looked at', [workload({})]],
    ['that may not be seen', []],
  ])('tells nothing where there is only one %s', (_, workloads) => {
    expect(signs(workloads)[0]?.cause).toMatchObject({
      message: unknown,
      hint: 'Check the Workload that Kueue created for it, and the quota of its ClusterQueue.',
    });
  });

  test('is not asked for where the pod waits for something else', () => {
    const pod = podOf(undefined, { conditions: [conditionAt('PodScheduled', 'False', 'Unschedulable', '0/1')] });
    const before = podSigns(pod, [], false, start);
    expect(withQueue(pod, before, { workloads: [], now: start, graceMs: 0, barredSince: new Map() })).toEqual(before);
  });
});
