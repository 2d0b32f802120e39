import { describe, expect, test } from '@jest/globals';

import { podSigns } from '../../../../src/rollout/failures/pod.ts';
import { conditionAt, eventOn, live, liveJob, podOf, start, timeAt } from '../../../support/rollout-objects.ts';

type Pod = Parameters<typeof podSigns>[0];

function causesOf(pod: Pod, events: Parameters<typeof podSigns>[1] = [], seconds = 30): string[] {
  return podSigns(pod, events, false, start + seconds * 1000).map(({ state, cause }) => `${state}: ${cause.message}`);
}

const created = { metadata: { creationTimestamp: timeAt(0) } };

describe('a readiness gate', () => {
  const gated = (...conditions: Parameters<typeof conditionAt>[]) =>
    podOf(undefined, {
      phase: 'Running',
      spec: { readinessGates: [{ conditionType: 'shop.test/registered' }] },
      conditions: [conditionAt('ContainersReady', 'True'), ...conditions.map((parts) => conditionAt(...parts))],
    });

  test('that nobody sets is told once the containers have been ready for a while', () => {
    expect(causesOf(gated(), [], 2)).toEqual([]);
    expect(causesOf(gated())).toEqual([
      'diagnostic: its containers are ready, but its readiness gate "shop.test/registered" is not set',
    ]);
  });

  test('that is False is told with its reason', () => {
    expect(causesOf(gated(['shop.test/registered', 'False', 'Unhealthy', 'no answer']))).toEqual([
      'diagnostic: its containers are ready, but its readiness gate "shop.test/registered" is False (Unhealthy: no answer)',
    ]);
  });

  test('that is True is not', () => {
    expect(causesOf(gated(['shop.test/registered', 'True']))).toEqual([]);
  });

  test('of GKE is told with what sets it', () => {
    const pod = podOf(undefined, {
      phase: 'Running',
      spec: { readinessGates: [{ conditionType: 'cloud.google.com/load-balancer-neg-ready' }] },
      conditions: [conditionAt('ContainersReady', 'True')],
    });
    expect(podSigns(pod, [], false, start + 30_000)[0]?.cause.hint).toMatch(/^GKE sets it .* health check/);
  });
});

describe('a pod that no scheduler has said anything of', () => {
  test('is left alone at first', () => {
    expect(causesOf(podOf(undefined, created), [], 2)).toEqual([]);
  });

  test.each([
    [{}, 'the scheduler "default-scheduler" has not picked it up'],
    [{ schedulerName: 'binpack' }, 'the scheduler "binpack" has not picked it up'],
    [{ nodeName: 'node-7' }, 'the node "node-7" has not picked it up'],
    [
      { resourceClaims: [{ name: 'gpu', resourceClaimName: 'one' }] },
      'the scheduler is waiting for its ResourceClaim "one"',
    ],
  ])('%j', (spec, message) => {
    expect(causesOf(podOf(undefined, { ...created, spec }))).toEqual([`diagnostic: ${message}`]);
  });

  test('is none once its node has it', () => {
    expect(causesOf(podOf(undefined, { ...created, status: { startTime: timeAt(1) } }))).toEqual([]);
  });
});

describe('claims', () => {
  const volumes = [{ name: 'data', ephemeral: { volumeClaimTemplate: {} } }];
  const unbound = conditionAt(
    'PodScheduled',
    'False',
    'Unschedulable',
    '0/1 nodes are available: pod has unbound immediate PersistentVolumeClaims. not found',
  );
  const pod = podOf(undefined, { spec: { volumes }, conditions: [unbound] });
  const claim = live('PersistentVolumeClaim', { apiVersion: 'v1', metadata: { name: 'web-a-data' } });
  const what = 'the claim of its ephemeral volume "data" is not bound';

  test.each([
    [
      'ProvisioningFailed',
      'storageclass.storage.k8s.io "fast" not found',
      `mayHeal: ${what}: there is no StorageClass "fast"`,
    ],
    [
      'FailedBinding',
      'no persistent volumes available for this claim and no storage class is set',
      `mayHeal: ${what}: it has no StorageClass, and no PersistentVolume is available for it`,
    ],
    [
      'ExternalProvisioning',
      "Waiting for a volume to be created either by the external provisioner 'disks.test' or manually",
      `diagnostic: ${what}: its provisioner "disks.test" has not created the volume yet`,
    ],
  ])('of ephemeral volumes are told with why they are not bound: %s', (reason, message, expected) => {
    expect(causesOf(pod, [eventOn(claim, reason, message)])).toEqual([expected]);
  });

  test('are told with the last that was said of them', () => {
    const events = [
      eventOn(claim, 'ExternalProvisioning', "the external provisioner 'disks.test'", { first: 5 }),
      eventOn(claim, 'ProvisioningFailed', 'no zone has room', { first: 1 }),
      eventOn(claim, 'WaitForFirstConsumer', 'waiting for first consumer', { first: 9 }),
    ];
    expect(causesOf(pod, events)).toEqual([expect.stringContaining('its provisioner "disks.test"')]);
  });

  test('that nobody says anything of are told all the same', () => {
    expect(causesOf(pod)).toEqual([`diagnostic: ${what}`]);
  });

  test('that wait for their first consumer are told where the scheduler waits for the volume in silence', () => {
    const silent = podOf(undefined, { ...created, spec: { volumes } });
    const event = eventOn(claim, 'ExternalProvisioning', "the external provisioner 'disks.test'", { type: 'Normal' });
    expect(causesOf(silent, [event])).toEqual([expect.stringContaining('its provisioner "disks.test"')]);
  });
});

