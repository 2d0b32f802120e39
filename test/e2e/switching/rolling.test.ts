import { describe, expect, test } from '@jest/globals';

import { SteadyLoad } from '../../support/steady-load.ts';
import { lossesOf, rounds, Stage, versionsNow, type Version } from './stage.ts';

const patienceMs = 600_000;

describe.each(['ClusterIP', 'LoadBalancer'] as const)('rolling under load on the %s address', (kind) => {
  test(
    'loses no request, and ends with the new version alone',
    async () => {
      await using stage = await Stage.open('rolled');
      await using load = new SteadyLoad(await stage.address(kind));
      expect(await versionsNow(load)).toEqual(['1.0.0']);
      const count = rounds(`rolling ${kind}`, 5);
      for (let round = 1; round <= count; round += 1) {
        const version: Version = round % 2 === 1 ? '2.0.0' : '1.0.0';
        await stage.deploy(version);
        expect(await versionsNow(load)).toEqual([version]);
      }
      expect(await lossesOf(load, `rolls-${kind.toLowerCase()}`, count)).toEqual([]);
    },
    patienceMs,
  );
});
