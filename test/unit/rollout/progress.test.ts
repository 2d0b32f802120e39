import { describe, expect, test } from '@jest/globals';

import { describeWork } from '../../../src/rollout/progress.ts';
import { eventOn, podOf, start, timeAt, waiting } from '../../support/rollout-objects.ts';

const now = start + 45_000;
const running = (more: object) => ({
  name: 'web',
  ready: false,
  state: { running: { startedAt: timeAt(5) } },
  ...more,
});

describe('what a pod is busy with', () => {
  test('the pull of a large image, and since when', () => {
    const pod = podOf(undefined, { containers: [waiting('ContainerCreating')] });
    const pulling = eventOn(pod, 'Pulling', 'Pulling image "registry.test/model:7"', { type: 'Normal', first: 3 });
    expect(describeWork([pod], [pulling], now)).toContain('pulling image "registry.test/model:7" since 42s');
  });

  test('an init container', () => {
    const pod = podOf(undefined, { status: { initContainerStatuses: [running({ name: 'migrate' })] } });
    expect(describeWork([pod], [], now)).toContain('init container "migrate" is running since 40s');
  });

  test('a slow start, and how long it may take', () => {
    const startupProbe = { failureThreshold: 60, periodSeconds: 5 };
    const pod = podOf(undefined, {
      containers: [running({ started: false })],
      spec: { containers: [{ name: 'web', startupProbe }] },
    });
    expect(describeWork([pod], [], now)).toMatch(/starting since 40s.*allows 5m/);
  });

  test('a container that runs but is not ready', () => {
    const pod = podOf(undefined, { containers: [running({ started: true })] });
    expect(describeWork([pod], [], now)).toContain('is running since 40s, but not ready yet');
  });

  test('is nothing when all are ready, or end', () => {
    expect(describeWork([podOf(undefined, { ready: true })], [], now)).toBe('');
    expect(describeWork([podOf(undefined, { metadata: { deletionTimestamp: timeAt(1) } })], [], now)).toBe('');
  });
});
