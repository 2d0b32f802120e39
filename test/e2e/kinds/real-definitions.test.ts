import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';

import { ApiServer } from '../../support/api-server.ts';
import { figure } from '../../support/figure.ts';
import { Stage } from '../../support/strategy-stage.ts';
import { certificate } from './certificate.ts';
import { bringDefinitions, removeDefinitions } from './definitions.ts';
import { externalSecret } from './external-secret.ts';
import { knativeService } from './knative-service.ts';
import { play, type Play, type Played, type Sequence } from './play.ts';
import { rayService } from './ray-service.ts';
import { rollout } from './rollout.ts';

/** The cluster has the definitions as they are released, and no controllers: their statuses are written here, in their order. */
const plays: readonly Play[] = [certificate, externalSecret, knativeService, rayService, rollout];

let api: ApiServer;
const stages: Stage[] = [];
const played = new Map<Sequence, Promise<Played>>();
let right = 0;

/** Each kind has a namespace of its own and one deploy after the other; the kinds go side by side. */
beforeAll(async () => {
  api = await ApiServer.ofTests();
  await bringDefinitions();
  for (const { definition, sequences } of plays) {
    const stage = await Stage.open('rolling');
    stages.push(stage);
    let before: Promise<unknown> = Promise.resolve();
    for (const sequence of sequences) {
      const playing = before.then(async () => await play({ stage, api, definition }, sequence));
      played.set(sequence, playing);
      // The test of the sequence tells what went wrong.
      before = Promise.allSettled([playing]);
    }
  }
});

afterAll(async () => {
  await Promise.allSettled(played.values());
  figure('kinds-real-definitions', plays.length);
  figure('kinds-real-sequences', right);
  api.close();
  for (const stage of stages) await stage[Symbol.asyncDispose]();
  await removeDefinitions();
});

async function playedOf(sequence: Sequence): Promise<Played> {
  const found = played.get(sequence);
  if (found === undefined) throw new Error('it was not played');
  return await found;
}

describe.each(plays.map((one) => [one.sequences[0]?.object.kind ?? '', one] as const))(
  'a real %s',
  (_kind, { sequences }) => {
    test.each(sequences.map((sequence) => [sequence.about, sequence] as const))('%s', async (_about, sequence) => {
      const { result, specs } = await playedOf(sequence);
      expect(result.log.split('\n')).toContain(sequence.says);
      const ending = { status: result.outputs['status'], exit: result.exit };
      expect(ending).toEqual({ status: sequence.ends, exit: sequence.ends === 'undone' ? 1 : 0 });
      const meant = sequence.ends === 'undone' ? specs.before : specs.after;
      expect(specs.after).toEqual(meant);
      right += 1;
    });
  },
);
