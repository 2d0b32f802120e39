import { describe, expect, test } from '@jest/globals';

import type { JsonObject } from '../../../src/base/json.ts';
import { needsRoomForOneMore } from '../../../src/manifests/rolling-update.ts';
import { liveDeployment } from '../../support/rollout-objects.ts';

const rolling = (maxSurge: string | number, maxUnavailable: string | number) => ({
  type: 'RollingUpdate',
  rollingUpdate: { maxSurge, maxUnavailable },
});

describe('a rolling update begins only with one pod more', () => {
  test.each<[JsonObject | undefined, number, boolean]>([
    [undefined, 1, true],
    [undefined, 3, true],
    [undefined, 4, false],
    [undefined, 0, false],
    [rolling(0, 1), 1, false],
    [rolling(0, 0), 1, false],
    [rolling('0%', '0%'), 2, false],
    [rolling(1, 0), 8, true],
    [rolling('10%', '50%'), 2, false],
    [rolling('10%', '40%'), 2, true],
    [{ type: 'Recreate' }, 1, false],
  ])('%j of %d replicas: %j', (strategy, replicas, needs) => {
    const deployment = liveDeployment({ spec: strategy === undefined ? {} : { strategy } });
    expect(needsRoomForOneMore(deployment, replicas)).toBe(needs);
  });
});
