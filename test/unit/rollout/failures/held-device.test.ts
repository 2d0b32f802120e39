import { describe, expect, test } from '@jest/globals';

import type { JsonObject } from '../../../../src/base/json.ts';
import { withHeldDevice } from '../../../../src/rollout/failures/held-device.ts';
import { podSigns } from '../../../../src/rollout/failures/pod.ts';
import { podOf, start, timeAt, waiting } from '../../../support/rollout-objects.ts';

const gpu = { limits: { 'nvidia.com/gpu': '1' } };
const on = (nodeName: string, resources: JsonObject = gpu) => ({
  nodeName,
  containers: [{ name: 'web', image: 'registry.test/web:2', resources }],
});
/** A container that has crashed for the third time, its last run having begun so many seconds after the start. */
const crashing = (begun: number, spec: JsonObject = on('node-1')) =>
  podOf(undefined, {
    spec,
    containers: [
      waiting('CrashLoopBackOff', '', {
        restartCount: 2,
        lastState: {
          terminated: { exitCode: 1, reason: 'Error', startedAt: timeAt(begun), finishedAt: timeAt(begun + 5) },
        },
      }),
    ],
  });
const ending = (spec: JsonObject = on('node-1')) =>
  podOf(undefined, { metadata: { name: 'web-old', uid: 'old', deletionTimestamp: timeAt(60) }, spec, ready: true });

const tell = (
  pod: ReturnType<typeof podOf>,
  old: ReturnType<typeof podOf>[],
  seconds: number,
  memory = new Map<string, number>(),
) =>
  withHeldDevice(pod, podSigns(pod, [], false, start + seconds * 1000), {
    old,
    now: start + seconds * 1000,
    lastHeld: memory,
  }).map(({ state, cause }) => `${state}: ${cause.message}`);

const crash = 'container "web" keeps crashing (exit code 1, 2 restarts)';

describe('a crash beside an old pod that still holds the GPU (serving-progressive-rollout#204)', () => {
  test('does not end the wait, and says why', () => {
    expect(tell(crashing(30), [ending()], 40)).toEqual([
      `diagnostic: ${crash}; old pod "web-old" is still terminating on the same node and may hold its nvidia.com/gpu`,
    ]);
  });

  test('gets one more start once the old pod is gone, and counts when that crashes too', () => {
    const memory = new Map<string, number>();
    tell(crashing(30), [ending()], 40, memory);
    expect(tell(crashing(30), [], 50, memory)).toEqual([
      `diagnostic: ${crash}; when it started, an old pod on the same node still held its nvidia.com/gpu; waiting for its next start`,
    ]);
    expect(tell(crashing(70), [], 80, memory)).toEqual([`final: ${crash}`]);
  });

  test('counts where the old pod is on another node, has no GPU, or has not ended long after its time', () => {
    expect(tell(crashing(30), [ending(on('node-2'))], 40)).toEqual([`final: ${crash}`]);
    expect(tell(crashing(30), [ending(on('node-1', { limits: { cpu: '1' } }))], 40)).toEqual([`final: ${crash}`]);
    expect(tell(crashing(100), [ending()], 125)).toEqual([`final: ${crash}`]);
  });

  test('counts for pods that ask for no device', () => {
    const plain = on('node-1', { limits: { cpu: '1', 'hugepages-2Mi': '4Mi' } });
    expect(tell(crashing(30, plain), [ending(plain)], 40)).toEqual([`final: ${crash}`]);
  });
});

describe('a pod that takes the place of an old one in a full pool', () => {
  const text = '0/2 nodes are available: 2 Insufficient nvidia.com/gpu.';
  const placeless = (message = text, resources: JsonObject = gpu) =>
    podOf(undefined, {
      spec: { containers: [{ name: 'web', image: 'registry.test/web:2', resources }] },
      status: {
        conditions: [{ type: 'PodScheduled', status: 'False', reason: 'Unschedulable', message }],
        containerStatuses: [],
      },
    });
  const refused = 'pod cannot be scheduled: not enough nvidia.com/gpu (0 of 2 nodes fit)';

  test('waits for it to end, for as long as its grace period is', () => {
    expect(tell(placeless(), [ending(on('node-2'))], 40)).toEqual([
      `diagnostic: ${refused}; old pod "web-old" is still terminating and holds its nvidia.com/gpu`,
    ]);
    expect(tell(placeless(), [ending()], 125)).toEqual([`mayHeal: ${refused}`]);
  });

  test('has a moment to be scheduled once it is gone', () => {
    const memory = new Map<string, number>();
    tell(placeless(), [ending()], 40, memory);
    expect(tell(placeless(), [], 49, memory)).toEqual([`diagnostic: ${refused}`]);
    expect(tell(placeless(), [], 51, memory)).toEqual([`mayHeal: ${refused}`]);
  });

  test('does not wait for one that holds nothing that it lacks', () => {
    expect(tell(placeless(), [], 40)).toEqual([`mayHeal: ${refused}`]);
    expect(tell(placeless(), [ending(on('node-1', { limits: { 'amd.com/gpu': '1' } }))], 40)).toEqual([
      `mayHeal: ${refused}`,
    ]);
    const cpu = 'pod cannot be scheduled: not enough cpu (0 of 2 nodes fit)';
    expect(tell(placeless('0/2 nodes are available: 2 Insufficient cpu.'), [ending()], 40)).toEqual([
      `mayHeal: ${cpu}`,
    ]);
  });
});
