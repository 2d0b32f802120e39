import { describe, expect, test } from '@jest/globals';

import type { JsonObject } from '../../../src/base/json.ts';
import { unsettled } from '../../../src/rollout/settling.ts';
import { live, start, timeAt } from '../../support/rollout-objects.ts';

/** A pod whose container "web" is in this state, with the list that its status stands in. */
function pod(status: JsonObject, spec: JsonObject = {}, list = 'containerStatuses') {
  return live('Pod', { apiVersion: 'v1', spec, status: { [list]: [{ name: 'web', ...status }] } });
}

const runningSince = (seconds: number): JsonObject => ({ running: { startedAt: timeAt(seconds) } });
const endedAt = (seconds: number): JsonObject => ({ terminated: { exitCode: 3, finishedAt: timeAt(seconds) } });
const at = (seconds: number) => start + seconds * 1000;

const probed: JsonObject = { containers: [{ name: 'web', readinessProbe: { tcpSocket: { port: 80 } } }] };

describe('a container that was started again', () => {
  const restarted = pod({ state: runningSince(20), lastState: endedAt(5) });

  test('is not believed for 10 s, however long the kubelet waited before', () => {
    expect(unsettled([restarted], at(29))).toContain('container "web" just exited with code 3');
    expect(unsettled([restarted], at(30))).toBeUndefined();
  });

  test('and ends once more is not believed, although its run before ended long ago', () => {
    const again = pod({ state: endedAt(20), lastState: endedAt(5) });
    expect(unsettled([again], at(21))).toBeDefined();
  });

  test('and waits for its next start is not believed, whatever the workload says', () => {
    const looping = pod({ state: { waiting: { reason: 'CrashLoopBackOff' } }, lastState: endedAt(5) });
    expect(unsettled([looping], at(60))).toBeDefined();
  });

  test('counts when it is a sidecar', () => {
    const sidecar = { initContainers: [{ name: 'web', restartPolicy: 'Always' }] };
    const status = { state: runningSince(20), lastState: endedAt(5) };
    expect(unsettled([pod(status, sidecar, 'initContainerStatuses')], at(21))).toBeDefined();
  });
});

test.each([
  [
    'an init container that has done its work',
    pod({ state: endedAt(20) }, { initContainers: [{ name: 'web' }] }, 'initContainerStatuses'),
  ],
  ['a pod that is not restarted', pod({ state: endedAt(20) }, { restartPolicy: 'Never' })],
  [
    'a pod that is going away',
    { ...pod({ state: endedAt(20) }), metadata: { name: 'x', deletionTimestamp: timeAt(20) } },
  ],
])('%s has nothing to settle', (_, object) => {
  expect(unsettled([object], at(21))).toBeUndefined();
});

describe('a container in its first run', () => {
  test('that nothing probes is not believed for 2 s', () => {
    const started = pod({ state: runningSince(20) });
    expect(unsettled([started], at(21))).toContain('container "web" has no readiness probe');
    expect(unsettled([started], at(22))).toBeUndefined();
  });

  test('counts as its readiness probe says, where it has one', () => {
    expect(unsettled([pod({ state: runningSince(20) }, probed)], at(20))).toBeUndefined();
  });
});
