import { describe, expect, test } from '@jest/globals';

import { worksOf } from '../../../src/rollout/progress.ts';
import { eventOn, podOf, start, timeAt, waiting } from '../../support/rollout-objects.ts';

const now = start + 45_000;
const describeWork = (...parts: Parameters<typeof worksOf>) => worksOf(...parts)[0]?.message ?? '';
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
    expect(describeWork([pod], [pulling], now)).toContain('pulling image "registry.test/model:7" for 42s');
  });

  test('the pull of the image of an init container', () => {
    const initContainerStatuses = [waiting('PodInitializing', '', { name: 'migrate' })];
    const pod = podOf(undefined, { status: { initContainerStatuses }, containers: [waiting('PodInitializing')] });
    const pulling = eventOn(pod, 'Pulling', 'Pulling image "registry.test/model:7"', { type: 'Normal', first: 3 });
    expect(describeWork([pod], [pulling], now)).toContain('pulling image "registry.test/model:7" for 42s');
  });

  test('an init container', () => {
    const pod = podOf(undefined, { status: { initContainerStatuses: [running({ name: 'migrate' })] } });
    expect(describeWork([pod], [], now)).toContain(
      'init container "migrate" has been running for 40s, and the other containers wait for it',
    );
  });

  test('a sidecar that has not started, which the others wait for', () => {
    const pod = podOf(undefined, {
      spec: { initContainers: [{ name: 'proxy', restartPolicy: 'Always', startupProbe: { periodSeconds: 1 } }] },
      status: { initContainerStatuses: [running({ name: 'proxy', started: false })] },
    });
    expect(describeWork([pod], [], now)).toBe(
      'sidecar container "proxy" has been starting for 40s; its startup probe allows 3s',
    );
  });

  test('that of the first pod that has something to say', () => {
    const silent = podOf(undefined, { metadata: { name: 'web-b' } });
    const pod = podOf(undefined, { containers: [running({ started: true })] });
    expect(worksOf([silent, pod], [], now)[0]).toMatchObject({ object: { name: 'web-a' }, container: 'web' });
  });

  test('a slow start, and how long it may take', () => {
    const startupProbe = { failureThreshold: 60, periodSeconds: 5 };
    const pod = podOf(undefined, {
      containers: [running({ started: false })],
      spec: { containers: [{ name: 'web', startupProbe }] },
    });
    expect(describeWork([pod], [], now)).toMatch(/starting for 40s.*allows 5m/);
  });

  test('a container that runs but is not ready', () => {
    const pod = podOf(undefined, { containers: [running({ started: true })] });
    expect(describeWork([pod], [], now)).toContain('has been running for 40s, but is not ready yet');
  });

  test('is nothing when all are ready, or end', () => {
    expect(describeWork([podOf(undefined, { ready: true })], [], now)).toBe('');
    expect(describeWork([podOf(undefined, { metadata: { deletionTimestamp: timeAt(1) } })], [], now)).toBe('');
  });
});