describe('pods that their node has ended', () => {
  const failed = (reason: string, message: string, owner = liveJob()) =>
    podOf(owner, { phase: 'Failed', status: { reason, message }, spec: { nodeName: 'node-7' } });
  const own = /^Raise the limit in the message/;
  const nodes = /^Set the requests of its containers/;

  test.each([
    ['Usage of EmptyDir volume "cache" exceeds the limit "10Mi". ', own],
    ['Container web exceeded its local ephemeral storage limit "10Mi". ', own],
    ['Pod ephemeral local storage usage exceeds the total limit of containers 10Mi. ', own],
    [
      'The node was low on resource: memory. Container web was using 900Mi, request is 0, has larger consumption of memory.',
      nodes,
    ],
  ])('are told: %s', (message, hint) => {
    const [sign] = podSigns(failed('Evicted', message), [], false, start);
    expect(sign?.cause.message).toBe(`one of its pods was evicted: ${message.trim()}`);
    expect(sign?.cause.hint).toMatch(hint);
  });

  test('or never taken, are told with what the node says', () => {
    const message =
      "Pod was rejected: Node didn't have enough resource: cpu, requested: 500000, used: 0, capacity: 2000";
    expect(causesOf(failed('OutOfcpu', message))).toEqual([
      `diagnostic: the node "node-7" rejected one of its pods: ${message.replace('Pod was rejected: ', '')}`,
    ]);
  });
});

describe('a pod that waits for its turn', () => {
  const gated = (gate: string, labels: Record<string, string> = {}, message = '') =>
    podOf(undefined, {
      metadata: { ...created.metadata, labels },
      spec: { schedulingGates: [{ name: gate }] },
      conditions: [conditionAt('PodScheduled', 'False', 'SchedulingGated', message)],
    });
  const queue = { 'kueue.x-k8s.io/queue-name': 'models' };
  const ofEveryGate = 'Scheduling is blocked due to non-empty scheduling gates';

  test.each([
    [gated('kueue.x-k8s.io/admission'), 'queued by Kueue until there is quota for it'],
    [gated('kueue.x-k8s.io/admission', queue, ofEveryGate), 'queued by Kueue in "models" until there is quota for it'],
    [gated('kueue.x-k8s.io/topology', queue), 'queued by Kueue in "models" until there is quota for it'],
    [
      gated('kueue.x-k8s.io/admission', queue, 'ExceedsMaxQuota: 8 GPUs'),
      'queued by Kueue in "models" until there is quota for it: ExceedsMaxQuota: 8 GPUs',
    ],
    [gated('shop.test/approved'), 'the scheduling gate "shop.test/approved" holds it back from the scheduler'],
  ])('is told as held back, never as one that fits nowhere (%#)', (pod, message) => {
    expect(causesOf(pod, [], 3600)).toEqual([`diagnostic: ${message}`]);
  });

  const scarce = '0/3 nodes are available: 3 Insufficient nvidia.com/gpu.';
  const flexStart = (parts: Parameters<typeof podOf>[1] = {}) =>
    podOf(undefined, {
      ...parts,
      metadata: { ...created.metadata, ...parts.metadata },
      conditions: [conditionAt('PodScheduled', 'False', 'Unschedulable', scarce)],
    });
  const selected = flexStart({ spec: { nodeSelector: { 'cloud.google.com/gke-flex-start': 'true' } } });
  const requested = flexStart({
    metadata: { annotations: { 'autoscaling.x-k8s.io/consume-provisioning-request': 'train' } },
  });
  const tells = 'pod cannot be scheduled: not enough nvidia.com/gpu (0 of 3 nodes fit)';

  test.each([
    ['by its nodeSelector', selected],
    ['by its ProvisioningRequest', requested],
  ])('for a flex-start node does so for hours, %s', (_, pod) => {
    const failed = eventOn(pod, 'FailedScaleUp', 'out of capacity');
    for (const events of [[], [failed]])
      expect(causesOf(pod, events, 3600)).toEqual([`diagnostic: ${tells}; queued for a flex-start node`]);
  });

  test('for a flex-start node that no pool can give does not', () => {
    const never = eventOn(selected, 'NotTriggerScaleUp', 'no pool fits', { type: 'Normal' });
    expect(causesOf(selected, [never], 30)).toEqual([`mayHeal: ${tells}; the autoscaler cannot help: no pool fits`]);
    expect(causesOf(flexStart(), [], 30)).toEqual([`mayHeal: ${tells}`]);
  });
});
