import { describe, expect, test } from '@jest/globals';

import { podSigns } from '../../../../src/rollout/failures/pod.ts';
import { conditionAt, crashed, eventOn, podOf, start, timeAt } from '../../../support/rollout-objects.ts';

function signsOf(pod: Parameters<typeof podSigns>[0], events: Parameters<typeof podSigns>[1] = []): string[] {
  return podSigns(pod, events, false, start + 5000).map(
    (sign) => `${sign.state}${sign.state === 'mayHeal' ? ` ${sign.graceMs / 1000}s` : ''}: ${sign.cause.message}`,
  );
}

const unschedulable = podOf(undefined, {
  conditions: [
    conditionAt(
      'PodScheduled',
      'False',
      'Unschedulable',
      '0/3 nodes are available: 1 node(s) had untolerated taint {gpu: true}, 2 Insufficient cpu. preemption: 0/3 nodes are available: 3 No preemption victims found.',
    ),
  ],
});
const words = 'pod cannot be scheduled: ';

describe('a pod that fits on no node', () => {
  test('has two minutes', () => {
    expect(signsOf(unschedulable)).toEqual([expect.stringContaining(`mayHeal 120s: ${words}`)]);
  });

  test('is waited for while the autoscaler makes room (R18, skaffold#6011)', () => {
    const event = eventOn(unschedulable, 'TriggeredScaleUp', 'pod triggered scale-up', { type: 'Normal' });
    expect(signsOf(unschedulable, [event])).toEqual([
      expect.stringMatching(/^diagnostic: pod cannot be scheduled: .*; the autoscaler is adding a node$/),
    ]);
  });

  test('has less time when the autoscaler says that it cannot help (R18)', () => {
    const event = eventOn(unschedulable, 'NotTriggerScaleUp', '1 max node group size reached', { type: 'Normal' });
    expect(signsOf(unschedulable, [event])).toEqual([
      expect.stringMatching(
        /^mayHeal 60s: pod cannot be scheduled: .*the autoscaler cannot help: 1 max node group size reached$/,
      ),
    ]);
  });

  test('has two minutes again when the autoscaler has tried and failed, for it tries elsewhere', () => {
    const events = [
      eventOn(unschedulable, 'FailedScaleUp', 'GCE out of resources', { first: 3 }),
      eventOn(unschedulable, 'TriggeredScaleUp', 'pod triggered scale-up', { type: 'Normal', first: 1 }),
    ];
    expect(signsOf(unschedulable, events)).toEqual([
      expect.stringMatching(/^mayHeal 120s: pod cannot be scheduled: .*; the autoscaler failed: GCE out of resources$/),
    ]);
  });

  test('is waited for again when the autoscaler tries once more', () => {
    const events = [
      eventOn(unschedulable, 'FailedScaleUp', 'GCE out of resources', { first: 1 }),
      eventOn(unschedulable, 'TriggeredScaleUp', 'pod triggered scale-up', { type: 'Normal', first: 3 }),
    ];
    expect(signsOf(unschedulable, events)).toEqual([expect.stringMatching(/^diagnostic: .*is adding a node$/)]);
  });

  test('shows nothing more once it is bound (R18)', () => {
    expect(signsOf(podOf(undefined, { conditions: [conditionAt('PodScheduled', 'True')] }))).toEqual([]);
  });
});

