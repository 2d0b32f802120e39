import { setTimeout as passed } from 'node:timers/promises';

import { afterAll, describe, expect, test } from '@jest/globals';

import { figure } from '../../support/figure.ts';
import { shareOf } from '../../support/share.ts';
import { Stage } from '../../support/strategy-stage.ts';
import type { Content } from '../truth/sequences/application.ts';
import { deployOf, perform, type Strategy } from '../truth/sequences/moves.ts';
import { contradictions, headingOf, type Seen } from '../truth/sequences/oracle.ts';
import { Random } from '../../support/random.ts';
import { settled } from '../truth/sequences/suite.ts';
import { look } from '../truth/sequences/witness.ts';
import { interferences, type Interference } from './second-actor.ts';

/** Whoever waits for all of them needs patience; a share of them is soon done. */
const patienceMs = 1_800_000;

/** Until when the other one acts after the start of a deploy: it takes about as long. */
const latestMs = 4_000;

const before: Content = { version: '1.0.0', greeting: 'hello' };
const wanted: Content = { version: '2.0.0', greeting: 'servus' };

interface Case {
  strategy: Strategy;
  interference: Interference;
  name: string;
  moment: number;
}

const moments = [1, 2];
const all: Case[] = (['rolling', 'canary', 'blue-green'] as const).flatMap((strategy) =>
  interferences.flatMap((interference) =>
    moments.map((moment) => ({
      strategy,
      interference,
      moment,
      name: `${strategy}: ${interference.name}, moment ${moment}`,
    })),
  ),
);

describe('somebody else changes what a deploy is at work on', () => {
  const found: string[] = [];
  let runs = 0;

  afterAll(() => {
    figure('interference-runs', runs);
    figure('interference-contradictions', found.length);
  });

  test.concurrent.each(shareOf(all, ({ name }) => name, 8))(
    'what the run says at its end is what the pods answer: $name',
    async ({ strategy, interference, name, moment }) => {
      const problems = await meet(strategy, interference, name, moment);
      runs += 1;
      found.push(...problems);
      expect(problems).toEqual([]);
    },
    patienceMs,
  );
});

/** A deploy, and in the middle of it the other one. Answers where its words are not what the cluster shows. */
async function meet(strategy: Strategy, interference: Interference, name: string, moment: number): Promise<string[]> {
  await using stage = await Stage.open(strategy);
  await perform(stage, strategy, deployOf(before, {}).command);
  const seed = Array.from(name).reduce((sum, letter) => (sum * 31 + letter.charCodeAt(0)) >>> 0, moment);
  const delayMs = new Random(seed).next() * latestMs;
  const { command } = deployOf(wanted, { 'auto-promote': 'true' });
  const at = await look(stage);
  const [result] = await Promise.all([
    perform(stage, strategy, command),
    // The moment is the subject here: wherever it falls, the words have to be true.
    passed(delayMs).then(async () => await interference.act(stage, before).catch(() => undefined)),
  ]);
  const seen: Seen = { command, before: at, result, after: await look(stage), history: new Map() };
  const told = await settled(stage, seen, (one) => (one.result.exit === 0 ? contradictions(one) : ofFailure(one)));
  return told.map((problem) => `${name} after ${Math.round(delayMs)} ms: ${problem}\n${headingOf(result)}`);
}

/** A failure may leave what the other one has made; but it does not say then that all is as it was. */
function ofFailure(seen: Seen): string[] {
  const claims = /everything is as it was/i.test(seen.result.summary);
  return claims ? contradictions(seen) : [];
}