describe('events of a pod', () => {
  const pending = podOf(undefined);
  const mount = (pod = pending) =>
    eventOn(pod, 'FailedMount', 'MountVolume.SetUp failed for volume "x" : secret "absent" not found');

  test('a volume whose Secret is missing has 10 s', () => {
    expect(signsOf(pending, [mount()])).toEqual([
      'mayHeal 10s: volume "x" cannot be mounted: there is no Secret "absent"',
    ]);
  });

  test('a volume that names a key that its ConfigMap does not have has 10 s', () => {
    const message = 'MountVolume.SetUp failed for volume "x" : configmap references non-existent config key: port';
    expect(signsOf(pending, [eventOn(pending, 'FailedMount', message)])).toEqual([
      'mayHeal 10s: volume "x" cannot be mounted: its ConfigMap has no key "port"',
    ]);
  });

  test('a mount that failed before it worked is no failure, while a large image is pulled', () => {
    const mounted = podOf(undefined, { conditions: [conditionAt('PodReadyToStartContainers', 'True')] });
    expect(signsOf(mounted, [mount(mounted)]).filter((sign) => !sign.startsWith('diagnostic'))).toEqual([]);
  });

  test('other mounts, disks and sandboxes are told, never final', () => {
    const events = ['FailedMount', 'FailedAttachVolume', 'FailedCreatePodSandBox'].map((reason) =>
      eventOn(pending, reason, `${reason} for some reason`),
    );
    expect(signsOf(pending, events)).toEqual(events.map(({ message }) => `diagnostic: ${message}`));
  });

  const probed = podOf(undefined, {
    phase: 'Running',
    spec: { containers: [{ name: 'web', readinessProbe: { httpGet: { path: '/readyz', port: 8080 } } }] },
  });
  const probe = (pod: typeof probed, count: number) =>
    eventOn(pod, 'Unhealthy', 'Readiness probe failed: HTTP probe failed with statuscode: 503', { count });

  test('the first failing probes say nothing (samson#1567)', () => {
    expect(signsOf(probed, [probe(probed, 2)])).toEqual([]);
  });

  test('more of them are told with path and answer, and are never final', () => {
    expect(signsOf(probed, [probe(probed, 3)])).toEqual([
      expect.stringMatching(/^diagnostic: container "web": its readiness probe \(GET \/readyz\) fails: .*503$/),
    ]);
  });

  test('a probe of a native sidecar in its first run is part of its start, like that of a main container', () => {
    const name = 'proxy';
    const pod = podOf(undefined, {
      phase: 'Running',
      spec: { initContainers: [{ name, restartPolicy: 'Always', startupProbe: { tcpSocket: { port: 8080 } } }] },
      status: {
        initContainerStatuses: [
          { name, restartCount: 0, started: false, state: { running: { startedAt: timeAt(1) } } },
        ],
      },
    });
    const unhealthy = 'Startup probe failed: dial tcp 10.0.0.1:8080: connect: connection refused';
    const [sign] = podSigns(pod, [eventOn(pod, 'Unhealthy', unhealthy, { count: 5 })], false, start + 9000);
    expect(sign).toMatchObject({
      state: 'diagnostic',
      start: { since: start + 1000 },
      cause: {
        message: 'container "proxy": its startup probe (TCP port 8080) fails: nothing is listening on port 8080',
      },
    });
  });

  test('of a pod that is ready now they are past (kubernetes#16051)', () => {
    const ready = podOf(undefined, { ready: true });
    expect(signsOf(ready, [probe(ready, 9)])).toEqual([]);
  });

  test('credentials of Docker Hub are cut out of them', () => {
    const event = eventOn(
      pending,
      'FailedCreatePodSandBox',
      'toomanyrequests: You have reached your pull rate limit as jane: dckr_jti_secret. See',
    );
    expect(signsOf(pending, [event]).join()).not.toMatch(/jane|secret/);
  });
});

describe('pods that say nothing about their version', () => {
  test('those that end', () => {
    expect(signsOf(podOf(undefined, { metadata: { deletionTimestamp: timeAt(1) }, containers: [crashed(5)] }))).toEqual(
      [],
    );
  });

  test.each(['Evicted', 'Preempting', 'NodeShutdown', 'Terminated'])('%s ones', (reason) => {
    expect(signsOf(podOf(undefined, { phase: 'Failed', status: { reason }, containers: [crashed(5)] }))).toEqual([]);
  });
});
